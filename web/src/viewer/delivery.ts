/**
 * How the pixels of an image are asked for, and what is done to them before they are shown.
 *
 * The decoders in the browser read most transfer syntaxes as they are stored. What they read wrongly is asked for
 * decoded, or as the picture the server makes of it (colour of 8 bits: nothing is lost but the original's bytes).
 */
import { type DicomJson, number, text } from './dicom';

/** `steps`: as HTJ2K in resolution order, the first bytes first, for slow lines. */
export type Delivery = 'stored' | 'decoded' | 'picture' | 'steps';

const NATIVE = new Set(['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2']);
const RLE = '1.2.840.10008.1.2.5';
const HTJ2K = /^1\.2\.840\.10008\.1\.2\.4\.20[123]$/;
const IN_STEPS = 'accept=image/jphc';
const JPEG_2000 = /^1\.2\.840\.10008\.1\.2\.4\.9[01]$/;
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';
const JPEG_EXTENDED = '1.2.840.10008.1.2.4.51';
const DECODED = 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1';

export function deliveryOf(instance: DicomJson, slow = false): Delivery {
  const syntax = text(instance, '00083002');
  const photometric = text(instance, '00280004');
  const bits = number(instance, '00280100') ?? 16;
  const colour = (number(instance, '00280002') ?? 1) > 1;
  const subsampled = photometric.startsWith('YBR_FULL_422') && (NATIVE.has(syntax) || syntax === RLE);
  if (subsampled || (colour && bits > 8) || (syntax === JPEG_BASELINE && photometric === 'RGB'))
    return 'picture';
  // Codestreams often have another sign than the header, which is right.
  if (JPEG_2000.test(syntax) && number(instance, '00280103') === 1) return 'decoded';
  if (syntax === JPEG_EXTENDED || (syntax === RLE && bits > 16)) return 'decoded';
  const steps =
    slow && !colour && bits <= 16 && !HTJ2K.test(syntax) && (number(instance, '00280008') ?? 1) === 1;
  return steps ? 'steps' : 'stored';
}

/** The name by which the image loader fetches one frame from its address. */
export function imageIdOf(instance: DicomJson, address: string, slow = false): string {
  const delivery = deliveryOf(instance, slow);
  if (delivery === 'steps') return `wadors:${address}?${IN_STEPS}`;
  if (delivery === 'picture') return `picture:${address}/rendered`;
  return delivery === 'decoded'
    ? `wadors:${address}?accept=${encodeURIComponent(DECODED)}`
    : `wadors:${address}`;
}

/** The plain address of a frame, whatever it is asked for as. */
export const addressOf = (imageId: string): string =>
  imageId
    .replace(/^\w+:/, '')
    .replace(/\?.*$/, '')
    .replace(/\/rendered$/, '');

/** Whether an image is fetched in steps. */
export const inSteps = (imageId: string): boolean => imageId.endsWith(IN_STEPS);
