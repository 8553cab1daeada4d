/**
 * The panes of one page, and nothing of the user interface around them.
 *
 * Invariants: the pane the person touches leads and the others follow: the point in its middle is in the middle of each
 * pane that shows the same plane, through the mapping between the studies, at the same millimetres per pixel and in the
 * same window; where the planes differ, a line shows where they meet.
 */
import { getShouldUseCPURendering } from '@cornerstonejs/core';
import { Cine } from './cine';
import { text } from './dicom';
import { forgetSeries, prefetch, renderingEngine, softwareOnly, stopPrefetch } from './engine';
import { type Area, projected, type SeenPlane } from './geometry';
import { IDENTITY, type Mapping } from './grid';
import { trimmed } from './loops';
import type { Measurement } from './measurements';
import type { Mark } from './overlay';
import { type Pane, type PaneEvents, type ShowOptions, sideBySide } from './pane';
import type { Window } from './presets';
import type { Pixels } from './sampling';
import { valuesHere, valuesOf } from './segmenting';
import { READERS_SCALE, type SeriesToShow, slicesPerPhase, statesItsScale } from './series';
import { StackPane } from './stack-pane';
import type { ToolName } from './tool-list';
import { add, subtract, type Vec3 } from './vectors';
import {
  type Crop,
  type FusionLook,
  type PaneKind,
  type PaneView,
  PLAIN,
  type Presentation,
  type Slab,
} from './view';

export type PaneId = string;
export type { ShowOptions } from './pane';

/** Something that was done to an image and can be taken back. */
export interface Step {
  label: string;
  undo: () => void;
  redo: () => void;
}

export interface ViewerEvents {
  view(pane: PaneId, view: PaneView): void;
  /** Returns how the step is forgotten. */
  step(step: Step): () => void;
  /** The person touched a pane: it leads from now on. */
  lead(pane: PaneId): void;
  measured(): void;
  /** Ask the person for the words of an arrow or a text. */
  askForText(before: string): Promise<string | null>;
  /** Ask for the length in mm of a line just drawn; `fixed`: its image states its own scale. */
  askForLength(fixed: boolean): Promise<number | null>;
}

type PaneMaker = (id: string, element: HTMLDivElement, kind: PaneKind, events: PaneEvents) => Pane;

/** Which code draws a kind of pane on this machine; all but the stack is loaded when first asked for. */
async function makerOf(kind: PaneKind): Promise<PaneMaker> {
  if (kind === 'stack') return (id, element, _, events) => new StackPane(id, element, events);
  return kind === 'volume' ? volumeMaker() : planeMaker();
}

async function planeMaker(): Promise<PaneMaker> {
  if (getShouldUseCPURendering()) {
    const { ServerPlane } = await import('./server-plane');
    return (id, element, kind, events) => new ServerPlane(id, element, kind, events);
  }
  const { PlanePane } = await import('./plane-pane');
  return (id, element, kind, events) => new PlanePane(id, element, kind, events);
}

async function volumeMaker(): Promise<PaneMaker> {
  if (getShouldUseCPURendering() || softwareOnly()) {
    const { ServerVolume } = await import('./server-volume');
    return (id, element, kind, events) => new ServerVolume(id, element, kind, events);
  }
  const { VolumePane } = await import('./volume-pane');
  return (id, element, _, events) => new VolumePane(id, element, events);
}

export class ViewerController {
  readonly #panes = new Map<PaneId, Pane>();
  readonly #elements = new Map<PaneId, HTMLDivElement>();
  readonly #marks = new Map<PaneId, readonly Mark[]>();
  readonly #events: ViewerEvents;
  readonly #cine: Cine;
  /** Radiographs that are aligned, by SOP instance: from the picture of the current study to that one. */
  readonly #pictures = new Map<string, Mapping>();
  /** Every series that was shown, to be released with the study. */
  readonly #shown = new Set<string>();
  /** The point last shown everywhere, in the space of the current study: planes are tilted about it. */
  #pivot: Vec3 | null = null;
  #leader: PaneId = 'current';
  #linked = true;
  #lines = true;
  #following = false;
  #followQueued = false;
  #tools: typeof import('./tools') | null = null;
  #library: typeof import('./measurements') | null = null;
  #tool: ToolName = 'window';

  constructor(events: ViewerEvents) {
    this.#events = events;
    this.#cine = new Cine((id) => this.#panes.get(id) ?? null);
  }

  /** Make a pane out of an element. */
  attach(id: PaneId, element: HTMLDivElement): void {
    this.detach(id);
    this.#elements.set(id, element);
    this.#take(new StackPane(id, element, this.#paneEvents));
  }

  detach(id: PaneId): void {
    this.#cine.stop(id);
    this.#panes.get(id)?.dispose();
    this.#panes.delete(id);
    this.#elements.delete(id);
  }

  destroy(): void {
    stopPrefetch();
    this.#cine.stopAll();
    this.#tools?.follow(null);
    this.#tools?.clearMeasurements();
    this.#library?.forgetDrawn();
    this.#tools?.unequip(renderingEngine().id);
    for (const id of [...this.#panes.keys()]) this.detach(id);
    forgetSeries(this.#shown);
  }

  /** Show a series; resolves once its slice is on the screen, or the pane says why it is not. */
  async show(
    id: PaneId,
    series: SeriesToShow,
    options: ShowOptions = {},
    space: Mapping | null = null,
  ): Promise<void> {
    const kind = options.kind ?? 'stack';
    this.#cine.stop(id);
    const pane = await this.#paneOf(id, kind);
    if (!pane) return;
    pane.space = space;
    pane.setMarks(this.#marks.get(id) ?? []);
    this.#shown.add(series.uid);
    await pane.show(series, options);
  }

  /** Empty a pane and say why. */
  clear(id: PaneId, reason: string): void {
    this.#panes.get(id)?.clear(reason);
  }

  /** Two radiographs are aligned in the plane: panes that show them move together. */
  tiePictures(current: string, prior: string, mapping: Mapping): void {
    this.#pictures.set(current, IDENTITY).set(prior, mapping);
    void this.#follow();
  }

  /** Tie a pane to the current study, or let it go with null; resolves once it shows what the leader does. */
  async tie(id: PaneId, space: Mapping | null): Promise<void> {
    const pane = this.#panes.get(id);
    if (!pane) return;
    pane.space = space;
    if (!space || id === this.#leader) return;
    await this.#follow();
    if (pane.view.state === 'shown') await pane.render();
  }

  setLinked(linked: boolean): void {
    this.#linked = linked;
    if (linked) void this.#follow();
  }

  setLines(on: boolean): void {
    this.#lines = on;
    this.#drawLines();
  }

  lead(id: PaneId): void {
    this.#leader = id;
  }

  /** Move by slices; the linked panes follow. */
  scroll(id: PaneId, by: number): void {
    this.#led(id)?.scroll(by);
  }

  goTo(id: PaneId, index: number): void {
    this.#led(id)?.goTo(index);
  }

  /** Go to the same place at another point in time. */
  stepPhase(id: PaneId, by: number): void {
    const pane = this.#led(id);
    const { series } = pane ?? {};
    if (!pane || !series || series.phases.count < 2) return;
    const index = pane.view.index + by * slicesPerPhase(series);
    if (index >= 0 && index < series.slices.length) void pane.goTo(index);
  }

  /** Show a point of the current study in every pane that is tied to it. */
  async centreOn(point: Vec3): Promise<void> {
    const pane = [...this.#panes.values()].find((p) => p.series && p.normal && p.space);
    if (!pane) return;
    this.#pivot = point;
    this.lead(this.#panes.has('current') ? 'current' : pane.id);
    await this.#panes.get(this.#leader)?.reach(point);
    this.#followSoon();
    await this.#reachOthers(point);
  }

  /** Show the point under a place of a pane everywhere else. */
  async pointOut(id: PaneId, clientX: number, clientY: number): Promise<void> {
    const pane = this.#panes.get(id);
    const at = pane?.pointAt(clientX, clientY);
    if (!pane?.space || !at) return;
    this.#pivot = pane.space.toCurrent(at);
    await this.#reachOthers(this.#pivot, id);
    this.#drawLines();
  }

  setWindow(window: Window, id: PaneId = this.#leader): void {
    this.present(id, { window }, 'Window');
  }

  /** Turn, invert, colour or window a pane; can be taken back. */
  present(id: PaneId, change: Partial<Presentation>, label: string): void {
    const pane = this.#panes.get(id);
    if (pane?.view.state !== 'shown') return;
    const before = partOf(pane.view.presentation, change);
    pane.present(change);
    const at = (which: Partial<Presentation>) => () => this.#panes.get(id)?.present(which);
    this.#events.step({ label, undo: at(before), redo: at(change) });
  }

  setSlab(id: PaneId, slab: Slab | null): void {
    this.#panes.get(id)?.setSlab(slab);
  }

  showArea(id: PaneId, area: Area): void {
    this.#panes.get(id)?.showArea(area);
  }

  setFusionLook(id: PaneId, look: FusionLook): void {
    this.#panes.get(id)?.setFusionLook(look);
  }

  setCrop(id: PaneId, crop: Crop): void {
    this.#panes.get(id)?.setCrop(crop);
  }

  /** Where the eye looks in a pane that shows a volume; null in every other. */
  ahead(id: PaneId): Vec3 | null {
    return this.#panes.get(id)?.ahead() ?? null;
  }

  turn(id: PaneId, degrees: number, about: 'horizontal' | 'vertical'): void {
    const pane = this.#led(id);
    if (pane?.view.state !== 'shown') return;
    const pivot = pane.space && this.#pivot ? pane.space.toPrior(this.#pivot) : null;
    const at = (by: number) => () => this.#panes.get(id)?.turn(by, about, pivot);
    at(degrees)();
    this.#events.step({ label: 'Turned', undo: at(-degrees), redo: at(degrees) });
  }

  zoomBy(factor: number): void {
    this.#panes.get(this.#leader)?.zoomBy(factor);
  }

  /** Fit the image into the pane again. */
  fit(): void {
    this.#panes.get(this.#leader)?.fit();
  }

  zoomTo(id: PaneId, screenPixelsPerImagePixel: number): void {
    this.#panes.get(id)?.zoomTo(screenPixelsPerImagePixel);
  }

  /** Give panes one scale: the one at which each of them holds its whole image. */
  sameScale(ids: readonly PaneId[]): void {
    const panes = ids.flatMap((id) => this.#panes.get(id) ?? []);
    const scale = Math.max(...panes.map((p) => p.scaleMm));
    for (const pane of panes) pane.scaleTo(scale);
  }

  push(id: PaneId, side: 'left' | 'right'): void {
    const pane = this.#panes.get(id);
    if (pane instanceof StackPane) pane.push(side);
  }

  /** Everything about how a pane shows its image as it was opened. */
  reset(id: PaneId, window: Window | null): void {
    this.present(id, { ...PLAIN, ...(window ? { window } : {}) }, 'Reset');
    this.#panes.get(id)?.fit();
  }

  setMarks(id: PaneId, marks: readonly Mark[]): void {
    this.#marks.set(id, marks);
    this.#panes.get(id)?.setMarks(marks);
  }

  /** Play or stop; at the object's own rate unless another is given. */
  play(id: PaneId, framesPerSecond?: number): void {
    this.#cine.toggle(id, framesPerSecond);
  }

  setRate(id: PaneId, framesPerSecond: number): void {
    this.#cine.setRate(id, framesPerSecond);
  }

  /** Begin or end what is played at the image shown; null plays all of it. */
  trim(id: PaneId, end: 'first' | 'last' | null): void {
    const pane = this.#panes.get(id);
    if (!pane?.series) return;
    pane.setPart(end && trimmed(pane.series, pane.view.index, pane.view.part, end));
  }

  /** Load the mouse tools; to be called after the first image. */
  async equip(): Promise<void> {
    [this.#tools, this.#library] = await Promise.all([import('./tools'), import('./measurements')]);
    for (const pane of this.#panes.values()) this.#equip(pane);
    this.#tools.chooseTool(this.#tool);
    this.#tools.follow({
      step: (step) => this.#events.step(step),
      changed: () => this.#events.measured(),
      askForText: (before) => this.#events.askForText(before),
      knownLength: ({ metadata }) => {
        const drawn = this.#library?.imagesOf(this.#series()).get(metadata?.referencedImageId ?? '');
        const instance = drawn?.series.instances[drawn.slice.instance];
        return this.#events.askForLength(!drawn || !instance || statesItsScale(instance, drawn.slice));
      },
    });
  }

  chooseTool(name: ToolName): void {
    this.#tool = name;
    this.#tools?.chooseTool(name);
  }

  removeMeasurement(): void {
    this.#tools?.removeMeasurement();
    renderingEngine().render();
  }

  clearMeasurements(): void {
    this.#tools?.clearMeasurements();
    renderingEngine().render();
  }

  /** What is drawn on the images of the panes; null before the tools are here. */
  measurements(): Measurement[] | null {
    return this.#library?.measurementsOn(this.#library.imagesOf(this.#series())) ?? null;
  }

  /** Whether a measurement was drawn on this page at some time. */
  wasDrawn(uid: string): boolean {
    return this.#library?.wasDrawn(uid) ?? false;
  }

  /** The values of an image that is loaded, in its own unit; null while it is not, or where it is in colour. */
  pixelsOf(sopUid: string, frame: number): Pixels | null {
    const slice = this.#series()
      .flatMap((s) => s.slices)
      .find((s) => s.sopUid === sopUid && s.frame === frame);
    const values = slice && valuesHere(slice.imageId);
    return values ? { columns: slice.size[0], rows: slice.size[1], values } : null;
  }

  /** Draw measurements again on the images of the panes; those already there stay. */
  drawMeasurements(measurements: readonly Measurement[]): void {
    if (!this.#library) return;
    this.#library.drawAgain(measurements, this.#library.imagesOf(this.#series()));
    renderingEngine().render();
  }

  /** Let go of the images of a series and of what is drawn on them, so that it can be shown with other scales. */
  release(uid: string): void {
    const images = this.#series().flatMap((s) => (s.uid === uid ? s.slices.map((i) => i.imageId) : []));
    this.#tools?.removeFrom(new Set(images));
    forgetSeries(new Set([uid]));
  }

  #series(): SeriesToShow[] {
    return [...this.#panes.values()].flatMap((p) => p.series ?? []);
  }

  /** Load the rest of what the panes show, nearest slices first. */
  prefetch(limit?: number): void {
    for (const pane of this.#panes.values())
      if (pane instanceof StackPane && pane.series && !pane.series.notShown)
        void prefetch(pane.series, pane.view.index, limit).catch(() => {});
  }

  /** The point of the shown slice under a place on the screen, in mm (LPS). */
  pointAt(id: PaneId, clientX: number, clientY: number): Vec3 | null {
    return this.#panes.get(id)?.pointAt(clientX, clientY) ?? null;
  }

  /** Where a point of an image is drawn: column and row, (0, 0) at the corner of the first pixel. */
  imageToCanvas(id: PaneId, column: number, row: number): readonly [number, number] | null {
    const pane = this.#panes.get(id);
    return pane instanceof StackPane ? pane.imageToCanvas(column, row) : null;
  }

  /** Draw a pane again, so that its canvas can be read. */
  async redraw(id: PaneId): Promise<void> {
    const pane = this.#panes.get(id);
    if (pane?.view.state === 'shown') await pane.render();
  }

  /** The plane of a pane as it is seen, in mm (LPS), and the size of the pane; null without geometry. */
  seen(id: PaneId): { plane: SeenPlane; width: number; height: number } | null {
    const pane = this.#panes.get(id);
    const plane = pane?.seen();
    return pane && plane
      ? { plane, width: pane.element.clientWidth, height: pane.element.clientHeight }
      : null;
  }

  /** The values of an image: those already here, or fetched. */
  readonly values = { here: valuesHere, of: valuesOf };

  viewOf(id: PaneId): PaneView | null {
    return this.#panes.get(id)?.view ?? null;
  }

  /** The canvas a pane draws on. */
  canvas(id: PaneId): HTMLCanvasElement | null {
    return this.#elements.get(id)?.querySelector('canvas') ?? null;
  }

  readonly #paneEvents: PaneEvents = {
    published: (pane, view) => this.#events.view(pane.id, view),
    moved: (pane) => {
      if (pane.id === this.#leader) this.#followSoon();
    },
    windowed: (pane) => this.#shareWindow(pane),
    touched: (pane) => {
      this.#leader = pane.id;
      this.#events.lead(pane.id);
      this.#followSoon();
    },
  };

  #take(pane: Pane): void {
    this.#panes.set(pane.id, pane);
    if (this.#tools) this.#equip(pane);
  }

  #equip(pane: Pane): void {
    if (!getShouldUseCPURendering() || pane.view.kind === 'stack')
      this.#tools?.equip(pane.id, pane.view.kind, renderingEngine().id);
  }

  #led(id: PaneId): Pane | undefined {
    this.lead(id);
    return this.#panes.get(id);
  }

  /** The pane, made anew where another kind is asked for. */
  async #paneOf(id: PaneId, kind: PaneKind): Promise<Pane | null> {
    const make = await makerOf(kind);
    const element = this.#elements.get(id);
    const held = this.#panes.get(id);
    if (!element) return null;
    if (held && held.view.kind === kind) return held;
    this.#tools?.release(id, renderingEngine().id);
    held?.dispose();
    this.#take(make(id, element, kind, this.#paneEvents));
    return this.#panes.get(id) ?? null;
  }

  async #reachOthers(inCurrent: Vec3, except: PaneId = this.#leader): Promise<void> {
    const others = [...this.#panes.values()].filter((p) => p.id !== except && p.space && p.normal);
    await Promise.all(others.map((p) => p.reach(p.space?.toPrior(inCurrent) ?? inCurrent)));
  }

  #followSoon(): void {
    if (this.#following || this.#followQueued) return;
    this.#followQueued = true;
    requestAnimationFrame(() => {
      this.#followQueued = false;
      void this.#follow();
    });
  }

  async #follow(): Promise<void> {
    const leader = this.#panes.get(this.#leader);
    const picture = this.#pictureOf(leader);
    if (leader && picture) return this.#followPicture(leader, picture);
    const middle = leader?.view.state === 'shown' ? leader.middle() : null;
    if (!leader?.space || !leader.normal || !middle) return;
    const anchor = this.#anchor(leader) ?? middle;
    const inCurrent = leader.space.toCurrent(anchor);
    const aside = subtract(middle, anchor);
    const { normal, scaleMm } = leader; // it may be gone once another has followed
    for (const pane of this.#panes.values()) {
      if (!this.#linked || pane === leader || !pane.space || !pane.normal) continue;
      if (!sideBySide(pane.normal, normal)) continue;
      const heights = pane.element.clientHeight / Math.max(leader.element.clientHeight, 1);
      this.#following = true;
      try {
        await pane.follow(add(pane.space.toPrior(inCurrent), aside), scaleMm * heights);
      } finally {
        this.#following = false;
      }
    }
    this.#drawLines();
  }

  #followPicture(leader: Pane, picture: Mapping): void {
    const box = leader.element.getBoundingClientRect();
    const middle = leader.pointAt(box.left + box.width / 2, box.top + box.height / 2);
    if (!middle || !this.#linked) return;
    const inCurrent = picture.toCurrent(middle);
    for (const pane of this.#panes.values()) {
      const other = pane === leader ? null : this.#pictureOf(pane);
      if (!other || !(pane instanceof StackPane)) continue;
      const heights = pane.element.clientHeight / Math.max(leader.element.clientHeight, 1);
      pane.followPicture(other.toPrior(inCurrent), leader.scaleMm * heights);
    }
  }

  /** How the picture on a pane is aligned; null where it is not, or a reader has changed its scale. */
  #pictureOf(pane: Pane | undefined): Mapping | null {
    const slice = pane?.series?.slices[pane.view.index];
    if (!slice || pane?.view.kind !== 'stack' || pane.view.state !== 'shown') return null;
    const calibrated = text(pane.series?.instances[slice.instance], '00280A04');
    return calibrated.startsWith(READERS_SCALE) ? null : (this.#pictures.get(slice.sopUid) ?? null);
  }

  /** The point that was gone to, as long as its place is in view: there the panes correspond, not in their middles. */
  #anchor(leader: Pane): Vec3 | null {
    const plane = leader.seen();
    return this.#pivot && leader.space && plane ? projected(leader.space.toPrior(this.#pivot), plane) : null;
  }

  /** Where the planes of the other panes cut each; drawn only within one space, where it is exact. */
  #drawLines(): void {
    const panes = [...this.#panes.values()].filter((p) => p.normal && p.series?.frameOfReference);
    for (const pane of panes) {
      const others = panes.filter(
        (p) => p !== pane && p.series?.frameOfReference === pane.series?.frameOfReference,
      );
      pane.setLines(this.#lines ? others.flatMap((p) => p.seen() ?? []) : []);
    }
  }

  #shareWindow(from: Pane): void {
    const { window } = from.view.presentation;
    const now = from.series && from.id === this.#leader ? from : null;
    if (!now || !this.#linked) return;
    requestAnimationFrame(() => {
      const shared = now.view.presentation.window ?? window;
      if (!shared) return;
      for (const pane of this.#panes.values()) {
        if (pane === now || pane.series?.modality !== now.series?.modality || !shares(now.series)) continue;
        if (pane.view.kind === 'volume' || sameWindow(pane.view.presentation.window, shared)) continue;
        pane.present({ window: shared });
      }
    });
  }
}

/** One window fits two studies only where their numbers mean the same: HU, or SUV. */
const shares = (series: SeriesToShow | null): boolean => /^(CT|PT)$/.test(series?.modality ?? '');

const sameWindow = (a: Window | null, b: Window): boolean => a?.center === b.center && a.width === b.width;

/** What the named parts of a presentation are now. */
function partOf(now: Presentation, change: Partial<Presentation>): Partial<Presentation> {
  const keys = Object.keys(change) as (keyof Presentation)[];
  return Object.fromEntries(keys.map((key) => [key, now[key]]));
}
