/** Reading DICOM JSON (PS3.18 Annex F) without trusting it: what is not there, or not what it should be, is empty. */
import type { Vec3 } from './vectors';

export type DicomJson = Record<string, { vr?: string; Value?: unknown[] } | undefined>;

export function items(from: DicomJson | undefined, tag: string): DicomJson[] {
  const values = from?.[tag]?.Value;
  return Array.isArray(values)
    ? (values.filter((v) => v !== null && typeof v === 'object') as DicomJson[])
    : [];
}

export function numbers(from: DicomJson | undefined, tag: string): number[] | null {
  const values = from?.[tag]?.Value?.map(Number);
  return values?.length && values.every(Number.isFinite) ? values : null;
}

export function number(from: DicomJson | undefined, tag: string): number | null {
  return numbers(from, tag)?.[0] ?? null;
}

export function text(from: DicomJson | undefined, tag: string, at = 0): string {
  const value = from?.[tag]?.Value?.[at];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

export function vector(from: DicomJson | undefined, tag: string): Vec3 | null {
  const v = numbers(from, tag);
  return v?.length === 3 ? (v as unknown as Vec3) : null;
}

/**
 * What holds for one frame: its own functional group, else the shared one, else the instance itself
 * (PS3.3 C.7.6.16). `sequence` is the macro in the functional groups.
 */
export function ofFrame(instance: DicomJson, frame: number, sequence: string): DicomJson {
  const own = items(items(instance, '52009230')[frame - 1], sequence)[0];
  return own ?? items(items(instance, '52009229')[0], sequence)[0] ?? instance;
}

/** A UUID as a UID (PS3.5 B.2). */
export const uidOfUuid = (uuid: string): string => `2.25.${BigInt(`0x${uuid.replace(/-/g, '')}`)}`;

/** A UID that nobody else has. */
export const newUid = (): string => uidOfUuid(crypto.randomUUID());

/** The groups an image may carry overlay planes in (PS3.5 7.6). */
export const OVERLAY_GROUPS = Array.from(
  { length: 16 },
  (_, k) => `60${(2 * k).toString(16).padStart(2, '0').toUpperCase()}`,
);

/** The bytes of an element, in line or fetched; null where there are none. */
export async function bytesOf(element: DicomJson[string]): Promise<Uint8Array | null> {
  const { InlineBinary, BulkDataURI } = (element ?? {}) as { InlineBinary?: string; BulkDataURI?: string };
  if (InlineBinary) return Uint8Array.from(atob(InlineBinary), (c) => c.charCodeAt(0));
  if (!BulkDataURI) return null;
  const { pathname } = new URL(BulkDataURI, location.href); // always from where the page came from
  const answer = await fetch(pathname, {
    headers: { Accept: 'application/octet-stream', 'X-Sightline': '1' },
  });
  return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
}
