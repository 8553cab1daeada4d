/**
 * What the archive holds: found while typing, page after page, with one study selected and any number marked.
 *
 * Invariants: an answer to an older question never replaces a newer one; the selection follows its study; rows
 * that did not change stay the same objects, so that a refresh that brings nothing new changes nothing.
 */
import { computed, signal } from '@preact/signals';
import { get, post } from '../../api';
import {
  archive,
  type StudyDetail,
  type StudyPage,
  type StudyRow,
  type StudySearch,
} from '../../api/archive';
import { isForbidden, type LoadState } from '../../ui/load';

export type Filter = Omit<StudySearch, 'limit' | 'after'>;

export const EVERYTHING: Filter = { text: '', modality: '', since: '', until: '', label: '', state: '' };

const PAGE = 100;
const TYPING_MS = 140;
const SETTLE_MS = 120;
const POLL_MS = 8000;
const SOON_MS = 1500;

export class ArchiveStore {
  readonly rows = signal<readonly StudyRow[]>([]);
  readonly total = signal<number | null>(null);
  readonly state = signal<LoadState>('loading');
  readonly problem = signal<string | null>(null);
  /** A newer answer is on its way; what is shown belongs to the question before. */
  readonly searching = signal(false);
  readonly filter = signal<Filter>(EVERYTHING);
  readonly selected = signal<string | null>(null);
  readonly marked = signal<ReadonlySet<string>>(new Set());
  readonly detail = signal<StudyDetail | null>(null);
  readonly detailProblem = signal<string | null>(null);
  /** On narrow screens the panel lies over the list and is opened on demand. */
  readonly panel = signal(false);
  /** What has been seen, to choose from. */
  readonly modalities = signal<readonly string[]>([]);
  readonly labels = signal<readonly string[]>([]);
  readonly now = signal(Date.now());
  readonly index = computed(() => this.rows.value.findIndex((r) => r.uid === this.selected.value));

  /** There is more than what is loaded. */
  readonly beyond = signal(false);

  #linked: string | undefined;
  #next: string | null = null;
  #fetching = false;
  #asking: AbortController | null = null;
  #detailing: AbortController | null = null;
  #typing: ReturnType<typeof setTimeout> | undefined;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;

  /** The selected study, which need not be on the list when one came to it by a link. */
  get selectedRow(): StudyRow | null {
    const held = this.detail.value?.study;
    return this.rows.value[this.index.value] ?? (held?.uid === this.selected.value ? held : null) ?? null;
  }

  /** The studies an act is for: those marked, or else the selected one. */
  get chosen(): readonly StudyRow[] {
    const { value: marked } = this.marked;
    if (marked.size > 0) return this.rows.value.filter((r) => marked.has(r.uid));
    return this.selectedRow ? [this.selectedRow] : [];
  }

  start(study: string | null): void {
    if (study) this.show(study);
    void this.load();
    this.#poll = setInterval(() => {
      if (!document.hidden && !this.searching.value) void this.load();
    }, POLL_MS);
  }

  close(): void {
    this.#asking?.abort();
    this.#detailing?.abort();
    clearTimeout(this.#typing);
    clearTimeout(this.#settle);
    clearTimeout(this.#soon);
    clearInterval(this.#poll);
  }

  type(text: string): void {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.setFilter({ text: text.trim() }), TYPING_MS);
  }

  setFilter(change: Partial<Filter>): void {
    const filter = { ...this.filter.value, ...change };
    if (same(filter, this.filter.value)) return;
    this.filter.value = filter;
    this.marked.value = new Set();
    this.searching.value = true;
    void this.load(true);
  }

  /** Ask for the first page; `fresh` when the question is a new one. */
  async load(fresh = false): Promise<void> {
    this.#asking?.abort();
    const mine = new AbortController();
    this.#asking = mine;
    try {
      const page = await post<StudyPage>(archive.search, this.#query(''), mine.signal);
      if (mine.signal.aborted) return;
      this.#take(page, fresh || this.state.value !== 'ready');
    } catch (error) {
      if (mine.signal.aborted) return;
      this.problem.value = error instanceof Error ? error.message : String(error);
      if (isForbidden(error)) this.state.value = 'forbidden';
      else if (this.state.value === 'loading') this.state.value = 'failed';
      this.searching.value = false;
    }
  }

  /** Something came in: look again, but not with every object of a thousand. */
  loadSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.load();
    }, SOON_MS);
  }

  /** Fetch the page after the last, when the person comes near the end. */
  async more(): Promise<void> {
    const after = this.#next;
    if (!after || this.#fetching || this.searching.value) return;
    this.#fetching = true;
    const question = this.filter.value;
    try {
      const page = await post<StudyPage>(archive.search, this.#query(after));
      if (question !== this.filter.value || after !== this.#next) return;
      this.#follow(page.next);
      this.#see(page.items);
      this.rows.value = join(this.rows.value, page.items);
    } catch {
      // Coming near the end again asks again.
    } finally {
      this.#fetching = false;
    }
  }

  select(uid: string | null): void {
    if (uid === this.selected.value) return;
    this.selected.value = uid;
    this.detail.value = null;
    this.detailProblem.value = null;
    this.#detailing?.abort();
    clearTimeout(this.#settle);
    if (uid) this.#settle = setTimeout(() => void this.loadDetail(), SETTLE_MS);
  }

  /** Select a study that a link leads to, whether or not it is on the list. */
  show(uid: string): void {
    this.#linked = uid;
    this.select(uid);
  }

  step(by: number, mark = false): void {
    const rows = this.rows.value;
    const from = this.selectedRow;
    const to = rows[Math.min(Math.max(this.index.value + by, 0), rows.length - 1)];
    if (!to) return;
    if (mark && from) this.marked.value = new Set([...this.marked.value, from.uid, to.uid]);
    this.select(to.uid);
  }

  /** Go on to the study after those that are about to leave the list, or before them; none if none stays. */
  leave(uids: ReadonlySet<string>): void {
    const { value: selected } = this.selected;
    if (!selected || !uids.has(selected)) return;
    const stays = (row: StudyRow) => !uids.has(row.uid);
    const at = Math.max(this.index.value, 0);
    const to = this.rows.value.slice(at).find(stays) ?? this.rows.value.slice(0, at).findLast(stays);
    this.select(to?.uid ?? null);
  }

  mark(uid: string): void {
    const marked = new Set(this.marked.value);
    if (!marked.delete(uid)) marked.add(uid);
    this.marked.value = marked;
  }

  unmark(): void {
    this.marked.value = new Set();
  }

  async loadDetail(): Promise<void> {
    const uid = this.selected.value;
    if (!uid) return;
    this.#detailing?.abort();
    const mine = new AbortController();
    this.#detailing = mine;
    try {
      const detail = await get<StudyDetail>(archive.study(uid), mine.signal);
      if (mine.signal.aborted) return;
      if (!same(detail, this.detail.value)) this.detail.value = detail;
      this.detailProblem.value = null;
    } catch (error) {
      if (mine.signal.aborted) return;
      this.detailProblem.value = error instanceof Error ? error.message : String(error);
    }
  }

  /** After something was done: the list and the selected study as they are now. */
  async refresh(): Promise<void> {
    await Promise.all([this.load(), this.loadDetail()]);
  }

  /** The question goes into the body: a name that is searched for must not stand in an address. */
  #query(after: string): StudySearch {
    return { ...this.filter.value, limit: PAGE, after };
  }

  #take(page: StudyPage, fresh: boolean): void {
    const beyond = !fresh && page.next ? this.rows.value.slice(page.items.length) : [];
    const rows = settle(this.rows.value, join(page.items, beyond));
    this.rows.value = rows;
    if (fresh || !page.next || rows.length <= page.items.length) this.#follow(page.next);
    this.total.value = page.total ?? null;
    this.#see(page.items);
    this.state.value = 'ready';
    this.problem.value = null;
    this.searching.value = false;
    this.now.value = Date.now();
    const changed = this.selectedRow && this.detail.value && !same(this.selectedRow, this.detail.value.study);
    if (changed) void this.loadDetail();
    const linked = this.selected.value === this.#linked && asksAll(this.filter.value);
    if (this.index.value < 0 && !linked && (fresh || this.selected.value === null))
      this.select(rows[0]?.uid ?? null);
  }

  #follow(next: string | null): void {
    this.#next = next;
    this.beyond.value = next !== null;
  }

  #see(rows: readonly StudyRow[]): void {
    const modalities = known(this.modalities.value, rows, (r) => r.modalities);
    const labels = known(this.labels.value, rows, (r) => r.labels);
    if (modalities) this.modalities.value = modalities;
    if (labels) this.labels.value = labels;
  }
}

function known(
  old: readonly string[],
  rows: readonly StudyRow[],
  of: (row: StudyRow) => readonly string[],
): string[] | null {
  const all = new Set(old);
  for (const row of rows) for (const value of of(row)) all.add(value);
  return all.size === old.length ? null : [...all].sort();
}

const asksAll = (filter: Filter): boolean => Object.values(filter).every((value) => value === '');

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Two lists in one, each study once. */
export function join(first: readonly StudyRow[], then: readonly StudyRow[]): StudyRow[] {
  const uids = new Set(first.map((r) => r.uid));
  return [...first, ...then.filter((r) => !uids.has(r.uid))];
}

/** Keep the old row where nothing in it changed, and the old list where no row changed. */
export function settle(old: readonly StudyRow[], fresh: readonly StudyRow[]): readonly StudyRow[] {
  const byUid = new Map(old.map((r) => [r.uid, r]));
  const rows = fresh.map((row) => {
    const before = byUid.get(row.uid);
    return before && same(before, row) ? before : row;
  });
  return rows.length === old.length && rows.every((r, k) => r === old[k]) ? old : rows;
}

/** A named span of days, as the dates to ask for; `today` is the person's own. */
export function daysBack(days: number, today: Date): { since: string; until: string } {
  const from = new Date(today.getFullYear(), today.getMonth(), today.getDate() - days + 1);
  return { since: dayOf(from), until: '' };
}

/** The day as DICOM has it, by the person's own clock. */
export function dayOf(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
}

/** How a study stands against what was announced. */
export function completenessOf(row: StudyRow): { tone: 'good' | 'warning' | 'muted'; words: string } {
  const missing =
    row.missing ?? (row.expected === null ? null : Math.max(0, row.expected - row.instance_count));
  if (!row.settled) return { tone: 'muted', words: 'arriving' };
  if (missing) return { tone: 'warning', words: `${missing} missing` };
  if (row.expected !== null) return { tone: 'good', words: 'complete' };
  return { tone: 'muted', words: 'count not announced' };
}

/** `CT chest`: the modality once, whether or not the description begins with it. */
export function examOf({ modalities, description }: Pick<StudyRow, 'modalities' | 'description'>): string {
  const first = modalities.join(' ');
  if (!description) return `${first} without description`.trim();
  return modalities.some((m) => description.toUpperCase().startsWith(m))
    ? description
    : `${first} ${description}`;
}
