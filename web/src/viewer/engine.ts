/** Cornerstone, started once: loader, decoders and one rendering engine for all panes. */
import { cache, Enums, imageLoader, imageLoadPoolManager, init, RenderingEngine } from '@cornerstonejs/core';
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

async function loadQuietly(imageId: string): Promise<void> {
  if (cache.isLoaded(imageId)) return;
  try {
    await imageLoader.loadAndCacheImage(imageId, {
      requestType: Enums.RequestType.Prefetch,
      priority: 0,
      additionalDetails: { imageId },
    });
  } catch {
    // The reader is told when this slice is shown; a failed prefetch is no news.
  }
}
