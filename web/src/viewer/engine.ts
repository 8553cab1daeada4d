/** Cornerstone, started once: loader, decoders and one rendering engine for all panes. */
import {
  cache,
  Enums,
  getRenderingCapabilities,
  getShouldUseCPURendering,
  imageLoader,
  imageLoadPoolManager,
  init,
  metaData,
  RenderingEngine,
} from '@cornerstonejs/core';
import { init as startLoader, wadors } from '@cornerstonejs/dicom-image-loader';
import { registerColourMaps } from './colours';
import { addressOf, inSteps } from './delivery';
import { type DicomJson, numbers } from './dicom';
import { arrange, forget, registerLoaders } from './image-loaders';
import { completed, modalityTable } from './lookup';
import type { SeriesToShow } from './series';
import { retrieveInSteps } from './steps';
import { scalingOf } from './units';

const CACHE_BYTES = 1 << 30;
const PREFETCH_AT_ONCE = 4;

let engine: RenderingEngine | null = null;
const registered = new Map<string, Promise<void>>();
const imagesOf = new Map<string, readonly string[]>();
/** SUV per Bq/ml by image, where a PET series tells all that it takes. */
const suv = new Map<string, number>();

/** The one rendering engine of the page. */
export function renderingEngine(): RenderingEngine {
  if (engine) return engine;
  init({ rendering: { webGlContextCount: 2 }, debug: { statsOverlay: false } });
  startLoader({
    maxWebWorkers: Math.max(1, Math.min(4, (navigator.hardwareConcurrency ?? 2) - 1)),
    beforeSend: () => ({ 'X-Sightline': '1' }),
  });
  registerLoaders();
  registerColourMaps();
  metaData.addProvider(suvOf, 10_000);
  metaData.addProvider(spacedPlane, 20_000);
  cache.setMaxCacheSize(CACHE_BYTES);
  imageLoadPoolManager.setMaxSimultaneousRequests(Enums.RequestType.Prefetch, PREFETCH_AT_ONCE);
  engine = new RenderingEngine('sightline');
  // The library's cache leaves a second copy of each failed request unhandled; the first reaches `loadNow`.
  addEventListener('unhandledrejection', (event) => {
    if (event.reason instanceof XMLHttpRequest) event.preventDefault();
  });
  return engine;
}

/** Whether the graphics are made by the processor: everything works, but a turning volume would stutter. */
export const softwareOnly = (): boolean => !!getRenderingCapabilities()?.softwareRasterizer;

/** Images without a place in space have sizes all the same where they state a spacing; the engine would say pixels. */
function spacedPlane(type: string, imageId: unknown): unknown {
  if (type !== 'imagePlaneModule' || asking) return undefined;
  asking = true;
  const plane = metaData.get(type, String(imageId));
  asking = false;
  const stated = wadors.metaDataManager.get(String(imageId)) as DicomJson | undefined;
  return plane?.usingDefaultValues && numbers(stated, '00280030')
    ? { ...plane, usingDefaultValues: false }
    : undefined;
}

let asking = false;

function suvOf(type: string, imageId: unknown): { suvbw: number } | undefined {
  const factor = type === 'scalingModule' ? suv.get(String(imageId)) : undefined;
  return factor === undefined ? undefined : { suvbw: factor };
}

/** Hand the metadata of a series to the image loader, completed with the tables it brings; once per series. */
export function registerSeries(series: SeriesToShow): Promise<void> {
  renderingEngine();
  const held = registered.get(series.uid);
  if (held) return held;
  const done = register(series);
  registered.set(series.uid, done);
  done.catch(() => registered.delete(series.uid));
  return done;
}

async function register(series: SeriesToShow): Promise<void> {
  imagesOf.set(
    series.uid,
    series.slices.map((s) => s.imageId),
  );
  const complete = await Promise.all(series.instances.map(completed));
  const tables = await Promise.all(series.instances.map(modalityTable));
  retrieveInSteps(series.slices.map((s) => s.imageId).filter(inSteps));
  for (const slice of series.slices) {
    const metadata = complete[slice.instance];
    if (!metadata) continue;
    // Frames are looked up beside the first one, by its plain address.
    for (const name of [slice.imageId, `wadors:${addressOf(slice.imageId)}`]) {
      wadors.metaDataManager.remove(name); // what it put together of a frame before would stay
      wadors.metaDataManager.add(name, metadata as never);
    }
    arrange(slice.imageId, metadata, tables[slice.instance] ?? null);
    const factor = scalingOf(metadata, series.modality).suvPerBqml;
    if (factor !== null) suv.set(slice.imageId, factor);
  }
}

const IN_FLIGHT_MS = 20_000;

/** Free the images of series that no pane shows any more; what is still on its way is freed once it must be here. */
export function forgetSeries(uids: ReadonlySet<string>): void {
  for (const uid of uids) {
    const imageIds = imagesOf.get(uid) ?? [];
    registered.delete(uid);
    imagesOf.delete(uid);
    imageIds.forEach(freeImage);
    setTimeout(() => {
      if (!registered.has(uid)) imageIds.forEach(forgetImage);
    }, IN_FLIGHT_MS);
  }
}

function freeImage(imageId: string): void {
  if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
}

function forgetImage(imageId: string): void {
  freeImage(imageId);
  wadors.metaDataManager.remove(imageId);
  wadors.metaDataManager.remove(`wadors:${addressOf(imageId)}`);
  suv.delete(imageId);
  forget(imageId);
}

/** Load slices in the background, nearest first, so that scrolling never waits. */
export async function prefetch(series: SeriesToShow, around: number, limit = 600): Promise<void> {
  await registerSeries(series);
  const near = series.slices
    .map((slice, index) => ({ slice, away: Math.abs(index - around) }))
    .sort((a, b) => a.away - b.away)
    .slice(0, limit);
  for (const { slice, away } of near) {
    if (cache.isLoaded(slice.imageId)) continue;
    imageLoadPoolManager.addRequest(
      () => loadQuietly(slice.imageId),
      Enums.RequestType.Prefetch,
      { imageId: slice.imageId, seriesUid: series.uid },
      away,
    );
  }
}

/** Stop loading what nobody looks at any more. */
export function stopPrefetch(): void {
  imageLoadPoolManager.clearRequestStack(Enums.RequestType.Prefetch);
}

/**
 * Load one image now, ahead of everything in the background. The viewport would load it by itself, but says
 * nothing when it cannot.
 */
export async function loadNow(imageId: string): Promise<void> {
  if (!cache.isLoaded(imageId)) await load(imageId, Enums.RequestType.Interaction, -5);
}

function load(imageId: string, requestType: Enums.RequestType, priority: number): Promise<unknown> {
  const useRGBA = getShouldUseCPURendering(); // read by the image loader, though its type does not say so
  const options = { requestType, priority, useRGBA, additionalDetails: { imageId } };
  return imageLoader.loadAndCacheImage(imageId, options);
}

async function loadQuietly(imageId: string): Promise<void> {
  if (cache.isLoaded(imageId)) return;
  try {
    await load(imageId, Enums.RequestType.Prefetch, 0);
  } catch {
    // The reader is told when this slice is shown; a failed prefetch is no news.
  }
}
