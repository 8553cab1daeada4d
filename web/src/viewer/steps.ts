/**
 * Fetching images in steps, for slow lines: as HTJ2K in resolution order (1.2.840.10008.1.2.4.202), the first bytes first,
 * so that a quarter of the resolution is on the screen with a seventh of the bytes. On a fast line images come as they
 * are stored, since compressing them would only cost time.
 */
import { utilities } from '@cornerstonejs/core';

/** The bytes of 128 × 128 of a 512 × 512 image of CT, with some room. */
const FIRST_BYTES = 24_000;

/** Have the engine fetch the slices of a series in two steps. */
export function retrieveInSteps(imageIds: readonly string[]): void {
  const configuration = {
    stages: [
      { id: 'first', retrieveType: 'singleFast' },
      { id: 'rest', retrieveType: 'singleFinal' },
    ],
    retrieveOptions: {
      default: {}, // for a volume, which waits for whole images: all of it at once
      singleFast: { rangeIndex: 0, initialChunkSize: FIRST_BYTES, chunkSize: FIRST_BYTES, decodeLevel: 2 },
      singleFinal: { rangeIndex: -1 },
    },
  };
  for (const imageId of imageIds) utilities.imageRetrieveMetadataProvider.add(imageId, configuration);
}
