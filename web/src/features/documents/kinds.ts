/** Which objects are read or played and not scrolled, by SOP class and transfer syntax (PS3.4 B.5, PS3.6 A). */

export type DocumentKind = 'report' | 'pdf' | 'file' | 'ecg' | 'video' | 'slide';

const STORAGE = '1.2.840.10008.5.1.4.1.1.';
const SLIDE = `${STORAGE}77.1.6`;
const STARTS: readonly (readonly [string, DocumentKind])[] = [
  [`${STORAGE}88.`, 'report'],
  [`${STORAGE}104.1`, 'pdf'],
  [`${STORAGE}104.`, 'file'],
  [`${STORAGE}9.`, 'ecg'],
];
/** Reports with a class of their own: spectacle prescription, macular grid thickness. */
const ALSO_REPORTS = new Set([`${STORAGE}78.6`, `${STORAGE}79.1`]);
const VIDEO_CLASSES = new Set(['1.1.1', '1.2.1', '1.4.1'].map((end) => `${STORAGE}77.${end}`));
const VIDEO_SYNTAX = /^1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.1)?$/;

/** The kind of document an object is; null for images that are scrolled and for all that has no page here. */
export function kindOf(sopClassUid: string, transferSyntaxUid?: string): DocumentKind | null {
  if (transferSyntaxUid ? VIDEO_SYNTAX.test(transferSyntaxUid) : VIDEO_CLASSES.has(sopClassUid))
    return 'video';
  if (sopClassUid === SLIDE) return 'slide';
  if (ALSO_REPORTS.has(sopClassUid)) return 'report';
  return STARTS.find(([start]) => sopClassUid.startsWith(start))?.[1] ?? null;
}

export const KIND_NAMES: Record<DocumentKind, string> = {
  report: 'Report',
  pdf: 'Document',
  file: 'Document',
  ecg: 'Waveform',
  video: 'Film',
  slide: 'Slide',
};
