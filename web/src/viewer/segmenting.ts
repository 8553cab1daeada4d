/** The values of images, for tools that paint by them. */
import { cache } from '@cornerstonejs/core';
import { loadNow } from './engine';

/** The values of a grey image as they are shown (HU, SUV …), row by row; null where it is not here, or in colour. */
export function valuesHere(imageId: string): ArrayLike<number> | null {
  const image = cache.getImage(imageId);
  if (!image || image.color) return null;
  const stored = image.getPixelData() as ArrayLike<number>;
  if (image.preScale?.scaled) return stored;
  const { slope = 1, intercept = 0 } = image;
  if (slope === 1 && intercept === 0) return stored;
  return Float32Array.from(stored, (value) => value * slope + intercept);
}

/** The values of an image, fetched where it is not here yet; null where it cannot be shown or is in colour. */
export async function valuesOf(imageId: string): Promise<ArrayLike<number> | null> {
  await loadNow(imageId).catch(() => {}); // an image that cannot be shown has no values
  return valuesHere(imageId);
}
