/**
 * A series as it is shown: its slices in order along their normal, read from DICOMweb metadata (PS3.18 F.2).
 *
 * Invariants: slices run head to feet, right to left or front to back; a series without common geometry keeps its
 * instance order and has `normal = null`; a series without pixels says what it is instead.
 */
import { cross, dot, length, scale, subtract, type Vec3 } from './vectors';

export type DicomJson = Record<string, { vr?: string; Value?: unknown[] } | undefined>;

export interface Slice {
  sopUid: string;
  frame: number;
  imageId: string;
  positionLpsMm: Vec3 | null;
  /** Index of the instance's metadata in `SeriesToShow.instances`. */
  instance: number;
}

export interface SeriesToShow {
  uid: string;
  studyUid: string;
  modality: string;
  number: string;
  description: string;
  date: string;
  slices: Slice[];
  instances: DicomJson[];
  /** Unit vector along which the slices are ordered; null when they do not share one. */
  normal: Vec3 | null;
  frameOfReference: string;
  /** Row and column spacing in mm; null when the images are not calibrated. */
  pixelSpacingMm: readonly [number, number] | null;
  thicknessMm: number | null;
  /** Why no image can be shown, in words for the reader; null when there are images. */
  notShown: string | null;
}

const SOP_CLASS_KIND: readonly (readonly [string, string])[] = [
  ['1.2.840.10008.5.1.4.1.1.88.', 'a structured report'],
  ['1.2.840.10008.5.1.4.1.1.104.1', 'a PDF document'],
  ['1.2.840.10008.5.1.4.1.1.104.', 'a document'],
  ['1.2.840.10008.5.1.4.1.1.66.', 'a segmentation or registration'],
  ['1.2.840.10008.5.1.4.1.1.11.', 'a presentation state'],
  ['1.2.840.10008.5.1.4.1.1.9.', 'a waveform'],
  ['1.2.840.10008.5.1.4.1.1.481.', 'radiotherapy data'],
];

/** Read the metadata of one series; `frameUrl` gives the address of one frame. */
export function readSeries(
  instances: DicomJson[],
  ids: { studyUid: string; seriesUid: string },
  frameUrl: (sopUid: string, frame: number) => string,
): SeriesToShow {
  const first = instances[0] ?? {};
  const withPixels = instances.some((i) => number(i, '00280010') !== null);
  const slices = withPixels ? instances.flatMap((instance, at) => frames(instance, at, frameUrl)) : [];
  const normal = commonNormal(instances);
  const spacing = numbers(first, '00280030') ?? sharedNumbers(first, '00289110', '00280030');
  return {
    uid: ids.seriesUid,
    studyUid: ids.studyUid,
    modality: text(first, '00080060'),
    number: text(first, '00200011'),
    description: text(first, '0008103E'),
    date: text(first, '00080020'),
    slices: ordered(slices, normal, instances),
    instances,
    normal: slices.every((s) => s.positionLpsMm) ? normal : null,
    frameOfReference: text(first, '00200052'),
    pixelSpacingMm: spacing && spacing.length === 2 ? [spacing[0] ?? 1, spacing[1] ?? 1] : null,
    thicknessMm: number(first, '00180050') ?? sharedNumbers(first, '00289110', '00180050')?.[0] ?? null,
    notShown: withPixels ? null : describeNonImage(first, instances.length),
  };
}

/** The slice nearest to a point along the normal, or null where the series has no geometry. */
export function nearestSlice(series: SeriesToShow, point: Vec3): number | null {
  const { normal } = series;
  if (!normal) return null;
  let best: number | null = null;
  let bestMm = Number.POSITIVE_INFINITY;
  series.slices.forEach((slice, index) => {
    if (!slice.positionLpsMm) return;
    const mm = Math.abs(dot(subtract(slice.positionLpsMm, point), normal));
    if (mm < bestMm) [best, bestMm] = [index, mm];
  });
  return best;
}

/** How far a point lies outside the slices of a series, in mm; 0 inside. */
export function outsideMm(series: SeriesToShow, point: Vec3): number {
  const { normal, slices } = series;
  const first = slices[0]?.positionLpsMm;
  const last = slices.at(-1)?.positionLpsMm;
  if (!normal || !first || !last) return 0;
  const at = dot(point, normal);
  const [low, high] = [dot(first, normal), dot(last, normal)].sort((a, b) => a - b) as [number, number];
  const margin = (series.thicknessMm ?? 0) / 2 + 0.01;
  return Math.max(0, low - margin - at, at - high - margin);
}

/** The middle of a series along its normal, and the shift that puts one middle on the other. */
export function shiftBetween(current: SeriesToShow, prior: SeriesToShow): Vec3 {
  const a = span(current);
  const b = span(prior);
  if (!a || !b) return [0, 0, 0];
  const overlap = Math.min(a.high, b.high) - Math.max(a.low, b.low);
  const shared = overlap > 0.5 * Math.min(a.high - a.low, b.high - b.low);
  const along = shared || !current.normal ? 0 : (b.low + b.high - a.low - a.high) / 2;
  return current.normal ? scale(current.normal, along) : [0, 0, 0];
}

function span(series: SeriesToShow): { low: number; high: number } | null {
  const { normal } = series;
  if (!normal) return null;
  const at = series.slices.map((s) => (s.positionLpsMm ? dot(s.positionLpsMm, normal) : 0));
  return { low: Math.min(...at), high: Math.max(...at) };
}

function frames(
  instance: DicomJson,
  at: number,
  frameUrl: (sopUid: string, frame: number) => string,
): Slice[] {
  const sopUid = text(instance, '00080018');
  const count = number(instance, '00280008') ?? 1;
  if (number(instance, '00280010') === null) return [];
  const perFrame = items(instance, '52009230');
  return Array.from({ length: count }, (_, k) => ({
    sopUid,
    frame: k + 1,
    imageId: `wadors:${frameUrl(sopUid, k + 1)}`,
    positionLpsMm: position(perFrame[k] ? (items(perFrame[k], '00209113')[0] ?? {}) : instance),
    instance: at,
  }));
}

function commonNormal(instances: DicomJson[]): Vec3 | null {
  let normal: Vec3 | null = null;
  for (const instance of instances) {
    const cosines = numbers(instance, '00200037') ?? sharedNumbers(instance, '00209116', '00200037');
    if (cosines?.length !== 6) return null;
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = cosines;
    const here = cross([a, b, c], [d, e, f]);
    const size = length(here);
    if (size < 0.99 || size > 1.01) return null;
    if (normal && dot(normal, here) < 0.9995) return null;
    normal ??= scale(here, 1 / size);
  }
  return normal;
}

function ordered(slices: Slice[], normal: Vec3 | null, instances: DicomJson[]): Slice[] {
  const byNumber = (a: Slice, b: Slice) =>
    (number(instances[a.instance] ?? {}, '00200013') ?? 0) -
      (number(instances[b.instance] ?? {}, '00200013') ?? 0) || a.frame - b.frame;
  if (!normal || slices.some((s) => !s.positionLpsMm)) return [...slices].sort(byNumber);
  const along = readingDirection(normal);
  const depth = (s: Slice) => dot(s.positionLpsMm ?? [0, 0, 0], along);
  return [...slices].sort((a, b) => depth(a) - depth(b) || byNumber(a, b));
}

/** The normal, turned so that slices run head to feet (−z), right to left (+x) or front to back (+y). */
function readingDirection(normal: Vec3): Vec3 {
  const size = normal.map(Math.abs);
  const axis = size.indexOf(Math.max(...size)) as 0 | 1 | 2;
  const wanted = axis === 2 ? -1 : 1;
  return Math.sign(normal[axis]) === wanted ? normal : scale(normal, -1);
}

function describeNonImage(first: DicomJson, count: number): string {
  if (count === 0) return 'This series holds no objects.';
  const sopClass = text(first, '00080016');
  const kind = SOP_CLASS_KIND.find(([start]) => sopClass.startsWith(start))?.[1] ?? 'data without pixels';
  return `This series holds ${kind}, not images.`;
}

function position(from: DicomJson): Vec3 | null {
  const p = numbers(from, '00200032');
  return p && p.length === 3 ? [p[0] ?? 0, p[1] ?? 0, p[2] ?? 0] : null;
}

function items(from: DicomJson, tag: string): DicomJson[] {
  return (from[tag]?.Value ?? []) as DicomJson[];
}

function sharedNumbers(instance: DicomJson, sequence: string, tag: string): number[] | null {
  for (const group of ['52009229', '52009230']) {
    const macro = items(items(instance, group)[0] ?? {}, sequence)[0];
    const found = macro && numbers(macro, tag);
    if (found) return found;
  }
  return null;
}

function numbers(from: DicomJson, tag: string): number[] | null {
  const values = from[tag]?.Value?.map(Number);
  return values?.length && values.every(Number.isFinite) ? values : null;
}

function number(from: DicomJson, tag: string): number | null {
  return numbers(from, tag)?.[0] ?? null;
}

function text(from: DicomJson, tag: string): string {
  const value = from[tag]?.Value?.[0];
  return value === undefined || value === null ? '' : String(value);
}
