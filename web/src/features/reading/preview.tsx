/**
 * The first image as the server draws it, at full depth of the screen and in the window it opens with, so that nobody
 * waits for the engine to load. It gives way to the engine's own drawing of the same image, at the same place.
 */
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { PaneView } from '../../viewer';
import { addressOf } from '../../viewer/delivery';
import { lettersOf } from '../../viewer/overlay';
import type { Window } from '../../viewer/presets';
import type { SeriesToShow } from '../../viewer/series';
import { EMPTY_VIEW, PLAIN } from '../../viewer/view';

export interface Preview {
  url: string;
  /** It is on the screen; or it could not be loaded. */
  ended: (seen: boolean) => void;
}

/** The address of one image of a series as the server draws it; null where the engine would draw it otherwise. */
export function previewUrl(series: SeriesToShow, index: number, window: Window | null): string | null {
  const slice = series.slices[index];
  const [rowMm, columnMm] = series.pixelSpacingMm ?? [1, 1];
  if (!slice || !window || Math.abs(rowMm / columnMm - 1) > 0.001) return null;
  const query = new URLSearchParams({
    window: `${window.center},${window.width},linear`,
    accept: 'image/png',
  });
  return `${new URL(addressOf(slice.imageId)).pathname}/rendered?${query}`;
}

/** What a pane says of itself while the server's drawing stands in it. */
export function previewView(series: SeriesToShow, index: number, window: Window | null): PaneView {
  const slice = series.slices[index];
  return {
    ...EMPTY_VIEW,
    state: 'preview',
    series,
    index,
    count: series.slices.length,
    presentation: { ...PLAIN, window },
    letters: series.normal && slice?.axes ? lettersOf(slice.axes.row, slice.axes.column) : null,
    positionLpsMm: slice?.positionLpsMm ?? null,
  };
}

export function PreviewImage({ url, ended }: Preview) {
  const image = useRef<HTMLImageElement>(null);
  useLayoutEffect(() => {
    // Seen once it is decoded and the next frame is drawn.
    image.current?.decode().then(
      () => requestAnimationFrame(() => ended(true)),
      () => ended(false),
    );
  }, [url]);
  return <img class="preview" ref={image} src={url} alt="" />;
}
