/**
 * One study being read: what is known, what is selected, what the panes show.
 *
 * Invariants: the first image comes before everything else; a finding changes only by the server's answer; every
 * decision can be undone until the report is signed.
 */
import { computed, effect, signal } from '@preact/signals';
import {
  api,
  type Finding,
  get,
  getFloats,
  type Outline,
  type Place,
  post,
  put,
  type Reading,
  Refused,
  type Study,
} from '../../api';
import { figure } from '../../ui/format';
import { perform, tell, tellError } from '../../ui/toasts';
import type { PaneId, PaneView, ViewerController } from '../../viewer';
import { DisplacementGrid, FixedShift, type Mapping } from '../../viewer/grid';
import type { Mark } from '../../viewer/overlay';
import { CT_PRESETS, type Window } from '../../viewer/presets';
import { type SeriesToShow, shiftBetween } from '../../viewer/series';
import type { ToolName } from '../../viewer/tool-list';
import { ReportStore } from '../reporting/store';
import {
  firstFinding,
  loadSeries,
  loadViewer,
  type Outlines,
  point,
  prepare,
  startIndex,
  taken,
} from './open';

const POLL_MS = 3000;
const EMPTY: PaneView = {
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

export interface Edit {
  label?: string;
  long_axis_mm?: number;
  short_axis_mm?: number;
  note?: string;
}

/** How the prior moves with the current study. */
export type LinkKind = 'aligned' | 'position' | 'none';

export class ReadingStore {
  readonly reading = signal<Reading | null>(null);
  readonly problem = signal<string | null>(null);
  readonly selected = signal<string | null>(null);
  readonly editing = signal<string | null>(null);
  readonly views = { current: signal<PaneView>(EMPTY), prior: signal<PaneView>(EMPTY) };
  /** The study in the right pane, and how it is tied to the left. */
  readonly priorStudy = signal<Study | null>(null);
  readonly linkKind = signal<LinkKind>('none');
  readonly blink = signal(false);
  readonly panel = signal(true);
  readonly tool = signal<ToolName>('window');
  readonly focused = signal<PaneId>('current');
  readonly report: ReportStore;
  /** Where the pointer is over the current pane, in client pixels. */
  pointer: { x: number; y: number } | null = null;

  /** The findings of this study, then those of the prior that are not seen now. */
  readonly findings = computed(() => [
    ...inOrder(this.reading.value?.findings ?? []),
    ...inOrder(this.reading.value?.vanished ?? []),
  ]);
  /** There is nothing to compare with, so the current study has the whole room. */
  readonly alone = computed(() => this.reading.value?.prior === null && this.priorStudy.value === null);
  readonly locked = computed(() => this.report.report.value?.state === 'signed');

  /** Apart from the views, which change with each rendering: marks are drawn anew only for another series. */
  readonly #shownSeries = {
    current: computed(() => this.views.current.value.series?.uid),
    prior: computed(() => this.views.prior.value.series?.uid),
  };
  readonly #outlines = signal<ReadonlyMap<string, Outlines | null>>(new Map());
  readonly #abort = new AbortController();
  #controller: ViewerController | null = null;
  #opening: Window | null = null;
  #stopMarks: () => void = () => {};
  #comparison: string | null = null;
  #poll: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly uid: string) {
    this.report = new ReportStore(uid);
  }

  get closed(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Fetch, show the first image, then everything else. */
  async open(elements: Record<PaneId, HTMLDivElement>): Promise<void> {
    performance.clearMarks('first-image');
    performance.clearMarks('prior-aligned');
    const opening = prepare(this.uid);
    try {
      const [viewer, reading] = await Promise.all([loadViewer(), opening.reading]);
      if (this.closed) return;
      taken(this.uid);
      this.reading.value = reading;
      this.selected.value = firstFinding(reading)?.id ?? null;
      const controller = new viewer.ViewerController((pane, view) => this.#show(pane, view));
      this.#start(controller, elements);
      viewer.exposeToTests(controller);
      if (this.alone.value) await new Promise(requestAnimationFrame); // the pane grows first
      await this.#showCurrent(reading);
      if (this.closed) return;
      await this.#afterFirstImage(reading);
    } catch (error) {
      if (!this.closed) this.problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  close(): void {
    this.#abort.abort();
    clearTimeout(this.#poll);
    this.#stopMarks();
    this.report.close();
    this.#controller?.destroy();
    this.#controller = null;
  }

  #start(controller: ViewerController, elements: Record<PaneId, HTMLDivElement>): void {
    this.#controller = controller;
    controller.attach('current', elements.current);
    controller.attach('prior', elements.prior);
  }

  #show(pane: PaneId, view: PaneView): void {
    if (!this.closed) this.views[pane].value = view;
  }

  async #showCurrent(reading: Reading): Promise<void> {
    const display = reading.current;
    if (!display) return this.#controller?.clear('current', nothingToShow(reading));
    const instances = reading.study.series.find((s) => s.uid === display.series_uid)?.images ?? 0;
    const series = await loadSeries(this.uid, display.series_uid, instances);
    if (this.closed) return;
    const first = firstFinding(reading)?.current;
    const inSeries = first?.series_uid === series.uid;
    this.#opening = display.window;
    await this.#controller?.show('current', series, {
      index: startIndex(reading, series),
      window: display.window,
      centre: first && inSeries ? point(first.centre_lps_mm) : null,
    });
    if (this.views.current.value.state === 'shown') performance.mark('first-image');
  }

  async #afterFirstImage(reading: Reading): Promise<void> {
    this.#stopMarks = effect(() => this.#drawMarks());
    void this.report.load();
    const prior = this.#showPrior(reading).catch((error: unknown) => {
      const words = error instanceof Error ? error.message : String(error);
      this.#controller?.clear('prior', `The prior cannot be shown. ${words}`);
    });
    void this.#loadOutlines(this.selected.value ? [this.selected.value] : []);
    await prior;
    if (this.closed) return;
    await this.#controller?.equip();
    await this.#loadOutlines(reading.findings.map((f) => f.id));
    if (this.closed) return;
    this.#controller?.prefetch();
    this.#keepUpToDate(reading);
  }

  async #showPrior(reading: Reading): Promise<void> {
    const { prior } = reading;
    this.#comparison = reading.comparison?.id ?? null;
    if (!prior?.display) {
      return this.#controller?.clear(
        'prior',
        prior ? 'The prior holds no images that can be shown.' : 'There is no prior of this region.',
      );
    }
    this.priorStudy.value = prior.study;
    const trusted =
      reading.comparison && reading.comparison.verdict !== 'failed' ? reading.comparison.grid : null;
    await this.#compareWith(
      prior.study,
      prior.display.series_uid,
      prior.display.window,
      trusted && (async () => new DisplacementGrid(trusted, await getFloats(trusted.url))),
    );
  }

  async #compareWith(
    study: Study,
    seriesUid: string,
    window: Window | null,
    mapping: (() => Promise<Mapping>) | null,
  ): Promise<void> {
    const instances = study.series.find((s) => s.uid === seriesUid)?.images ?? 0;
    const [series, grid] = await Promise.all([
      loadSeries(study.uid, seriesUid, instances),
      mapping?.().catch((error: unknown) => {
        tellError(error);
        return null;
      }) ?? null,
    ]);
    const view = this.views.current.value;
    const current = view.series;
    if (this.closed || !this.#controller) return;
    const link = grid ?? (current && !current.notShown ? byPosition(current, series) : null);
    await this.#controller.show('prior', series, {
      index: Math.floor(series.slices.length / 2),
      window: (current?.modality === series.modality && view.window) || window,
    });
    this.linkKind.value = grid ? 'aligned' : link ? 'position' : 'none';
    await this.#controller.link(link);
    if (grid && this.views.prior.value.state === 'shown') performance.mark('prior-aligned');
  }

  /** Put another study of the patient into the right pane. */
  async compare(studyUid: string): Promise<void> {
    const reading = this.reading.value;
    if (!reading || studyUid === this.uid) return;
    try {
      if (studyUid === reading.prior?.study.uid) {
        await this.#showPrior(reading);
      } else {
        const other = await get<Reading>(api.reading(studyUid), this.#abort.signal);
        this.priorStudy.value = other.study;
        if (!other.current) return this.#controller?.clear('prior', nothingToShow(other));
        await this.#compareWith(other.study, other.current.series_uid, other.current.window, null);
      }
      this.#controller?.prefetch();
    } catch (error) {
      if (!this.closed) tellError(error);
    }
  }

  /** Show another series of the current study in the left pane. */
  async showSeries(seriesUid: string): Promise<void> {
    const reading = this.reading.value;
    const brief = reading?.study.series.find((s) => s.uid === seriesUid);
    if (!reading || !brief) return;
    try {
      const series = await loadSeries(this.uid, seriesUid, brief.images);
      const prior = this.views.prior.value.series;
      await this.#controller?.show('current', series, {
        index: Math.floor(series.slices.length / 2),
        window: seriesUid === reading.current?.series_uid ? reading.current.window : null,
      });
      if (seriesUid === reading.current?.series_uid) return void (await this.#showPrior(reading));
      this.linkKind.value = prior && !series.notShown ? 'position' : 'none';
      await this.#controller?.link(prior && !series.notShown ? byPosition(series, prior) : null);
      this.#controller?.prefetch();
    } catch (error) {
      tellError(error);
    }
  }

  stepSeries(by: number): void {
    const list = this.reading.value?.study.series ?? [];
    const at = list.findIndex((s) => s.uid === this.views.current.value.series?.uid);
    const next = list[at + by];
    if (next) void this.showSeries(next.uid);
  }

  select(id: string | null): void {
    this.selected.value = id;
    this.editing.value = null;
    const finding = this.findings.value.find((f) => f.id === id);
    if (!finding) return;
    const here = finding.current ?? null;
    if (here) {
      const shown = this.views.current.value.series?.uid;
      if (shown !== here.series_uid) void this.showSeries(here.series_uid).then(() => this.#centre(here));
      else this.#centre(here);
    } else if (finding.prior) {
      tell('This finding is seen in the prior only.');
    }
    void this.#loadOutlines([finding.id]);
  }

  #centre(place: Place): void {
    void this.#controller?.centreOn(point(place.centre_lps_mm));
  }

  step(by: number): void {
    const list = this.findings.value;
    if (!list.length) return;
    const at = list.findIndex((f) => f.id === this.selected.value);
    const next = list[(at + by + list.length) % list.length];
    if (next) this.select(next.id);
  }

  get selectedFinding(): Finding | null {
    return this.findings.value.find((f) => f.id === this.selected.value) ?? null;
  }

  /** Accept or reject, and move on to the next finding that waits. */
  async decide(finding: Finding, decision: 'accept' | 'reject', reason?: string): Promise<void> {
    const label = `Finding ${finding.number} ${decision === 'accept' ? 'accepted' : 'rejected'}`;
    await this.report.flush();
    await perform(
      label,
      () => this.#sendDecision(finding.id, reason ? { decision, reason } : { decision }),
      () => this.#sendDecision(finding.id, { decision: 'undo' }),
    );
  }

  async edit(finding: Finding, change: Edit): Promise<void> {
    await this.report.flush();
    await perform(
      `Finding ${finding.number} edited`,
      async () => {
        this.#replace(await put<Finding>(api.finding(finding.id), change));
        await this.report.follow();
      },
      () => this.#sendDecision(finding.id, { decision: 'undo' }),
    );
    this.editing.value = null;
  }

  async #sendDecision(id: string, body: { decision: string; reason?: string }): Promise<void> {
    this.#replace(await post<Finding>(api.decision(id), body));
    await this.report.follow();
  }

  /** A lesion the model missed: a person points at it in the current study, and it is measured there. */
  async markUnderPointer(): Promise<void> {
    const at = this.pointer && this.#controller?.pointAt('current', this.pointer.x, this.pointer.y);
    const series = this.views.current.value.series;
    if (!at || !series) return tell('Point at the lesion in the current study, then press the key.');
    await this.report.flush();
    let id: string | null = null;
    await perform(
      'Lesion marked',
      async () => {
        const body = { point_lps_mm: at, series_uid: series.uid };
        const finding = await post<Finding>(api.newFinding(this.uid), body);
        id = finding.id;
        this.#replace(finding);
        this.select(id);
        await this.report.follow();
      },
      async () => {
        if (id) await this.#sendDecision(id, { decision: 'reject', reason: 'marked by mistake' });
      },
    );
  }

  async analyse(): Promise<void> {
    try {
      const analysis = await post<Reading['analysis']>(api.analysis(this.uid));
      const reading = this.reading.value;
      if (!reading) return;
      this.reading.value = { ...reading, analysis };
      this.#keepUpToDate(this.reading.value);
    } catch (error) {
      tellError(error);
    }
  }

  #replace(finding: Finding): void {
    const reading = this.reading.value;
    if (!reading) return;
    const known = reading.findings.some((f) => f.id === finding.id);
    const findings = known
      ? reading.findings.map((f) => (f.id === finding.id ? finding : f))
      : [...reading.findings, finding];
    this.reading.value = { ...reading, findings };
  }

  setPreset(index: number): void {
    const view = this.views.current.value;
    const preset = view.series?.modality === 'CT' ? CT_PRESETS[index] : undefined;
    const window = preset ?? (index === 8 ? this.#opening : null);
    if (window) this.#controller?.setWindow(window);
  }

  chooseTool(tool: ToolName): void {
    this.tool.value = tool;
    this.#controller?.chooseTool(tool);
  }

  scroll(by: number, pane: PaneId = this.focused.value): void {
    this.#controller?.scroll(pane, by);
  }

  goTo(index: number): void {
    this.#controller?.goTo(this.focused.value, index);
  }

  lead(pane: PaneId): void {
    this.focused.value = pane;
    this.#controller?.lead(pane);
  }

  zoomBy(factor: number): void {
    this.#controller?.zoomBy(factor);
  }

  fit(): void {
    this.#controller?.fit();
  }

  clearMeasurements(): void {
    this.#controller?.clearMeasurements();
  }

  /** While the machine is still at work, or the study still arriving, look again now and then. */
  #keepUpToDate(reading: Reading): void {
    clearTimeout(this.#poll);
    if (!/^(waiting|running)$/.test(reading.analysis.state)) return;
    this.#poll = setTimeout(() => void this.#refresh(), POLL_MS);
  }

  async #refresh(): Promise<void> {
    try {
      const fresh = await get<Reading>(api.reading(this.uid), this.#abort.signal);
      const before = this.reading.value;
      this.reading.value = fresh;
      if (!this.selected.value) this.selected.value = firstFinding(fresh)?.id ?? null;
      if (fresh.findings.length !== before?.findings.length) {
        await this.#loadOutlines(fresh.findings.map((f) => f.id));
        await this.report.load();
      }
      if (fresh.comparison && fresh.comparison.id !== this.#comparison) await this.#showPrior(fresh);
      this.#keepUpToDate(fresh);
    } catch (error) {
      const passing = error instanceof Refused && error.status === 0;
      if (this.closed || !passing) return;
      this.#poll = setTimeout(() => void this.#refresh(), POLL_MS * 3);
    }
  }

  async #loadOutlines(ids: readonly string[]): Promise<void> {
    const wanted = this.findings.value.filter((f) => ids.includes(f.id));
    await Promise.all(
      wanted.flatMap((f) => [
        this.#loadOutline(`${f.id} current`, f.current),
        this.#loadOutline(`${f.id} prior`, f.prior),
      ]),
    );
  }

  async #loadOutline(key: string, place: Place | null): Promise<void> {
    if (!place || this.#outlines.value.has(key)) return;
    this.#outlines.value = new Map(this.#outlines.value).set(key, null);
    try {
      const outline = await get<Outline>(place.outline_url, this.#abort.signal);
      this.#outlines.value = new Map(this.#outlines.value).set(key, readOutline(outline));
    } catch {
      // The circle at the finding's centre stays: the place is known even where its outline is not.
    }
  }

  #drawMarks(): void {
    const outlines = this.#outlines.value;
    const selected = this.selected.value;
    for (const pane of ['current', 'prior'] as const) {
      const shown = this.#shownSeries[pane].value;
      const marks = this.findings.value.flatMap((finding) => {
        const place = finding[pane];
        const hidden = finding.state === 'rejected' && finding.id !== selected;
        if (!place || place.series_uid !== shown || hidden) return [];
        return markOf(finding, place, outlines.get(`${finding.id} ${pane}`) ?? null, finding.id === selected);
      });
      queueMicrotask(() => this.#controller?.setMarks(pane, marks));
    }
  }
}

const inOrder = (list: readonly Finding[]): Finding[] =>
  list.filter((f) => f.state !== 'superseded').sort((a, b) => a.number - b.number);

/** A finding is decided on in its own study; one that vanished belongs to the prior. */
export const isDecidable = (finding: Finding): boolean => finding.current !== null;

/** `3`, or `P3` for the third finding of the prior, which is not seen now. */
export const numberOf = (finding: Finding): string => `${isDecidable(finding) ? '' : 'P'}${finding.number}`;

function byPosition(current: SeriesToShow, prior: SeriesToShow): Mapping | null {
  return current.normal && prior.normal ? new FixedShift(shiftBetween(current, prior)) : null;
}

function nothingToShow(reading: Reading): string {
  const kinds = [...new Set(reading.study.series.map((s) => s.modality))].join(', ');
  return kinds
    ? `This study holds no images that can be shown here (${kinds}).`
    : 'No images of this study have arrived yet.';
}

function readOutline(outline: Outline): Outlines {
  return {
    outlines: new Map(outline.slices.map((s) => [s.sop_uid, s.contours.map((c) => c.map(point))])),
    longAxis: axis(outline.long_axis),
    shortAxis: axis(outline.short_axis),
  };
}

function axis(ends: number[][] | null): Mark['longAxis'] {
  const [from, to] = ends ?? [];
  return from && to ? [point(from), point(to)] : null;
}

function markOf(finding: Finding, place: Place, known: Outlines | null, selected: boolean): Mark {
  const { long_axis: long, short_axis: short } = place;
  const size = [long, short].flatMap((q) => (q ? [figure(q.value)] : [])).join(' × ');
  const tone =
    finding.state === 'proposed' ? 'proposed' : finding.state === 'rejected' ? 'rejected' : 'accepted';
  return {
    id: finding.id,
    number: finding.number,
    label: size ? `${numberOf(finding)} · ${size} mm` : numberOf(finding),
    tone,
    selected,
    centreLpsMm: point(place.centre_lps_mm),
    diameterMm: long?.value ?? null,
    sopUid: place.sop_uid,
    outlines: known?.outlines ?? null,
    longAxis: known?.longAxis ?? null,
    shortAxis: known?.shortAxis ?? null,
  };
}
