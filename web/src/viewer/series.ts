/**
 * A series as it is shown: its slices in order along their normal, read from DICOMweb metadata (PS3.18 F.2).
 *
 * Invariants: slices run head to feet, right to left or front to back, one phase after the other; a series without
 * common geometry keeps its instance order and has `normal = null`; a series without pixels says what it is instead.
 */
import { imageIdOf } from './delivery';
import { type DicomJson, items, number, numbers, ofFrame, text, vector } from './dicom';
import { withSpacing } from './lookup';
import { type Phases, splitPhases } from './phases';
import { add, cross, dot, length, scale, subtract, type Vec3 } from './vectors';

export type { DicomJson } from './dicom';

export interface Slice {
  sopUid: string;
  frame: number;
  imageId: string;
  positionLpsMm: Vec3 | null;
  /** Directions of a row and of a column of pixels; null without orientation. */
  axes: { row: Vec3; column: Vec3 } | null;
  /** Between rows and between columns, in mm; null where the image does not say. */
  spacing: readonly [number, number] | null;
  /** Columns and rows. */
  size: readonly [number, number];
  /** Index of the instance's metadata in `SeriesToShow.instances`. */
  instance: number;
}

/** Frames that belong to one loop: an instance with several of them. */
export interface Clip {
  start: number;
  count: number;
  framesPerSecond: number;
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
  /** Points in time, echoes or b-values at which the same positions were imaged. */
  phases: Phases;
  clips: readonly Clip[];
  sopClass: string;
  /** Lossy compression ratio as the objects state it; null where they say none was used. */
  lossy: string | null;
  /** Why no image can be shown, in words for the reader; null when there are images. */
  notShown: string | null;
}

const SOP_CLASS_KIND: readonly (readonly [string, string])[] = [
  ['1.2.840.10008.5.1.4.1.1.88.59', 'key images'],
  ['1.2.840.10008.5.1.4.1.1.88.', 'a structured report'],
  ['1.2.840.10008.5.1.4.1.1.104.1', 'a PDF document'],
  ['1.2.840.10008.5.1.4.1.1.104.', 'a document'],
  ['1.2.840.10008.5.1.4.1.1.66.', 'a segmentation or registration'],
  ['1.2.840.10008.5.1.4.1.1.11.', 'a presentation state'],
  ['1.2.840.10008.5.1.4.1.1.9.', 'a waveform'],
  ['1.2.840.10008.5.1.4.1.1.481.', 'radiotherapy data'],
];
/** Objects with pixels that are laid over images, and are no images themselves. */
const LAID_OVER = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(66\.(4|7)|30|481\.2)$/;
const FRAME_RATE = 15;

/** Read the metadata of one series; `frameUrl` gives the address of one frame. */
export function readSeries(
  instances: DicomJson[],
  ids: { studyUid: string; seriesUid: string },
  frameUrl: (sopUid: string, frame: number) => string,
  slow = false,
): SeriesToShow {
  const first = instances[0] ?? {};
  const sopClass = text(first, '00080016');
  const withPixels = instances.some((i) => number(i, '00280010') !== null) && !LAID_OVER.test(sopClass);
  const unordered = withPixels
    ? instances.flatMap((instance, at) => frames(instance, at, frameUrl, slow))
    : [];
  const normal = commonNormal(unordered);
  const inOrder = ordered(unordered, normal, instances);
  const { slices, phases } = normal
    ? splitPhases(inOrder, instances, normal)
    : { slices: inOrder, phases: { count: 1, names: [] } };
  const measures = ofFrame(withSpacing(first), 1, '00289110');
  const spacing = numbers(measures, '00280030');
  return {
    uid: ids.seriesUid,
    studyUid: ids.studyUid,
    modality: text(first, '00080060'),
    number: text(first, '00200011'),
    description: text(first, '0008103E'),
    date: text(first, '00080020'),
    slices,
    instances,
    normal,
    frameOfReference: text(first, '00200052'),
    pixelSpacingMm: spacing?.length === 2 ? (spacing as unknown as readonly [number, number]) : null,
    thicknessMm: number(measures, '00180050'),
    phases,
    clips: withPixels ? clips(slices, instances) : [],
    sopClass,
    lossy: lossyMark(instances),
    notShown: withPixels ? null : describeNonImage(sopClass, instances.length),
  };
}

export const READERS_SCALE = 'calibrated by the reader';

/** What a reader says of an image: how large its pixels are, by a line whose length he knows. */
export interface ReadersScale {
  seriesUid: string;
  mmPerPixel: number;
  knownMm: number;
}

/** Whether an image lies in the patient or states the size of each frame, so that nobody else can say how large it is. */
export const statesItsScale = (instance: DicomJson, slice: Slice): boolean =>
  (slice.positionLpsMm !== null && slice.axes !== null) || instance['52009229'] !== undefined;

/** A series with the scales that a reader set, by SOP instance; the same series where he set none. */
export function rescaled(series: SeriesToShow, scales: ReadonlyMap<string, ReadersScale>): SeriesToShow {
  if (![...scales.values()].some((s) => s.seriesUid === series.uid)) return series;
  const scaleOf = (instance: DicomJson | undefined) => scales.get(text(instance, '00080018'));
  const spacing = (s: ReadersScale) => [s.mmPerPixel, s.mmPerPixel] as const;
  const first = scaleOf(series.instances[0]);
  return {
    ...series,
    instances: series.instances.map((instance) => {
      const set = scaleOf(instance);
      if (!set) return instance;
      const words = `${READERS_SCALE}: ${set.knownMm} mm`;
      return {
        ...instance,
        '00280030': { vr: 'DS', Value: [...spacing(set)] },
        '00280A04': { vr: 'LO', Value: [words] },
      };
    }),
    slices: series.slices.map((slice) => {
      const set = scales.get(slice.sopUid);
      return set ? { ...slice, spacing: spacing(set) } : slice;
    }),
    pixelSpacingMm: first ? spacing(first) : series.pixelSpacingMm,
  };
}

/** Slices of one phase. */
export const slicesPerPhase = (series: SeriesToShow): number => series.slices.length / series.phases.count;

/** The phase a slice belongs to. */
export const phaseOf = (series: SeriesToShow, index: number): number =>
  Math.floor(index / Math.max(slicesPerPhase(series), 1));

/** The slice of a phase nearest to a point along the normal, or null where the series has no geometry. */
export function nearestSlice(series: SeriesToShow, point: Vec3, phase = 0): number | null {
  const { normal } = series;
  if (!normal) return null;
  const count = slicesPerPhase(series);
  let best: number | null = null;
  let bestMm = Number.POSITIVE_INFINITY;
  for (let index = phase * count; index < (phase + 1) * count; index++) {
    const position = series.slices[index]?.positionLpsMm;
    if (!position) continue;
    const mm = Math.abs(dot(subtract(position, point), normal));
    if (mm < bestMm) [best, bestMm] = [index, mm];
  }
  return best;
}

/** How far a point lies outside the slices of a series, in mm; 0 inside. */
export function outsideMm(series: SeriesToShow, point: Vec3): number {
  const { normal, slices } = series;
  const first = slices[0]?.positionLpsMm;
  const last = slices[slicesPerPhase(series) - 1]?.positionLpsMm;
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
  slow: boolean,
): Slice[] {
  const sopUid = text(instance, '00080018');
  const size = [number(instance, '00280011') ?? 0, number(instance, '00280010') ?? 0] as const;
  if (number(instance, '00280010') === null) return [];
  const spaced = withSpacing(instance);
  return Array.from({ length: number(instance, '00280008') ?? 1 }, (_, k) => ({
    sopUid,
    frame: k + 1,
    imageId: imageIdOf(instance, frameUrl(sopUid, k + 1), slow),
    positionLpsMm: vector(ofFrame(instance, k + 1, '00209113'), '00200032'),
    axes: axesOf(numbers(ofFrame(instance, k + 1, '00209116'), '00200037')),
    spacing: spacingOf(spaced, k + 1),
    size,
    instance: at,
  }));
}

function spacingOf(spaced: DicomJson, frame: number): Slice['spacing'] {
  const found = numbers(ofFrame(spaced, frame, '00289110'), '00280030');
  return found?.length === 2 ? (found as unknown as Slice['spacing']) : null;
}

/** Where a point of an image lies in patient space; images without a place lie in a space of their own (PS3.3 C.7.6.2.1.1). */
export function worldOf(slice: Slice, column: number, row: number): Vec3 {
  const axes = slice.axes ?? OWN_AXES;
  const [rowMm, columnMm] = pixelSizeOf(slice);
  const along = scale(axes.row, (column - 0.5) * columnMm);
  const down = scale(axes.column, (row - 0.5) * rowMm);
  return add(slice.positionLpsMm ?? [0, 0, 0], add(along, down));
}

/** The column and row of a point; (0, 0) is the corner of the first pixel. */
export function pixelOf(slice: Slice, point: Vec3): readonly [number, number] {
  const axes = slice.axes ?? OWN_AXES;
  const from = subtract(point, slice.positionLpsMm ?? [0, 0, 0]);
  const [rowMm, columnMm] = pixelSizeOf(slice);
  return [dot(from, axes.row) / columnMm + 0.5, dot(from, axes.column) / rowMm + 0.5];
}

/** How far apart rows and columns are: in mm, or in pixels where the image does not say. */
export const pixelSizeOf = (slice: Slice): readonly [number, number] => slice.spacing ?? [1, 1];

const OWN_AXES = { row: [1, 0, 0] as Vec3, column: [0, 1, 0] as Vec3 };

function axesOf(cosines: number[] | null): Slice['axes'] {
  if (cosines?.length !== 6) return null;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = cosines;
  const normal = length(cross([a, b, c], [d, e, f]));
  return normal > 0.99 && normal < 1.01 ? { row: [a, b, c], column: [d, e, f] } : null;
}

/** The unit normal that all slices share, in the sense of their rows and columns; null without one. */
function commonNormal(slices: readonly Slice[]): Vec3 | null {
  let normal: Vec3 | null = null;
  for (const { axes, positionLpsMm } of slices) {
    if (!axes || !positionLpsMm) return null;
    const here = cross(axes.row, axes.column);
    if (normal && dot(normal, here) < 0.9995) return null;
    normal ??= scale(here, 1 / length(here));
  }
  return normal;
}

function ordered(slices: Slice[], normal: Vec3 | null, instances: DicomJson[]): Slice[] {
  const byNumber = (a: Slice, b: Slice) =>
    (number(instances[a.instance], '00200013') ?? 0) - (number(instances[b.instance], '00200013') ?? 0) ||
    a.instance - b.instance ||
    a.frame - b.frame;
  if (!normal) return [...slices].sort(byNumber);
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

/** Instances with several frames and no place in space are loops; the rate is the object's own (PS3.3 C.7.6.5). */
function clips(slices: readonly Slice[], instances: readonly DicomJson[]): Clip[] {
  const found: Clip[] = [];
  slices.forEach((slice, index) => {
    const last = found.at(-1);
    if (slice.frame === (last ? index - last.start + 1 : 0) && last) last.count += 1;
    else if (slice.frame === 1 && slices[index + 1]?.frame === 2)
      found.push({ start: index, count: 1, framesPerSecond: frameRate(instances[slice.instance] ?? {}) });
  });
  return found;
}

/** Frames per second: recommended display rate, cine rate, frame time, or the mean of the frame time vector. */
export function frameRate(instance: DicomJson): number {
  const time = number(instance, '00181063');
  const vectorMs = numbers(instance, '00181065')?.slice(1) ?? [];
  const mean = vectorMs.reduce((a, b) => a + b, 0) / vectorMs.length;
  const rates = [number(instance, '00082144'), number(instance, '00180040'), 1000 / (time ?? 0), 1000 / mean];
  const rate = rates.find((r) => r !== null && Number.isFinite(r) && r > 0 && r <= 240);
  return rate ?? FRAME_RATE;
}

/** How much the images have lost, if they say so: `lossy`, `lossy 12:1` (PS3.3 C.7.6.1.1.5). */
export function lossyMark(instances: readonly DicomJson[]): string | null {
  const lossy = instances.find((i) => text(i, '00282110') === '01');
  if (!lossy) return null;
  const ratio = number(lossy, '00282112');
  return ratio ? `lossy ${Math.round(ratio * 10) / 10}:1` : 'lossy';
}

function describeNonImage(sopClass: string, count: number): string {
  if (count === 0) return 'This series holds no objects.';
  if (LAID_OVER.test(sopClass)) return 'This series is laid over others: open the series it belongs to.';
  const kind = SOP_CLASS_KIND.find(([start]) => sopClass.startsWith(start))?.[1] ?? 'data without pixels';
  return `This series holds ${kind}, not images.`;
}

/** Side and view of a projection, such as `R MLO`; empty where neither is stated. */
export function viewWords(instance: DicomJson): string {
  const side = text(instance, '00200062') || text(instance, '00200060');
  const view = text(instance, '00185101') || text(items(instance, '00540220')[0], '00080104');
  return [side, view].filter(Boolean).join(' ');
}
