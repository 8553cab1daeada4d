/**
 * A view on the panes for picture tests: `window.sightlineViewer`, only on pages opened with `?test`.
 *
 * It tells what a pane shows and where the pixels of its image lie, so that a test can compare without knowing
 * how the viewer draws.
 */
import type { PaneId, ViewerController } from './controller';

export interface TestedViewer {
  /** What a pane shows, as plain data; null before there is a pane. */
  view(pane: PaneId): TestedView | null;
  /** Show an image of the series, from 0, in a window (PS3.3 C.11.2.1.2); without one, grey in its own. */
  show(pane: PaneId, index: number, window: TestedWindow | null): void;
  /** The canvas of a pane; its pixels are readable until the next drawing. */
  canvas(pane: PaneId): HTMLCanvasElement | null;
  /** Where the centre of the pixel at (column, row) of the shown image lies, in pixels of the canvas. */
  imageToCanvas(pane: PaneId, column: number, row: number): [number, number] | null;
}

export interface TestedWindow {
  center: number;
  width: number;
  function: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
}

export interface TestedView {
  state: string;
  reason: string;
  index: number;
  count: number;
  sopUid: string;
  frame: number;
}

declare global {
  interface Window {
    sightlineViewer?: TestedViewer;
  }
}

/** Give tests their view when the page was opened for a test. */
export function exposeToTests(controller: ViewerController): void {
  if (!new URLSearchParams(location.search).has('test')) return;
  window.sightlineViewer = {
    view(pane) {
      const view = controller.viewOf(pane);
      if (!view) return null;
      const slice = view.series?.slices[view.index];
      return {
        state: view.state,
        reason: view.reason,
        index: view.index,
        count: view.series?.slices.length ?? 0,
        sopUid: slice?.sopUid ?? '',
        frame: slice?.frame ?? 0,
      };
    },
    show(pane, index, window) {
      controller.goTo(pane, index);
      if (window) controller.setWindow(window, pane);
    },
    canvas: (pane) => controller.canvas(pane),
    imageToCanvas(pane, column, row) {
      const at = controller.imageToCanvas(pane, column + 0.5, row + 0.5);
      const canvas = controller.canvas(pane);
      if (!at || !canvas) return null;
      const scale = canvas.width / Math.max(canvas.clientWidth, 1);
      return [at[0] * scale, at[1] * scale];
    },
  };
}
