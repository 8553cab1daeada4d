/** Overlay planes: drawings of one bit a pixel that an image carries (PS3.3 C.9), also in unused bits of its pixels. */
import { bytesOf, type DicomJson, number, numbers, OVERLAY_GROUPS, text } from './dicom';

export interface OverlayPlane {
  group: string;
  label: string;
  rows: number;
  columns: number;
  /** Where its first pixel lies, counted from 1. */
  origin: readonly [number, number];
  bits: Uint8Array;
}

const MOST_PIXELS = 1 << 26;
const NATIVE = 'application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1';

/** The planes of one frame, whose pixels are at `address`. */
export async function overlayPlanes(
  instance: DicomJson,
  frame: number,
  address: string,
): Promise<OverlayPlane[]> {
  const words = isEmbedded(instance) ? await wordsOf(address) : null;
  const planes = OVERLAY_GROUPS.map((group) =>
    words && bitOf(instance, group) ? embedded(instance, group, words) : planeOf(instance, group, frame),
  );
  return (await Promise.all(planes)).filter((p) => p !== null);
}

export const hasOverlays = (instance: DicomJson): boolean =>
  isEmbedded(instance) || OVERLAY_GROUPS.some((g) => instance[`${g}3000`]);

/** The bit of the pixels in which a plane lies (retired: PS3.3 C.9.2.1.2 of 2004); 0 where it has data of its own. */
const bitOf = (instance: DicomJson, group: string): number =>
  instance[`${group}3000`] ? 0 : (number(instance, `${group}0102`) ?? 0);

/** Whether bits that are no pixels lie above Bits Stored. */
export const isEmbedded = (instance: DicomJson): boolean =>
  OVERLAY_GROUPS.some((group) => bitOf(instance, group) > 0);

async function wordsOf(address: string): Promise<Uint16Array | null> {
  const answer = await fetch(address, { headers: { Accept: NATIVE, 'X-Sightline': '1' } });
  if (!answer.ok) return null;
  const bytes = await answer.arrayBuffer();
  return new Uint16Array(bytes, 0, bytes.byteLength >> 1);
}

function embedded(instance: DicomJson, group: string, words: Uint16Array): OverlayPlane | null {
  const [rows, columns] = [number(instance, '00280010') ?? 0, number(instance, '00280011') ?? 0];
  if (words.length < rows * columns) return null;
  const bit = bitOf(instance, group);
  const bits = Uint8Array.from(words.subarray(0, rows * columns), (word) => (word >> bit) & 1);
  return { group, label: labelOf(instance, group), rows, columns, origin: [1, 1], bits };
}

const labelOf = (instance: DicomJson, group: string): string =>
  text(instance, `${group}1500`) || text(instance, `${group}0022`);

async function planeOf(instance: DicomJson, group: string, frame: number): Promise<OverlayPlane | null> {
  const rows = number(instance, `${group}0010`) ?? 0;
  const columns = number(instance, `${group}0011`) ?? 0;
  const data = instance[`${group}3000`];
  if (!data || rows * columns <= 0 || rows * columns > MOST_PIXELS) return null;
  const bytes = await bytesOf(data);
  if (!bytes) return null;
  const frames = number(instance, `${group}0015`) ?? 1;
  const first = (number(instance, `${group}0051`) ?? 1) - 1;
  const at = frames > 1 ? frame - 1 - first : 0;
  if (at < 0 || at >= frames) return null;
  const [y = 1, x = 1] = numbers(instance, `${group}0050`) ?? [];
  return {
    group,
    label: labelOf(instance, group),
    rows,
    columns,
    origin: [x, y],
    bits: unpack(bytes, at * rows * columns, rows * columns),
  };
}

/** Least significant bit first (PS3.5 8.1.2). */
export function unpack(bytes: Uint8Array, start: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, k) => {
    const bit = start + k;
    return ((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1;
  });
}
