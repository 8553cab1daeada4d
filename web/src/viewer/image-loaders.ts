/** The image loaders of the page: DICOMweb frames put right where they need it, and pictures the server made. */
import { imageLoader, metaData, type Types, utilities } from '@cornerstonejs/core';
import { wadors } from '@cornerstonejs/dicom-image-loader';
import { type DicomJson, number } from './dicom';
import type { Table } from './lookup';
import { isEmbedded } from './overlay-planes';

type Fix = (values: Types.PixelDataTypedArray) => Types.PixelDataTypedArray;

const fixes = new Map<string, Fix>();

/** Say what is done to the pixels of an image once they are here. */
export function arrange(imageId: string, instance: DicomJson, table: Table | null): void {
  const fix = table ? throughTable(table) : isEmbedded(instance) ? maskOf(instance) : null;
  if (fix) fixes.set(imageId, fix);
}

export const forget = (imageId: string): boolean => fixes.delete(imageId);

/** Make the loaders known to the engine, after its own. */
export function registerLoaders(): void {
  imageLoader.registerImageLoader('wadors', ((imageId: string, options: never) => {
    const loading = wadors.loadImage(imageId, options);
    const fix = fixes.get(imageId);
    return fix
      ? { ...loading, promise: loading.promise.then((image) => fixed(image as never, fix)) }
      : loading;
  }) as never);
  imageLoader.registerImageLoader('picture', ((imageId: string, options: { useRGBA?: boolean }) => ({
    promise: loadPicture(imageId, options?.useRGBA ?? false),
  })) as never);
}

function fixed(image: Types.IImage, fix: Fix): Types.IImage {
  const values = fix(image.getPixelData());
  const { min, max } = utilities.getMinMax(values);
  return Object.assign(image, {
    minPixelValue: min,
    maxPixelValue: max,
    dataType: values.constructor.name,
    sizeInBytes: values.byteLength,
    imageFrame: { ...image.imageFrame, pixelData: values },
    getPixelData: () => values,
    voxelManager: utilities.VoxelManager.createImageVoxelManager({
      scalarData: values,
      width: image.columns,
      height: image.rows,
      numberOfComponents: 1,
    }),
  });
}

/** The modality LUT (PS3.3 C.11.1.1): values below its first entry take the first, above its last the last. */
function throughTable({ first, values: table }: Table): Fix {
  const last = table.length - 1;
  return (values) =>
    Uint16Array.from(values, (value) => table[Math.min(Math.max(value - first, 0), last)] ?? 0);
}

function maskOf(instance: DicomJson): Fix {
  const stored = number(instance, '00280101') ?? 16;
  const high = (number(instance, '00280102') ?? stored - 1) + 1;
  const signed = number(instance, '00280103') === 1;
  const shift = 32 - stored;
  const drop = high - stored;
  return (values) => {
    for (let k = 0; k < values.length; k++) {
      const raised = ((values[k] ?? 0) >> drop) << shift;
      values[k] = signed ? raised >> shift : raised >>> shift;
    }
    return values;
  };
}

/** A picture of the server as an image of the engine: red, green and blue of 8 bits. */
async function loadPicture(imageId: string, withAlpha: boolean): Promise<Types.IImage> {
  const url = imageId.replace(/^picture:/, '');
  const answer = await fetch(url, { headers: { Accept: 'image/png', 'X-Sightline': '1' } });
  if (!answer.ok) throw Object.assign(new Error('No picture'), { status: answer.status });
  const { data, width, height } = await pixelsOf(await answer.blob());
  const components = withAlpha ? 4 : 3;
  const values = withAlpha ? new Uint8ClampedArray(data) : withoutAlpha(data);
  const plane = metaData.get('imagePlaneModule', imageId) ?? {};
  const image = {
    imageId,
    dataType: values.constructor.name,
    color: true,
    rgba: withAlpha,
    columns: width,
    rows: height,
    width,
    height,
    columnPixelSpacing: plane.columnPixelSpacing,
    rowPixelSpacing: plane.rowPixelSpacing,
    invert: false,
    slope: 1,
    intercept: 0,
    minPixelValue: 0,
    maxPixelValue: 255,
    windowCenter: 128,
    windowWidth: 256,
    voiLUTFunction: 'LINEAR',
    sizeInBytes: values.byteLength,
    numberOfComponents: components,
    imageFrame: { photometricInterpretation: 'RGB', samplesPerPixel: 3, pixelData: values },
    voxelManager: utilities.VoxelManager.createImageVoxelManager({
      scalarData: values as never,
      width,
      height,
      numberOfComponents: components,
    }),
    getPixelData: () => values,
  };
  return image as unknown as Types.IImage;
}

async function pixelsOf(blob: Blob): Promise<ImageData> {
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('No canvas to read a picture from');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

function withoutAlpha(data: Uint8ClampedArray): Uint8ClampedArray {
  const values = new Uint8ClampedArray((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    values[to++] = data[from] ?? 0;
    values[to++] = data[from + 1] ?? 0;
    values[to++] = data[from + 2] ?? 0;
  }
  return values;
}
