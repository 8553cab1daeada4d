/** Segments: what the labels stand for, how large they are, and what they may be called. */
import type { SeriesToShow, Slice } from '../series';
import { dot, length, subtract } from '../vectors';
import type { LabelGrid } from './grid';

/** Value, scheme and meaning of a code. */
export type Code = readonly [string, string, string];

export interface Segment {
  /** Its label in the grid, 1 to 255, for life. */
  id: number;
  layer: number;
  label: string;
  colour: string;
  category: Code;
  type: Code;
  algorithm: 'manual' | 'semiautomatic' | 'automatic';
  algorithmName: string;
  trackingUid: string;
  visible: boolean;
  locked: boolean;
}

export const MOST_SEGMENTS = 255;
export const COLOURS = [
  '#f5a623',
  '#4aa3ff',
  '#4fc38a',
  '#ff6b5e',
  '#b48cff',
  '#f2e24b',
  '#5ee0d8',
  '#ff9ad5',
] as const;

const ABNORMAL: Code = ['49755003', 'SCT', 'Morphologically Abnormal Structure'];
const ANATOMY: Code = ['91723000', 'SCT', 'Anatomical Structure'];
const TISSUE: Code = ['85756007', 'SCT', 'Tissue'];

/** What is segmented most: categories of CID 7150, types of CID 7151, 7159, 7160 and 7166 (PS3.16). */
export const KINDS: readonly { words: string; category: Code; type: Code }[] = [
  { words: 'Lesion', category: ABNORMAL, type: ['52988006', 'SCT', 'Lesion'] },
  { words: 'Neoplasm', category: ABNORMAL, type: ['108369006', 'SCT', 'Neoplasm'] },
  { words: 'Nodule', category: ABNORMAL, type: ['27925004', 'SCT', 'Nodule'] },
  { words: 'Cyst', category: ABNORMAL, type: ['367643001', 'SCT', 'Cyst'] },
  { words: 'Haemorrhage', category: ABNORMAL, type: ['50960005', 'SCT', 'Hemorrhage'] },
  { words: 'Oedema', category: ABNORMAL, type: ['79654002', 'SCT', 'Edema'] },
  { words: 'Necrosis', category: ABNORMAL, type: ['6574001', 'SCT', 'Necrosis'] },
  { words: 'Mass', category: ABNORMAL, type: ['4147007', 'SCT', 'Mass'] },
  { words: 'Brain', category: ANATOMY, type: ['12738006', 'SCT', 'Brain'] },
  { words: 'Lung', category: ANATOMY, type: ['39607008', 'SCT', 'Lung'] },
  { words: 'Heart', category: ANATOMY, type: ['80891009', 'SCT', 'Heart'] },
  { words: 'Aorta', category: ANATOMY, type: ['15825003', 'SCT', 'Aorta'] },
  { words: 'Liver', category: ANATOMY, type: ['10200004', 'SCT', 'Liver'] },
  { words: 'Spleen', category: ANATOMY, type: ['78961009', 'SCT', 'Spleen'] },
  { words: 'Kidney', category: ANATOMY, type: ['64033007', 'SCT', 'Kidney'] },
  { words: 'Pancreas', category: ANATOMY, type: ['15776009', 'SCT', 'Pancreas'] },
  { words: 'Urinary bladder', category: ANATOMY, type: ['89837001', 'SCT', 'Urinary bladder'] },
  { words: 'Prostate', category: ANATOMY, type: ['41216001', 'SCT', 'Prostate'] },
  { words: 'Uterus', category: ANATOMY, type: ['35039007', 'SCT', 'Uterus'] },
  { words: 'Lymph node', category: ANATOMY, type: ['59441001', 'SCT', 'Lymph Node'] },
  { words: 'Bone', category: ANATOMY, type: ['272673000', 'SCT', 'Bone'] },
  { words: 'Muscle', category: TISSUE, type: ['91727004', 'SCT', 'Muscle'] },
  { words: 'Fat', category: TISSUE, type: ['55603005', 'SCT', 'Fat'] },
];

/** A new segment: the first free number and colour. */
export function newSegment(held: readonly Segment[], uid: string): Segment {
  const ids = new Set(held.map((s) => s.id));
  const id = Array.from({ length: MOST_SEGMENTS }, (_, k) => k + 1).find((k) => !ids.has(k)) ?? MOST_SEGMENTS;
  const used = new Set(held.map((s) => s.colour));
  const [kind] = KINDS;
  return {
    id,
    layer: 0,
    label: `Segment ${id}`,
    colour: COLOURS.find((c) => !used.has(c)) ?? COLOURS[(id - 1) % COLOURS.length] ?? COLOURS[0],
    category: kind?.category ?? ABNORMAL,
    type: kind?.type ?? ['52988006', 'SCT', 'Lesion'],
    algorithm: 'manual',
    algorithmName: '',
    trackingUid: uid,
    visible: true,
    locked: false,
  };
}

/**
 * How much of the patient each slice stands for, in mm: half way to its neighbours, the outermost as far as their
 * neighbour's half; a single slice its thickness. Null where the images do not say where they lie.
 */
export function depthsMm(slices: readonly Slice[], thicknessMm: number | null): number[] | null {
  if (slices.length === 1) return thicknessMm ? [thicknessMm] : null;
  const first = slices[0]?.positionLpsMm;
  const last = slices.at(-1)?.positionLpsMm;
  if (!first || !last || slices.some((s) => !s.positionLpsMm)) return null;
  const line = subtract(last, first);
  const long = length(line);
  if (long < 0.01) return null;
  const at = slices.map((s) => dot(subtract(s.positionLpsMm ?? first, first), line) / long);
  return at.map((here, k) => {
    const before = at[k - 1] ?? 2 * here - (at[k + 1] ?? here);
    const after = at[k + 1] ?? 2 * here - (at[k - 1] ?? here);
    return Math.abs(after - before) / 2;
  });
}

export interface Extent {
  value: number;
  unit: 'ml' | 'mm²' | 'pixels';
}

/** The volume of a segment: the voxels of each slice, by its pixels and its depth; the area of a single flat image. */
export function extentOf(
  id: number,
  grid: LabelGrid,
  series: Pick<SeriesToShow, 'pixelSpacingMm' | 'thicknessMm'>,
  slices: readonly Slice[],
): Extent {
  const depths = depthsMm(slices, series.thicknessMm);
  const on = grid.slicesOf(id);
  const summed = (of: (slice: number) => number): number =>
    on.reduce((sum, k) => sum + grid.counted(id, k) * of(k), 0);
  const area = (k: number): number => (slices[k]?.spacing?.[0] ?? 1) * (slices[k]?.spacing?.[1] ?? 1);
  if (!series.pixelSpacingMm) return { value: summed(() => 1), unit: 'pixels' };
  if (!depths) return { value: summed(area), unit: 'mm²' };
  return { value: summed((k) => area(k) * (depths[k] ?? 0)) / 1000, unit: 'ml' };
}
