/** A plane through the volume of a series: axial, sagittal, coronal or turned freely, thin or a slab. */
import { Enums, type Types } from '@cornerstonejs/core';
import { GREY } from './colour-tables';
import { renderingEngine } from './engine';
import { volumeProblem } from './geometry';
import { CameraPane, type PaneEvents, rangeOf, type ShowOptions } from './pane';
import { windowOfSlice } from './presets';
import type { SeriesToShow } from './series';
import { scalingOf } from './units';
import { add, cross, dot, rotate, scale, subtract, unit, type Vec3 } from './vectors';
import {
  EMPTY_VIEW,
  FUSION_LOOK,
  type FusionLook,
  type PaneKind,
  type PaneView,
  PLAIN,
  type Presentation,
  type Slab,
} from './view';
import { volumeIdOf } from './volume-id';
import { followLoading, leaveVolume, takeVolume, volumeLoaded } from './volumes';

const { AXIAL, SAGITTAL, CORONAL } = Enums.OrientationAxis;
const ORIENTATIONS: Partial<Record<PaneKind, Enums.OrientationAxis>> = {
  axial: AXIAL,
  sagittal: SAGITTAL,
  coronal: CORONAL,
  oblique: AXIAL,
};
const BLENDS: Record<Slab['projection'], Enums.BlendModes> = {
  max: Enums.BlendModes.MAXIMUM_INTENSITY_BLEND,
  min: Enums.BlendModes.MINIMUM_INTENSITY_BLEND,
  average: Enums.BlendModes.AVERAGE_INTENSITY_BLEND,
};
/** Colours of the image laid over, and how much of it shows: the hot metal of PS3.6 Annex B is the field's habit. */
const FUSION_COLOURS = 'hot_iron';
/** Up to which SUV the colours run, as a PET pane opens. */
const FUSION_SUV = 5;

export class PlanePane extends CameraPane {
  protected readonly viewport: Types.IVolumeViewport;
  #volumes: string[] = [];
  #loaded: number | null = 0;
  #slab: Slab | null = null;
  #fused: SeriesToShow | null = null;
  #stopFollowing: () => void = () => {};

  constructor(id: string, element: HTMLDivElement, kind: PaneKind, events: PaneEvents) {
    super(id, element, kind, events);
    const engine = renderingEngine();
    engine.enableElement({
      viewportId: id,
      element,
      type: Enums.ViewportType.ORTHOGRAPHIC,
      defaultOptions: { orientation: ORIENTATIONS[kind] ?? AXIAL },
    });
    this.viewport = engine.getViewport(id) as Types.IVolumeViewport;
    this.start();
  }

  async show(series: SeriesToShow, options: ShowOptions): Promise<void> {
    const turn = ++this.turnOfShow;
    const before = this.#volumes; // given back only after the new ones are taken: they may be the same
    this.#volumes = [];
    this.series = series;
    this.presentation = { ...PLAIN, ...options.presentation, window: null };
    const problem = volumeProblem(series) ?? (options.fusion ? fusionProblem(series, options.fusion) : null);
    if (problem) {
      before.forEach(leaveVolume);
      return this.fail(problem);
    }
    this.publish({ ...EMPTY_VIEW, kind: this.kind, state: 'loading', series, loaded: 0 });
    const setting = this.#setVolumes(series, options.fusion ?? null, turn, options.fusionLook ?? FUSION_LOOK);
    before.forEach(leaveVolume);
    try {
      await setting;
      if (turn === this.turnOfShow) await this.#allLoaded(turn);
    } catch (error) {
      if (turn !== this.turnOfShow) return;
      return this.fail(
        `The volume could not be made: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    if (turn !== this.turnOfShow) return;
    const window =
      options.presentation?.window ??
      options.window ??
      windowOfSlice(series, Math.floor(series.slices.length / 2));
    if (window) this.apply({ voiRange: rangeOf(window, this.exact) });
    if (options.slab) this.setSlab(options.slab);
    if (options.centre) this.#moveTo(options.centre);
    await this.render();
    if (turn === this.turnOfShow && options.presentation) this.present(options.presentation);
  }

  override dispose(): void {
    this.#release();
    super.dispose();
  }

  override clear(reason: string): void {
    this.#release();
    super.clear(reason);
  }

  get normal(): Vec3 | null {
    const normal = this.viewport.getCamera().viewPlaneNormal;
    return this.series && normal ? (normal as unknown as Vec3) : null;
  }

  async scroll(by: number): Promise<void> {
    if (this.view.state !== 'shown') return;
    this.viewport.scroll(by);
    this.viewport.render();
    this.events.moved(this);
  }

  async goTo(index: number): Promise<void> {
    const last = this.view.count - 1;
    await this.scroll(Math.min(Math.max(index, 0), last) - this.view.index);
  }

  async reach(point: Vec3): Promise<void> {
    this.#moveTo(point);
    this.viewport.render();
  }

  /** Go to the plane through a point, and no further aside than brings the point into view. */
  #moveTo(point: Vec3): void {
    const [focal, normal] = [this.#focal(), this.normal];
    if (!focal || !normal) return;
    const depth = scale(normal, dot(subtract(point, focal), normal));
    this.#lookAt(add(add(focal, depth), this.intoView(point)), this.scaleMm);
  }

  async follow(point: Vec3, scaleMm: number): Promise<void> {
    if (this.view.state !== 'shown') return;
    this.#lookAt(point, scaleMm);
    this.viewport.render();
  }

  setSlab(slab: Slab | null): void {
    this.#slab = slab;
    if (!this.series) return;
    const main = this.#volumes.slice(0, 1);
    this.viewport.setBlendMode(slab ? BLENDS[slab.projection] : Enums.BlendModes.COMPOSITE, main, false);
    if (slab) this.viewport.setSlabThickness(slab.mm, main);
    else this.viewport.resetSlabThickness();
    this.viewport.render();
  }

  /** Turn the plane about its own horizontal or vertical axis, through a point, else through its middle. */
  turn(degrees: number, about: 'horizontal' | 'vertical', pivot: Vec3 | null): void {
    const camera = this.viewport.getCamera();
    const { viewPlaneNormal, viewUp, focalPoint, position } = camera;
    if (this.view.state !== 'shown' || !viewPlaneNormal || !viewUp || !focalPoint || !position) return;
    const normal = viewPlaneNormal as unknown as Vec3;
    const up = viewUp as unknown as Vec3;
    const axis = about === 'vertical' ? up : unit(cross(up, normal));
    const turned = rotate(normal, axis, degrees);
    const focal = focalPoint as unknown as Vec3;
    const away = Math.hypot(...subtract(position as unknown as Vec3, focal));
    const centre = pivot ?? focal;
    const middle = add(centre, rotate(subtract(focal, centre), axis, degrees));
    const at = add(middle, scale(turned, away));
    this.viewport.setCamera({
      focalPoint: [...middle] as Types.Point3,
      viewPlaneNormal: [...turned] as Types.Point3,
      viewUp: [...rotate(up, axis, degrees)] as Types.Point3,
      position: [...at] as Types.Point3,
    });
    this.viewport.render();
    this.events.moved(this);
  }

  /** A plane is turned by tilting it; flips and quarter turns belong to images as they were acquired. */
  override present(change: Partial<Presentation>): void {
    const { rotation: _r, flipHorizontal: _h, flipVertical: _v, ...rest } = change;
    super.present(rest);
  }

  protected own(): Pick<
    PaneView,
    'index' | 'count' | 'positionLpsMm' | 'loaded' | 'slab' | 'fused' | 'placement'
  > | null {
    if (!this.#volumes.length || this.#loaded !== null || !this.viewport.getActors().length) return null;
    return {
      index: this.viewport.getSliceIndex(),
      count: this.viewport.getNumberOfSlices(),
      positionLpsMm: this.#focal(),
      loaded: this.#loaded,
      slab: this.#slab,
      fused: this.#fused?.description || this.#fused?.modality || null,
      placement: null,
    };
  }

  protected rangeNow(): Types.VOIRange | null {
    return this.viewport.getProperties(this.#volumes[0])?.voiRange ?? null;
  }

  protected apply(properties: { voiRange?: Types.VOIRange; invert?: boolean }): void {
    this.viewport.setProperties(properties, this.#volumes[0]);
  }

  protected setColourMap(name: string | null): void {
    this.viewport.setProperties({ colormap: { name: name ?? GREY } }, this.#volumes[0]);
  }

  protected onPlane(point: Vec3): Vec3 {
    const focal = this.#focal();
    const { normal } = this;
    return focal && normal ? subtract(point, scale(normal, dot(subtract(point, focal), normal))) : point;
  }

  async #setVolumes(
    series: SeriesToShow,
    fusion: SeriesToShow | null,
    turn: number,
    look: FusionLook,
  ): Promise<void> {
    this.#stopFollowing();
    this.#volumes = [series, ...(fusion ? [fusion] : [])].map((s) => volumeIdOf(s, 0));
    this.#loaded = 0;
    const [main = ''] = this.#volumes;
    this.#stopFollowing = followLoading(main, (loaded, of) => this.#progress(loaded, of));
    await Promise.all([takeVolume(series, 0), fusion && takeVolume(fusion, 0)]);
    if (turn !== this.turnOfShow) return;
    await this.viewport.setVolumes(this.#volumes.map((volumeId) => ({ volumeId })));
    this.#fused = fusion;
    this.setFusionLook(look);
  }

  /** Colour what is laid over: what is least in it lets the image below through. */
  override setFusionLook({ strength, upper }: FusionLook): void {
    const laidOver = this.#volumes[1];
    if (!laidOver || !this.#fused) return;
    const own = rangeLaidOver(this.#fused);
    const range = { lower: own.lower, upper: upper ?? own.upper };
    const at = (share: number) => range.lower + share * (range.upper - range.lower);
    const opacity = [
      { value: at(0), opacity: 0 },
      { value: at(0.1), opacity: 0 },
      { value: at(0.3), opacity: strength },
      { value: at(1), opacity: strength },
    ];
    this.viewport.setProperties({ colormap: { name: FUSION_COLOURS, opacity }, voiRange: range }, laidOver);
    coverOver(this.viewport.getActors()[1]?.actor, THIN_MM);
    this.viewport.render();
  }

  #progress(loaded: number, of: number): void {
    const before = this.#loaded;
    this.#loaded = Math.min(Math.round((100 * loaded) / of), 99);
    if (this.#loaded !== before && this.view.state === 'loading')
      this.publish({ ...this.view, loaded: this.#loaded });
  }

  /** Images that are not here yet would look like tissue: a plane is shown once all of them are, or not at all. */
  async #allLoaded(turn: number): Promise<void> {
    const volumes = await Promise.all(this.#volumes.map(volumeLoaded));
    if (turn !== this.turnOfShow) return;
    const missing = volumes.reduce((sum, v) => sum + v.missing, 0);
    if (missing > 0)
      throw new Error(
        `${missing} of its images could not be fetched. Show the slices as acquired, or open it again.`,
      );
    this.#loaded = null;
  }

  #lookAt(point: Vec3, parallelScale: number): void {
    const { focalPoint, position } = this.viewport.getCamera();
    if (!focalPoint || !position) return;
    const by = subtract(point, focalPoint as unknown as Vec3);
    this.viewport.setCamera({ parallelScale });
    this.viewport.setCamera({
      focalPoint: [...point] as Types.Point3,
      position: [...add(position as unknown as Vec3, by)] as Types.Point3,
    });
  }

  #focal(): Vec3 | null {
    return (this.viewport.getCamera().focalPoint as unknown as Vec3) ?? null;
  }

  #release(): void {
    this.#stopFollowing();
    for (const id of this.#volumes) leaveVolume(id);
    this.#volumes = [];
    this.#fused = null;
  }
}

/** How thick a plane is to the engine, which takes opacity as that of 1 mm: so thin a plane would be next to clear. */
const THIN_MM = 0.1;

/** Have a volume cover by its opacity over a way of so many mm. */
function coverOver(actor: Types.ActorEntry['actor'] | undefined, mm: number): void {
  const volume = actor as
    | { getProperty(): { setScalarOpacityUnitDistance?(component: number, mm: number): void } }
    | undefined;
  volume?.getProperty().setScalarOpacityUnitDistance?.(0, mm);
}

/** Which values of a series are coloured where it is laid over another: of PET in SUV the usual, else as it is windowed. */
function rangeLaidOver(series: SeriesToShow): { lower: number; upper: number } {
  if (scalingOf(series.instances[0] ?? {}, series.modality).unit === 'SUVbw')
    return { lower: 0, upper: FUSION_SUV };
  const window = windowOfSlice(series, Math.floor(series.slices.length / 2));
  return window ? rangeOf(window, true) : { lower: 0, upper: FUSION_SUV };
}

/** Images are laid over each other only where the scanner says that both lie in one space. */
function fusionProblem(series: SeriesToShow, fusion: SeriesToShow): string | null {
  const problem = volumeProblem(fusion);
  if (problem) return `The series to lay over: ${problem}`;
  return series.frameOfReference && series.frameOfReference === fusion.frameOfReference
    ? null
    : 'The two series do not share a frame of reference, so nothing says how they lie over each other.';
}
