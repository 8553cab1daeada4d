/** Calipers on a recording: two points of one strip, one of which moves. */
import type { Paper, Strip } from './ecg-paper';

export interface Point {
  /** Seconds of the page. */
  time: number;
  /** In the unit of the channel. */
  value: number;
}

export interface Caliper {
  strip: Strip;
  ends: readonly [Point, Point];
  active: 0 | 1;
}

/** How far apart they begin, in s. */
const APART_S = 0.4;

/** Put calipers on a strip, about a time, at a value. */
export function placed(strip: Strip, about: number, value: number): Caliper {
  const time = Math.max(strip.from, Math.min(about, strip.to - APART_S));
  const to = { time: Math.min(strip.to, time + APART_S), value };
  return { strip, ends: [{ time, value }, to], active: 1 };
}

/** The same with the active end somewhere else; it stays on its strip. */
export function movedTo(caliper: Caliper, point: Point): Caliper {
  const time = Math.min(caliper.strip.to, Math.max(caliper.strip.from, point.time));
  const there = { ...point, time };
  const [first, second] = caliper.ends;
  return { ...caliper, ends: caliper.active ? [first, there] : [there, second] };
}

export function movedBy(caliper: Caliper, time: number, value: number): Caliper {
  const end = caliper.ends[caliper.active];
  return movedTo(caliper, { time: end.time + time, value: end.value + value });
}

export const flipped = (caliper: Caliper): Caliper => ({ ...caliper, active: caliper.active ? 0 : 1 });

/** The strip before or after the one that is measured. */
export const beside = (paper: Paper, caliper: Caliper, step: number): Strip | undefined =>
  paper.strips[paper.strips.indexOf(caliper.strip) + step];

/** What stands between two points: ms, rate per minute, difference of value. */
export function between(a: Point, b: Point) {
  const ms = Math.abs(b.time - a.time) * 1000;
  return { ms, perMinute: ms >= 1 ? 60_000 / ms : null, difference: b.value - a.value };
}
