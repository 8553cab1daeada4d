/**
 * What every pane can do, and what those drawn by Cornerstone's camera share.
 *
 * Invariants: a pane publishes what it shows after each rendering and nothing else does; a pane that cannot show what
 * is asked for says why instead of showing something else.
 */
import { Enums, type Types } from '@cornerstonejs/core';
import { text } from './dicom';
import { renderingEngine } from './engine';
import { type Area, cut as cutOf, type SeenPlane } from './geometry';
import type { Mapping } from './grid';
import { type Part, partAt } from './loops';
import { drawMarks, lettersOf, type Mark } from './overlay';
import type { Window } from './presets';
import type { SeriesToShow } from './series';
import { scalingOf } from './units';
import { dot, inPlane, length, subtract, unit, type Vec3 } from './vectors';
import {
  type Crop,
  type DrawnLine,
  EMPTY_VIEW,
  type FusionLook,
  type Letters,
  type PaneKind,
  type PaneView,
  PLAIN,
  type Placement,
  type Presentation,
  type Slab,
} from './view';

export interface ShowOptions {
  kind?: PaneKind;
  index?: number;
  window?: Window | null;
  /** Bring this point to the middle, enlarged by `zoom` against the fitted image. */
  centre?: Vec3 | null;
  zoom?: number;
  presentation?: Partial<Presentation>;
  slab?: Slab | null;
  crop?: Crop;
  /** Laid over this series in colour; both lie in one frame of reference. */
  fusion?: SeriesToShow | null;
  fusionLook?: FusionLook;
}

/** What a pane tells the controller. */
export interface PaneEvents {
  published(pane: Pane, view: PaneView): void;
  /** The camera or the slice moved. */
  moved(pane: Pane): void;
  windowed(pane: Pane): void;
  touched(pane: Pane): void;
}

export interface Pane {
  readonly id: string;
  readonly element: HTMLDivElement;
  readonly series: SeriesToShow | null;
  readonly view: PaneView;
  /** From the space of the current study to that of this pane's series; null ties it to nothing. */
  space: Mapping | null;
  show(series: SeriesToShow, options: ShowOptions): Promise<void>;
  clear(reason: string): void;
  dispose(): void;
  scroll(by: number): Promise<void>;
  goTo(index: number): Promise<void>;
  /** Go to the slice of a point, and move it to the middle where it would be near the edge. */
  reach(point: Vec3): Promise<void>;
  /** Follow another pane: this point in the middle, at this scale; `only` the slice where the planes differ. */
  follow(point: Vec3, scaleMm: number): Promise<void>;
  /** The point in the middle, and the plane as it is seen; null without geometry. */
  middle(): Vec3 | null;
  seen(): SeenPlane | null;
  readonly normal: Vec3 | null;
  /** Half the height of the pane in mm. */
  readonly scaleMm: number;
  present(change: Partial<Presentation>): void;
  /** Bring a rectangle of the image into the pane, as large as it fits. */
  showArea(area: Area): void;
  setSlab(slab: Slab | null): void;
  setCrop(crop: Crop): void;
  setFusionLook(look: FusionLook): void;
  /** Where the eye looks, for a volume; null for everything flat. */
  ahead(): Vec3 | null;
  zoomBy(factor: number): void;
  fit(): void;
  /** One pixel of the image on this many pixels of the screen. */
  zoomTo(screenPixelsPerImagePixel: number): void;
  turn(degrees: number, about: 'horizontal' | 'vertical', pivot: Vec3 | null): void;
  scaleTo(scaleMm: number): void;
  setMarks(marks: readonly Mark[]): void;
  setLines(planes: readonly SeenPlane[]): void;
  setPlaying(framesPerSecond: number | null): void;
  setPart(part: Part | null): void;
  pointAt(clientX: number, clientY: number): Vec3 | null;
  canvasOf(point: Vec3): readonly [number, number] | null;
  render(): Promise<void>;
  republish(): void;
}

type CameraViewport = Types.IStackViewport | Types.IVolumeViewport;
const { Events } = Enums;

/** A pane that Cornerstone draws through a camera: a stack or a plane. */
export abstract class CameraPane implements Pane {
  series: SeriesToShow | null = null;
  space: Mapping | null = null;
  view: PaneView;
  protected abstract readonly viewport: CameraViewport;
  protected turnOfShow = 0;
  protected presentation: Presentation = PLAIN;
  protected marks: readonly Mark[] = [];
  protected planes: readonly SeenPlane[] = [];
  protected beyond = false;
  protected playing: number | null = null;
  #part: Part | null = null;
  readonly #observer: ResizeObserver;
  readonly #listeners: [string, EventListener][] = [];

  constructor(
    readonly id: string,
    readonly element: HTMLDivElement,
    readonly kind: PaneKind,
    protected readonly events: PaneEvents,
  ) {
    this.view = { ...EMPTY_VIEW, kind };
    this.#observer = new ResizeObserver(() => this.#resized());
  }

  abstract show(series: SeriesToShow, options: ShowOptions): Promise<void>;
  abstract goTo(index: number): Promise<void>;
  abstract scroll(by: number): Promise<void>;
  abstract reach(point: Vec3): Promise<void>;
  abstract follow(point: Vec3, scaleMm: number): Promise<void>;
  showArea(_area: Area): void {}
  abstract setSlab(slab: Slab | null): void;
  setCrop(): void {}
  setFusionLook(_look: FusionLook): void {}
  ahead(): Vec3 | null {
    return null;
  }
  abstract turn(degrees: number, about: 'horizontal' | 'vertical', pivot: Vec3 | null): void;
  abstract get normal(): Vec3 | null;
  /** The parts of the view that only the kind of pane knows; null while there is nothing to show. */
  protected abstract own(): Pick<
    PaneView,
    'index' | 'count' | 'positionLpsMm' | 'loaded' | 'slab' | 'fused' | 'placement'
  > | null;
  protected abstract onPlane(point: Vec3): Vec3;
  protected abstract apply(properties: { voiRange?: Types.VOIRange; invert?: boolean }): void;
  protected abstract setColourMap(name: string | null): void;

  /** To be called once the viewport exists. */
  protected start(): void {
    this.listen(Events.IMAGE_RENDERED, () => this.republish());
    this.listen(Events.CAMERA_MODIFIED, () => this.events.moved(this));
    this.listen(Events.VOI_MODIFIED, (event) => this.#windowed(event as CustomEvent));
    this.listen('pointerdown', () => this.events.touched(this));
    // The tool library swallows every key of its own element, Tab too: pass the focus on to the frame around it.
    this.listen('focus', () => this.element.parentElement?.focus({ preventScroll: true }));
    this.#observer.observe(this.element);
  }

  dispose(): void {
    this.turnOfShow += 1;
    this.view = { ...EMPTY_VIEW, kind: this.kind }; // whoever still holds it finds nothing to turn or to draw
    this.#observer.disconnect();
    for (const [name, listener] of this.#listeners) this.element.removeEventListener(name, listener);
    renderingEngine().disableElement(this.id);
  }

  clear(reason: string): void {
    this.turnOfShow += 1;
    this.series = null;
    this.fail(reason);
  }

  present(change: Partial<Presentation>): void {
    if (this.view.state !== 'shown') return;
    const next = { ...this.presentation, ...change };
    this.presentation = next;
    const { viewport } = this;
    if (change.window) this.apply({ voiRange: rangeOf(change.window, this.exact) });
    if (change.colourMap !== undefined) {
      this.apply({ invert: false }); // a new map would come uninverted, and the engine would not know
      this.setColourMap(change.colourMap);
    }
    if (change.invert !== undefined || change.colourMap !== undefined)
      this.apply({ invert: next.invert !== this.invertedByNature });
    if (change.flipHorizontal !== undefined || change.flipVertical !== undefined)
      viewport.setCamera({ flipHorizontal: next.flipHorizontal, flipVertical: next.flipVertical });
    if (change.rotation !== undefined) viewport.setViewPresentation({ rotation: next.rotation });
    viewport.render();
  }

  /** MONOCHROME1 is drawn inverted; `invert` is on top of that. */
  protected get invertedByNature(): boolean {
    return false;
  }

  zoomBy(factor: number): void {
    if (this.view.state !== 'shown') return;
    this.viewport.setCamera({ parallelScale: this.scaleMm / factor });
    this.viewport.render();
    this.events.moved(this);
  }

  scaleTo(scaleMm: number): void {
    if (this.view.state !== 'shown') return;
    this.viewport.setCamera({ parallelScale: scaleMm });
    this.viewport.render();
  }

  zoomTo(screenPixelsPerImagePixel: number): void {
    const spacing = this.spacingMm?.[0] ?? 1;
    if (this.view.state !== 'shown') return;
    this.zoomBy((this.scaleMm * 2 * screenPixelsPerImagePixel) / (this.element.clientHeight * spacing));
  }

  fit(): void {
    if (this.view.state !== 'shown') return;
    const { flipHorizontal, flipVertical, rotation } = this.presentation;
    this.viewport.resetCamera({ resetToCenter: true, resetPan: true, resetZoom: true });
    this.present({ flipHorizontal, flipVertical, rotation });
    this.events.moved(this);
  }

  setMarks(marks: readonly Mark[]): void {
    this.marks = marks;
    this.republish();
  }

  setLines(planes: readonly SeenPlane[]): void {
    if (!planes.length && !this.planes.length) return;
    this.planes = planes;
    this.republish();
  }

  setPlaying(framesPerSecond: number | null): void {
    this.playing = framesPerSecond;
    this.republish();
  }

  setPart(part: Part | null): void {
    this.#part = part;
    this.republish();
  }

  /** Row and column spacing of what is on the screen; null where nothing says how large a pixel is. */
  protected get spacingMm(): readonly [number, number] | null {
    return this.series?.pixelSpacingMm ?? null;
  }

  get scaleMm(): number {
    return this.viewport.getCamera().parallelScale ?? 1;
  }

  middle(): Vec3 | null {
    if (!this.normal) return null;
    const { clientWidth, clientHeight } = this.element;
    return this.onPlane(this.#world(clientWidth / 2, clientHeight / 2));
  }

  seen(): SeenPlane | null {
    const { normal } = this;
    if (!normal || this.view.state !== 'shown') return null;
    const { clientWidth: w, clientHeight: h } = this.element;
    const corner = (x: number, y: number) => this.onPlane(this.#world(x, y));
    return { normal, corners: [corner(0, 0), corner(w, 0), corner(w, h), corner(0, h)] };
  }

  pointAt(clientX: number, clientY: number): Vec3 | null {
    if (this.view.state !== 'shown') return null;
    const box = this.element.getBoundingClientRect();
    return this.onPlane(this.#world(clientX - box.left, clientY - box.top));
  }

  canvasOf(point: Vec3): readonly [number, number] | null {
    if (this.view.state !== 'shown') return null;
    return this.viewport.worldToCanvas([point[0], point[1], point[2]]) as unknown as [number, number];
  }

  /** Draw and wait until it is on the screen; the CPU path draws at once, so listen first. */
  render(): Promise<void> {
    return new Promise((done) => {
      this.element.addEventListener(Events.IMAGE_RENDERED, () => done(), { once: true });
      this.viewport.render();
    });
  }

  /** Say anew what is on the screen. */
  republish(): void {
    const own = this.series && this.view.state !== 'failed' ? this.own() : null;
    if (!own) return;
    const { clientWidth: w, clientHeight: h } = this.element;
    const right = subtract(this.#world(w, h / 2), this.#world(0, h / 2));
    const down = subtract(this.#world(w / 2, h), this.#world(w / 2, 0));
    const mm = length(right) / Math.max(w, 1);
    this.publish({
      ...own,
      state: 'shown',
      reason: '',
      kind: this.kind,
      series: this.series,
      presentation: { ...this.presentation, window: this.windowNow() },
      mmPerPixel: this.spacingMm ? mm : null,
      letters: this.normal ? lettersOf(right, down) : this.projectionLetters(own.placement),
      marks: this.#drawnMarks(own.positionLpsMm, mm),
      lines: this.#drawnLines(),
      beyond: this.beyond,
      playing: this.playing,
      part: this.series && partAt(this.series, own.index, this.#part),
    });
  }

  protected get exact(): boolean {
    return isExact(this.series);
  }

  /** The letters of an image without a place in space; null where it does not say. */
  protected projectionLetters(_placement: Placement | null): Letters | null {
    return null;
  }

  protected abstract rangeNow(): Types.VOIRange | null;

  protected windowNow(): Window | null {
    const range = this.rangeNow();
    if (!range) return null;
    const { center, width } = windowOf(range, this.exact);
    const round = (v: number) => (width >= 20 ? Math.round(v) : Math.round(v * 100) / 100);
    return { center: round(center), width: round(width) };
  }

  /** Move a point of the plane to the middle, at a scale. */
  protected centre(point: Vec3, parallelScale: number): void {
    const camera = this.viewport.getCamera();
    if (!this.normal || !camera.focalPoint || !camera.position) return;
    const move = inPlane(subtract(point, camera.focalPoint as unknown as Vec3), this.normal);
    this.viewport.setCamera({ parallelScale });
    this.viewport.setCamera({
      focalPoint: moved(camera.focalPoint, move),
      position: moved(camera.position, move),
    });
  }

  /** Whether a point lies well inside what the pane shows, so that moving the image would only hide anatomy. */
  protected inView(point: Vec3): boolean {
    const [x, y] = this.viewport.worldToCanvas([...point] as Types.Point3);
    const { clientWidth: width, clientHeight: height } = this.element;
    return x > 0.1 * width && x < 0.9 * width && y > 0.1 * height && y < 0.9 * height;
  }

  /** By how much the camera moves to bring a point into view: no further than needed, since it hides the other side. */
  protected intoView(point: Vec3): Vec3 {
    if (this.inView(point)) return [0, 0, 0];
    const [x, y] = this.viewport.worldToCanvas([...point] as Types.Point3);
    const { clientWidth: width, clientHeight: height } = this.element;
    const within = (at: number, size: number) => Math.min(Math.max(at, 0.25 * size), 0.75 * size);
    return subtract(this.#world(x, y), this.#world(within(x, width), within(y, height)));
  }

  protected fail(reason: string): void {
    this.publish({ ...EMPTY_VIEW, kind: this.kind, state: 'failed', reason, series: this.series });
  }

  protected publish(view: PaneView): void {
    this.view = view;
    this.events.published(this, view);
  }

  protected listen(name: string, listener: EventListener): void {
    this.element.addEventListener(name, listener);
    this.#listeners.push([name, listener]);
  }

  #windowed(event: CustomEvent<{ range?: Types.VOIRange }>): void {
    if (!event.detail.range) return;
    this.presentation = { ...this.presentation, window: windowOf(event.detail.range, this.exact) };
    this.keepRange(event.detail.range);
    this.events.windowed(this);
  }

  protected keepRange(_range: Types.VOIRange): void {}

  #resized(): void {
    if (this.element.clientWidth && this.element.clientHeight) renderingEngine().resize(true, true);
    this.events.moved(this);
  }

  #world(x: number, y: number): Vec3 {
    return this.viewport.canvasToWorld([x, y]) as unknown as Vec3;
  }

  #drawnMarks(position: Vec3 | null, mm: number) {
    const { normal, series } = this;
    const slice = series?.slices[this.view.index];
    const distanceMm = (p: Vec3): number =>
      normal && position ? Math.abs(dot(subtract(p, position), normal)) : Number.POSITIVE_INFINITY;
    return drawMarks(
      this.marks,
      {
        sopUid: this.sopOnScreen() ?? slice?.sopUid ?? '',
        thicknessMm: series?.thicknessMm ?? 1,
        distanceMm,
      },
      (p) => this.viewport.worldToCanvas([p[0], p[1], p[2]]) as unknown as [number, number],
      mm,
    );
  }

  /** The object on the screen; null for a plane through many. */
  protected sopOnScreen(): string | null {
    return null;
  }

  #drawnLines(): DrawnLine[] {
    const point = this.middle();
    if (!point || !this.normal) return [];
    const plane = { normal: this.normal, point };
    return this.planes.flatMap((other) => {
      const ends = cutOf(plane, other);
      if (!ends) return [];
      const [x1, y1] = this.viewport.worldToCanvas([...ends[0]] as Types.Point3);
      const [x2, y2] = this.viewport.worldToCanvas([...ends[1]] as Types.Point3);
      return [{ x1, y1, x2, y2 }];
    });
  }
}

const moved = (from: Types.Point3, by: Vec3): Types.Point3 => [
  from[0] + by[0],
  from[1] + by[1],
  from[2] + by[2],
];

/**
 * The values between which grey runs, and back: LINEAR of PS3.3 C.11.2.1.2.1 is meant for whole numbers, and is half
 * a step off the middle; LINEAR_EXACT (C.11.2.1.3.2) is for all others, such as SUV.
 */
export function rangeOf({ center, width }: Window, exact: boolean): Types.VOIRange {
  const step = exact || width <= 1 ? 0 : 1;
  const half = (width - step) / 2;
  return { lower: center - step / 2 - half, upper: center - step / 2 + half };
}

export function windowOf({ lower, upper }: Types.VOIRange, exact: boolean): Window {
  const step = exact ? 0 : 1;
  return { center: (lower + upper + step) / 2, width: upper - lower + step };
}

/** Whether the values of a series are no whole numbers, or its images ask for the exact function. */
function isExact(series: SeriesToShow | null): boolean {
  const instance = series?.instances[0];
  if (!series || !instance) return false;
  return (
    text(instance, '00281056') === 'LINEAR_EXACT' || scalingOf(instance, series.modality).suvPerBqml !== null
  );
}

export const sameRange = (a: Types.VOIRange, b: Types.VOIRange): boolean =>
  Math.abs(a.lower - b.lower) < 0.01 && Math.abs(a.upper - b.upper) < 0.01;

/** Whether two planes run side by side, to within 25 degrees: only then does one show what the other does. */
export const sideBySide = (a: Vec3, b: Vec3): boolean => Math.abs(dot(unit(a), unit(b))) > 0.9;
