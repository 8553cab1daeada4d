/** The volume itself, lit and seen from any side; drawn by the graphics processor. */
import { Enums, type Types } from '@cornerstonejs/core';
import vtkPlane from '@kitware/vtk.js/Common/DataModel/Plane';
import { boundsOf, boxAround } from './crop';
import { renderingEngine } from './engine';
import { volumeProblem } from './geometry';
import type { Mapping } from './grid';
import { LOOKS } from './looks';
import { lettersOf } from './overlay';
import type { Pane, PaneEvents, ShowOptions } from './pane';
import type { SeriesToShow } from './series';
import { add, cross, length, rotate, scale, subtract, unit, type Vec3 } from './vectors';
import { type Crop, EMPTY_VIEW, type PaneView, PLAIN, type Presentation, WHOLE } from './view';
import { volumeIdOf } from './volume-id';
import { leaveVolume, takeVolume } from './volumes';

export class VolumePane implements Pane {
  series: SeriesToShow | null = null;
  space: Mapping | null = null;
  view: PaneView = { ...EMPTY_VIEW, kind: 'volume' };
  readonly normal = null;
  readonly #viewport: Types.IVolumeViewport;
  readonly #observer: ResizeObserver;
  #turn = 0;
  #volume = '';
  #presentation: Presentation = PLAIN;

  constructor(
    readonly id: string,
    readonly element: HTMLDivElement,
    private readonly events: PaneEvents,
  ) {
    const engine = renderingEngine();
    engine.enableElement({ viewportId: id, element, type: Enums.ViewportType.VOLUME_3D });
    this.#viewport = engine.getViewport(id) as Types.IVolumeViewport;
    element.addEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered);
    element.addEventListener('pointerdown', this.#touched);
    this.#observer = new ResizeObserver(() => {
      if (element.clientWidth && element.clientHeight) engine.resize(true, true);
    });
    this.#observer.observe(element);
  }

  async show(series: SeriesToShow, options: ShowOptions): Promise<void> {
    const turn = ++this.#turn;
    const before = this.#volume; // given back only after the new one is taken: it may be the same
    this.#volume = '';
    this.series = series;
    const problem = volumeProblem(series);
    if (problem) {
      leaveVolume(before);
      return this.#fail(problem);
    }
    this.#publish({ ...EMPTY_VIEW, kind: 'volume', state: 'loading', series, loaded: 0 });
    try {
      this.#volume = volumeIdOf(series, 0);
      const taken = takeVolume(series, 0);
      leaveVolume(before);
      const volume = await taken;
      // Attached while images still arrive, the whole volume would be drawn anew for each of them.
      await loaded(volume);
      if (turn !== this.#turn) return;
      await this.#viewport.setVolumes([{ volumeId: this.#volume }]);
    } catch (error) {
      if (turn === this.#turn) this.#fail(`The volume could not be made: ${String(error)}`);
      return;
    }
    this.present({ ...options.presentation, colourMap: options.presentation?.colourMap ?? lookFor(series) });
    this.#lookFromFront();
    this.setCrop(options.crop ?? WHOLE);
    await this.render();
  }

  setCrop(crop: Crop): void {
    const mapper = this.#viewport.getDefaultActor()?.actor.getMapper();
    const box = this.series && boxAround(this.series);
    if (!mapper || !('addClippingPlane' in mapper) || !box) return;
    mapper.removeAllClippingPlanes();
    for (const { normal, distance } of boundsOf(box, crop))
      mapper.addClippingPlane(
        vtkPlane.newInstance({ normal: [...normal], origin: [...scale(normal, distance)] }),
      );
    this.#viewport.render();
  }

  ahead(): Vec3 | null {
    const { viewPlaneNormal } = this.#viewport.getCamera();
    return viewPlaneNormal ? unit(scale(viewPlaneNormal as unknown as Vec3, -1)) : null;
  }

  present(change: Partial<Presentation>): void {
    this.#presentation = { ...this.#presentation, ...change };
    const look = LOOKS.find((l) => l.name === this.#presentation.colourMap);
    if (look && this.#volume) this.#viewport.setProperties({ preset: look.preset }, this.#volume);
    const canvas = this.element.querySelector('canvas');
    if (canvas) canvas.style.filter = this.#presentation.invert ? 'invert(1)' : '';
    this.#viewport.render();
  }

  /** Turn about the axis that is upright or level on the screen. */
  turn(degrees: number, about: 'horizontal' | 'vertical'): void {
    const { viewPlaneNormal, viewUp, focalPoint, position } = this.#viewport.getCamera();
    if (!viewPlaneNormal || !viewUp || !focalPoint || !position) return;
    const [normal, up, centre] = [viewPlaneNormal, viewUp, focalPoint] as unknown as [Vec3, Vec3, Vec3];
    const axis = about === 'vertical' ? up : unit(cross(up, normal));
    const away = length(subtract(position as unknown as Vec3, centre));
    const towards = rotate(normal, axis, degrees);
    this.#viewport.setCamera({
      viewPlaneNormal: [...towards] as Types.Point3,
      viewUp: [...rotate(up, axis, degrees)] as Types.Point3,
      position: [...add(centre, scale(towards, away))] as Types.Point3,
    });
    this.#viewport.render();
  }

  zoomBy(factor: number): void {
    this.#viewport.setCamera({ parallelScale: this.scaleMm / factor });
    this.#viewport.render();
  }

  zoomTo(): void {}
  scaleTo(): void {}

  fit(): void {
    this.#lookFromFront();
    this.#viewport.render();
  }

  /** As one stands before the patient: the engine would look from the head. */
  #lookFromFront(): void {
    this.#viewport.setCamera({ viewPlaneNormal: [0, -1, 0], viewUp: [0, 0, 1] });
    this.#viewport.resetCamera();
  }

  get scaleMm(): number {
    return this.#viewport.getCamera().parallelScale ?? 1;
  }

  async scroll(by: number): Promise<void> {
    this.turn(by * 5, 'vertical');
  }

  render(): Promise<void> {
    return new Promise((done) => {
      this.element.addEventListener(Enums.Events.IMAGE_RENDERED, () => done(), { once: true });
      this.#viewport.render();
    });
  }

  republish(): void {
    const { viewPlaneNormal, viewUp } = this.#viewport.getCamera();
    if (!this.series || this.view.state === 'failed' || !viewPlaneNormal || !viewUp) return;
    const down = scale(viewUp as unknown as Vec3, -1);
    const right = unit(cross(viewUp as unknown as Vec3, viewPlaneNormal as unknown as Vec3));
    this.#publish({
      ...EMPTY_VIEW,
      kind: 'volume',
      state: 'shown',
      series: this.series,
      presentation: this.#presentation,
      letters: lettersOf(right, down),
    });
  }

  clear(reason: string): void {
    this.#turn += 1;
    this.#release();
    this.series = null;
    this.#fail(reason);
  }

  dispose(): void {
    this.#turn += 1;
    this.#observer.disconnect();
    this.element.removeEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered);
    this.element.removeEventListener('pointerdown', this.#touched);
    this.#release();
    renderingEngine().disableElement(this.id);
  }

  // A volume has no slice, no plane and nothing that could be followed.
  async goTo(): Promise<void> {}
  async reach(): Promise<void> {}
  async follow(): Promise<void> {}
  middle = (): null => null;
  seen = (): null => null;
  showArea(): void {}
  setSlab(): void {}
  setMarks(): void {}
  setLines(): void {}
  setPlaying(): void {}
  setPart(): void {}
  setFusionLook(): void {}
  pointAt = (): null => null;
  canvasOf = (): null => null;

  readonly #rendered = (): void => this.republish();
  readonly #touched = (): void => this.events.touched(this);

  #release(): void {
    if (this.#volume) leaveVolume(this.#volume);
    this.#volume = '';
  }

  #fail(reason: string): void {
    this.#publish({ ...EMPTY_VIEW, kind: 'volume', state: 'failed', reason, series: this.series });
  }

  #publish(view: PaneView): void {
    this.view = view;
    this.events.published(this, view);
  }
}

const lookFor = (series: SeriesToShow): string => (series.modality === 'CT' ? 'bone' : 'mr');

async function loaded(volume: Types.IStreamingImageVolume): Promise<void> {
  while (!volume.loadStatus?.loaded) await new Promise((again) => setTimeout(again, 50));
}
