/**
 * What images bring along as tables and the image loader does not read: colour palettes, modality and VOI LUTs; and the
 * spacing of projections, which stands in another attribute.
 *
 * PS3.3 C.7.6.3.1.5 (palettes), C.11.1 (modality LUT), C.11.2 (VOI LUT); C.8.7.1 Imager Pixel Spacing.
 */
import { bytesOf, type DicomJson, items, number, numbers, text } from './dicom';

const PALETTES = [
  ['00281101', '00281201'],
  ['00281102', '00281202'],
  ['00281103', '00281203'],
] as const;

/** The metadata of an image with what its loader needs in the form it reads; the same object where nothing is missing. */
export async function completed(instance: DicomJson): Promise<DicomJson> {
  const spaced = withType(withSpacing(instance));
  return text(instance, '00280004') === 'PALETTE COLOR' ? withPalettes(spaced) : spaced;
}

/** What a length on an image rests on, in words; empty where nothing says how large a pixel is. */
export function calibrationOf(instance: DicomJson): string {
  if (numbers(instance, '00280030'))
    return (
      text(instance, '00280A04') || (isProjection(instance) ? 'as calibrated by the device' : 'pixel spacing')
    );
  if (numbers(instance, '00181164')) return 'in the plane of the detector';
  return regionSpacing(instance) ? 'ultrasound region' : '';
}

const isProjection = (instance: DicomJson): boolean =>
  /^(MG|CR|DX|RF|XA|RG|IO|PX)$/.test(text(instance, '00080060'));

/** What old and made-up objects leave out, and the image loader stops without. */
function withType(instance: DicomJson): DicomJson {
  const missing = NEEDED.filter(([tag]) => !instance[tag]?.Value?.length);
  if (!missing.length && !instance[REGIONS]) return instance;
  const { [REGIONS]: _regions, ...rest } = instance;
  return { ...rest, ...Object.fromEntries(missing) };
}

const NEEDED: readonly (readonly [string, DicomJson[string]])[] = [
  ['00080008', { vr: 'CS', Value: ['ORIGINAL', 'PRIMARY'] }],
  ['00080060', { vr: 'CS', Value: ['OT'] }],
];
/** Ultrasound regions give the spacing here; the engine would apply them a second time. */
const REGIONS = '00186011';

/** Projections say how far apart the pixels of the detector are; ultrasound, how large those of its one region. */
export function withSpacing(instance: DicomJson): DicomJson {
  if (numbers(instance, '00280030')) return instance;
  const spacing = numbers(instance, '00181164') ?? regionSpacing(instance);
  return spacing?.length === 2 ? { ...instance, '00280030': { vr: 'DS', Value: spacing } } : instance;
}

/** Row and column spacing in mm where one region in cm stands for the whole image (PS3.3 C.8.5.5); else null. */
function regionSpacing(instance: DicomJson): number[] | null {
  const regions = items(instance, '00186011').filter((r) => number(r, '00186012') === 1);
  const [region] = regions;
  if (regions.length !== 1 || number(region, '00186024') !== 3 || number(region, '00186026') !== 3)
    return null;
  const [x, y] = [number(region, '0018602C'), number(region, '0018602E')];
  return x && y ? [Math.abs(y) * 10, Math.abs(x) * 10] : null;
}

async function withPalettes(instance: DicomJson): Promise<DicomJson> {
  const complete: DicomJson = { ...instance };
  for (const [descriptorTag, dataTag] of PALETTES) {
    const [entries = 0, , bits = 16] = numbers(instance, descriptorTag) ?? [];
    const values = await tableOf(instance[dataTag], entries || 65536);
    if (!values) throw new Error('The palette of the image is missing.');
    complete[dataTag] = { vr: 'OW', Value: widened(values, bits) };
    // The loader shows the upper half of 16 bits: tables of 8 bits are made as wide.
    complete[descriptorTag] = { vr: 'US', Value: [entries, numbers(instance, descriptorTag)?.[1] ?? 0, 16] };
  }
  return complete;
}

/** Tables whose largest entry fits into 8 bits are meant as 8 bits, whatever the descriptor says. */
function widened(values: number[], bits: number): number[] {
  const narrow = bits <= 8 || values.every((v) => v < 256);
  return narrow ? values.map((v) => v * 257) : values;
}

/** From which value on, and what each entry stands for. */
export interface Table {
  first: number;
  values: number[];
}

/** The modality LUT of an image (PS3.3 C.11.1); null where it has none. */
export const modalityTable = (instance: DicomJson): Promise<Table | null> =>
  tableIn(instance, items(instance, '00283000')[0]);

/** The VOI LUT of an image that brings no window, as greys from 0 to 1 (PS3.3 C.11.2.1.1). */
export async function greyTable(instance: DicomJson): Promise<Table | null> {
  const item = items(instance, '00283010')[0];
  if (!item || numbers(instance, '00281050')) return null;
  const table = await tableIn(instance, item);
  const most = 2 ** (numbers(item, '00283002')?.[2] ?? 16) - 1;
  return table && { first: table.first, values: table.values.map((v) => Math.min(v / most, 1)) };
}

async function tableIn(instance: DicomJson, item: DicomJson | undefined): Promise<Table | null> {
  if (!item) return null;
  const [count = 0, start = 0] = numbers(item, '00283002') ?? [];
  const values = await tableOf(item['00283006'], count || 65536);
  const signed = text(instance, '00280103') === '1' && start > 32767;
  return values?.length ? { first: signed ? start - 65536 : start, values } : null;
}

/** The entries of a table: as numbers, one to a byte, or one to two bytes; null where there is none. */
async function tableOf(element: DicomJson[string], entries: number): Promise<number[] | null> {
  if (!element) return null;
  if (element.Value) return element.Value.map(Number);
  const bytes = await bytesOf(element);
  if (!bytes) return null;
  if (bytes.length < 2 * entries) return [...bytes.slice(0, entries)];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: entries }, (_, k) => view.getUint16(2 * k, true));
}
