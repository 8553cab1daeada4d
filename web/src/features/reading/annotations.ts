/**
 * What a person draws on a study: kept as a working copy with every change, saved as DICOM when asked, drawn again when
 * the study is opened.
 *
 * Invariants: what is drawn is never lost to a closed window; two windows do not overwrite each other's working copy;
 * key images and presentations are kept with the measurements.
 */
import { computed, effect, signal } from '@preact/signals';
import { get, post, put, Refused } from '../../api';
import { perform, tell, tellError } from '../../ui/toasts';
import type { PaneView } from '../../viewer';
import { newUid } from '../../viewer/dicom';
import type { Area } from '../../viewer/geometry';
import type { Measurement } from '../../viewer/measurements';
import type { ReadersScale } from '../../viewer/series';
import type { PanesStore } from './panes';

export interface KeyImage {
  sop_uid: string;
  series_uid: string;
  frame: number;
  note: string;
}

export interface SavedPresentation {
  uid: string;
  label: string;
  series_uid: string;
  images: { sop_uid: string; frames: number[] | null }[];
  window: { center: number; width: number } | null;
  invert: boolean;
  rotation: 0 | 90 | 180 | 270;
  flip_horizontal: boolean;
  area: Area | null;
  graphics: { kind: string; points: [number, number][]; text: string; closed: boolean }[];
  layer: string;
  editable: boolean;
}

interface Content {
  measurements: Measurement[];
  key_images: KeyImage[];
  presentations: SavedPresentation[];
}

interface Annotations extends Content {
  version: string;
  draft: (Content & { version: number }) | null;
  segmentations: SavedSegmentation[];
  unread: { reason: string }[];
}

export interface SavedSegmentation {
  uid: string;
  label: string;
  reference_series_uid: string;
  segments: { number: number; label: string; colour: string }[];
  source: { ours: boolean } | null;
}

const QUIET_MS = 1200;

export class AnnotationStore {
  readonly measurements = signal<readonly Measurement[]>([]);
  readonly keyImages = signal<readonly KeyImage[]>([]);
  readonly presentations = signal<readonly SavedPresentation[]>([]);
  /** The measurement whose curve is shown. */
  readonly chosen = signal<string | null>(null);
  readonly segmentations = signal<readonly SavedSegmentation[]>([]);
  /** Objects of the study that could not be read, with the reason. */
  readonly unread = signal<readonly { reason: string }[]>([]);
  readonly state = signal<'saved' | 'changed' | 'kept' | 'failed'>('saved');
  readonly count = computed(() => this.measurements.value.length + this.keyImages.value.length);
  /** What was saved when the study was opened; a later save by others is not overwritten. */
  #version = '';
  #draftVersion = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop: () => void = () => {};
  #loaded = false;
  /** The scales that lines of known length set, by SOP instance, as the images are shown. */
  #scales: ReadonlyMap<string, ReadersScale> = new Map();

  constructor(
    readonly studyUid: string,
    private readonly panes: PanesStore,
  ) {}

  get #address(): string {
    return `/api/studies/${encodeURIComponent(this.studyUid)}/annotations`;
  }

  /** Fetch what is there, and draw it on every image that is shown from now on. */
  async open(): Promise<void> {
    const held = await get<Annotations>(this.#address);
    const from: Content = held.draft ?? held;
    this.#version = held.version;
    this.#draftVersion = held.draft?.version ?? 0;
    this.measurements.value = from.measurements;
    this.keyImages.value = from.key_images;
    this.presentations.value = from.presentations;
    this.segmentations.value = held.segmentations;
    this.unread.value = held.unread;
    this.state.value = held.draft ? 'kept' : 'saved';
    this.#loaded = true;
    await this.#rescale();
    this.#stop = effect(() => {
      const uids = this.panes.slots.value.map((s) => this.panes.view(s.id).value.series?.uid);
      if (this.#loaded && uids.some(Boolean))
        this.panes.controller?.drawMeasurements(this.measurements.peek());
    });
  }

  /** Something was drawn, moved or removed. */
  changed(): void {
    if (!this.#loaded) return;
    const { controller } = this.panes;
    const drawn = controller?.measurements();
    if (!controller || !drawn) return;
    const uids = new Set(drawn.map((m) => m.uid));
    // What lies on images that are not shown, or cannot be drawn here, was not removed by anybody.
    const elsewhere = this.measurements.value.filter((m) => !uids.has(m.uid) && !this.#removed(m));
    const known = new Map(this.measurements.value.map((m) => [m.uid, m]));
    // What was not moved stays as the server computed it.
    const here = drawn.map((m) => {
      const before = known.get(m.uid);
      return before && sameDrawing(before, m) ? before : m;
    });
    const next = [...elsewhere, ...here];
    const before = this.measurements.value;
    if (next.length === before.length && next.every((m) => before.includes(m))) return;
    this.measurements.value = next;
    this.#keepSoon();
    void this.#rescale().catch(tellError);
  }

  /** Show the images by the scales that lines of known length set; what is drawn on them keeps its pixels. */
  async #rescale(): Promise<void> {
    const wanted = scalesOf(this.measurements.value);
    const changed = new Set<string>();
    for (const [uid, scale] of [...wanted, ...this.#scales])
      if (!sameScale(wanted.get(uid), this.#scales.get(uid))) changed.add(scale.seriesUid);
    this.#scales = wanted;
    if (!changed.size) return;
    const drawn = this.measurements.value;
    this.#loaded = false; // what is cleared away here is not removed from the study
    try {
      await this.panes.rescale(wanted, changed);
      this.panes.controller?.drawMeasurements(drawn);
    } finally {
      this.#loaded = true;
    }
    this.changed();
  }

  /** Whether a measurement was taken away here: it was drawn, its series is shown, and it is gone. */
  #removed(m: Measurement): boolean {
    const shown = this.panes.slots.value.some((s) => s.seriesUid === m.series_uid);
    return shown && (this.panes.controller?.wasDrawn(m.uid) ?? false);
  }

  /** Mark the image on the screen as a key image, or take the mark away. */
  toggleKeyImage(view: PaneView): void {
    const slice = view.series?.slices[view.index];
    if (!slice || !view.series || view.series.studyUid !== this.studyUid) return;
    const here = (k: KeyImage) => k.sop_uid === slice.sopUid && k.frame === slice.frame;
    const before = this.keyImages.value;
    const marked = before.some(here);
    const key = { sop_uid: slice.sopUid, series_uid: view.series.uid, frame: slice.frame, note: '' };
    const set = (list: readonly KeyImage[]) => async () => {
      this.keyImages.value = list;
      this.#keepSoon();
    };
    const after = marked ? before.filter((k) => !here(k)) : [...before, key];
    void perform(marked ? 'No key image any more' : 'Key image', set(after), set(before));
  }

  isKeyImage(view: PaneView): boolean {
    const slice = view.series?.slices[view.index];
    return this.keyImages.value.some((k) => k.sop_uid === slice?.sopUid && k.frame === slice.frame);
  }

  /** Keep how the image is shown now as a presentation state. */
  keepPresentation(view: PaneView, area: Area | null, label: string): void {
    const slice = view.series?.slices[view.index];
    if (!slice || !view.series) return;
    const p = view.presentation;
    const presentation: SavedPresentation = {
      uid: newUid(),
      label,
      series_uid: view.series.uid,
      images: [{ sop_uid: slice.sopUid, frames: [slice.frame] }],
      window: p.window,
      invert: p.invert,
      // Over the horizontal is half a turn and across the vertical (PS3.3 C.10.6).
      rotation: ((Math.round(p.rotation / 90) * 90 + (p.flipVertical ? 180 : 0)) % 360) as 0 | 90 | 180 | 270,
      flip_horizontal: p.flipHorizontal !== p.flipVertical,
      area,
      graphics: [],
      layer: 'SIGHTLINE',
      editable: true,
    };
    this.presentations.value = [...this.presentations.value, presentation];
    this.#keepSoon();
    tell(`Kept as “${label}”; saved with the measurements.`);
  }

  /** Write everything as DICOM into the study. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const saved = await post<{ measurements: Measurement[]; remarks: string[] }>(
        `${this.#address}/saving`,
        { version: this.#version, ...this.#content() },
      );
      const computed = new Map(saved.measurements.map((m) => [m.uid, m]));
      this.measurements.value = this.measurements.value.map((m) => computed.get(m.uid) ?? m);
      this.#version = (await get<Annotations>(this.#address)).version;
      this.#draftVersion = 0;
      for (const remark of saved.remarks) tell(remark);
      this.state.value = 'saved';
      if (saved.remarks.length === 0)
        tell('Measurements, key images and presentations are saved in the study.');
    } catch (error) {
      if (error instanceof Refused && error.status === 409) return this.#takeOthers(true);
      this.state.value = 'failed';
      tellError(error);
    }
  }

  /** Another window drew or saved meanwhile: what it has is put beside what is here, and nothing is lost. */
  async #takeOthers(saving: boolean): Promise<void> {
    const held = await get<Annotations>(this.#address);
    const from: Content = held.draft ?? held;
    const join = <T>(mine: readonly T[], theirs: readonly T[], uid: (t: T) => string): T[] => [
      ...mine,
      ...theirs.filter((t) => !mine.some((m) => uid(m) === uid(t))),
    ];
    this.#version = held.version;
    this.#draftVersion = held.draft?.version ?? 0;
    this.measurements.value = join(this.measurements.value, from.measurements, (m) => m.uid);
    this.keyImages.value = join(this.keyImages.value, from.key_images, (k) => `${k.sop_uid} ${k.frame}`);
    this.presentations.value = join(this.presentations.value, from.presentations, (p) => p.uid);
    this.panes.controller?.drawMeasurements(this.measurements.value);
    this.#keepSoon();
    tell(
      saving
        ? 'Another window saved meanwhile. Both are shown now; look, and save again.'
        : 'Another window drew on this study meanwhile. Both are shown now.',
    );
  }

  /**
   * Do something that saves a segmentation. What was drawn can still be saved afterwards, unless somebody else saved
   * before: then that is still to be loaded first.
   */
  async withSegmentation<T>(saving: () => Promise<T>): Promise<T> {
    const before = await get<Annotations>(this.#address);
    const saved = await saving();
    const after = await get<Annotations>(this.#address);
    if (before.version === this.#version) this.#version = after.version;
    this.segmentations.value = after.segmentations;
    return saved;
  }

  /** Keep the working copy now; before the page is left. */
  async flush(): Promise<void> {
    if (this.state.value !== 'changed') return;
    clearTimeout(this.#timer);
    await this.#keep();
  }

  close(): void {
    void this.flush();
    this.#loaded = false; // what is cleared away with the page is not removed from the study
    this.#stop();
    clearTimeout(this.#timer);
  }

  #content(): Content {
    return {
      measurements: this.measurements.value.filter((m) => m.points_px ?? m.points_lps_mm),
      key_images: [...this.keyImages.value],
      presentations: [...this.presentations.value],
    };
  }

  #keepSoon(): void {
    this.state.value = 'changed';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#keep(), QUIET_MS);
  }

  async #keep(): Promise<void> {
    try {
      const kept = await put<{ version: number }>(`${this.#address}/draft`, {
        version: this.#draftVersion,
        ...this.#content(),
      });
      this.#draftVersion = kept.version;
      if (this.state.value === 'changed') this.state.value = 'kept';
    } catch (error) {
      if (error instanceof Refused && error.status === 409) return this.#takeOthers(false);
      this.state.value = 'failed';
      if (!(error instanceof Refused && error.status === 403)) tellError(error);
    }
  }
}

/** The scale of each image on which a line of known length is drawn; the last line counts. */
function scalesOf(measurements: readonly Measurement[]): Map<string, ReadersScale> {
  const scales = new Map<string, ReadersScale>();
  for (const { kind, points_px, points_lps_mm, values, series_uid, sop_uid } of measurements) {
    const [a, b] = points_px ?? [];
    const knownMm = values.find((v) => v.name === 'length' && v.unit === 'mm')?.value;
    if (kind !== 'calibrated-length' || points_lps_mm || !a || !b || !knownMm) continue;
    const pixels = Math.hypot(a[0] - b[0], a[1] - b[1]);
    if (pixels > 0) scales.set(sop_uid, { seriesUid: series_uid, mmPerPixel: knownMm / pixels, knownMm });
  }
  return scales;
}

/** Whether two scales are one; pixels come back from the image with another last digit. */
const sameScale = (a: ReadersScale | undefined, b: ReadersScale | undefined): boolean =>
  a && b ? Math.abs(a.mmPerPixel / b.mmPerPixel - 1) < 1e-6 : a === b;

const SAME_PIXELS = 0.01;
const SAME_VALUE = 0.01;
const SAME_CLAIM = 1e-6;

/**
 * Whether a measurement is what it was: drawn alike, and with numbers that agree. Those of one that was just moved come a
 * little later than its points.
 */
export function sameDrawing(a: Measurement, b: Measurement): boolean {
  return a.label === b.label && samePoints(pointsOf(a), pointsOf(b)) && b.values.every((v) => agrees(a, v));
}

const pointsOf = (m: Measurement): readonly (readonly number[])[] => m.points_px ?? m.points_lps_mm ?? [];

const samePoints = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): boolean =>
  a.length === b.length &&
  a.every((p, k) => p.every((v, axis) => Math.abs(v - (b[k]?.[axis] ?? Number.NaN)) < SAME_PIXELS));

function agrees(before: Measurement, { name, value }: Measurement['values'][number]): boolean {
  const known = before.values.find((v) => v.name === name);
  if (!known) return false;
  const room = known.method ? SAME_VALUE : SAME_CLAIM; // what was said here may meanwhile be worked out to the end
  return Math.abs(known.value - value) <= room * Math.max(Math.abs(value), 1);
}
