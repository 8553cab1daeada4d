/**
 * One study being read: what is known, and what the panes show.
 *
 * Invariant: the first image comes before everything else.
 */
import { computed, effect, signal } from '@preact/signals';
import { api, get, post, type Reading, type Study } from '../../api';
import { remember, tell, tellError } from '../../ui/toasts';
import type { PaneId, PaneKind, ViewerEvents } from '../../viewer';
import type { Hung } from '../../viewer/hanging';
import { type Window, windowOfSlice } from '../../viewer/presets';
import { ReportStore } from '../reporting/store';
import { AnnotationStore, type SavedPresentation } from './annotations';
import { Beside, isToBeCompared, mappingOf, tie } from './beside';
import { ChangeMaps } from './change-map';
import { FindingStore } from './finding-store';
import { Hanging, isPlain } from './hanging';
import { KeepingUp } from './keeping-up';
import { LaidOver } from './laid-over';
import { LesionClicks } from './lesion-click';
import { LesionLinks } from './lesion-links';
import { isSlow } from './line';
import {
  firstFinding,
  forgetMetadata,
  isDrawn,
  loadViewer,
  point,
  prepare,
  prepareImage,
  startIndex,
  taken,
  viewerHere,
} from './open';
import { OtherWindows } from './other-windows';
import { documentKind, load, PanesStore } from './panes';
import { previewUrl, previewView } from './preview';
import { PriorOver } from './prior-over';
import { Strokes } from './segment-strokes';
import { SegmentationStore } from './segmentation';

const NEXT_MS = 4000;
/** How long the viewer waits for the server's drawing of the first image. */
const PREVIEW_MS = 600;

export class ReadingStore {
  readonly reading = signal<Reading | null>(null);
  readonly problem = signal<string | null>(null);
  readonly panes = new PanesStore();
  readonly hanging = new Hanging(this.panes);
  readonly laidOver = new LaidOver();
  readonly annotations: AnnotationStore;
  readonly windows = new OtherWindows();
  readonly segmentation: SegmentationStore;
  readonly strokes: Strokes;
  /** The other study that was opened last. */
  readonly priorStudy = signal<Study | null>(null);
  readonly panel = signal(true);
  readonly report: ReportStore;
  readonly findings: FindingStore;
  readonly clicks: LesionClicks;
  readonly links: LesionLinks;
  readonly beside = new Beside(this.reading, this.priorStudy, this.panes);
  readonly over = new PriorOver(this.reading, this.panes, this.beside);
  readonly changes: ChangeMaps;
  readonly keepingUp: KeepingUp;

  /** There is nothing to compare with, so the current study has the whole room. */
  readonly alone = computed(() => this.reading.value?.prior === null && this.priorStudy.value === null);
  readonly locked = computed(() => this.report.report.value?.state === 'signed');

  readonly #abort = new AbortController();
  #comparison: string | null = null;
  /** Opened by a protocol whose panes are not simply the study and its prior. */
  #arranged = false;
  #next: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly uid: string) {
    this.report = new ReportStore(uid);
    this.findings = new FindingStore(uid, this.reading, this.panes, this.report, (series) =>
      this.showSeries(series, 'current'),
    );
    this.keepingUp = new KeepingUp(uid, this.reading, (fresh, before) => this.#took(fresh, before));
    this.clicks = new LesionClicks(this, this.panes, this.findings);
    this.links = new LesionLinks(this);
    this.changes = new ChangeMaps(this);
    this.annotations = new AnnotationStore(uid, this.panes);
    this.segmentation = new SegmentationStore(uid, this.panes, this.laidOver, this.annotations);
    this.strokes = new Strokes(this.segmentation, this.panes);
  }

  get closed(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Fetch, show the first image, then everything else. */
  async open(): Promise<void> {
    performance.clearMarks('first-image');
    performance.clearMarks('first-interactive');
    performance.clearMarks('prior-aligned');
    const opening = prepare(this.uid);
    try {
      const reading = await opening.reading;
      if (this.closed) return;
      taken(this.uid);
      this.reading.value = reading;
      this.windows.show(reading.study.patient.id);
      this.findings.begin(reading);
      if (this.alone.value) this.panes.arrange(1, 1); // first: an image is fitted into the pane as it is then
      const hung = await this.hanging.choose(reading);
      // On a slow line no volume competes with the first image.
      const wanted = hung && !isPlain(hung, reading) && !isSlow() ? hung : null;
      const arranged = wanted && (await this.hanging.canBeShown(wanted)) ? wanted : null;
      if (hung) this.hanging.adopt(hung);
      this.#arranged = arranged !== null;
      if (arranged) this.hanging.arrange(arranged);
      const viewer = await this.#viewer(reading, arranged);
      if (this.closed) return;
      const controller = new viewer.ViewerController(this.#viewerEvents);
      viewer.exposeToTests(controller);
      this.panes.start(controller);
      if (arranged) await this.#hang(reading, arranged);
      else await this.#showCurrent(reading);
      if (this.closed) return;
      await this.#afterFirstImage(reading, !arranged);
    } catch (error) {
      if (!this.closed) this.problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  close(): void {
    this.#abort.abort();
    this.keepingUp.stop();
    this.beside.leave();
    this.changes.close();
    clearTimeout(this.#next);
    this.findings.close();
    this.report.close();
    this.windows.close();
    this.annotations.close();
    this.segmentation.close();
    this.panes.close();
    forgetMetadata(this.studies.value.map((s) => s.uid));
  }

  readonly #viewerEvents: ViewerEvents = {
    view: (pane, view) => {
      if (!this.closed) this.panes.view(pane).value = view;
    },
    step: remember,
    lead: (pane) => this.panes.lead(pane),
    measured: () => this.annotations.changed(),
    askForText: (before) => this.panes.ask('Text on the image', before),
    askForLength: (fixed) => this.panes.askForLength(fixed),
  };

  readonly refresh = (): Promise<void> => this.keepingUp.refresh();
  readonly flush = (): Promise<void> => this.report.flush();

  /** The reading was fetched anew. */
  async #took(fresh: Reading, before: Reading | null): Promise<void> {
    if (!this.findings.selected.value) this.findings.begin(fresh);
    await this.findings.outline([...fresh.findings, ...fresh.vanished].map((f) => f.id));
    if (fresh.findings.length !== before?.findings.length) await this.report.load();
    if (fresh.comparison && fresh.comparison.id !== this.#comparison) await this.#takeComparison(fresh);
    else void this.beside.settle();
  }

  /** The first image of the next study on the worklist, while this one is being read. */
  #prepareNext({ next }: Reading): void {
    if (next && !this.closed) void prepareImage(next.study_uid, () => !this.closed).catch(() => {});
  }

  /** The viewer; before it runs, or draws its first image, the server's drawing of that image is shown. */
  async #viewer(reading: Reading, hung: Hung | null): ReturnType<typeof loadViewer> {
    const patience = new Promise((done) => setTimeout(done, PREVIEW_MS));
    await Promise.race([this.#preview(reading, hung).catch(() => {}), patience]);
    return loadViewer();
  }

  /** Show the server's drawing of the first image; resolves when it is on the screen, or would come too late. */
  async #preview(reading: Reading, hung: Hung | null): Promise<void> {
    const wanted = hung ? await this.hanging.first(hung) : openedWith(reading);
    if (!wanted) return;
    const series = await load(reading.study, wanted.seriesUid);
    const index = wanted.index ?? startIndex(reading, series);
    const window = wanted.window ?? windowOfSlice(series, index);
    const url = previewUrl(series, index, window);
    if (!url || this.closed || (viewerHere() && !isDrawn(url))) return;
    this.panes.name('current', reading.study);
    this.panes.view('current').value = previewView(series, index, window);
    await new Promise<void>((done) => {
      const ended = (seen: boolean) => {
        if (seen) this.#firstImage();
        setTimeout(done); // once this frame is on the screen
      };
      this.panes.preview.value = { url, ended };
    });
  }

  /** The first image of the study is on the screen. */
  #firstImage(): void {
    if (!this.closed && performance.getEntriesByName('first-image').length === 0)
      performance.mark('first-image');
  }

  async #showCurrent(reading: Reading): Promise<void> {
    const display = reading.current;
    if (!display) {
      const readable = await this.#firstReadable(reading.study);
      if (readable) return this.panes.put('current', { study: reading.study, seriesUid: readable });
    }
    if (!display) return this.panes.clear('current', nothingToShow(reading));
    const first = firstFinding(reading)?.current;
    const series = await load(reading.study, display.series_uid);
    if (this.closed) return;
    await this.panes.put('current', {
      study: reading.study,
      seriesUid: display.series_uid,
      index: startIndex(reading, series),
      window: display.window,
      centre: first?.series_uid === series.uid ? point(first.centre_lps_mm) : null,
    });
    if (this.panes.view('current').value.state !== 'shown') return;
    this.#firstImage();
    performance.mark('first-interactive');
  }

  /** The first series that can be shown or read, where the server chose none. */
  async #firstReadable(study: Study): Promise<string | null> {
    for (const { uid } of study.series) {
      const series = await load(study, uid).catch(() => null);
      if (series && (documentKind(series) || !series.notShown)) return uid;
    }
    return study.series[0]?.uid ?? null;
  }

  /** Open by a protocol: the panes as it says, the prior aligned where one of them shows it. */
  async #hang(reading: Reading, hung: Hung): Promise<void> {
    this.priorStudy.value = reading.prior?.study ?? null;
    this.#comparison = reading.comparison?.id ?? null;
    const first = effect(() => {
      if (this.panes.slots.value.some((s) => this.panes.view(s.id).value.state === 'shown')) {
        this.#firstImage();
        performance.mark('first-interactive');
        queueMicrotask(() => first());
      }
    });
    await this.hanging.apply(hung, 0);
    if (await this.#align(reading)) performance.mark('prior-aligned');
    if (!this.closed) void this.beside.settle();
  }

  async #afterFirstImage(reading: Reading, withPrior: boolean): Promise<void> {
    this.findings.mark();
    void this.report.load();
    const prior = (withPrior ? this.#showPrior(reading) : Promise.resolve()).catch((error: unknown) => {
      const words = error instanceof Error ? error.message : String(error);
      this.panes.clear('prior', `The prior cannot be shown. ${words}`);
    });
    void this.findings.outline(this.findings.selected.value ? [this.findings.selected.value] : []);
    await prior;
    if (this.closed) return;
    await this.panes.equip();
    await this.annotations.open().catch((error: unknown) => {
      if (!this.closed) tellError(error);
    });
    await this.segmentation.look();
    await this.findings.outline(reading.findings.map((f) => f.id));
    if (this.closed) return;
    this.panes.prefetch();
    this.changes.open();
    this.keepingUp.watch(reading);
    this.#next = setTimeout(() => this.#prepareNext(reading), NEXT_MS);
  }

  /** A comparison has come: the panes of a protocol are only tied anew. */
  async #takeComparison(reading: Reading): Promise<void> {
    const other = this.priorStudy.value && this.priorStudy.value.uid !== reading.prior?.study.uid;
    if (!this.#arranged && !other) return this.#showPrior(reading);
    this.#comparison = reading.comparison?.id ?? null;
    if (await this.#align(reading)) performance.mark('prior-aligned');
  }

  async #showPrior(reading: Reading): Promise<void> {
    const { prior } = reading;
    this.#comparison = reading.comparison?.id ?? null;
    if (!prior) return;
    this.priorStudy.value = prior.study;
    this.beside.leave();
    if (!prior.display) {
      void this.beside.settle();
      return this.panes.clear('prior', 'The prior holds no images that can be shown.');
    }
    const aligned = await this.#align(reading);
    await this.#compareWith(prior.study, prior.display.series_uid, prior.display.window);
    if (aligned && this.panes.view('prior').value.state === 'shown') performance.mark('prior-aligned');
    // No comparison is on its way: the study was not analysed, or its prior is of another kind.
    if (!reading.comparison && !isToBeCompared(reading)) void this.beside.ask(prior.study);
  }

  /** Fetch how the prior lies against this study, where that is trusted; says whether it is. */
  async #align(reading: Reading): Promise<boolean> {
    const { prior, comparison } = reading;
    if (!prior?.display) return false;
    const [series, mapping] = await Promise.all([
      load(prior.study, prior.display.series_uid),
      comparison &&
        mappingOf(comparison).catch((error: unknown) => {
          tellError(error);
          return null;
        }),
    ]);
    if (comparison && mapping) await tie(this.panes, series, comparison, mapping);
    else await this.panes.align(series, null);
    return !!mapping;
  }

  async #compareWith(study: Study, seriesUid: string, window: Window | null): Promise<void> {
    const current = this.panes.view('current').value;
    const series = await load(study, seriesUid);
    if (this.closed) return;
    // One window fits both only where the numbers mean the same.
    const shared =
      series.modality === 'CT' && current.series?.modality === 'CT' && current.presentation.window;
    await this.panes.put('prior', { study, seriesUid, window: shared || window });
  }

  /** Put another study of the patient beside the current one. */
  async compare(studyUid: string): Promise<void> {
    const reading = this.reading.value;
    if (!reading || studyUid === this.uid) return;
    // Which prior a reader chooses is learnt from; where it cannot be kept, nothing is lost.
    void post(api.prior(this.uid, studyUid, 'opening')).catch(() => {});
    if (!this.panes.slots.value.some((s) => s.id === 'prior')) {
      this.panes.arrange(1, 2);
      await new Promise(requestAnimationFrame);
    }
    try {
      if (studyUid === reading.prior?.study.uid) {
        await this.#showPrior(reading);
      } else {
        const other = await get<Reading>(api.reading(studyUid), this.#abort.signal);
        this.priorStudy.value = other.study;
        void this.beside.ask(other.study);
        if (!other.current) return this.panes.clear('prior', nothingToShow(other));
        await this.#compareWith(other.study, other.current.series_uid, other.current.window);
      }
      this.panes.prefetch();
    } catch (error) {
      if (!this.closed) tellError(error);
    }
  }

  /** Take up priors that have come while the study is open; what is on the screen stays. */
  async refreshPriors(): Promise<void> {
    try {
      const { priors, timeline, prior } = await get<Reading>(api.reading(this.uid, true), this.#abort.signal);
      const now = this.reading.value;
      if (now) this.reading.value = { ...now, priors, timeline, prior: now.prior ?? prior };
    } catch (error) {
      if (!this.closed) tellError(error);
    }
  }

  /** The studies whose series can be put into a pane: this one, and what it is compared with. */
  readonly studies = computed<readonly Study[]>(() =>
    [this.reading.value?.study, this.priorStudy.value].filter((s) => s !== null && s !== undefined),
  );

  /** Show a series in a pane: the one named, else the one with the keys if it holds the same study, else the first. */
  async showSeries(seriesUid: string, pane?: PaneId, kind?: PaneKind): Promise<void> {
    const reading = this.reading.value;
    const study = this.studies.value.find((s) => s.series.some((x) => x.uid === seriesUid));
    if (!reading || !study) return;
    const slot = this.panes.slot.value;
    const fallback = study.uid === this.uid ? 'current' : 'prior';
    const id = pane ?? (slot && (!slot.study || slot.study.uid === study.uid) ? slot.id : fallback);
    const display = [reading.current, reading.prior?.display].find((d) => d?.series_uid === seriesUid);
    try {
      await this.panes.put(id, { study, seriesUid, window: display?.window ?? null, ...(kind && { kind }) });
      this.panes.lead(id);
      this.panes.prefetch();
    } catch (error) {
      tellError(error);
    }
  }

  /** Show an image as it was kept. */
  async showPresentation(kept: SavedPresentation): Promise<void> {
    const [image] = kept.images;
    if (!image) return;
    await this.showImage({ sopUid: image.sop_uid, frame: image.frames?.[0] ?? 1 });
    this.panes.present(
      {
        ...(kept.window && { window: kept.window }),
        invert: kept.invert,
        rotation: kept.rotation,
        flipHorizontal: kept.flip_horizontal,
        flipVertical: false,
      },
      'Presentation',
    );
    if (kept.area) this.panes.controller?.showArea(this.panes.focused.value, kept.area);
  }

  toggleOverlays(): void {
    const uid = this.panes.slot.value?.seriesUid;
    if (uid) this.laidOver.toggleAll(uid);
  }

  /** Show the image that a report speaks of, in a pane beside it. */
  async showImage({ sopUid, frame }: { sopUid: string; frame: number }): Promise<void> {
    for (const { id } of this.panes.slots.value) {
      const { series, kind } = this.panes.view(id).value;
      if (kind !== 'stack') continue; // a plane through the series shows none of its images
      const index = series?.slices.findIndex((s) => s.sopUid === sopUid && s.frame === frame) ?? -1;
      if (index < 0) continue;
      this.panes.lead(id);
      return this.panes.controller?.goTo(id, index);
    }
    const beside = this.panes.slots.value.find((s) => !s.document)?.id;
    if (!beside) this.panes.arrange(1, 2);
    for (const study of this.studies.value)
      for (const { uid } of study.series) {
        const series = await load(study, uid).catch(() => null);
        const index = series?.slices.findIndex((s) => s.sopUid === sopUid && s.frame === frame) ?? -1;
        if (index >= 0) return this.panes.put(beside ?? 'prior', { study, seriesUid: uid, index });
      }
    tell('The image that is spoken of is not among the studies that are open.');
  }

  arrange(rows: number, columns: number): void {
    this.hanging.hung.value = null;
    this.panes.arrange(rows, columns, (empty) => this.fillEmpty(empty));
  }

  /** Write measurements, key images and the open segmentation into the study. */
  async save(): Promise<void> {
    const segmented = this.segmentation.unsaved.value;
    if (!segmented || this.annotations.state.value !== 'saved') await this.annotations.save();
    if (segmented) await this.segmentation.save();
  }

  async keepPresentation(): Promise<void> {
    const label = await this.panes.ask('Name of this presentation', 'As shown');
    if (label) this.annotations.keepPresentation(this.panes.shown, this.panes.areaShown(), label);
  }

  async keepProtocol(): Promise<void> {
    const name = await this.panes.ask('Name of this protocol', this.reading.value?.study.exam);
    if (name) await this.hanging.keep(name).catch(tellError);
  }

  /** Give every empty pane a series that is not shown yet. */
  fillEmpty(ids: readonly PaneId[]): void {
    const shown = new Set(this.panes.slots.value.map((s) => s.seriesUid));
    const waiting = this.studies.value.flatMap((study) => study.series).filter((s) => !shown.has(s.uid));
    for (const id of ids) {
      const next = waiting.shift();
      if (next) void this.showSeries(next.uid, id);
      else this.panes.clear(id, 'Drag a series here.');
    }
  }

  /** Axial, sagittal and coronal planes through the series of the pane with the keys, and the volume itself. */
  async showPlanes(): Promise<void> {
    const { slot } = this.panes;
    const study = slot.value?.study;
    const seriesUid = slot.value?.seriesUid;
    if (!study || !seriesUid) return;
    const { window } = this.panes.shown.presentation;
    this.panes.arrange(2, 2);
    await new Promise(requestAnimationFrame);
    const kinds: PaneKind[] = ['axial', 'sagittal', 'coronal', 'volume'];
    await Promise.all(
      this.panes.slots.value.map((s, k) =>
        this.panes.put(s.id, { study, seriesUid, window, kind: kinds[k] ?? 'stack' }),
      ),
    );
  }

  stepSeries(by: number): void {
    const { study, seriesUid } = this.panes.slot.value ?? {};
    const list = (study ?? this.reading.value?.study)?.series ?? [];
    const next = list[list.findIndex((s) => s.uid === seriesUid) + by];
    if (next) void this.showSeries(next.uid);
  }

  async analyse(): Promise<void> {
    try {
      const analysis = await post<Reading['analysis']>(api.analysis(this.uid));
      const reading = this.reading.value;
      if (!reading) return;
      this.reading.value = { ...reading, analysis };
      this.keepingUp.watch(this.reading.value);
    } catch (error) {
      tellError(error);
    }
  }
}

/** What the server chose to open with. */
const openedWith = ({
  current,
}: Reading): { seriesUid: string; window: Window | null; index?: number } | null =>
  current && { seriesUid: current.series_uid, window: current.window };

function nothingToShow(reading: Reading): string {
  const kinds = [...new Set(reading.study.series.map((s) => s.modality))].join(', ');
  return kinds
    ? `This study holds no images that can be shown here (${kinds}).`
    : 'No images of this study have arrived yet.';
}
