/**
 * The map of what changed since the prior: asked for, waited for, laid over the images, gone through place by place.
 *
 * Invariants: what is shown belongs to the comparison that stands now, and goes with it; nothing is laid over the
 * images before the person asks for it; where there is no map the reason is told.
 */
import { computed, effect, type ReadonlySignal, type Signal, signal, untracked } from '@preact/signals';
import { api, type ChangedPlace, type ChangeMap, get, post, type Reading, Refused } from '../../api';
import { tell, tellError } from '../../ui/toasts';
import { isToBeCompared } from './beside';
import type { LaidOver } from './laid-over';
import { point } from './open';
import type { PanesStore } from './panes';
import { refusalOf } from './prior-over';

export type MapKind = 'z' | 'growth';

const CONTENT: Record<MapKind, string> = { z: 'CHANGE_Z', growth: 'GROWTH_LOGJAC' };
const KINDS = Object.keys(CONTENT) as MapKind[];
const POLL_MS = 3000;
const NOT_COMPARED =
  'This study was not compared with its prior, so no change is mapped: ' +
  'studies of one modality are compared, once both were analysed.';

interface Reader {
  readonly uid: string;
  readonly reading: Signal<Reading | null>;
  readonly panel: Signal<boolean>;
  readonly panes: PanesStore;
  readonly laidOver: LaidOver;
  readonly showSeries: (seriesUid: string, pane: 'current', kind: 'stack') => Promise<void>;
}

export class ChangeMaps {
  /** How the map stands, as the server said last. */
  readonly map = signal<ChangeMap | null>(null);
  /** Whether the server was asked already. */
  readonly looked = signal(false);
  /** The place that was gone to last, counted from 0. */
  readonly selected = signal<number | null>(null);
  /** Date of the prior since which the map is; empty where that prior is no longer listed. */
  readonly since = computed(() => priorDate(this.reader.reading.value, this.map.value?.prior_uid));
  /** Why no map can be asked for; null where it can. */
  readonly refusal = computed(() => mapRefusal(this.reader.reading.value));
  /** The map that lies over the images. */
  readonly shown: ReadonlySignal<MapKind | null> = computed(() => {
    const series = this.map.value?.series_uid ?? '';
    return KINDS.find((kind) => this.reader.laidOver.isOn(series, this.#uidOf(kind))) ?? null;
  });
  #abort = new AbortController();
  #comparison: string | null = null;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #stop: () => void = () => {};

  constructor(private readonly reader: Reader) {}

  /** Follow the comparison of the study: forget the map of the one before, ask how that of the next stands. */
  open(): void {
    this.#stop = effect(() => {
      const id = this.reader.reading.value?.comparison?.id ?? null;
      if (id === this.#comparison) return;
      this.#comparison = id;
      untracked(() => this.#forget());
      if (id) void this.#look();
    });
  }

  close(): void {
    this.#stop();
    this.#leave();
  }

  get places(): readonly ChangedPlace[] {
    return this.map.value?.clusters ?? [];
  }

  /** What the one key does: have the map made, say how it stands, or lay it over the images and take it away. */
  async press(): Promise<void> {
    const refusal = this.refusal.value;
    if (refusal) return tell(refusal);
    const map = this.map.value;
    if (map?.status === 'done') return this.toggle('z');
    this.reader.panel.value = true;
    if (map?.status === 'refused') return tell(map.text);
    await this.#request();
  }

  /** Lay a map over the images, or take it away. */
  async toggle(kind: MapKind): Promise<void> {
    const { reader } = this;
    const { signal: left } = this.#abort;
    const map = this.map.value;
    if (map?.status !== 'done') return this.press();
    const series = map.series_uid;
    const on = this.shown.value !== kind;
    if (on && !(await this.#seriesShown(series))) return;
    if (left.aborted) return;
    for (const each of KINDS) reader.laidOver.turn(series, this.#uidOf(each), on && each === kind);
    if (on) await reader.laidOver.list({ uid: series, studyUid: reader.uid });
  }

  /** Go to the next or previous place. */
  step(by: number): void {
    const { length } = this.places;
    const at = this.selected.value ?? (by > 0 ? -1 : 0);
    if (length) void this.select((at + by + length) % length);
    else tell(this.map.value?.text ?? 'No map of change was made.');
  }

  /** Go to a place, with the map over it. */
  async select(at: number): Promise<void> {
    const place = this.places[at];
    if (!place) return;
    const { signal: left } = this.#abort;
    this.selected.value = at;
    if (!this.shown.value) await this.toggle('z');
    if (left.aborted) return;
    if ((await this.#seriesShown(this.map.value?.series_uid ?? '')) && !left.aborted)
      await this.reader.panes.controller?.centreOn(point(place.centre_lps_mm));
  }

  /** Have the series that was mapped in a pane, slice by slice; says what to do where it cannot. */
  async #seriesShown(series: string): Promise<boolean> {
    const slots = this.reader.panes.slots.value.filter((s) => s.seriesUid === series);
    if (slots.some((s) => s.kind === 'stack')) return true;
    if (slots.length) {
      tell('Maps lie over slices as acquired: show the series slice by slice.');
      return false;
    }
    await this.reader.showSeries(series, 'current', 'stack');
    return true;
  }

  #uidOf(kind: MapKind): string {
    return this.map.value?.objects.find((o) => o.content === CONTENT[kind])?.sop_uid ?? '';
  }

  /** What is on its way no longer matters. */
  #leave(): void {
    this.#abort.abort();
    clearTimeout(this.#poll);
  }

  /** Nothing is known, and nothing lies over the images any more. */
  #forget(): void {
    this.#leave();
    this.#abort = new AbortController();
    const { map } = this;
    for (const { sop_uid } of map.value?.objects ?? [])
      this.reader.laidOver.turn(map.value?.series_uid ?? '', sop_uid, false);
    map.value = null;
    this.selected.value = null;
    this.looked.value = false;
  }

  async #request(): Promise<void> {
    const { signal: left } = this.#abort;
    try {
      const map = await post<ChangeMap>(api.changeMap(this.reader.uid), undefined, left);
      if (left.aborted) return;
      this.#take(map);
      tell(map.text);
    } catch (error) {
      if (!left.aborted) tellError(error);
    }
  }

  async #look(): Promise<void> {
    const { signal: left } = this.#abort;
    try {
      const map = await get<ChangeMap>(api.changeMap(this.reader.uid), left);
      if (!left.aborted) this.#take(map);
    } catch (error) {
      const passing = error instanceof Refused && error.status === 0;
      if (!left.aborted && passing && isUnderWay(this.map.value)) this.#lookLater(POLL_MS * 3);
    }
    if (!left.aborted) this.looked.value = true;
  }

  #lookLater(ms = POLL_MS): void {
    clearTimeout(this.#poll);
    this.#poll = setTimeout(() => void this.#look(), ms);
  }

  #take(map: ChangeMap): void {
    const before = this.map.value;
    this.map.value = map;
    if (map.series_uid !== before?.series_uid || map.clusters.length !== before.clusters.length)
      this.selected.value = null;
    if (isUnderWay(map)) this.#lookLater();
    else if (isUnderWay(before)) this.#tellEnd(map);
  }

  #tellEnd(map: ChangeMap): void {
    void this.reader.laidOver.listAgain({ uid: map.series_uid, studyUid: this.reader.uid });
    tell(map.status === 'done' ? `Map of change: ${map.text}. Alt M lays it over the images.` : map.text);
  }
}

/** Why the change since the prior cannot be mapped; null where it can be asked for. */
export function mapRefusal(
  reading: Pick<Reading, 'comparison' | 'prior' | 'state' | 'analysis'> | null,
): string | null {
  const comparison = reading?.comparison;
  if (comparison?.verdict === 'failed') return `Not aligned, so no change is mapped: ${comparison.reason}`;
  if (reading?.prior && !comparison && !isToBeCompared(reading)) return NOT_COMPARED;
  return refusalOf(reading?.prior?.study.uid ?? null, comparison ?? null);
}

/** The date of a prior that is named, else of the one that is shown; empty where the named one is not listed. */
export function priorDate(
  reading: Pick<Reading, 'prior' | 'priors'> | null,
  uid: string | undefined,
): string {
  const shown = reading?.prior?.study;
  if (!uid || uid === shown?.uid) return shown?.date ?? '';
  return reading?.priors.find((prior) => prior.study_uid === uid)?.date ?? '';
}

export const isUnderWay = (map: Pick<ChangeMap, 'status'> | null): boolean =>
  map?.status === 'waiting' || map?.status === 'making';

/** `q < 0.001`, `q 0.012`. */
export const qWords = (q: number): string => (q < 0.001 ? 'q < 0.001' : `q ${q.toFixed(3)}`);
