/** Overlay planes: drawings of one bit a pixel that an image carries (PS3.3 C.9). */
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

/** The planes of one frame; those embedded in the unused bits of the pixels are not among them (retired). */
export async function overlayPlanes(instance: DicomJson, frame: number): Promise<OverlayPlane[]> {
  const planes = await Promise.all(OVERLAY_GROUPS.map((group) => planeOf(instance, group, frame)));
  return planes.filter((p) => p !== null);
}

export const hasOverlays = (instance: DicomJson): boolean => OVERLAY_GROUPS.some((g) => instance[`${g}3000`]);

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
    label: text(instance, `${group}1500`) || text(instance, `${group}0022`),
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
