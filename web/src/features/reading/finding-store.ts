/**
 * The findings of a study: which is selected, what a person decides on each, how they are marked on the images.
 *
 * Invariants: a finding changes only by the server's answer; every decision can be undone until the report is signed.
 */
import { computed, effect, type Signal, signal } from '@preact/signals';
import { api, type Finding, get, type Outline, type Place, post, put, type Reading } from '../../api';
import { figure } from '../../ui/format';
import { perform, tell } from '../../ui/toasts';
import type { Mark } from '../../viewer/overlay';
import type { ReportStore } from '../reporting/store';
import { firstFinding, type Outlines, point } from './open';
import type { PanesStore } from './panes';

export interface Edit {
  label?: string;
  long_axis_mm?: number;
  short_axis_mm?: number;
  note?: string;
}

export class FindingStore {
  readonly selected = signal<string | null>(null);
  readonly editing = signal<string | null>(null);
  /** A lesion that is outlined and not kept yet. */
  readonly draft = signal<{ seriesUid: string; mark: Mark } | null>(null);
  /** The findings of this study, then those of the prior that are not seen now. */
  readonly list = computed(() => [
    ...inOrder(this.reading.value?.findings ?? []),
    ...inOrder(this.reading.value?.vanished ?? []),
  ]);
  readonly #outlines = signal<ReadonlyMap<string, Outlines | null>>(new Map());
  readonly #abort = new AbortController();
  #stopMarks: () => void = () => {};

  constructor(
    readonly uid: string,
    private readonly reading: Signal<Reading | null>,
    private readonly panes: PanesStore,
    private readonly report: ReportStore,
    private readonly showSeries: (uid: string) => Promise<void>,
  ) {}

  /** Select the finding to begin with. */
  begin(reading: Reading): void {
    this.selected.value = firstFinding(reading)?.id ?? null;
  }

  /** Draw the marks on the images from now on. */
  mark(): void {
    this.#stopMarks = effect(() => this.#drawMarks());
  }

  close(): void {
    this.#abort.abort();
    this.#stopMarks();
  }

  select(id: string | null): void {
    this.selected.value = id;
    this.editing.value = null;
    const finding = this.list.value.find((f) => f.id === id);
    if (!finding) return;
    const here = finding.current ?? null;
    if (here) {
      const shown = this.panes.slots.value.some((slot) => slot.seriesUid === here.series_uid);
      if (shown) this.#centre(here);
      else void this.showSeries(here.series_uid).then(() => this.#centre(here));
    } else if (finding.prior) {
      tell('This finding is seen in the prior only.');
    }
    void this.outline([finding.id]);
  }

  #centre(place: Place): void {
    void this.panes.controller?.centreOn(point(place.centre_lps_mm));
  }

  step(by: number): void {
    const list = this.list.value;
    if (!list.length) return;
    const at = list.findIndex((f) => f.id === this.selected.value);
    const next = list[(at + by + list.length) % list.length];
    if (next) this.select(next.id);
  }

  get chosen(): Finding | null {
    return this.list.value.find((f) => f.id === this.selected.value) ?? null;
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

  #replace(finding: Finding): void {
    const reading = this.reading.value;
    if (!reading) return;
    const known = reading.findings.some((f) => f.id === finding.id);
    const findings = known
      ? reading.findings.map((f) => (f.id === finding.id ? finding : f))
      : [...reading.findings, finding];
    this.reading.value = { ...reading, findings };
  }

  /** Fetch the outlines of findings, once. */
  async outline(ids: readonly string[]): Promise<void> {
    const wanted = this.list.value.filter((f) => ids.includes(f.id));
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

  /** Marks are drawn anew only where a pane shows another series or a finding changed. */
  #drawMarks(): void {
    const outlines = this.#outlines.value;
    const selected = this.selected.value;
    const draft = this.draft.value;
    for (const { id, seriesUid } of this.panes.slots.value) {
      const marks = this.list.value.flatMap((finding) => {
        const side = finding.current?.series_uid === seriesUid ? 'current' : 'prior';
        const place = finding[side];
        const hidden = finding.state === 'rejected' && finding.id !== selected;
        if (!place || place.series_uid !== seriesUid || hidden) return [];
        return markOf(finding, place, outlines.get(`${finding.id} ${side}`) ?? null, finding.id === selected);
      });
      const all = draft?.seriesUid === seriesUid ? [...marks, draft.mark] : marks;
      queueMicrotask(() => this.panes.controller?.setMarks(id, all));
    }
  }
}

const inOrder = (list: readonly Finding[]): Finding[] =>
  list.filter((f) => f.state !== 'superseded').sort((a, b) => a.number - b.number);

/** A finding is decided on in its own study; one that vanished belongs to the prior. */
export const isDecidable = (finding: Finding): boolean => finding.current !== null;

/** `3`, or `P3` for the third finding of the prior, which is not seen now. */
export const numberOf = (finding: Finding): string => `${isDecidable(finding) ? '' : 'P'}${finding.number}`;

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
    diameterMm: (place.volume && long?.value) ?? null, // what was measured in one image is no ball
    sopUid: place.sop_uid,
    outlines: known?.outlines ?? null,
    longAxis: known?.longAxis ?? null,
    shortAxis: known?.shortAxis ?? null,
  };
}
