/**
 * The panes of the reading page: how they are arranged, what each shows, which has the keys.
 *
 * Invariants: every pane belongs to one study of this patient, or says why it is empty; a pane is tied to the others
 * only through the space of the current study.
 */
import { computed, type Signal, signal } from '@preact/signals';
import type { Study } from '../../api';
import { tell, tellError } from '../../ui/toasts';
import type { PaneId, PaneKind, PaneView, Presentation, ViewerController } from '../../viewer';
import { type DicomJson, text } from '../../viewer/dicom';
import { type Area, areaShown } from '../../viewer/geometry';
import { FixedShift, IDENTITY, type Mapping } from '../../viewer/grid';
import { CT_PRESETS, type Window } from '../../viewer/presets';
import { type ReadersScale, rescaled, type SeriesToShow, shiftBetween } from '../../viewer/series';
import type { ToolName } from '../../viewer/tool-list';
import { scalingOf } from '../../viewer/units';
import {
  type Crop,
  EMPTY_VIEW,
  FUSION_LOOK,
  type FusionLook,
  PLANES,
  type Slab,
  WHOLE,
} from '../../viewer/view';
import { type DocumentKind, KIND_NAMES, kindOf } from '../documents/kinds';
import { isSlow } from './line';
import { COLOUR_NAMES, LOOK_NAMES } from './names';
import { loadSeries } from './open';
import type { Preview } from './preview';

/** How a pane moves with the current study. */
export type LinkKind = 'same' | 'aligned' | 'position' | 'none';

export interface Slot {
  id: PaneId;
  study: Study | null;
  seriesUid: string | null;
  kind: PaneKind;
  link: LinkKind;
  /** The window the series was opened with. */
  opening: Window | null;
  slab: Slab | null;
  crop: Crop;
  fusionUid: string | null;
  fusionLook: FusionLook;
  /** Why the pane is empty, in words. */
  reason: string;
  /** A series that is read rather than scrolled: a report, a tracing, a film. */
  document: { kind: DocumentKind; instances: DicomJson[] } | null;
}

export interface Question {
  title: string;
  before: string;
  answer: (text: string | null) => void;
}

export interface Arrangement {
  rows: number;
  columns: number;
}

export interface Wanted {
  study: Study;
  seriesUid: string;
  kind?: PaneKind;
  index?: number;
  window?: Window | null;
  centre?: readonly [number, number, number] | null;
  presentation?: Partial<Presentation>;
  slab?: Slab | null;
  crop?: Crop;
  fusionUid?: string | null;
  fusionLook?: FusionLook;
}

export const MOST = 4;
const NEAR = 6;
const MOST_MM = 5000;
/** The ids of the panes, row by row. */
export const SIXTEEN: readonly PaneId[] = [
  'current',
  'prior',
  ...Array.from({ length: MOST * MOST - 2 }, (_, k) => `pane-${k + 3}`),
];

const emptySlot = (id: PaneId): Slot => ({
  id,
  study: null,
  seriesUid: null,
  kind: 'stack',
  link: 'none',
  opening: null,
  slab: null,
  crop: WHOLE,
  fusionUid: null,
  fusionLook: FUSION_LOOK,
  reason: '',
  document: null,
});

export class PanesStore {
  readonly arrangement = signal<Arrangement>({ rows: 1, columns: 2 });
  readonly slots = signal<readonly Slot[]>(SIXTEEN.slice(0, 2).map(emptySlot));
  readonly focused = signal<PaneId>('current');
  readonly maximised = signal<PaneId | null>(null);
  readonly tool = signal<ToolName>('window');
  readonly blink = signal(false);
  /** The tools of the mouse are loaded; a tool chosen before is taken up then. */
  readonly equipped = signal(false);
  /** The server's drawing of the first image, until the engine draws it. */
  readonly preview = signal<Preview | null>(null);
  readonly linked = signal(true);
  readonly lines = signal(true);
  /** Words are asked for: those before, and what takes the answer. */
  readonly asking = signal<Question | null>(null);
  /** The slot that has the keys. */
  readonly slot = computed(() => this.slots.value.find((s) => s.id === this.focused.value) ?? null);
  /** Where the pointer is, in client pixels, and over which pane. */
  pointer: { pane: PaneId; x: number; y: number } | null = null;

  readonly #views = new Map<PaneId, Signal<PaneView>>();
  readonly #elements = new Map<PaneId, HTMLDivElement>();
  readonly #turns = new Map<PaneId, number>();
  /** How large the pixels of images are as a reader says, by SOP instance. */
  #scales: ReadonlyMap<string, ReadersScale> = new Map();
  /** What a pane is about to show: one that is made anew meanwhile begins with it again. */
  readonly #coming = new Map<PaneId, Wanted>();
  /** How an image is to be shown that is still being loaded. */
  readonly #early = new Map<PaneId, Partial<Presentation>>();
  readonly #alignments = new Map<string, Mapping>(); // by study and frame of reference
  readonly #pictures = new Set<string>(); // prior radiographs, by SOP instance
  /** What the current study's space is measured by. */
  #reference: SeriesToShow | null = null;
  #controller: ViewerController | null = null;

  /** Load the tools; after the first image. */
  async equip(): Promise<void> {
    await this.#controller?.equip();
    this.equipped.value = true;
  }

  /** Ask the person for a few words; null when he leaves it. */
  ask(title: string, before = ''): Promise<string | null> {
    return new Promise((done) => {
      const answer = (text: string | null) => {
        this.asking.value = null;
        done(text);
      };
      this.asking.value = { title, before, answer };
    });
  }

  /** Ask for the length of a line that is to set the scale of its image; null when it is left, or cannot. */
  async askForLength(fixed: boolean): Promise<number | null> {
    if (fixed) {
      tell('This image states its own scale; nothing is to be calibrated.');
      return null;
    }
    const given = await this.ask('Length of this line in mm');
    const mm = Number(given?.replace(',', '.'));
    if (mm > 0 && mm <= MOST_MM) return mm;
    if (given !== null) tell(`A length is a number of millimetres up to ${MOST_MM}; draw the line again.`);
    return null;
  }

  /** Show images by the scales that a reader set, from now on; `changed` are the series that have others than before. */
  async rescale(scales: ReadonlyMap<string, ReadersScale>, changed: ReadonlySet<string>): Promise<void> {
    this.#scales = scales;
    for (const uid of changed) this.#controller?.release(uid);
    const shown = this.slots.value.filter((s) => s.study && changed.has(s.seriesUid ?? ''));
    await Promise.all(
      shown.map((slot) => {
        const { index, presentation } = this.view(slot.id).value;
        return this.put(slot.id, { ...wantedOf(slot), index, presentation });
      }),
    );
  }

  get controller(): ViewerController | null {
    return this.#controller;
  }

  view(id: PaneId): Signal<PaneView> {
    let held = this.#views.get(id);
    if (!held) {
      held = signal(EMPTY_VIEW);
      this.#views.set(id, held);
    }
    return held;
  }

  /** The view of the pane that has the keys. */
  get shown(): PaneView {
    return this.view(this.focused.value).value;
  }

  start(controller: ViewerController): void {
    this.#controller = controller;
    for (const [id, element] of this.#elements) controller.attach(id, element);
  }

  close(): void {
    this.#controller?.destroy();
    this.#controller = null;
  }

  attach(id: PaneId, element: HTMLDivElement): void {
    this.#elements.set(id, element);
    this.#controller?.attach(id, element);
    const slot = this.#slotOf(id);
    if (this.#controller && slot?.study && slot.seriesUid)
      void this.put(id, { ...wantedOf(slot), ...this.#coming.get(id) });
  }

  detach(id: PaneId): void {
    this.#elements.delete(id);
    this.#controller?.detach(id);
    this.view(id).value = EMPTY_VIEW;
  }

  /** The space of a series of another study is aligned with the current one by this mapping. */
  async align(series: SeriesToShow, mapping: Mapping | null): Promise<void> {
    if (!mapping) return void this.#alignments.delete(spaceKey(series));
    this.#alignments.set(spaceKey(series), mapping);
    for (const { id, link } of this.slots.value) {
      const shown = this.view(id).value.series;
      if (!shown || link === 'same' || spaceKey(shown) !== spaceKey(series)) continue;
      this.#change(id, { link: 'aligned' });
      await this.#controller?.tie(id, mapping);
    }
  }

  /** Two radiographs, current and prior, are aligned in the plane. */
  alignPictures([current, prior]: readonly [string, string], mapping: Mapping): void {
    this.#pictures.add(prior);
    this.#controller?.tiePictures(current, prior, mapping);
    for (const { id } of this.slots.value)
      if (this.#isAligned(this.view(id).value.series)) this.#change(id, { link: 'aligned' });
  }

  #isAligned = (series: SeriesToShow | null): boolean =>
    series?.slices.some((s) => this.#pictures.has(s.sopUid)) ?? false;

  /** Show a series in a pane; resolves when its image is on the screen or the pane says why not. */
  async put(id: PaneId, wanted: Wanted): Promise<void> {
    const turn = (this.#turns.get(id) ?? 0) + 1;
    this.#turns.set(id, turn);
    this.#coming.set(id, wanted);
    const { study, seriesUid } = wanted;
    if (this.#slotOf(id)?.seriesUid) this.#early.delete(id);
    this.#change(id, {
      study,
      seriesUid,
      kind: wanted.kind ?? 'stack',
      opening: wanted.window ?? null,
      slab: wanted.slab ?? null,
      crop: wanted.crop ?? WHOLE,
      fusionUid: wanted.fusionUid ?? null,
      fusionLook: wanted.fusionLook ?? FUSION_LOOK,
      reason: '',
      document: null,
    });
    const [series, fusion] = await Promise.all([
      load(study, seriesUid).then((plain) => rescaled(plain, this.#scales)),
      wanted.fusionUid ? load(study, wanted.fusionUid) : null,
    ]);
    if (turn !== this.#turns.get(id) || !this.#controller) return;
    const kind = documentKind(series);
    if (kind) {
      this.#controller.clear(id, `Shown as a document: ${KIND_NAMES[kind].toLowerCase()}.`);
      return this.#change(id, { link: 'none', document: { kind, instances: series.instances } });
    }
    if (!this.#reference && series.normal) this.#reference = series;
    const { space, link } = this.#spaceOf(series);
    this.#change(id, { link });
    const shown = this.#controller.show(
      id,
      series,
      {
        kind: wanted.kind ?? 'stack',
        index: wanted.index ?? Math.floor(series.slices.length / 2 / series.phases.count),
        window: wanted.window ?? null,
        centre: wanted.centre ?? null,
        slab: wanted.slab ?? null,
        crop: wanted.crop ?? WHOLE,
        fusion,
        fusionLook: wanted.fusionLook ?? FUSION_LOOK,
        ...(wanted.presentation && { presentation: wanted.presentation }),
      },
      space,
    );
    await shown;
    if (turn !== this.#turns.get(id)) return;
    this.#coming.delete(id);
    const early = this.#early.get(id);
    this.#early.delete(id);
    if (early) this.#controller.present(id, early, 'Shown otherwise');
    await this.#controller?.tie(id, space);
  }

  /** Say whose study a pane is about to show. */
  name(id: PaneId, study: Study): void {
    this.#change(id, { study });
  }

  /** Empty a pane and say why. */
  clear(id: PaneId, reason: string): void {
    this.#turns.set(id, (this.#turns.get(id) ?? 0) + 1);
    this.#change(id, { ...emptySlot(id), reason });
    this.#controller?.clear(id, reason);
  }

  /** Change the grid; panes that stay keep what they show, new ones wait to be filled. */
  arrange(rows: number, columns: number, fill: (empty: readonly PaneId[]) => void = () => {}): void {
    const count = Math.min(rows, MOST) * Math.min(columns, MOST);
    const held = this.slots.value;
    this.slots.value = SIXTEEN.slice(0, count).map((id, k) => held[k] ?? emptySlot(id));
    this.arrangement.value = { rows, columns };
    this.maximised.value = null;
    this.blink.value = false;
    if (!this.slots.value.some((s) => s.id === this.focused.value)) this.lead('current');
    const empty = this.slots.value.filter((s) => !s.seriesUid).map((s) => s.id);
    if (empty.length) requestAnimationFrame(() => fill(empty));
  }

  maximise(id: PaneId): void {
    this.maximised.value = this.maximised.value === id ? null : id;
    this.lead(id);
  }

  lead(id: PaneId): void {
    if (this.focused.value !== id) this.focused.value = id;
    this.#controller?.lead(id);
  }

  /** Move the keys to the next or previous pane. */
  step(by: number): void {
    const ids = this.slots.value.map((s) => s.id);
    const next = ids[(ids.indexOf(this.focused.value) + by + ids.length) % ids.length];
    if (!next) return;
    this.lead(next);
    this.#elements.get(next)?.parentElement?.focus({ preventScroll: true });
    if (this.maximised.value) this.maximised.value = next;
  }

  /** Show the same series otherwise: slice by slice, as a plane, as a volume, as a slab, with another over it. */
  async show(
    id: PaneId,
    how: { kind?: PaneKind; slab?: Slab | null; fusionUid?: string | null },
  ): Promise<void> {
    const slot = this.#slotOf(id);
    if (!slot?.study || !slot.seriesUid) return;
    const { window } = this.view(id).value.presentation;
    const kind = how.kind ?? (how.fusionUid && slot.kind === 'stack' ? 'axial' : slot.kind);
    try {
      await this.put(id, { ...wantedOf(slot), ...how, kind, window: window ?? slot.opening });
    } catch (error) {
      tellError(error);
    }
  }

  /** Put values along the line of sight together, thicker and thicker, then thin again. */
  stepSlab(): void {
    const slot = this.slot.value;
    if (!slot || !PLANES.includes(slot.kind)) return;
    const steps = [0, 5, 10, 20, 40];
    const mm = steps[(steps.indexOf(slot.slab?.mm ?? 0) + 1) % steps.length] ?? 0;
    this.setSlab(slot.id, mm ? { mm, projection: slot.slab?.projection ?? 'max' } : null);
  }

  setSlab(id: PaneId, slab: Slab | null): void {
    this.#change(id, { slab });
    this.#controller?.setSlab(id, slab);
  }

  /** The part of the image that the pane with the keys shows; null where it is no image. */
  areaShown(): Area | null {
    const { placement } = this.shown;
    const element = this.#elements.get(this.focused.value);
    return placement && element ? areaShown(placement, element.clientWidth, element.clientHeight) : null;
  }

  /** Cut a part of a volume away. */
  setFusionLook(id: PaneId, fusionLook: FusionLook): void {
    this.#change(id, { fusionLook });
    this.#controller?.setFusionLook(id, fusionLook);
  }

  setCrop(id: PaneId, crop: Crop): void {
    this.#change(id, { crop });
    this.#controller?.setCrop(id, crop);
  }

  /** Change how the pane with the keys shows its image; at once, or as soon as the image is there. */
  present(change: Partial<Presentation>, label: string): void {
    const id = this.focused.value;
    if (/loading|preview/.test(this.shown.state)) this.#early.set(id, { ...this.#early.get(id), ...change });
    else this.#controller?.present(id, change, label);
  }

  rotate(by: number): void {
    if (this.#isPlane()) return;
    const { rotation } = this.shown.presentation;
    this.present({ rotation: (rotation + by + 360) % 360 }, 'Rotated');
  }

  /** Planes are turned by tilting them; says so. */
  #isPlane(): boolean {
    const plane = this.shown.kind !== 'stack';
    if (plane) tell('Planes and volumes are turned with Alt and the arrow keys.');
    return plane;
  }

  flip(how: 'flipHorizontal' | 'flipVertical'): void {
    if (this.#isPlane()) return;
    this.present({ [how]: !this.shown.presentation[how] }, 'Flipped');
  }

  invert(): void {
    this.present({ invert: !this.shown.presentation.invert }, 'Inverted');
  }

  setColourMap(name: string | null): void {
    this.present({ colourMap: name }, 'Colours');
  }

  stepColourMap(): void {
    const names: string[] = (this.shown.kind === 'volume' ? LOOK_NAMES : COLOUR_NAMES).map((c) => c.value);
    const next = names[(names.indexOf(this.shown.presentation.colourMap ?? '') + 1) % names.length];
    this.setColourMap(next || null);
  }

  removeMeasurement(): void {
    this.#controller?.removeMeasurement();
  }

  clearMeasurements(): void {
    this.#controller?.clearMeasurements();
  }

  /** Load the rest of what is shown; on a slow line only what is near, so that the next image is not kept waiting. */
  prefetch(): void {
    this.#controller?.prefetch(isSlow() ? NEAR : undefined);
  }

  /** What the values of a series that is shown are counted in. */
  unitOf(seriesUid: string): string {
    const slot = this.slots.value.find((s) => s.seriesUid === seriesUid);
    const series = slot && this.view(slot.id).value.series;
    return series?.instances[0] ? scalingOf(series.instances[0], series.modality).unit : '';
  }

  /** Keep the pane with the keys as a picture, or print all panes. */
  async picture(how: 'file' | 'print', withPatient: boolean): Promise<void> {
    const { keepPicture, pictureOf, printPictures } = await import('./picture');
    const ids = how === 'file' ? [this.focused.value] : this.slots.value.map((s) => s.id);
    const elements = ids.flatMap((id) => document.querySelector<HTMLElement>(`[data-pane="${id}"]`) ?? []);
    await Promise.all(ids.map((id) => this.#controller?.redraw(id)));
    const pictures = await Promise.all(elements.map((e) => pictureOf(e, withPatient)));
    if (how === 'print') printPictures(pictures);
    else for (const picture of pictures) keepPicture(picture);
  }

  setPreset(index: number): void {
    const slot = this.slot.value;
    const preset = this.shown.series?.modality === 'CT' ? CT_PRESETS[index] : undefined;
    const window = preset ?? (index === 8 ? slot?.opening : null);
    if (window) this.present({ window: { center: window.center, width: window.width } }, 'Window');
  }

  reset(): void {
    this.#controller?.reset(this.focused.value, this.slot.value?.opening ?? null);
  }

  chooseTool(tool: ToolName): void {
    this.tool.value = tool;
    this.#controller?.chooseTool(tool);
  }

  scroll(by: number, id: PaneId = this.focused.value): void {
    this.#controller?.scroll(id, by);
  }

  goTo(index: number): void {
    const { series, index: at } = this.shown;
    const perPhase = series ? series.slices.length / series.phases.count : 0;
    const first = perPhase ? Math.floor(at / perPhase) * perPhase : 0;
    this.#controller?.goTo(this.focused.value, first + Math.min(index, Math.max(perPhase - 1, 0)));
  }

  stepPhase(by: number): void {
    this.#controller?.stepPhase(this.focused.value, by);
  }

  play(): void {
    this.#controller?.play(this.focused.value);
  }

  trim(end: 'first' | 'last' | null): void {
    this.#controller?.trim(this.focused.value, end);
  }

  changeRate(factor: number): void {
    const now = this.shown.playing;
    if (now) this.#controller?.setRate(this.focused.value, now * factor);
  }

  turn(degrees: number, about: 'horizontal' | 'vertical'): void {
    this.#controller?.turn(this.focused.value, degrees, about);
  }

  toggleLinked(): void {
    this.linked.value = !this.linked.value;
    this.#controller?.setLinked(this.linked.value);
  }

  toggleLines(): void {
    this.lines.value = !this.lines.value;
    this.#controller?.setLines(this.lines.value);
  }

  zoomBy(factor: number): void {
    this.#controller?.zoomBy(factor);
  }

  fit(): void {
    this.#controller?.fit();
  }

  actualPixels(): void {
    this.#controller?.zoomTo(this.focused.value, 1);
  }

  #slotOf(id: PaneId): Slot | undefined {
    return this.slots.value.find((s) => s.id === id);
  }

  #change(id: PaneId, change: Partial<Slot>): void {
    this.slots.value = this.slots.value.map((s) => (s.id === id ? { ...s, ...change } : s));
  }

  /** How a series lies in the space of the current study. */
  #spaceOf(series: SeriesToShow): { space: Mapping | null; link: LinkKind } {
    const reference = this.#reference;
    if (this.#isAligned(series)) return { space: null, link: 'aligned' };
    if (!reference || !series.slices.some((s) => s.axes && s.positionLpsMm))
      return { space: null, link: 'none' };
    if (series.frameOfReference && series.frameOfReference === reference.frameOfReference)
      return { space: IDENTITY, link: 'same' };
    const aligned = this.#alignments.get(spaceKey(series));
    if (aligned) return { space: aligned, link: 'aligned' };
    if (!series.normal) return { space: null, link: 'none' };
    return { space: new FixedShift(shiftBetween(reference, series)), link: 'position' };
  }
}

/** What a series is read as, where it is no stack of images. */
export function documentKind(series: SeriesToShow): DocumentKind | null {
  return kindOf(series.sopClass, text(series.instances[0], '00083002'));
}

const spaceKey = (series: SeriesToShow): string =>
  `${series.studyUid} ${series.frameOfReference || series.uid}`;

/** The metadata of one series of a study. */
export const load = (study: Study, uid: string): Promise<SeriesToShow> =>
  loadSeries(study.uid, uid, study.series.find((s) => s.uid === uid)?.images ?? 0);

function wantedOf(slot: Slot): Wanted {
  return {
    study: slot.study as Study,
    seriesUid: slot.seriesUid ?? '',
    kind: slot.kind,
    window: slot.opening,
    slab: slot.slab,
    crop: slot.crop,
    fusionUid: slot.fusionUid,
    fusionLook: slot.fusionLook,
  };
}
