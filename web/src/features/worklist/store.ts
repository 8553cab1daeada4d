/**
 * The worklist: what is to be read, most urgent first, as the server orders it.
 *
 * Invariants: the selection follows its study when rows move; a poll that brings nothing new changes nothing on
 * the screen; further pages are fetched as the person comes near them.
 */
import { computed, signal } from '@preact/signals';
import {
  api,
  get,
  post,
  Refused,
  type Row,
  remove,
  type Standing,
  type Standings,
  type Status,
  type Worklist,
} from '../../api';
import { can } from '../../app/session';
import { perform } from '../../ui/toasts';
import { loadPage } from '../reading/load-page';
import { prepareImage } from '../reading/open';

export interface Filter {
  q: string;
  modality: string;
  state: 'open' | 'reported' | 'all';
}

const PAGE = 100;
const POLL_MS = 5000;
const SETTLE_MS = 180;
export const DEFER_MIN = 30;

export class WorklistStore {
  readonly rows = signal<readonly Row[]>([]);
  readonly counts = signal<Worklist['counts'] | null>(null);
  readonly status = signal<Status | null>(null);
  readonly state = signal<'loading' | 'ready' | 'failed'>('loading');
  /** Set while the server does not answer; the rows on the screen stay. */
  readonly problem = signal<string | null>(null);
  readonly filter = signal<Filter>({ q: '', modality: '', state: 'open' });
  readonly selected = signal<string | null>(null);
  readonly now = signal(Date.now());
  readonly detail = signal(false);
  /** How the priors held elsewhere stand, by study; a study of which there is nothing to tell is not in it. */
  readonly standings = signal<ReadonlyMap<string, Standing>>(new Map());
  readonly index = computed(() => this.rows.value.findIndex((r) => r.study_uid === this.selected.value));

  #next: string | null = null;
  #fetching = false;
  #turn = 0;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  get selectedRow(): Row | null {
    return this.rows.value[this.index.value] ?? null;
  }

  start(): void {
    void this.load();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#poll);
    clearTimeout(this.#settle);
  }

  setFilter(change: Partial<Filter>): void {
    this.filter.value = { ...this.filter.value, ...change };
    this.state.value = 'loading';
    void this.load();
  }

  /** Fetch the first page anew and keep what was loaded beyond it. */
  async load(): Promise<void> {
    clearTimeout(this.#poll);
    const turn = ++this.#turn;
    try {
      const [page, status] = await Promise.all([
        post<Worklist>(api.worklistPage, this.#query(null)),
        get<Status>(api.status),
      ]);
      if (turn !== this.#turn || this.#closed) return;
      this.#take(page);
      if (!same(status, this.status.value)) this.status.value = status;
      this.problem.value = null;
      await this.#stand(page.items);
      if (turn !== this.#turn || this.#closed) return;
    } catch (error) {
      if (turn !== this.#turn || this.#closed) return;
      this.problem.value = error instanceof Error ? error.message : String(error);
      if (this.state.value === 'loading') this.state.value = 'failed';
      if (error instanceof Refused && error.status === 401) return;
    }
    this.now.value = Date.now();
    this.#poll = setTimeout(() => void this.load(), document.hidden ? POLL_MS * 6 : POLL_MS);
  }

  /** Fetch the page after the last, when the person comes near the end. */
  async more(): Promise<void> {
    if (!this.#next || this.#fetching) return;
    this.#fetching = true;
    const turn = this.#turn;
    try {
      const page = await post<Worklist>(api.worklistPage, this.#query(this.#next));
      if (this.#closed || (turn !== this.#turn && this.state.value === 'loading')) return;
      this.#next = page.next;
      this.rows.value = join(this.rows.value, page.items);
      await this.#stand(page.items);
    } catch {
      // The next poll tells whether the server is there.
    } finally {
      this.#fetching = false;
    }
  }

  select(uid: string | null): void {
    this.selected.value = uid;
    clearTimeout(this.#settle);
    if (uid) this.#settle = setTimeout(() => void this.#prepare(uid), SETTLE_MS);
  }

  step(by: number): void {
    const rows = this.rows.value;
    const next = rows[Math.min(Math.max(this.index.value + by, 0), rows.length - 1)];
    if (next) this.select(next.study_uid);
  }

  async claim(row: Row): Promise<void> {
    const { study_uid: uid, patient } = row;
    await perform(
      `${row.exam} of ${patient.name} claimed`,
      async () => this.#replace(await post<Row>(api.claim(uid))),
      async () => this.#replace(await remove<Row>(api.claim(uid))),
    );
  }

  async defer(row: Row): Promise<void> {
    const { study_uid: uid, patient } = row;
    await perform(
      `${row.exam} of ${patient.name} deferred by ${DEFER_MIN} min`,
      async () => {
        this.#replace(await post<Row>(api.deferral(uid), { minutes: DEFER_MIN }));
        await this.load();
      },
      async () => {
        this.#replace(await remove<Row>(api.deferral(uid)));
        await this.load();
      },
    );
  }

  async #prepare(uid: string): Promise<void> {
    try {
      const stillWanted = () => this.selected.value === uid && !this.#closed;
      await Promise.all([loadPage(), prepareImage(uid, stillWanted)]);
    } catch {
      // Opening the study will tell what is wrong with it.
    }
  }

  /** What to ask for. It goes into the body: a name that is searched for must not stand in an address. */
  #query(after: string | null) {
    const { q, modality, state } = this.filter.value;
    return { q, modality, state, after: after ?? '', limit: PAGE };
  }

  #take(page: Worklist): void {
    const fresh = this.state.value !== 'ready';
    const beyond = !fresh && page.next ? this.rows.value.slice(page.items.length) : [];
    const rows = settle(this.rows.value, join(page.items, beyond));
    if (rows !== this.rows.value) this.rows.value = rows;
    if (fresh || !page.next || rows.length <= page.items.length) this.#next = page.next;
    if (!same(page.counts, this.counts.value)) this.counts.value = page.counts;
    this.state.value = 'ready';
    if (this.index.value < 0) this.select(rows[0]?.study_uid ?? null);
  }

  /** See how the priors of some rows stand; where nobody answers, the marks stay as they are. */
  async #stand(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0 || !can('archive.read')) return;
    const uids = rows.map((row) => row.study_uid);
    try {
      const { items } = await post<Standings>(api.standings, { study_uids: uids });
      if (!this.#closed) this.standings.value = stand(this.standings.value, uids, items);
    } catch {
      // The next poll tells whether the server is there.
    }
  }

  #replace(row: Row): void {
    this.rows.value = this.rows.value.map((r) => (r.study_uid === row.study_uid ? row : r));
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The modalities of some rows, most frequent first; a PET/CT counts as PT and as CT, and is found under either. */
export function modalitiesOf(rows: readonly Pick<Row, 'modality'>[]): string[] {
  const times = new Map<string, number>();
  for (const row of rows)
    for (const m of row.modality.split('/').filter(Boolean)) times.set(m, (times.get(m) ?? 0) + 1);
  return [...times].sort(([a, n], [b, k]) => k - n || a.localeCompare(b)).map(([m]) => m);
}

/** Two lists in one, each study once. */
export function join(first: readonly Row[], then: readonly Row[]): Row[] {
  const known = new Set(first.map((r) => r.study_uid));
  return [...first, ...then.filter((r) => !known.has(r.study_uid))];
}

/** Keep the old row where nothing in it changed, and the old list where no row changed. */
export function settle(old: readonly Row[], fresh: readonly Row[]): readonly Row[] {
  const byUid = new Map(old.map((r) => [r.study_uid, r]));
  const rows = fresh.map((row) => {
    const before = byUid.get(row.study_uid);
    return before && same(before, row) ? before : row;
  });
  return rows.length === old.length && rows.every((r, k) => r === old[k]) ? old : rows;
}

/** Take what is told of some studies; the old map, and the old entry, where nothing is new. */
export function stand(
  old: ReadonlyMap<string, Standing>,
  uids: readonly string[],
  told: readonly Standing[],
): ReadonlyMap<string, Standing> {
  const fresh = new Map(told.map((one) => [one.study_uid, one]));
  const next = new Map(old);
  let changed = false;
  for (const uid of uids) {
    const [before, after] = [old.get(uid), fresh.get(uid)];
    if (same(before, after)) continue;
    changed = true;
    if (after) next.set(uid, after);
    else next.delete(uid);
  }
  return changed ? next : old;
}
