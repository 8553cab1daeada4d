/**
 * Two linked panes, current and prior, and nothing of the user interface around them.
 *
 * Invariants: the pane the person touches leads and the other follows; the point in the middle of the leading
 * pane is in the middle of the following one, through the mapping between the studies, at the same millimetres
 * per pixel and in the same window. A pane whose slice cannot be shown says so instead of showing another slice.
 */
import { Enums, type Types } from '@cornerstonejs/core';
import { loadNow, prefetch, registerSeries, renderingEngine, stopPrefetch } from './engine';
import type { Mapping } from './grid';
import { type DrawnMark, directionLetters, drawMarks, type Mark } from './overlay';
import type { Window } from './presets';
import { nearestSlice, outsideMm, type SeriesToShow } from './series';
import type { ToolName } from './tool-list';
import { dot, inPlane, length, scale, subtract, type Vec3 } from './vectors';

export type PaneId = 'current' | 'prior';

/** What one pane shows now; made anew after each rendering. */
export interface PaneView {
  state: 'empty' | 'loading' | 'shown' | 'failed';
  /** Why there is no image, in words; only when `failed`. */
  reason: string;
  series: SeriesToShow | null;
  index: number;
  window: Window | null;
  mmPerPixel: number | null;
  letters: { top: string; right: string; bottom: string; left: string } | null;
  positionLpsMm: Vec3 | null;
  marks: readonly DrawnMark[];
  /** The linked point lies outside this series: nothing here corresponds to what the other pane shows. */
  beyond: boolean;
}

export const EMPTY_VIEW: PaneView = {
  state: 'empty',
  reason: '',
  series: null,
  index: 0,
  window: null,
  mmPerPixel: null,
  letters: null,
  positionLpsMm: null,
  marks: [],
  beyond: false,
};

interface Pane {
  id: PaneId;
  element: HTMLDivElement;
  viewport: Types.IStackViewport;
  series: SeriesToShow | null;
  /** The window as last set; the CPU path of the engine forgets it with each new slice. */
  range: Types.VOIRange | null;
  /** The series the viewport holds; behind `series` until its first image is there. */
  stack: string;
  wanted: number;
  moving: Promise<void> | null;
  marks: readonly Mark[];
  view: PaneView;
  /** Which call of `show` the pane belongs to; an older one gives up. */
  turn: number;
  observer: ResizeObserver;
  listeners: [string, EventListener][];
}

export interface ShowOptions {
  index?: number;
  window?: Window | null;
  /** Bring this point to the middle, enlarged by `zoom` against the fitted image. */
  centre?: Vec3 | null;
  zoom?: number;
}

const { Events } = Enums;
const OTHER: Record<PaneId, PaneId> = { current: 'prior', prior: 'current' };

export class ViewerController {
  readonly #panes = new Map<PaneId, Pane>();
  readonly #onView: (pane: PaneId, view: PaneView) => void;
  #leader: PaneId = 'current';
  #link: Mapping | null = null;
  #following = false;
  #followQueued = false;
  #tools: typeof import('./tools') | null = null;

  constructor(onView: (pane: PaneId, view: PaneView) => void) {
    this.#onView = onView;
  }

  /** Make a pane out of an element. */
  attach(id: PaneId, element: HTMLDivElement): void {
    this.detach(id);
    const engine = renderingEngine();
    engine.enableElement({ viewportId: id, element, type: Enums.ViewportType.STACK });
    const pane: Pane = {
      id,
      element,
      viewport: engine.getViewport(id) as Types.IStackViewport,
      series: null,
      range: null,
      stack: '',
      wanted: 0,
      moving: null,
      marks: [],
      view: EMPTY_VIEW,
      turn: 0,
      observer: new ResizeObserver(() => this.#resize()),
      listeners: [],
    };
    this.#listen(pane, Events.IMAGE_RENDERED, () => this.#rendered(pane));
    this.#listen(pane, Events.CAMERA_MODIFIED, () => this.#followSoon(pane));
    this.#listen(pane, Events.VOI_MODIFIED, (event) => {
      pane.range = (event as CustomEvent<{ range: Types.VOIRange }>).detail.range;
      this.#shareWindow(pane);
    });
    this.#listen(pane, 'pointerdown', () => this.lead(id));
    // The tool library swallows every key of its own element, Tab too: pass the focus on to the frame around it.
    this.#listen(pane, 'focus', () => element.parentElement?.focus({ preventScroll: true }));
    pane.observer.observe(element);
    this.#panes.set(id, pane);
    if (this.#tools) this.#tools.equip([id], engine.id);
  }

  detach(id: PaneId): void {
    const pane = this.#panes.get(id);
    if (!pane) return;
    pane.turn += 1;
    pane.observer.disconnect();
    for (const [name, listener] of pane.listeners) pane.element.removeEventListener(name, listener);
    this.#panes.delete(id);
    renderingEngine().disableElement(id);
  }

  destroy(): void {
    stopPrefetch();
    this.#tools?.unequip(renderingEngine().id);
    for (const id of [...this.#panes.keys()]) this.detach(id);
  }

  /** Show a series; resolves once its slice is on the screen, or the pane says why it is not. */
  async show(id: PaneId, series: SeriesToShow, options: ShowOptions = {}): Promise<void> {
    const pane = this.#require(id);
    const turn = ++pane.turn;
    pane.series = series;
    pane.range = null;
    pane.marks = [];
    if (series.notShown || series.slices.length === 0) {
      this.#fail(pane, series.notShown ?? 'This series holds no images.');
      return;
    }
    registerSeries(series);
    pane.wanted = Math.min(Math.max(options.index ?? 0, 0), series.slices.length - 1);
    this.#publish(pane, { ...EMPTY_VIEW, state: 'loading', series, index: pane.wanted });
    const imageIds = series.slices.map((s) => s.imageId);
    try {
      await loadNow(imageIds[pane.wanted] ?? '');
      if (turn !== pane.turn) return;
      await pane.viewport.setStack(imageIds, pane.wanted);
      pane.stack = series.uid;
    } catch (error) {
      if (turn === pane.turn) this.#fail(pane, frameFailure(error, pane.wanted, series));
      return;
    }
    if (turn !== pane.turn) return;
    if (options.window) pane.viewport.setProperties({ voiRange: rangeOf(options.window) });
    const zoom = options.zoom ?? 1;
    if (options.centre && (zoom !== 1 || !inView(pane, options.centre))) {
      this.#centre(pane, options.centre, this.#scaleOf(pane) / zoom);
    }
    await this.#render(pane);
  }

  /** Empty a pane and say why. */
  clear(id: PaneId, reason: string): void {
    const pane = this.#panes.get(id);
    if (!pane) return;
    pane.turn += 1;
    pane.series = null;
    this.#fail(pane, reason);
  }

  /** Tie the panes together, or let them go with null; resolves once the prior shows what the current does. */
  async link(mapping: Mapping | null): Promise<void> {
    this.#link = mapping;
    const prior = this.#panes.get('prior');
    if (!mapping || !prior?.series) return;
    this.#leader = 'current';
    await this.#follow();
    if (prior.view.state === 'shown') await this.#render(prior);
  }

  lead(id: PaneId): void {
    this.#leader = id;
  }

  /** Move by slices; the other pane follows. */
  scroll(id: PaneId, by: number): void {
    const pane = this.#panes.get(id);
    if (pane?.series) this.goTo(id, pane.wanted + by);
  }

  goTo(id: PaneId, index: number): void {
    const pane = this.#panes.get(id);
    if (!pane?.series) return;
    this.lead(id);
    const last = pane.series.slices.length - 1;
    void this.#move(pane, Math.min(Math.max(index, 0), last)).then(() => this.#followSoon(pane));
  }

  /** Show a point of the current study: its slice, moved to the middle only where it would be near the edge. */
  async centreOn(point: Vec3): Promise<void> {
    const pane = this.#panes.get('current');
    const index = pane?.series && nearestSlice(pane.series, point);
    if (!pane || index === null || index === undefined) return;
    this.lead('current');
    await this.#move(pane, index);
    if (!inView(pane, point)) this.#centre(pane, point, this.#scaleOf(pane));
    pane.viewport.render();
    this.#followSoon(pane);
  }

  setWindow(window: Window): void {
    for (const pane of this.#panes.values()) {
      if (pane.view.state !== 'shown') continue;
      pane.viewport.setProperties({ voiRange: rangeOf(window) });
      pane.viewport.render();
    }
  }

  zoomBy(factor: number): void {
    const pane = this.#panes.get(this.#leader);
    if (pane?.view.state !== 'shown') return;
    pane.viewport.setCamera({ parallelScale: this.#scaleOf(pane) / factor });
    pane.viewport.render();
    this.#followSoon(pane);
  }

  /** Fit the image into the pane again. */
  fit(): void {
    const pane = this.#panes.get(this.#leader);
    if (pane?.view.state !== 'shown') return;
    pane.viewport.resetCamera();
    pane.viewport.render();
    this.#followSoon(pane);
  }

  setMarks(id: PaneId, marks: readonly Mark[]): void {
    const pane = this.#panes.get(id);
    if (!pane) return;
    pane.marks = marks;
    if (pane.view.state === 'shown') this.#rendered(pane);
  }

  /** Load the mouse tools; to be called after the first image. */
  async equip(): Promise<void> {
    this.#tools ??= await import('./tools');
    const ids = [...this.#panes.keys()];
    if (ids.length) this.#tools.equip(ids, renderingEngine().id);
  }

  chooseTool(name: ToolName): void {
    this.#tools?.chooseTool(name);
  }

  clearMeasurements(): void {
    this.#tools?.clearMeasurements();
    renderingEngine().render();
  }

  /** Load the rest of what the panes show, nearest slices first. */
  prefetch(): void {
    for (const pane of this.#panes.values()) {
      if (pane.series && !pane.series.notShown) prefetch(pane.series, pane.wanted);
    }
  }

  /** The point of the shown slice under a place on the screen, in mm (LPS). */
  pointAt(id: PaneId, clientX: number, clientY: number): Vec3 | null {
    const pane = this.#panes.get(id);
    if (pane?.view.state !== 'shown') return null;
    const box = pane.element.getBoundingClientRect();
    return [...pane.viewport.canvasToWorld([clientX - box.left, clientY - box.top])] as unknown as Vec3;
  }

  /** What picture tests look at; see testing.ts. */
  probe(id: PaneId): { viewport: Types.IStackViewport; view: PaneView } | null {
    const pane = this.#panes.get(id);
    return pane ? { viewport: pane.viewport, view: pane.view } : null;
  }

  /** Draw a pane and wait until it is on the screen; the CPU path draws at once, so listen first. */
  #render(pane: Pane): Promise<void> {
    return new Promise((done) => {
      pane.element.addEventListener(Events.IMAGE_RENDERED, () => done(), { once: true });
      pane.viewport.render();
    });
  }

  #listen(pane: Pane, name: string, listener: EventListener): void {
    pane.element.addEventListener(name, listener);
    pane.listeners.push([name, listener]);
  }

  #require(id: PaneId): Pane {
    const pane = this.#panes.get(id);
    if (!pane) throw new Error(`The pane “${id}” is not on the page yet.`);
    return pane;
  }

  /** Go to a slice; several wishes in a row end at the last one. */
  #move(pane: Pane, index: number): Promise<void> {
    pane.wanted = index;
    pane.moving ??= this.#moveToWanted(pane).finally(() => {
      pane.moving = null;
    });
    return pane.moving;
  }

  async #moveToWanted(pane: Pane): Promise<void> {
    const { turn, series } = pane;
    let at = -1;
    while (turn === pane.turn && series && at !== pane.wanted) {
      at = pane.wanted;
      try {
        await loadNow(series.slices[at]?.imageId ?? '');
        if (turn !== pane.turn) return;
        await this.#setIndex(pane, at);
        this.#keepWindow(pane);
        if (turn === pane.turn && at === pane.wanted && pane.view.state !== 'shown') {
          pane.view = { ...pane.view, state: 'shown' };
          pane.viewport.render();
        }
      } catch (error) {
        if (turn === pane.turn && at === pane.wanted) this.#fail(pane, frameFailure(error, at, series));
      }
    }
  }

  /** A pane whose first image failed has no stack yet: it gets one with the first image that can be shown. */
  async #setIndex(pane: Pane, index: number): Promise<void> {
    const { viewport, series } = pane;
    if (pane.stack === series?.uid) return void (await viewport.setImageIdIndex(index));
    await viewport.setStack(series?.slices.map((s) => s.imageId) ?? [], index);
    pane.stack = series?.uid ?? '';
  }

  #followSoon(pane: Pane): void {
    if (this.#following || pane.id !== this.#leader || !this.#link || this.#followQueued) return;
    this.#followQueued = true;
    requestAnimationFrame(() => {
      this.#followQueued = false;
      void this.#follow();
    });
  }

  async #follow(): Promise<void> {
    const leader = this.#panes.get(this.#leader);
    const follower = this.#panes.get(OTHER[this.#leader]);
    if (!leader?.series || !follower?.series || !this.#link || leader.view.state === 'empty') return;
    if (follower.series.notShown || leader.series.notShown) return;
    const point = this.#middle(leader);
    const target = leader.id === 'current' ? this.#link.toPrior(point) : this.#link.toCurrent(point);
    const index = nearestSlice(follower.series, target);
    if (index === null) return;
    if (index !== follower.wanted || follower.view.state === 'failed') await this.#move(follower, index);
    const heights = follower.element.clientHeight / Math.max(leader.element.clientHeight, 1);
    this.#following = true;
    try {
      this.#centre(follower, target, this.#scaleOf(leader) * heights);
    } finally {
      this.#following = false;
    }
    const beyond = outsideMm(follower.series, target) > 0;
    if (beyond !== follower.view.beyond) follower.view = { ...follower.view, beyond };
    follower.viewport.render();
  }

  /** The CPU path returns to the image's own window with each slice; the mouse tool would start from there. */
  #keepWindow(pane: Pane): void {
    const now = pane.viewport.getProperties().voiRange;
    if (pane.range && now && !sameRange(pane.range, now))
      pane.viewport.setProperties({ voiRange: pane.range });
  }

  #shareWindow(from: Pane): void {
    const to = this.#panes.get(OTHER[from.id]);
    const { range } = from;
    if (from.id !== this.#leader || !to || to.view.state !== 'shown' || !range) return;
    if (from.series?.modality !== to.series?.modality) return;
    const now = to.range;
    if (now && sameRange(now, range)) return;
    to.viewport.setProperties({ voiRange: { ...range } });
    to.viewport.render();
  }

  /** The point in the middle of a pane, on its slice. */
  #middle(pane: Pane): Vec3 {
    const { clientWidth, clientHeight } = pane.element;
    const point = pane.viewport.canvasToWorld([clientWidth / 2, clientHeight / 2]);
    return onSlice(pane, [point[0], point[1], point[2]]);
  }

  #centre(pane: Pane, point: Vec3, parallelScale: number): void {
    const normal = pane.series?.normal;
    const camera = pane.viewport.getCamera();
    if (!normal || !camera.focalPoint || !camera.position) return;
    const focal = camera.focalPoint as unknown as Vec3;
    const move = inPlane(subtract(point, focal), normal);
    const moved = (from: Types.Point3): Types.Point3 => [
      from[0] + move[0],
      from[1] + move[1],
      from[2] + move[2],
    ];
    pane.viewport.setCamera({ parallelScale });
    pane.viewport.setCamera({ focalPoint: moved(camera.focalPoint), position: moved(camera.position) });
  }

  #scaleOf(pane: Pane): number {
    return pane.viewport.getCamera().parallelScale ?? 1;
  }

  #resize(): void {
    const visible = [...this.#panes.values()].filter((p) => p.element.clientWidth && p.element.clientHeight);
    if (visible.length) renderingEngine().resize(true, true);
    const leader = this.#panes.get(this.#leader);
    if (leader) this.#followSoon(leader);
  }

  #rendered(pane: Pane): void {
    const { series, viewport, element } = pane;
    if (!series || pane.stack !== series.uid || pane.view.state === 'failed') return;
    const index = viewport.getCurrentImageIdIndex();
    const slice = series.slices[index];
    // The CPU path also announces a rendering before it has an image.
    if (!slice || !viewport.getCornerstoneImage()) return;
    const range = pane.range ?? viewport.getProperties().voiRange;
    const at = (x: number, y: number): Vec3 => viewport.canvasToWorld([x, y]) as unknown as Vec3;
    const { clientWidth: w, clientHeight: h } = element;
    const right = subtract(at(w, h / 2), at(0, h / 2));
    const down = subtract(at(w / 2, h), at(w / 2, 0));
    const mm = length(right) / Math.max(w, 1);
    this.#publish(pane, {
      state: 'shown',
      reason: '',
      series,
      index,
      window: range
        ? {
            center: Math.round((range.lower + range.upper) / 2),
            width: Math.round(range.upper - range.lower),
          }
        : null,
      mmPerPixel: series.pixelSpacingMm ? mm : null,
      letters: series.normal
        ? {
            top: directionLetters(scale(down, -1)),
            bottom: directionLetters(down),
            right: directionLetters(right),
            left: directionLetters(scale(right, -1)),
          }
        : null,
      positionLpsMm: slice.positionLpsMm,
      marks: drawMarks(
        pane.marks,
        {
          sopUid: slice.sopUid,
          thicknessMm: series.thicknessMm ?? 1,
          distanceMm: (p) =>
            series.normal && slice.positionLpsMm
              ? Math.abs(dot(subtract(p, slice.positionLpsMm), series.normal))
              : Number.POSITIVE_INFINITY,
        },
        (p) => viewport.worldToCanvas([p[0], p[1], p[2]]),
        mm,
      ),
      beyond: pane.view.beyond,
    });
  }

  #fail(pane: Pane, reason: string): void {
    this.#publish(pane, { ...EMPTY_VIEW, state: 'failed', reason, series: pane.series, index: pane.wanted });
  }

  #publish(pane: Pane, view: PaneView): void {
    pane.view = view;
    this.#onView(pane.id, view);
  }
}

function onSlice(pane: Pane, point: Vec3): Vec3 {
  const normal = pane.series?.normal;
  const slice = pane.series?.slices[pane.viewport.getCurrentImageIdIndex()]?.positionLpsMm;
  if (!normal || !slice) return point;
  const off = dot(subtract(point, slice), normal);
  return subtract(point, scale(normal, off));
}

function sameRange(a: Types.VOIRange, b: Types.VOIRange): boolean {
  return Math.abs(a.lower - b.lower) < 0.01 && Math.abs(a.upper - b.upper) < 0.01;
}

function rangeOf(window: Window): { lower: number; upper: number } {
  return { lower: window.center - window.width / 2, upper: window.center + window.width / 2 };
}

function frameFailure(error: unknown, index: number, series: SeriesToShow): string {
  const status = statusOf(error);
  const which = `Image ${index + 1} of ${series.slices.length}`;
  if (status === 404) return `${which} is not held by the archive. The study may still be arriving.`;
  if (status === 401 || status === 403) return `${which} may not be shown to you. Sign in again.`;
  if (status === 0) return `${which} could not be fetched: the server does not answer. Scroll to try again.`;
  if (status) return `${which} could not be fetched: the server answered ${status}. Scroll to try again.`;
  return `${which} could not be decoded. Its pixel data may be damaged; the other images are not affected.`;
}

function statusOf(error: unknown): number | null {
  const detail = (error as { error?: unknown })?.error ?? error;
  const status = (detail as { status?: unknown })?.status;
  return typeof status === 'number' ? status : null;
}

/** Whether a point lies well inside what its pane shows, so that moving the image would only hide anatomy. */
function inView(pane: Pane, point: Vec3): boolean {
  const [x, y] = pane.viewport.worldToCanvas([...point] as Types.Point3);
  const { clientWidth: width, clientHeight: height } = pane.element;
  return x > 0.1 * width && x < 0.9 * width && y > 0.1 * height && y < 0.9 * height;
}
