/**
 * The segmentation being made or edited: its segments and their labels, its working copy, opening and saving it.
 *
 * Invariants: one segmentation is open at a time, on one series of the study being read; hidden and locked segments
 * never change; every change can be taken back while it is open; what is not saved is kept in the browser.
 */
import { computed, signal } from '@preact/signals';
import { postBytes } from '../../api';
import { me } from '../../app/session';
import { remember, tell, tellError } from '../../ui/toasts';
import type { PaneId, PaneView } from '../../viewer';
import { newUid } from '../../viewer/dicom';
import { volumeProblem } from '../../viewer/geometry';
import { type Face, faceOfPlane, faceOfSlice, gridOf } from '../../viewer/labels/face';
import { gzip, keep, type PlaceOfSlice, pack, restore, unpack } from '../../viewer/labels/file';
import { type Change, LabelGrid, type Voxel } from '../../viewer/labels/grid';
import { type Code, MOST_SEGMENTS, newSegment, type Segment } from '../../viewer/labels/segments';
import { phaseOf, type SeriesToShow, type Slice, slicesPerPhase } from '../../viewer/series';
import { scalingOf } from '../../viewer/units';
import type { AnnotationStore } from './annotations';
import type { Described, LaidOver, Overlay } from './laid-over';
import type { PanesStore } from './panes';
import { dropCopy, putCopy, takeCopy, type WorkingCopy } from './segmentation-copy';

const QUIET_MS = 1500;
const STATISTICS_MS = 400;
/** Slices fetched at once when a saved segmentation is opened. */
const CHUNK = 32;

export interface Opened {
  series: SeriesToShow;
  /** The first slice of the phase that is painted on, and the slices of it. */
  first: number;
  slices: readonly Slice[];
  grid: LabelGrid;
  /** Millimetres from slice to slice; 1 where the series is no volume. */
  stepMm: number;
  /** The saved segmentation that this is a new version of; empty for none. */
  uid: string;
  ours: boolean;
  label: string;
}

export interface Mean {
  mean: number;
  sd: number;
  unit: string;
}

export class SegmentationStore {
  readonly opened = signal<Opened | null>(null);
  readonly segments = signal<readonly Segment[]>([]);
  readonly active = signal(0);
  /** Goes up whenever labels change. */
  readonly revision = signal(0);
  readonly state = signal<'saved' | 'changed' | 'kept' | 'saving' | 'failed'>('saved');
  /** What is being computed or fetched, in words. */
  readonly busy = signal('');
  readonly means = signal<ReadonlyMap<number, Mean>>(new Map());
  readonly opacity = signal(0.35);
  /** Work that was left unsaved, to go on with. */
  readonly waiting = signal<WorkingCopy | null>(null);
  readonly activeSegment = computed(
    () => this.segments.value.find((s) => s.id === this.active.value) ?? null,
  );
  /** Changed since it was saved, so that leaving would need the working copy. */
  readonly unsaved = computed(() => this.opened.value !== null && this.state.value !== 'saved');
  #timer: ReturnType<typeof setTimeout> | undefined;
  #statistics: ReturnType<typeof setTimeout> | undefined;
  #drawn = 0;
  #closed = false;

  constructor(
    readonly studyUid: string,
    private readonly panes: PanesStore,
    private readonly laidOver: LaidOver,
    private readonly annotations: AnnotationStore,
  ) {}

  /** Look whether work was left unsaved. */
  async look(): Promise<void> {
    this.waiting.value = await takeCopy(this.#key).catch(() => null);
  }

  /** Begin a new segmentation on what a pane shows; says whether there is one to paint on now. */
  begin(view: PaneView): boolean {
    const { series } = view;
    const opened = this.opened.value;
    if (opened && series?.uid === opened.series.uid) {
      if (!this.activeSegment.value) this.add();
      return true;
    }
    if (!series || view.state !== 'shown') return false;
    if (opened) {
      tell('The open segmentation lies on another series. Save or close it first.');
      return false;
    }
    const first = view.kind === 'stack' ? phaseOf(series, view.index) * slicesPerPhase(series) : 0;
    if (!this.#openOn(series, first, { uid: '', ours: false, label: '' })) return false;
    this.add();
    return true;
  }

  /** Open a saved segmentation for editing. */
  async edit(overlay: Overlay, series: SeriesToShow): Promise<void> {
    if (this.opened.value) return tell('A segmentation is open already. Save or close it first.');
    this.busy.value = 'Opening the segmentation …';
    try {
      const described = await this.laidOver.describe(overlay);
      await this.#take(described, series);
      if (this.laidOver.chosen(series.uid).some((o) => o.uid === overlay.uid))
        this.laidOver.toggle(series.uid, overlay.uid); // else it would lie there twice
    } catch (error) {
      this.#forget();
      tellError(error);
    } finally {
      this.busy.value = '';
    }
  }

  /** Go on with what was left unsaved. */
  async goOn(series: SeriesToShow): Promise<void> {
    const copy = this.waiting.value;
    if (!copy || this.opened.value || series.uid !== copy.seriesUid) return;
    if (!this.#openOn(series, copy.first, copy)) return;
    const opened = this.opened.value as unknown as Opened;
    await restore(opened.grid, copy);
    this.segments.value = copy.segments;
    this.active.value = copy.segments[0]?.id ?? 0;
    this.waiting.value = null;
    this.state.value = 'kept';
    this.#redraw();
    this.#measureSoon();
  }

  /** Throw the working copy away. */
  async discard(): Promise<void> {
    const copy = this.waiting.value;
    if (!copy) return;
    this.waiting.value = null;
    await dropCopy(copy.key).catch(() => {});
    tell('The unsaved segmentation was thrown away.', 'plain', () => {
      this.waiting.value = copy;
      void putCopy(copy);
    });
  }

  /** Write it into the study as DICOM; a new version of what was opened, where that was ours. */
  async save(): Promise<void> {
    const opened = this.opened.value;
    const segments = this.segments.value;
    if (!opened || this.state.value === 'saving') return;
    if (!segments.some((s) => opened.grid.total(s.id)))
      return tell('Nothing is painted yet. Paint a segment first, then save.');
    clearTimeout(this.#timer);
    this.state.value = 'saving';
    const revision = this.revision.value;
    const label =
      opened.label ||
      segments
        .map((s) => s.label)
        .join(', ')
        .slice(0, 64);
    const places = opened.slices.map((s): PlaceOfSlice => ({ sop_uid: s.sopUid, frame: s.frame }));
    const about = { series_uid: opened.series.uid, label, replaces: opened.ours ? opened.uid : '' };
    try {
      const body = await gzip(pack(opened.grid, segments, places, about));
      const address = `/api/studies/${encodeURIComponent(this.studyUid)}/annotations/segmentations`;
      const written = await this.annotations.withSegmentation(() =>
        postBytes<{ sop_uid: string }>(address, body),
      );
      this.opened.value = { ...opened, uid: written.sop_uid, ours: true, label };
      this.state.value = 'saved';
      if (this.revision.value === revision) await dropCopy(this.#key).catch(() => {});
      else this.#keepSoon(); // painted on meanwhile
      tell('The segmentation is saved in the study.');
      void this.laidOver.listAgain(opened.series);
    } catch (error) {
      this.state.value = 'failed';
      this.#keepSoon();
      tellError(error);
    }
  }

  /** Put it away; what is not saved stays as a working copy. */
  async put(): Promise<void> {
    const unsaved = this.unsaved.value;
    await this.flush();
    this.#forget();
    if (unsaved) await this.look();
  }

  /** Keep the working copy now. */
  async flush(): Promise<void> {
    if (this.state.value !== 'changed' && this.state.value !== 'failed') return;
    clearTimeout(this.#timer);
    await this.#keep();
  }

  close(): void {
    void this.flush();
    this.#closed = true;
    clearTimeout(this.#statistics);
  }

  /** Add a segment, to be painted on. */
  add(): void {
    if (!this.opened.value) return;
    if (this.segments.value.length >= MOST_SEGMENTS)
      return void tell('A segmentation has at most 255 segments.');
    const segment = newSegment(this.segments.value, newUid());
    const layer = this.activeSegment.value?.layer ?? 0;
    this.#segmentsTo([...this.segments.value, { ...segment, layer }], 'Segment added', segment.id);
  }

  /** Remove a segment and what is painted of it. */
  remove(id: number): void {
    const segment = this.segments.value.find((s) => s.id === id);
    const opened = this.opened.value;
    if (!segment || !opened) return;
    if (segment.locked) return void tell('The segment is locked. Unlock it first.');
    const { grid } = opened;
    grid.begin();
    for (const slice of grid.slicesOf(id))
      grid.slice(segment.layer, slice)?.forEach((label, pixel) => {
        if (label === id) grid.set(segment.layer, slice, pixel, 0);
      });
    const rest = this.segments.value.filter((s) => s.id !== id);
    this.#segmentsTo(rest, `Segment removed: ${segment.label}`, rest.at(-1)?.id ?? 0, grid.end());
  }

  /** Name, colour, kind, visibility or lock of a segment. */
  change(id: number, change: Partial<Segment>, label = 'Segment changed'): void {
    const next = this.segments.value.map((s) => (s.id === id ? { ...s, ...change } : s));
    this.#segmentsTo(next, label, this.active.value);
  }

  setKind(id: number, words: string, { category, type }: { category: Code; type: Code }): void {
    const held = this.segments.value.find((s) => s.id === id);
    const named = held && !/^Segment \d+$/.test(held.label);
    this.change(id, { category, type, ...(!named && { label: words }) });
  }

  step(by: number): void {
    const list = this.segments.value;
    const at = list.findIndex((s) => s.id === this.active.value);
    const next = list[(at + by + list.length) % Math.max(list.length, 1)];
    if (next) this.active.value = next.id;
  }

  /** How the labels lie under a pane; null where it shows nothing of the series. */
  faceOf(pane: PaneId, view: PaneView): Face | null {
    const opened = this.opened.value;
    if (!opened || view.state !== 'shown' || view.series?.uid !== opened.series.uid) return null;
    if (view.kind === 'stack') {
      const slice = view.index - opened.first;
      const shown = opened.slices[slice];
      if (!shown || !view.placement) return null;
      const face = faceOfSlice(view.placement, shown, slice);
      return { ...face, size: [face.size[0], face.size[1], opened.stepMm] };
    }
    if (view.kind === 'volume' || opened.first > 0) return null;
    const seen = this.panes.controller?.seen(pane);
    return seen ? faceOfPlane(seen.plane, opened.series, seen.width, seen.height) : null;
  }

  /** Segments that may not change: locked ones, and hidden ones, which nobody would see change. */
  guarded(): ReadonlySet<number> {
    return new Set(this.segments.value.filter((s) => s.locked || !s.visible).map((s) => s.id));
  }

  /** Something that paints: gives voxels the active segment, or takes theirs, between the two calls of the grid. */
  painter(erase: boolean): ((voxel: Voxel) => void) | null {
    const opened = this.opened.value;
    const segment = this.activeSegment.value;
    if (!opened || !segment) return null;
    const { grid } = opened;
    const guarded = this.guarded();
    if (!erase && guarded.has(segment.id)) {
      tell(
        segment.locked ? 'The segment is locked. Unlock it first.' : 'The segment is hidden. Show it first.',
      );
      return null;
    }
    return ([column, row, slice]) => {
      const pixel = row * grid.columns + column;
      const held = grid.slice(segment.layer, slice)?.[pixel] ?? 0;
      if (guarded.has(held)) return;
      grid.set(segment.layer, slice, pixel, erase ? 0 : segment.id);
    };
  }

  /** End of a stroke: what changed can be taken back from now on; says whether anything did. */
  commit(label: string, byMachine = false): boolean {
    const opened = this.opened.value;
    const change = opened?.grid.end();
    if (!opened || !change) return false;
    this.#rememberChange(opened.grid, change, label);
    const segment = this.activeSegment.value;
    const algorithm = segment && madeBy(segment.algorithm, byMachine);
    if (segment && algorithm !== segment.algorithm)
      this.segments.value = this.segments.value.map((s) =>
        s.id === segment.id ? { ...s, algorithm: algorithm ?? s.algorithm } : s,
      );
    this.#changed();
    return true;
  }

  /** Take back what was painted since the stroke began. */
  revert(): void {
    const grid = this.opened.value?.grid;
    const change = grid?.end();
    if (grid && change) grid.apply(change, 'before');
    this.redraw();
  }

  /** Draw the labels anew, once a frame at most. */
  redraw(): void {
    if (!this.#drawn) this.#drawn = requestAnimationFrame(() => this.#redraw());
  }

  #redraw(): void {
    this.#drawn = 0;
    this.revision.value += 1;
  }

  get #key(): string {
    return `${me.value?.id ?? ''} ${this.studyUid}`;
  }

  #openOn(series: SeriesToShow, first: number, from: Pick<Opened, 'uid' | 'ours' | 'label'>): boolean {
    const slices = series.slices.slice(first, first + slicesPerPhase(series));
    const reason = this.#refusal(series, slices);
    if (reason) {
      tell(reason);
      return false;
    }
    const [columns, rows] = slices[0]?.size ?? [0, 0];
    const step = volumeProblem(series) === null ? (gridOf(series)?.size[2] ?? 1) : 1;
    const grid = new LabelGrid(columns, rows, slices.length);
    const { uid, ours, label } = from;
    this.opened.value = { series, first, slices, grid, stepMm: step, uid, ours, label };
    this.state.value = 'saved';
    return true;
  }

  #refusal(series: SeriesToShow, slices: readonly Slice[]): string | null {
    const [first] = slices;
    if (series.studyUid !== this.studyUid)
      return 'Segment on the study being read; this series is of another.';
    if (!first) return 'There is no image to segment.';
    if (slices.some((s) => s.size[0] !== first.size[0] || s.size[1] !== first.size[1]))
      return 'The images of this series differ in size, so labels on them would not fit together.';
    return null;
  }

  async #take(described: Described, series: SeriesToShow): Promise<void> {
    if (described.fractional)
      throw new Error('This segmentation holds probabilities; it cannot be painted on.');
    if (!described.values_url) throw new Error('The voxels of this segmentation cannot be had.');
    const ours = this.annotations.segmentations.value.some((s) => s.uid === described.uid && s.source?.ours);
    const places = new Map(series.slices.map((s, k) => [`${s.sopUid} ${s.frame}`, k]));
    const at = described.slices.map((s) => places.get(`${s.sop_uid} ${s.frame}`) ?? -1);
    const least = Math.min(...at.filter((k) => k >= 0));
    const first = Number.isFinite(least) ? phaseOf(series, least) * slicesPerPhase(series) : 0;
    if (!this.#openOn(series, first, { uid: described.uid, ours, label: described.label })) return;
    const { grid } = this.opened.value as unknown as Opened;
    const segments = described.segments.slice(0, MOST_SEGMENTS).map((s, k) => ({ ...s, id: k + 1 }));
    const layers = described.shape[0] ?? 1;
    for (let from = 0; from < at.length; from += CHUNK) {
      const slices = at.slice(from, from + CHUNK).map((k) => k - first);
      const url = `${described.values_url}?first=${from}&count=${slices.length}`;
      const answer = await fetch(url, { headers: { 'X-Sightline': '1' } });
      if (!answer.ok) throw new Error('The voxels of the segmentation could not be fetched; try again.');
      unpack(grid, segments, new Uint8Array(await answer.arrayBuffer()), layers, slices);
    }
    grid.begin();
    this.segments.value = segments.map((s) => ({
      id: s.id,
      layer: s.layer,
      label: s.label,
      colour: s.colour,
      category: (s.category as unknown as Code) ?? newSegment([], '').category,
      type: (s.type as unknown as Code) ?? newSegment([], '').type,
      algorithm: (s.algorithm as Segment['algorithm']) || 'manual',
      algorithmName: described.algorithm,
      trackingUid: s.tracking_uid ?? '',
      visible: true,
      locked: false,
    }));
    this.active.value = this.segments.value[0]?.id ?? 0;
    this.#redraw();
    this.#measureSoon();
  }

  #segmentsTo(next: readonly Segment[], label: string, active: number, change: Change | null = null): void {
    const before = { segments: this.segments.value, active: this.active.value };
    const grid = this.opened.value?.grid;
    const to = (segments: readonly Segment[], id: number) => {
      this.segments.value = segments;
      this.active.value = id;
      this.#changed();
    };
    to(next, active);
    const here = (act: () => void) => () => {
      if (this.opened.value?.grid === grid) act();
      else tell('That belongs to a segmentation that was closed.');
    };
    remember({
      label,
      undo: here(() => {
        if (change) grid?.apply(change, 'before');
        to(before.segments, before.active);
      }),
      redo: here(() => {
        if (change) grid?.apply(change, 'after');
        to(next, active);
      }),
    });
  }

  #rememberChange(grid: LabelGrid, change: Change, label: string): void {
    const apply = (towards: 'before' | 'after') => () => {
      if (this.opened.value?.grid !== grid) return tell('That belongs to a segmentation that was closed.');
      grid.apply(change, towards);
      this.#changed();
    };
    remember({ label, undo: apply('before'), redo: apply('after') });
  }

  #changed(): void {
    this.#redraw();
    this.#keepSoon();
    this.#measureSoon();
  }

  #keepSoon(): void {
    if (this.state.value !== 'failed') this.state.value = 'changed';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#keep(), QUIET_MS);
  }

  async #keep(): Promise<void> {
    const opened = this.opened.value;
    if (!opened) return;
    const { series, first, uid, ours, label } = opened;
    const segments = [...this.segments.value];
    const revision = this.revision.value;
    try {
      const labels = await keep(opened.grid, segments);
      const copy = {
        key: this.#key,
        keptAt: Date.now(),
        seriesUid: series.uid,
        first,
        uid,
        ours,
        label,
        segments,
      };
      await putCopy({ ...copy, ...labels });
      if (this.state.value === 'changed' && this.revision.value === revision) this.state.value = 'kept';
    } catch {
      this.state.value = 'failed'; // a browser that keeps nothing: the panel says so, leaving warns
    }
  }

  #forget(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#statistics);
    this.opened.value = null;
    this.segments.value = [];
    this.means.value = new Map();
    this.state.value = 'saved';
    this.#redraw();
  }

  #measureSoon(): void {
    clearTimeout(this.#statistics);
    this.#statistics = setTimeout(() => void this.#measure(), STATISTICS_MS);
  }

  /** Mean and deviation of the values under each segment; begins anew when something changes meanwhile. */
  async #measure(): Promise<void> {
    const opened = this.opened.value;
    const { controller } = this.panes;
    if (!opened || !controller) return;
    const revision = this.revision.value;
    const means = new Map<number, Mean>();
    for (const { id, layer } of this.segments.value) {
      let [n, sum, squares] = [0, 0, 0];
      for (const slice of opened.grid.slicesOf(id)) {
        const values = await controller.values.of(opened.slices[slice]?.imageId ?? '');
        if (this.#closed || this.revision.value !== revision) return;
        const labels = opened.grid.slice(layer, slice);
        if (!values || !labels) continue;
        for (let pixel = 0; pixel < labels.length; pixel++) {
          if (labels[pixel] !== id) continue;
          const value = values[pixel] ?? 0;
          n += 1;
          sum += value;
          squares += value * value;
        }
      }
      const unit = scalingOf(opened.series.instances[0] ?? {}, opened.series.modality).unit;
      const mean = sum / n;
      if (n) means.set(id, { mean, sd: Math.sqrt(Math.max(squares / n - mean * mean, 0)), unit });
    }
    this.means.value = means;
  }
}

/** Who made a segment, once it was changed by hand or by a machine a person steered. */
function madeBy(before: Segment['algorithm'], byMachine: boolean): Segment['algorithm'] {
  return before === 'automatic' || byMachine ? 'semiautomatic' : before;
}
