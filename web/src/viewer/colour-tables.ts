/** Colour maps as rows: what each is called, and how it runs from low to high. */
export interface ColourMap {
  name: string;
  words: string;
  /** Position from 0 to 1, then red, green and blue from 0 to 1. */
  points: readonly (readonly [number, number, number, number])[];
}

/** What grey images return to. */
export const GREY = 'grey';

/** `hot_iron` is that of PS3.6 Annex B.1.1: red first, then green, then blue. */
export const COLOUR_MAPS: readonly ColourMap[] = [
  {
    name: GREY,
    words: 'Grey',
    points: [
      [0, 0, 0, 0],
      [1, 1, 1, 1],
    ],
  },
  {
    name: 'hot_iron',
    words: 'Hot iron',
    points: [
      [0, 0, 0, 0],
      [0.5, 1, 0, 0],
      [0.75, 1, 0.5, 0],
      [1, 1, 1, 1],
    ],
  },
  {
    name: 'rainbow',
    words: 'Rainbow',
    points: [
      [0, 0, 0, 0.5],
      [0.25, 0, 0.6, 1],
      [0.5, 0, 0.9, 0.2],
      [0.75, 1, 0.9, 0],
      [1, 0.9, 0, 0],
    ],
  },
  {
    name: 'blue_red',
    words: 'Blue to red',
    points: [
      [0, 0.23, 0.3, 0.75],
      [0.5, 0.87, 0.87, 0.87],
      [1, 0.71, 0.02, 0.15],
    ],
  },
];

/** The colour at a place from 0 to 1, as red, green, blue from 0 to 255. */
export function colourAt(map: ColourMap, at: number): [number, number, number] {
  const { points } = map;
  const upper = Math.max(
    1,
    points.findIndex((p) => p[0] >= at),
  );
  const [from, to] = [points[upper - 1] ?? points[0], points[upper] ?? points[points.length - 1]];
  if (!from || !to) return [0, 0, 0];
  const part = Math.min(Math.max((at - from[0]) / Math.max(to[0] - from[0], 1e-9), 0), 1);
  const mix = (k: 1 | 2 | 3) => Math.round(255 * (from[k] + part * (to[k] - from[k])));
  return [mix(1), mix(2), mix(3)];
}

/** The 256 colours of values laid over an image. */
export const COLOUR_TABLE: readonly (readonly [number, number, number])[] = Array.from(
  { length: 256 },
  (_, k) => colourAt(COLOUR_MAPS.find((m) => m.name === 'rainbow') as ColourMap, k / 255),
);
