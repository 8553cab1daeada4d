/** Volumes made of a series' images, one for all panes that show it, and released when none does. */
import { cache, Enums, eventTarget, type Types, volumeLoader } from '@cornerstonejs/core';
import { registerSeries } from './engine';
import { type SeriesToShow, slicesPerPhase } from './series';
import { volumeIdOf } from './volume-id';

interface Held {
  volume: Promise<Types.IStreamingImageVolume>;
  users: number;
}

const held = new Map<string, Held>();

/** The volume of one phase of a series; loading begins, and goes on after this resolves. */
export function takeVolume(series: SeriesToShow, phase: number): Promise<Types.IStreamingImageVolume> {
  const id = volumeIdOf(series, phase);
  const known = held.get(id);
  if (known) {
    known.users += 1;
    return known.volume;
  }
  const count = slicesPerPhase(series);
  const imageIds = series.slices.slice(phase * count, (phase + 1) * count).map((s) => s.imageId);
  const made = registerSeries(series)
    .then(() => whole(imageIds))
    .then(() => volumeLoader.createAndCacheVolume(id, { imageIds }));
  const volume = made.then((volume) => {
    const streaming = volume as Types.IStreamingImageVolume;
    streaming.load();
    return streaming;
  });
  held.set(id, { volume, users: 1 });
  volume.catch(() => held.delete(id));
  return volume;
}

/** Wait until no image is here coarse only: a volume would take it as it is, and never be complete. */
async function whole(imageIds: readonly string[]): Promise<void> {
  const isCoarse = (imageId: string): boolean => {
    const quality = cache.getImage(imageId)?.imageQualityStatus;
    return quality !== undefined && quality < Enums.ImageQualityStatus.FULL_RESOLUTION;
  };
  for (let tries = 0; tries < COARSE_TRIES && imageIds.some(isCoarse); tries++)
    await new Promise((again) => setTimeout(again, 50));
}

const COARSE_TRIES = 600;

/** How long a volume nobody shows is kept: a pane that shows it otherwise takes it again at once. */
const KEPT_MS = 3000;

/** Give a volume back; when nobody has taken it again after a while its memory is freed. */
export function leaveVolume(id: string): void {
  const known = held.get(id);
  if (!known) return;
  known.users -= 1;
  setTimeout(() => {
    if (known.users > 0 || held.get(id) !== known) return;
    held.delete(id);
    known.volume.then(
      (volume) => {
        if (held.has(id)) return; // made anew meanwhile
        volume.cancelLoading?.();
        if (cache.getVolume(id)) cache.removeVolumeLoadObject(id);
      },
      () => {},
    );
  }, KEPT_MS);
}

/** Wait until every image of a volume is here or has failed; says how many failed. */
export async function volumeLoaded(id: string): Promise<{ missing: number }> {
  const volume = (await held.get(id)?.volume) as (Types.IStreamingImageVolume & Counts) | undefined;
  while (volume && held.has(id) && !volume.loadStatus?.loaded)
    await new Promise((again) => setTimeout(again, 50));
  return { missing: volume ? volume.imageIds.length - (volume.framesLoaded ?? volume.imageIds.length) : 0 };
}

interface Counts {
  framesLoaded?: number;
}

/** Hear how many images of a volume are there, until `stop` is called. */
export function followLoading(id: string, told: (loaded: number, of: number) => void): () => void {
  const progress = (event: Event) => {
    const { volumeId, framesProcessed, numberOfFrames } = (event as CustomEvent).detail as {
      volumeId: string;
      framesProcessed: number;
      numberOfFrames: number;
    };
    if (volumeId === id) told(framesProcessed, numberOfFrames);
  };
  const completed = (event: Event) => {
    if ((event as CustomEvent<{ volumeId: string }>).detail.volumeId === id) told(1, 1);
  };
  const { IMAGE_VOLUME_MODIFIED, IMAGE_VOLUME_LOADING_COMPLETED } = Enums.Events;
  eventTarget.addEventListener(IMAGE_VOLUME_MODIFIED, progress);
  eventTarget.addEventListener(IMAGE_VOLUME_LOADING_COMPLETED, completed);
  return () => {
    eventTarget.removeEventListener(IMAGE_VOLUME_MODIFIED, progress);
    eventTarget.removeEventListener(IMAGE_VOLUME_LOADING_COMPLETED, completed);
  };
}
