/**
 * Maps whose values lie on both sides of zero: clear about zero, warm above, cool below. Orange and blue are told apart
 * in every kind of colour blindness (Okabe and Ito 2008), and the scale beside the image has signs.
 */
import { figure } from '../../ui/format';
import type { Overlay } from './laid-over';

export interface SignedLook {
  /** What is nearer to zero than this is let through. */
  clear: number;
  /** From here on the colours do not change. */
  top: number;
  /** What the map shows, and what is clear. */
  words: string;
  /** How a value stands at the scale. */
  tick: (value: number) => string;
}

type Colour = readonly [number, number, number];

const WARM: readonly Colour[] = [
  [213, 78, 0],
  [255, 140, 0],
  [255, 214, 0],
];
const COOL: readonly Colour[] = [
  [28, 84, 226],
  [0, 140, 255],
  [0, 222, 255],
];
/** Beyond `clear` the colours come in over this part of the scale: a step would look like an edge of anatomy. */
const COMING_IN = 0.2;
/** Of a map that nothing more is known of. */
const CLEAR_PART = 0.02;

const minus = (value: number, words: string): string => `${value < 0 ? '−' : '+'}${words}`;
const ratio = (log: number): string => `${log < 0 ? '÷' : '×'}${Number(Math.exp(Math.abs(log)).toFixed(1))}`;

/** Our own maps of change, by content label and code: fixed scales, so that two patients look alike. */
const KNOWN: Record<string, SignedLook> = {
  'CHANGE_Z 113071': {
    clear: 3,
    top: 8,
    words: 'Change, z: standard deviations of noise; clear within ±3',
    tick: (z) => `${minus(z, figure(Math.abs(z)).replace(/\.0$/, ''))} SD`,
  },
  'GROWTH_LOGJAC log-jacobian': {
    clear: Math.log(1.1),
    top: Math.log(2),
    words: 'Growth: volume now to then by alignment; clear within ×1.1',
    tick: ratio,
  },
};

/** A map that goes this little below zero, as part of how far it goes above, is one with noise about zero. */
const NOISE_PART = 0.05;

/** How a map with values to both sides of zero is shown; null for all others. */
export function signedLook(
  map: Pick<Overlay, 'form' | 'label' | 'quantity' | 'unit'>,
  range: readonly [number, number] | null,
): SignedLook | null {
  if (map.form !== 'map' || !range) return null;
  const known = KNOWN[`${map.label} ${map.quantity?.[0] ?? ''}`];
  if (known) return known;
  if (!(range[0] < 0 && -range[0] > NOISE_PART * range[1])) return null;
  const top = Math.max(Math.abs(range[0]), Math.abs(range[1]), 1e-9);
  return {
    clear: top * CLEAR_PART,
    top,
    words: map.quantity?.[2] || map.label,
    tick: (v) => minus(v, figure(Math.abs(v))),
  };
}

function colourAt(value: number, { clear, top }: SignedLook): Colour {
  const stops = value < 0 ? COOL : WARM;
  const at =
    Math.min(1, Math.max(0, (Math.abs(value) - clear) / Math.max(top - clear, 1e-9))) * (stops.length - 1);
  const from = Math.min(Math.floor(at), stops.length - 2);
  const [a, b] = [stops[from] as Colour, stops[from + 1] as Colour];
  const mix = (k: 0 | 1 | 2) => a[k] + (b[k] - a[k]) * (at - from);
  return [mix(0), mix(1), mix(2)];
}

/** How much of the colour is seen, 0 to 1. */
const strengthAt = (value: number, { clear, top }: SignedLook): number =>
  Math.min(1, Math.max(0, (Math.abs(value) - clear) / Math.max((top - clear) * COMING_IN, 1e-9)));

/** Signed values as a picture; what lies outside the map, and what is near zero, is let through. */
export function paintSigned(values: Float32Array, look: SignedLook, opacity: number): Uint8ClampedArray {
  const picture = new Uint8ClampedArray(values.length * 4);
  for (let k = 0; k < values.length; k++) {
    const value = values[k] ?? Number.NaN;
    if (!(Math.abs(value) > look.clear)) continue;
    picture.set([...colourAt(value, look), strengthAt(value, look) * opacity * 255], k * 4);
  }
  return picture;
}

export interface Tick {
  /** From the top of the scale, in per cent. */
  at: number;
  words: string;
}

/** The scale beside the image: its colours from top to bottom, and what stands at them. */
export function scaleOf(look: SignedLook): { colours: string; ticks: readonly Tick[] } {
  const { clear, top } = look;
  const at = (value: number) => (1 - value / top) * 50;
  const stop = (value: number, seen = 1) =>
    `rgb(${colourAt(value, look).map(Math.round).join(' ')} / ${seen}) ${at(value).toFixed(1)}%`;
  const side = [top, (top + clear) / 2, clear];
  const stops = [
    ...side.map((v) => stop(v)),
    stop(clear, 0),
    stop(-clear, 0),
    ...[...side].reverse().map((v) => stop(-v)),
  ];
  return {
    colours: `linear-gradient(${stops.join(', ')})`,
    ticks: [top, clear, -clear, -top].map((value) => ({ at: at(value), words: look.tick(value) })),
  };
}
