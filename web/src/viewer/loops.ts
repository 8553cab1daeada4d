/** What plays at an image, and the part of it that is played. */
import { type Clip, phaseOf, type SeriesToShow, slicesPerPhase } from './series';

/** A part of a loop: both ends counted from 0 and within it. */
export interface Part {
  first: number;
  last: number;
  /** The loop it is a part of. */
  of: string;
}

/** The frames of an object, the points in time at one place, or the stack. */
interface Loop {
  name: string;
  at: number;
  count: number;
  /** The image of a position in it. */
  index: (position: number) => number;
}

export function loopAt(series: SeriesToShow, index: number): Loop {
  const clip = clipAt(series, index);
  const name = `${series.uid} ${clip?.start ?? ''}`;
  if (clip) return { name, at: index - clip.start, count: clip.count, index: (k) => clip.start + k };
  if (series.phases.count === 1) return { name, at: index, count: series.slices.length, index: (k) => k };
  const slices = slicesPerPhase(series);
  const place = index % slices;
  return { name, at: phaseOf(series, index), count: series.phases.count, index: (k) => k * slices + place };
}

export const clipAt = (series: SeriesToShow, index: number): Clip | undefined =>
  series.clips.find((c) => index >= c.start && index < c.start + c.count);

/** The part, where it belongs to the loop at this image. */
export const partAt = (series: SeriesToShow, index: number, part: Part | null): Part | null =>
  part?.of === loopAt(series, index).name ? part : null;

/** The image to show after so many steps; from outside the part that is played, its first. */
export function nextFrame(
  series: SeriesToShow,
  index: number,
  steps: number,
  part: Part | null = null,
): number {
  const loop = loopAt(series, index);
  const { first, last } = partAt(series, index, part) ?? { first: 0, last: loop.count - 1 };
  if (loop.at < first || loop.at > last) return loop.index(first);
  return loop.index(first + ((loop.at - first + steps) % (last - first + 1)));
}

/** The part with one end moved to this image; the other end gives way where it would lie on the wrong side. */
export function trimmed(series: SeriesToShow, index: number, part: Part | null, end: 'first' | 'last'): Part {
  const { name: of, at, count } = loopAt(series, index);
  const { first, last } = partAt(series, index, part) ?? { first: 0, last: count - 1 };
  if (end === 'first') return { first: at, last: last < at ? count - 1 : last, of };
  return { first: first > at ? 0 : first, last: at, of };
}
