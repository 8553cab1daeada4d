/**
 * One click or one stroke cuts a lesion out: shown with its size and interval, corrected by further strokes, then kept
 * as a finding.
 *
 * Invariants: nothing is kept before it was shown; a refusal leaves what was shown before; the last answer asked for
 * is the one that is shown.
 */
import { computed, type Signal, signal } from '@preact/signals';
import { api, type Click, type Clicked, type Finding, post } from '../../api';
import { figure } from '../../ui/format';
import { perform, tell } from '../../ui/toasts';
import type { PaneId, PaneView } from '../../viewer';
import type { Point } from '../../viewer/labels/face';
import type { Mark } from '../../viewer/overlay';
import { length, subtract } from '../../viewer/vectors';
import type { FindingStore } from './finding-store';
import { point } from './open';
import type { Held, PointerTool } from './pane-pointer';
import type { PanesStore } from './panes';

type Triple = [number, number, number];
export type ClickMode = 'new' | 'add' | 'remove';

/** Shorter than this on the screen a stroke is a click. */
const STROKE_PX = 6;
/** Where along a stroke the points lie: its ends are on the border of the lesion. */
const ALONG = [0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9];
const MOST_POINTS = 24;

interface Reader {
  readonly uid: string;
  readonly locked: Signal<boolean>;
  readonly refresh: () => Promise<void>;
  readonly flush: () => Promise<void>;
}

export class LesionClicks implements PointerTool {
  readonly clicked = signal<Clicked | null>(null);
  readonly asked = signal<Click | null>(null);
  readonly busy = signal(false);
  readonly refusal = signal<string | null>(null);
  readonly mode = signal<ClickMode>('new');
  readonly drawing = signal<{ pane: PaneId; points: readonly Point[]; mode: ClickMode } | null>(null);
  /** There is something to keep, to leave or to be told of. */
  readonly open = computed(
    () => this.busy.value || this.clicked.value !== null || this.refusal.value !== null,
  );
  readonly correctable = computed(() => this.clicked.value !== null && !this.busy.value);
  #study = '';
  #series = '';
  #turn = 0;

  constructor(
    private readonly reader: Reader,
    private readonly panes: PanesStore,
    private readonly findings: FindingStore,
  ) {}

  get takes(): boolean {
    return this.panes.tool.value === 'lesion';
  }

  press(pane: PaneId, view: PaneView, at: Point, held: Held): boolean {
    if (!this.takes || this.busy.value || view.state !== 'shown' || !view.series) return false;
    const mode = held.shift ? 'add' : held.alt ? 'remove' : this.mode.value;
    const mine = this.clicked.value !== null && view.series.uid === this.#series;
    this.drawing.value = { pane, points: [at], mode: mine ? mode : 'new' };
    return true;
  }

  move(pane: PaneId, _view: PaneView, at: Point): void {
    const { value } = this.drawing;
    if (value?.pane === pane) this.drawing.value = { ...value, points: [...value.points, at] };
  }

  release(): void {
    const drawn = this.drawing.value;
    this.drawing.value = null;
    if (drawn) void this.#take(drawn.pane, drawn.points, drawn.mode);
  }

  abort(): void {
    this.drawing.value = null;
  }

  leave(): void {}

  /** A lesion the model missed: cut out what lies under the pointer, and take up the tool. */
  async underPointer(): Promise<void> {
    this.panes.chooseTool('lesion');
    const { pointer } = this.panes;
    const element = pointer && document.querySelector(`[data-pane="${pointer.pane}"] .canvas`);
    if (!pointer || !element)
      return tell('Click a lesion, or draw its long axis. Enter points from the keyboard.');
    const box = element.getBoundingClientRect();
    await this.#take(pointer.pane, [[pointer.x - box.left, pointer.y - box.top]], 'new');
  }

  /** Say what kind of lesion it is; how it is measured may follow from that. */
  setKind(kind: string): void {
    const asked = this.asked.value;
    if (asked) void this.#ask({ ...asked, kind });
  }

  /** Take the last correction back; without one leave the lesion. */
  stepBack(): void {
    const asked = this.asked.value;
    if (!asked?.corrections?.length) this.discard();
    else void this.#ask({ ...asked, corrections: asked.corrections.slice(0, -1) });
  }

  discard(): void {
    this.#turn++;
    this.busy.value = false;
    this.refusal.value = null;
    this.asked.value = null;
    this.drawing.value = null;
    this.mode.value = 'new';
    this.#show(null);
  }

  /** Keep what is shown as a finding; it can be taken back. */
  async keep(): Promise<void> {
    const asked = this.asked.value;
    if (!asked || !this.clicked.value || this.busy.value) return;
    if (this.reader.locked.value) return tell('The report is signed, so its findings cannot change.');
    const study = this.#study;
    let id: string | null = null;
    await this.reader.flush();
    await perform(
      `${capital(this.clicked.value.label)} kept`,
      async () => {
        this.busy.value = true;
        try {
          id = (await post<{ finding_id: string }>(api.newFinding(study), asked)).finding_id;
        } finally {
          this.busy.value = false;
        }
        this.discard();
        await this.reader.refresh();
        if (this.findings.list.value.some((f) => f.id === id)) this.findings.select(id);
      },
      async () => {
        if (!id) return;
        await post<Finding>(api.decision(id), { decision: 'reject', reason: 'marked by mistake' });
        await this.reader.refresh();
      },
    );
  }

  async #take(pane: PaneId, points: readonly Point[], mode: ClickMode): Promise<void> {
    const series = this.panes.view(pane).value.series;
    const [first, last] = [points[0], points.at(-1)];
    if (!series || !first || !last) return;
    const stroke = Math.hypot(last[0] - first[0], last[1] - first[1]) >= STROKE_PX;
    const asked = this.asked.value;
    if (mode !== 'new' && asked) {
      const lps = this.#lps(pane, stroke ? thinned(points) : [first]);
      if (!lps.length) return;
      const touch = mode === 'add' ? { add: lps, remove: [] } : { add: [], remove: lps };
      return this.#ask({ ...asked, corrections: [...(asked.corrections ?? []), touch] });
    }
    const lps = this.#lps(pane, stroke ? [first, last] : [first]);
    const [from, to] = lps;
    if (!from)
      return tell('This image does not say where it lies in the patient, so nothing can be measured.');
    this.#study = series.studyUid;
    this.#series = series.uid;
    const kind = asked?.kind ?? null;
    await this.#ask({
      series_uid: series.uid,
      ...(from && to
        ? { points_lps_mm: ALONG.map((f) => between(from, to, f)), diameter_mm: length(subtract(to, from)) }
        : { points_lps_mm: [from] }),
      ...(kind && { kind }),
    });
  }

  /** Ask for an answer; while it is made the one before stays on the screen. */
  async #ask(click: Click): Promise<void> {
    const turn = ++this.#turn;
    this.busy.value = true;
    this.refusal.value = null;
    try {
      const clicked = await post<Clicked>(api.click(this.#study), click);
      if (turn !== this.#turn) return;
      this.asked.value = click;
      this.#show(clicked);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.refusal.value = error instanceof Error ? error.message : String(error);
      if (!click.corrections?.length) this.#show(null);
    }
    if (turn === this.#turn) this.busy.value = false;
  }

  #show(clicked: Clicked | null): void {
    this.clicked.value = clicked;
    this.findings.draft.value = clicked && { seriesUid: clicked.series_uid, mark: markOf(clicked) };
  }

  #lps(pane: PaneId, points: readonly Point[]): Triple[] {
    const box = document.querySelector(`[data-pane="${pane}"] .canvas`)?.getBoundingClientRect();
    if (!box) return [];
    return points.flatMap(([x, y]) => {
      const at = this.panes.controller?.pointAt(pane, box.left + x, box.top + y);
      return at ? [[at[0], at[1], at[2]]] : [];
    });
  }
}

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

const between = (from: Triple, to: Triple, f: number): Triple => [
  from[0] + f * (to[0] - from[0]),
  from[1] + f * (to[1] - from[1]),
  from[2] + f * (to[2] - from[2]),
];

/** At most so many points of a stroke, its ends among them. */
export function thinned(points: readonly Point[]): Point[] {
  if (points.length <= MOST_POINTS) return [...points];
  return Array.from(
    { length: MOST_POINTS },
    (_, k) => points[Math.round((k * (points.length - 1)) / (MOST_POINTS - 1))] as Point,
  );
}

/** What was clicked, as it is drawn on the images. */
export function markOf(clicked: Clicked): Mark {
  const { long_axis: long, short_axis: short } = clicked.values;
  const axis = (ends: Triple[] | null): Mark['longAxis'] =>
    ends?.[0] && ends[1] ? [point(ends[0]), point(ends[1])] : null;
  return {
    id: 'draft',
    number: 0,
    label: long && short ? `${figure(long.value)} × ${figure(short.value)} mm` : '',
    tone: 'draft',
    selected: true,
    centreLpsMm: point(clicked.centre_lps_mm),
    diameterMm: long?.value ?? null,
    sopUid: clicked.sop_uid,
    outlines: new Map(clicked.slices.map((s) => [s.sop_uid, s.contours.map((c) => c.map(point))])),
    longAxis: axis(clicked.long_axis),
    shortAxis: axis(clicked.short_axis),
  };
}
