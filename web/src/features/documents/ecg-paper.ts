/**
 * A recording on millimetre paper: which lead lies where, what a point on the paper is in seconds and volts.
 *
 * Everything on the paper is in nominal millimetres; 1 mm is `PIXELS_PER_MM` CSS pixels at scale 1.
 */

/** CSS defines 96 pixels as an inch; what a screen really shows is not known. */
export const PIXELS_PER_MM = 96 / 25.4;
/** Seconds shown at once; longer recordings are turned page by page. */
export const PAGE_S = 10;
export const LABEL_MM = 8;

export interface Channel {
  name: string;
  lead: string;
  unit: string;
  stated_unit: string;
  calibrated: boolean;
  skew_s: number;
  low_hz: number | null;
  high_hz: number | null;
  notch_hz: number | null;
}

export interface Group {
  number: number;
  label: string;
  originality: string;
  frequency_hz: number;
  offset_ms: number;
  samples: number;
  stated_samples: number;
  channels: Channel[];
  problem: string;
}

export interface Annotation {
  name: string;
  text: string;
  value: number | null;
  unit: string;
  group: number | null;
  channels: number[];
  at_s: number[];
  extent: string;
}

export interface Waveform {
  acquired: string;
  groups: Group[];
  annotations: Annotation[];
  more_annotations: number;
}

export type Layout = '3x4' | '12x1';

/** How a recording is looked at. */
export interface Look {
  layout: Layout;
  speed: number;
  gain: number;
  filter: boolean;
  /** Enlargement; null fits the width. */
  zoom: number | null;
  /** The corner of the paper that is seen, mm. */
  pan: { x: number; y: number };
}

export const HOME = { x: 0, y: 0 };
export const ZOOM_STEP = 1.25;

export const firstLook = (channels: readonly Channel[]): Look => ({
  layout: isTwelveLead(channels) ? '3x4' : '12x1',
  speed: 25,
  gain: 10,
  filter: false,
  zoom: null,
  pan: HOME,
});

/** One stretch of one channel on the paper. */
export interface Strip {
  channel: number;
  label: string;
  /** Left end and base line, mm. */
  x: number;
  y: number;
  /** Seconds from the start of the page. */
  from: number;
  to: number;
  /** Whether it begins a row, and so carries the calibration pulse. */
  leads: boolean;
}

export interface Paper {
  strips: Strip[];
  /** The strip that carries what is said of all channels: lead II where there is one. */
  rhythm: Strip | null;
  width: number;
  height: number;
  rowHeight: number;
}

const COLUMNS = [
  ['I', 'II', 'III'],
  ['aVR', 'aVL', 'aVF'],
  ['V1', 'V2', 'V3'],
  ['V4', 'V5', 'V6'],
] as const;
const COLUMN_ROW_MM = 32;
/** Few channels have more room each. */
const rowMm = (channels: number): number => (channels <= 3 ? 40 : channels <= 6 ? 28 : 18);

/** The group to begin with: measured rather than derived, and the longest of those. */
export function firstGroup(groups: readonly Group[]): Group | null {
  const readable = groups.filter((g) => !g.problem && g.samples > 0);
  const rank = (g: Group) => (g.originality === 'DERIVED' ? 0 : 1e12) + g.samples / (g.frequency_hz || 1);
  return [...readable].sort((a, b) => rank(b) - rank(a))[0] ?? groups[0] ?? null;
}

/** Whether all twelve leads are there, so that they can stand in three rows of four. */
export const isTwelveLead = (channels: readonly Channel[]): boolean =>
  COLUMNS.every((column) => column.every((lead) => channels.some((c) => c.lead === lead)));

/** Lay channels out; `duration` is what the page holds, in s, and `speed` in mm/s. */
export function layOut(channels: readonly Channel[], layout: Layout, duration: number, speed: number): Paper {
  const columns = layout === '3x4' && isTwelveLead(channels);
  const rowHeight = columns ? COLUMN_ROW_MM : rowMm(channels.length);
  const strips = columns
    ? inColumns(channels, duration, speed, rowHeight)
    : channels.map((c, row) => strip(c, row, LABEL_MM, (row + 0.5) * rowHeight, 0, duration, true));
  const rows = Math.round(Math.max(0, ...strips.map((s) => s.y / rowHeight + 0.5)));
  const width = Math.max(0, ...strips.map((s) => s.x + (s.to - s.from) * speed)) + 2;
  const rhythm = strips.findLast((s) => s.label === 'II') ?? strips.at(-1) ?? null;
  return { strips, rhythm, width, height: rows * rowHeight, rowHeight };
}

/** Columns follow each other in time, as on paper; of a short beat each shows all of it. */
function inColumns(
  channels: readonly Channel[],
  duration: number,
  speed: number,
  rowHeight: number,
): Strip[] {
  const short = duration < 4;
  const each = short ? duration : duration / 4;
  const at = (lead: string) => channels.findIndex((c) => c.lead === lead);
  const strips = COLUMNS.flatMap((leads, column) =>
    leads.map((lead, row) => {
      const from = short ? 0 : column * each;
      const x = LABEL_MM + column * (each * speed + (short ? 6 : 0));
      return strip(channels[at(lead)], at(lead), x, (row + 0.5) * rowHeight, from, from + each, column === 0);
    }),
  );
  const rhythm = at('II');
  return short
    ? strips
    : [...strips, strip(channels[rhythm], rhythm, LABEL_MM, 3.5 * rowHeight, 0, duration, true)];
}

function strip(
  channel: Channel | undefined,
  index: number,
  x: number,
  y: number,
  from: number,
  to: number,
  leads: boolean,
): Strip {
  return { channel: index, label: channel?.lead || channel?.name || `${index + 1}`, x, y, from, to, leads };
}

/** The strip under a point of the paper, or the nearest. */
export function stripAt(paper: Paper, x: number, y: number, speed: number): Strip | null {
  let best: Strip | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const s of paper.strips) {
    const right = s.x + (s.to - s.from) * speed;
    const away = Math.abs(s.y - y) + 4 * Math.max(0, s.x - x, x - right);
    if (away < least) [best, least] = [s, away];
  }
  return best;
}

/** Seconds of the page and value at a point of the paper, in a strip. */
export const timeAt = (s: Strip, x: number, speed: number): number =>
  Math.min(s.to, Math.max(s.from, s.from + (x - s.x) / speed));
export const xAt = (s: Strip, time: number, speed: number): number => s.x + (time - s.from) * speed;
export const valueAt = (s: Strip, y: number, mmPerUnit: number, middle: number): number =>
  middle + (s.y - y) / mmPerUnit;
export const yAt = (s: Strip, value: number, mmPerUnit: number, middle: number): number =>
  s.y - (value - middle) * mmPerUnit;

/** A recording as it lies on the screen. */
export interface Sheet {
  paper: Paper;
  channels: readonly Channel[];
  /** Values of the page, by channel. */
  values: readonly Float32Array[];
  frequency: number;
  speed: number;
  gain: number;
  /** CSS pixels of a mm. */
  scale: number;
  pan: { x: number; y: number };
}

/** The point of the paper under the pointer, mm. */
export const onPaper = ({ scale, pan }: Sheet, at: { offsetX: number; offsetY: number }) => ({
  x: at.offsetX / scale + pan.x,
  y: at.offsetY / scale + pan.y,
});

/** Time and value at a point of the paper, in a strip. */
export function pointAt(sheet: Sheet, strip: Strip, at: { x: number; y: number }) {
  const channel = sheet.channels[strip.channel];
  const values = sheet.values[strip.channel];
  if (!channel || !values) return { time: 0, value: 0 };
  const { mmPerUnit, middle } = scaleOf(channel, values, sheet.gain, sheet.paper.rowHeight);
  return { time: timeAt(strip, at.x, sheet.speed), value: valueAt(strip, at.y, mmPerUnit, middle) };
}

/** The enlargement at which the paper fills the width. */
export const fitting = (paper: Paper, width: number): number =>
  width ? Math.min(3, Math.max(0.1, width / (paper.width * PIXELS_PER_MM))) : 1;

export const keptZoom = (zoom: number): number => Math.min(8, Math.max(0.1, zoom));

/** Keep the paper in sight. */
export function keptPan(
  pan: Look['pan'],
  paper: Paper,
  size: { width: number; height: number },
  scale: number,
): Look['pan'] {
  const most = (whole: number, seen: number) => Math.max(0, whole - seen / scale);
  return {
    x: Math.min(Math.max(0, pan.x), most(paper.width, size.width)),
    y: Math.min(Math.max(0, pan.y), most(paper.height, size.height)),
  };
}

/**
 * How many mm a unit of a channel is, and the value on its base line. Electric potential is drawn by `gain` in
 * mm/mV around 0; what is not in volts is fitted into its row.
 */
export function scaleOf(
  channel: Channel,
  values: Float32Array,
  gain: number,
  rowHeight: number,
): { mmPerUnit: number; middle: number; fitted: boolean } {
  if (channel.unit === 'mV') return { mmPerUnit: gain, middle: 0, fitted: false };
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (!(high > low)) return { mmPerUnit: 1, middle: Number.isFinite(low) ? low : 0, fitted: true };
  return { mmPerUnit: (0.8 * rowHeight) / (high - low), middle: (low + high) / 2, fitted: true };
}

/**
 * The line of some samples as points (x, y) in mm, NaN between pieces. Where many samples fall on a pixel
 * column, their least and greatest are kept, so that no peak is lost.
 */
export function line(
  values: Float32Array,
  range: { first: number; last: number },
  place: { x: number; mmPerSample: number; y: (value: number) => number },
  mmPerPixel: number,
): number[] {
  const points: number[] = [];
  const step = Math.max(1, Math.floor(mmPerPixel / place.mmPerSample / 2));
  for (let at = range.first; at < range.last; at += step) {
    const x = place.x + (at - range.first) * place.mmPerSample;
    if (step === 1) {
      points.push(x, place.y(values[at] ?? Number.NaN));
      continue;
    }
    let [low, high, lowAt, highAt] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, at, at];
    for (let k = at; k < Math.min(at + step, range.last); k++) {
      const v = values[k] ?? Number.NaN;
      if (v < low) [low, lowAt] = [v, k];
      if (v > high) [high, highAt] = [v, k];
    }
    if (high < low) points.push(x, Number.NaN);
    else if (lowAt < highAt) points.push(x, place.y(low), x, place.y(high));
    else points.push(x, place.y(high), x, place.y(low));
  }
  return points;
}

/**
 * The same samples between 0.5 and 40 Hz, for looking only: Butterworth of second order, run forwards and
 * backwards so that nothing is shifted in time. What has no value keeps none.
 */
export function filtered(values: Float32Array, frequency: number): Float32Array {
  if (!(frequency > 100) || values.length < 4) return values;
  const held = Float64Array.from(values);
  let last = held.find(Number.isFinite) ?? 0;
  for (let k = 0; k < held.length; k++) {
    const v = held[k] ?? Number.NaN;
    if (Number.isFinite(v)) last = v;
    else held[k] = last;
  }
  for (const part of [butterworth(40, frequency, false), butterworth(0.5, frequency, true)]) {
    run(held, part);
    held.reverse();
    run(held, part);
    held.reverse();
  }
  return Float32Array.from(held, (v, k) => (Number.isNaN(values[k] ?? Number.NaN) ? Number.NaN : v));
}

interface Biquad {
  b: readonly [number, number, number];
  a: readonly [number, number];
}

function butterworth(cut: number, frequency: number, high: boolean): Biquad {
  const w = Math.tan((Math.PI * cut) / frequency);
  const norm = 1 / (1 + Math.SQRT2 * w + w * w);
  const top = high ? norm : w * w * norm;
  return {
    b: [top, high ? -2 * top : 2 * top, top],
    a: [2 * (w * w - 1) * norm, (1 - Math.SQRT2 * w + w * w) * norm],
  };
}

/** Begin at rest at the first value, so that the start does not ring. */
function run(values: Float64Array, { b, a }: Biquad): void {
  const start = values[0] ?? 0;
  const settled = (start * (b[0] + b[1] + b[2])) / (1 + a[0] + a[1]);
  let [x1, x2, y1, y2] = [start, start, settled, settled];
  for (let k = 0; k < values.length; k++) {
    const x = values[k] ?? 0;
    const y = b[0] * x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    values[k] = y;
  }
}

export interface Mark {
  time: number;
  text: string;
  /** Channels it stands in, counted from 0; none for all. */
  channels: readonly number[];
}

/** What is said of moments of a page, in order of time; what is said of every channel is said once. */
export function marksOf(
  annotations: readonly Annotation[],
  page: { start: number; duration: number },
  channels: number,
): Mark[] {
  return annotations
    .flatMap((a) => {
      const some = a.channels.length < channels ? a.channels.map((c) => c - 1) : [];
      const text = [a.name, said(a)].filter(Boolean).join(' ').slice(0, 40);
      return a.at_s
        .map((at) => ({ time: at - page.start, text, channels: some }))
        .filter(({ time }) => time >= 0 && time <= page.duration);
    })
    .sort((a, b) => a.time - b.time);
}

/** The marks that a strip carries. */
export const marksIn = (strip: Strip, paper: Paper, marks: readonly Mark[]): Mark[] =>
  marks.filter(
    (mark) =>
      mark.time >= strip.from &&
      mark.time <= strip.to &&
      (mark.channels.length ? mark.channels.includes(strip.channel) : strip === paper.rhythm),
  );

/** `161 ms`, `RITMO SINUSALE`: what an annotation says. */
export function said(annotation: Annotation): string {
  const value = annotation.value === null ? '' : `${annotation.value} ${annotation.unit}`.trim();
  return [annotation.text, value].filter(Boolean).join(' · ');
}
