/**
 * Series in which the same positions were imaged more than once: points in time, echoes, b-values, reconstructions.
 *
 * Invariant: all phases have the same positions, in the same order; where positions repeat unevenly there is one phase
 * and the duplicates stay, to be named by `geometry.ts`.
 */
import { type DicomJson, number, ofFrame, text } from './dicom';
import type { Slice } from './series';
import { dot, type Vec3 } from './vectors';

export interface Phases {
  count: number;
  /** Such as `b 1000 s/mm²` or `t 3`; empty where there is one. */
  names: readonly string[];
}

const SAME_PLACE_MM = 0.01;

interface Key {
  read: (instance: DicomJson, frame: number) => number | null;
  name: (value: number, at: number) => string;
}

const inTime = (_: number, at: number): string => `t ${at + 1}`;
/** What tells phases apart, most telling first; the first that differs at every position is taken. */
const KEYS: readonly Key[] = [
  { read: (i) => number(i, '00200100'), name: inTime },
  { read: (i, f) => number(ofFrame(i, f, '00209111'), '00209128'), name: inTime },
  {
    read: (i, f) => number(ofFrame(i, f, '00189117'), '00189087'),
    name: (b) => `b ${Math.round(b)} s/mm²`,
  },
  {
    read: (i, f) => number(ofFrame(i, f, '00189114'), '00189082') ?? number(i, '00180081'),
    name: (te) => `TE ${te} ms`,
  },
  { read: (i) => number(i, '00181060'), name: (ms) => `${Math.round(ms)} ms` },
  { read: (i) => number(i, '00200012'), name: inTime },
  { read: (i) => number(i, '00080032') ?? number(i, '00080033'), name: inTime },
  { read: (i, f) => (number(i, '00200013') ?? 0) * 1e5 + f, name: inTime },
];

/** Take slices, ordered along the normal, apart into phases. */
export function splitPhases(
  slices: Slice[],
  instances: DicomJson[],
  normal: Vec3,
): { slices: Slice[]; phases: Phases } {
  const whole = { slices, phases: { count: 1, names: [] } };
  const places = byPlace(slices, normal);
  const count = places[0]?.length ?? 1;
  if (count < 2 || places.length < 1 || places.some((p) => p.length !== count)) return whole;
  if (places.length === 1 && !isTime(places[0] ?? [], instances)) return whole;
  const key = KEYS.find((k) => places.every((place) => distinct(place, instances, k)));
  if (!key) return whole;
  const value = (s: Slice) => key.read(instances[s.instance] ?? {}, s.frame) ?? 0;
  for (const place of places) place.sort((a, b) => value(a) - value(b));
  return {
    slices: Array.from({ length: count }, (_, phase) => places.flatMap((p) => p[phase] ?? [])).flat(),
    phases: { count, names: (places[0] ?? []).map((s, at) => key.name(value(s), at)) },
  };
}

function byPlace(slices: readonly Slice[], normal: Vec3): Slice[][] {
  const places: Slice[][] = [];
  let last = Number.NaN;
  for (const slice of slices) {
    const depth = dot(slice.positionLpsMm ?? [0, 0, 0], normal);
    if (Math.abs(depth - last) <= SAME_PLACE_MM) places.at(-1)?.push(slice);
    else places.push([slice]);
    last = depth;
  }
  return places;
}

function distinct(place: readonly Slice[], instances: readonly DicomJson[], key: Key): boolean {
  const values = place.map((s) => key.read(instances[s.instance] ?? {}, s.frame));
  return values.every((v) => v !== null) && new Set(values).size === values.length;
}

/** Images at one single place are scrolled through as they are, unless the object says they are points in time. */
function isTime(place: readonly Slice[], instances: readonly DicomJson[]): boolean {
  return place.every((s) => text(instances[s.instance], '00200100') !== '');
}
