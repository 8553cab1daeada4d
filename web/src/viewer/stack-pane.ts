/** A series shown slice by slice, each as it was acquired. */
import { Enums, type Types } from '@cornerstonejs/core';
import { GREY } from './colour-tables';
import { greyMap } from './colours';
import { inSteps } from './delivery';
import { text } from './dicom';
import { loadNow, registerSeries, renderingEngine } from './engine';
import type { Area } from './geometry';
import { greyTable } from './lookup';
import { lettersOfProjection } from './overlay';
import { CameraPane, type PaneEvents, rangeOf, type ShowOptions, sameRange } from './pane';
import { type Window, windowOfSlice } from './presets';
import { nearestSlice, outsideMm, phaseOf, type SeriesToShow, type Slice, worldOf } from './series';
import { scalingOf } from './units';
import { add, cross, dot, scale, subtract, unit, type Vec3 } from './vectors';
import { EMPTY_VIEW, type Letters, type PaneView, PLAIN, type Placement } from './view';

export class StackPane extends CameraPane {
  protected readonly viewport: Types.IStackViewport;
  #wanted = 0;
  #moving: Promise<void> | null = null;
  /** The series the viewport holds; behind `series` until its first image is there. */
  #stack = '';
  /** The window as last set; the CPU path of the engine forgets it with each new slice. */
  #range: Types.VOIRange | null = null;
  /** The map of grey images: straight, or the table they bring. */
  #grey = GREY;

  constructor(id: string, element: HTMLDivElement, events: PaneEvents) {
    super(id, element, 'stack', events);
    const engine = renderingEngine();
    engine.enableElement({ viewportId: id, element, type: Enums.ViewportType.STACK });
    this.viewport = engine.getViewport(id) as Types.IStackViewport;
    this.start();
    this.listen(Enums.Events.IMAGE_LOAD_ERROR, (event) => {
      const { error } = (event as CustomEvent<{ error: unknown }>).detail;
      if (this.series) this.fail(frameFailure(error, this.#wanted, this.series));
    });
  }

  /** Show a series; resolves once its slice is on the screen, or the pane says why it is not. */
  async show(series: SeriesToShow, options: ShowOptions): Promise<void> {
    const turn = ++this.turnOfShow;
    this.series = series;
    this.#range = null;
    this.beyond = false;
    this.presentation = { ...PLAIN, ...options.presentation, window: null };
    if (series.notShown || series.slices.length === 0)
      return this.fail(series.notShown ?? 'This series holds no images.');
    this.#wanted = Math.min(Math.max(options.index ?? 0, 0), series.slices.length - 1);
    this.publish({
      ...EMPTY_VIEW,
      state: 'loading',
      series,
      index: this.#wanted,
      count: series.slices.length,
    });
    const imageIds = series.slices.map((s) => s.imageId);
    try {
      await registerSeries(series);
      await this.#fetch(imageIds[this.#wanted] ?? '');
      if (turn !== this.turnOfShow) return;
      await this.viewport.setStack(imageIds, this.#wanted);
      this.#stack = series.uid;
    } catch (error) {
      if (turn === this.turnOfShow) this.fail(frameFailure(error, this.#wanted, series));
      return;
    }
    if (turn !== this.turnOfShow) return;
    await this.#useTable(series);
    if (turn !== this.turnOfShow) return;
    const window = options.presentation?.window ?? options.window ?? this.#ownWindow(series);
    if (window) this.viewport.setProperties({ voiRange: rangeOf(window, this.exact) });
    const zoom = options.zoom ?? 1;
    if (options.centre && (zoom !== 1 || !this.inView(options.centre)))
      this.centre(options.centre, this.scaleMm / zoom);
    await this.render();
    if (turn === this.turnOfShow && options.presentation) this.present(options.presentation);
  }

  get normal(): Vec3 | null {
    if (this.series?.normal) return this.series.normal;
    const axes = this.#slice()?.axes;
    return axes && this.#slice()?.positionLpsMm ? unit(cross(axes.row, axes.column)) : null;
  }

  async scroll(by: number): Promise<void> {
    await this.goTo(this.#wanted + by);
  }

  async goTo(index: number): Promise<void> {
    const last = (this.series?.slices.length ?? 0) - 1;
    if (last >= 0) await this.#move(Math.min(Math.max(index, 0), last));
  }

  async reach(point: Vec3): Promise<void> {
    const index = this.series && nearestSlice(this.series, point, this.#phase);
    if (index === null) return;
    const turn = this.turnOfShow;
    await this.#move(index);
    if (turn !== this.turnOfShow) return;
    const middle = this.middle();
    if (middle) this.centre(add(middle, this.intoView(point)), this.scaleMm);
    this.viewport.render();
  }

  async follow(point: Vec3, scaleMm: number): Promise<void> {
    const { series } = this;
    const index = series && nearestSlice(series, point, this.#phase);
    if (!series || index === null) return;
    const turn = this.turnOfShow;
    if (index !== this.#wanted || this.view.state === 'failed') await this.#move(index);
    if (turn !== this.turnOfShow) return;
    this.centre(point, scaleMm);
    this.beyond = outsideMm(series, point) > 0;
    this.viewport.render();
  }

  /** Put a point of a picture without a place in space into the middle, at a scale. */
  followPicture(point: Vec3, scaleMm: number): void {
    const { focalPoint, position } = this.viewport.getCamera();
    if (this.view.state !== 'shown' || !focalPoint || !position) return;
    const [x, y] = [point[0] - focalPoint[0], point[1] - focalPoint[1]];
    this.viewport.setCamera({ parallelScale: scaleMm });
    this.viewport.setCamera({
      focalPoint: [focalPoint[0] + x, focalPoint[1] + y, focalPoint[2]],
      position: [position[0] + x, position[1] + y, position[2]],
    });
    this.viewport.render();
  }

  override showArea({ top_left: [left, top], bottom_right: [right, bottom] }: Area): void {
    if (this.view.state !== 'shown') return;
    const ends = () => [this.imageToCanvas(left, top), this.imageToCanvas(right, bottom)];
    const [one, two] = ends();
    if (!one || !two) return;
    const { clientWidth: width, clientHeight: height } = this.element;
    this.zoomBy(Math.min(width / Math.abs(one[0] - two[0]), height / Math.abs(one[1] - two[1])));
    const [first, last] = ends();
    if (!first || !last) return;
    const [x, y] = this.viewport.getPan();
    this.viewport.setPan([x + (width - first[0] - last[0]) / 2, y + (height - first[1] - last[1]) / 2]);
    this.viewport.render();
  }

  setSlab(): void {}
  turn(): void {}

  get #phase(): number {
    return this.series ? phaseOf(this.series, this.#wanted) : 0;
  }

  #slice(): Slice | undefined {
    return this.series?.slices[
      this.#stack === this.series.uid ? this.viewport.getCurrentImageIdIndex() : this.#wanted
    ];
  }

  protected override get spacingMm(): readonly [number, number] | null {
    return this.#slice()?.spacing ?? null;
  }

  protected override get invertedByNature(): boolean {
    const slice = this.#slice();
    return text(this.series?.instances[slice?.instance ?? 0], '00280004') === 'MONOCHROME1';
  }

  protected own(): Pick<
    PaneView,
    'index' | 'count' | 'positionLpsMm' | 'loaded' | 'slab' | 'fused' | 'placement'
  > | null {
    const { series, viewport } = this;
    // The CPU path also announces a rendering before it has an image.
    if (!series || this.#stack !== series.uid || !viewport.getCornerstoneImage()) return null;
    const index = viewport.getCurrentImageIdIndex();
    const slice = series.slices[index];
    return slice
      ? {
          index,
          count: series.slices.length,
          positionLpsMm: slice.positionLpsMm,
          loaded: this.#isCoarse() ? 0 : null,
          slab: null,
          fused: null,
          placement: this.#placement(),
        }
      : null;
  }

  protected override projectionLetters(placement: Placement | null): Letters | null {
    const instance = this.series?.instances[this.#slice()?.instance ?? 0];
    const orientation = (instance?.['00200020']?.Value ?? []).map(String);
    if (!placement) return null;
    const [a, b, c, d] = placement;
    return lettersOfProjection(orientation, [a, b], [c, d]);
  }

  protected override sopOnScreen(): string | null {
    return this.#slice()?.sopUid ?? null;
  }

  protected rangeNow(): Types.VOIRange | null {
    return this.#range ?? this.viewport.getProperties().voiRange ?? null;
  }

  protected override keepRange(range: Types.VOIRange): void {
    this.#range = range;
  }

  protected apply(properties: { voiRange?: Types.VOIRange; invert?: boolean }): void {
    this.viewport.setProperties(properties);
  }

  protected setColourMap(name: string | null): void {
    this.viewport.setProperties({ colormap: { name: name ?? this.#grey } });
    if (this.#range) this.viewport.setProperties({ voiRange: this.#range });
  }

  protected onPlane(point: Vec3): Vec3 {
    const { normal } = this;
    const position = this.#slice()?.positionLpsMm;
    if (!normal || !position) return point;
    return subtract(point, scale(normal, dot(subtract(point, position), normal)));
  }

  /** Move the image so that its own edge lies on an edge of the pane. */
  push(side: 'left' | 'right'): void {
    const slice = this.#slice();
    const ends = slice && [this.imageToCanvas(0, 0), this.imageToCanvas(slice.size[0], 0)];
    const [one, two] = ends ?? [];
    if (!one || !two) return;
    const edge =
      side === 'left' ? Math.min(one[0], two[0]) : Math.max(one[0], two[0]) - this.element.clientWidth;
    const [x, y] = this.viewport.getPan();
    this.viewport.setPan([x - edge, y]);
    this.viewport.render();
  }

  /** Where a point of the image is drawn: column and row, (0, 0) at the corner of the first pixel. */
  imageToCanvas(column: number, row: number): readonly [number, number] | null {
    const slice = this.#slice();
    return slice
      ? (this.viewport.worldToCanvas([...worldOf(slice, column, row)] as Types.Point3) as unknown as [
          number,
          number,
        ])
      : null;
  }

  /** The window the image itself asks for; where there is a table, that is the window. */
  #ownWindow(series: SeriesToShow): Window | null {
    const instance = series.instances[series.slices[this.#wanted]?.instance ?? 0] ?? {};
    if (this.#grey !== GREY || scalingOf(instance, series.modality).suvPerBqml) return null;
    return windowOfSlice(series, this.#wanted);
  }

  /** Whether only the first bytes of the image are here. */
  #isCoarse(): boolean {
    const { imageQualityStatus: quality } = this.viewport.getCornerstoneImage();
    return quality !== undefined && quality < Enums.ImageQualityStatus.FULL_RESOLUTION;
  }

  #placement(): Placement | null {
    const [origin, right, down] = [
      this.imageToCanvas(0, 0),
      this.imageToCanvas(1, 0),
      this.imageToCanvas(0, 1),
    ];
    if (!origin || !right || !down) return null;
    return [
      right[0] - origin[0],
      right[1] - origin[1],
      down[0] - origin[0],
      down[1] - origin[1],
      origin[0],
      origin[1],
    ];
  }

  /** Images that bring a table instead of a window are shown through it. */
  async #useTable(series: SeriesToShow): Promise<void> {
    const instance = series.instances[series.slices[this.#wanted]?.instance ?? 0] ?? {};
    const table = await greyTable(instance);
    this.#grey = table ? greyMap(`table ${series.uid}`, table.values) : GREY;
    if (!table) return;
    this.apply({ voiRange: { lower: table.first, upper: table.first + table.values.length - 1 } });
    this.apply({ invert: false });
    this.setColourMap(null);
    this.apply({ invert: this.invertedByNature });
  }

  /** Go to a slice; several wishes in a row end at the last one. */
  #move(index: number): Promise<void> {
    this.#wanted = index;
    this.#moving ??= this.#moveToWanted().finally(() => {
      this.#moving = null;
      this.events.moved(this);
    });
    return this.#moving;
  }

  async #moveToWanted(): Promise<void> {
    const { turnOfShow: turn, series } = this;
    let at = -1;
    while (turn === this.turnOfShow && series && at !== this.#wanted) {
      at = this.#wanted;
      try {
        await this.#fetch(series.slices[at]?.imageId ?? '');
        if (turn !== this.turnOfShow) return;
        await this.#setIndex(at);
        if (turn !== this.turnOfShow) return;
        this.#keepWindow();
        if (turn === this.turnOfShow && at === this.#wanted && this.view.state !== 'shown') {
          this.view = { ...this.view, state: 'shown' };
          this.viewport.render();
        }
      } catch (error) {
        if (turn === this.turnOfShow && at === this.#wanted) this.fail(frameFailure(error, at, series));
      }
    }
  }

  /** Have an image here before it is shown, so that a failure is told; one that comes in steps shows its first at once. */
  async #fetch(imageId: string): Promise<void> {
    if (!inSteps(imageId)) await loadNow(imageId);
  }

  /** A pane whose first image failed has no stack yet: it gets one with the first image that can be shown. */
  async #setIndex(index: number): Promise<void> {
    const { viewport, series } = this;
    if (this.#stack === series?.uid) return void (await viewport.setImageIdIndex(index));
    await viewport.setStack(series?.slices.map((s) => s.imageId) ?? [], index);
    this.#stack = series?.uid ?? '';
  }

  /** The CPU path returns to the image's own window with each slice; the mouse tool would start from there. */
  #keepWindow(): void {
    const now = this.viewport.getProperties().voiRange;
    if (this.#range && now && !sameRange(this.#range, now))
      this.viewport.setProperties({ voiRange: this.#range });
  }
}

export function frameFailure(error: unknown, index: number, series: SeriesToShow): string {
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
