/** Cornerstone, started once: loader, decoders and one rendering engine for all panes. */
import {
  cache,
  Enums,
  getShouldUseCPURendering,
  imageLoader,
  imageLoadPoolManager,
  init,
  RenderingEngine,
} from '@cornerstonejs/core';
import { init as startLoader, wadors } from '@cornerstonejs/dicom-image-loader';
import type { SeriesToShow } from './series';

const CACHE_BYTES = 1 << 30;
const PREFETCH_AT_ONCE = 4;

let engine: RenderingEngine | null = null;
const registered = new Set<string>();

/** The one rendering engine of the page. */
export function renderingEngine(): RenderingEngine {
  if (engine) return engine;
  init({ rendering: { webGlContextCount: 2 }, debug: { statsOverlay: false } });
  startLoader({
    maxWebWorkers: Math.max(1, Math.min(4, (navigator.hardwareConcurrency ?? 2) - 1)),
    beforeSend: () => ({ 'X-Sightline': '1' }),
  });
  cache.setMaxCacheSize(CACHE_BYTES);
  imageLoadPoolManager.setMaxSimultaneousRequests(Enums.RequestType.Prefetch, PREFETCH_AT_ONCE);
  engine = new RenderingEngine('sightline');
  // The library's cache leaves a second copy of each failed request unhandled; the first reaches `loadNow`.
  addEventListener('unhandledrejection', (event) => {
    if (event.reason instanceof XMLHttpRequest) event.preventDefault();
  });
  return engine;
}

/** Hand the metadata of a series to the image loader; once per series. */
export function registerSeries(series: SeriesToShow): void {
  renderingEngine();
  if (registered.has(series.uid)) return;
  registered.add(series.uid);
  for (const slice of series.slices) {
    const metadata = series.instances[slice.instance];
    if (metadata) wadors.metaDataManager.add(slice.imageId, metadata as never);
  }
}

/** Load slices in the background, nearest first, so that scrolling never waits. */
export function prefetch(series: SeriesToShow, around: number, limit = 600): void {
  registerSeries(series);
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
