/** Reading DICOM JSON (PS3.18 F.2) without trusting it: what is not there, or not what it should be, is empty. */
import { type DicomJson, items, text } from '../../viewer/dicom';

export { items, text };

export const first = (from: DicomJson | undefined, tag: string): DicomJson => items(from, tag)[0] ?? {};

export function numbers(from: DicomJson | undefined, tag: string): number[] {
  const values = from?.[tag]?.Value;
  return Array.isArray(values) ? values.map(Number).filter(Number.isFinite) : [];
}

export const number = (from: DicomJson | undefined, tag: string): number | null =>
  numbers(from, tag)[0] ?? null;

/** `Lovelace, Ada` of a person name; the ideographic or phonetic group where that is all there is. */
export function person(from: DicomJson | undefined, tag: string): string {
  const value = from?.[tag]?.Value?.[0];
  if (value === null || typeof value !== 'object') return '';
  const groups = value as Record<string, unknown>;
  const name = groups.Alphabetic ?? groups.Ideographic ?? groups.Phonetic;
  const [family = '', given = '', middle = ''] = typeof name === 'string' ? name.split('^') : [];
  const rest = [given, middle].map((part) => part.trim()).filter(Boolean);
  return [family.trim(), rest.join(' ')].filter(Boolean).join(', ');
}

/** What a coded entry means; its value where it has no meaning. */
export const meaning = (code: DicomJson): string =>
  text(code, '00080104') || text(code, '00080100') || text(code, '00080119') || text(code, '00080120');

export const sopUid = (instance: DicomJson | undefined): string => text(instance, '00080018');
