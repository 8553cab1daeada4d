/**
 * How the study beside the current one lies against it: the prior that the server compared by that comparison, any
 * other earlier study by an alignment that is asked for when it is opened.
 *
 * Invariants: nothing waits for an alignment; where there is none, the page says why; what comes late for a study
 * that is no longer shown changes nothing.
 */
import { computed, type Signal, signal } from '@preact/signals';
import {
  type Alignment,
  api,
  get,
  getFloats,
  type PairAlignment,
  post,
  type Reading,
  Refused,
  type Study,
} from '../../api';
import { tell } from '../../ui/toasts';
import { DisplacementGrid } from '../../viewer/grid';
import type { SeriesToShow } from '../../viewer/series';
import { load, type PanesStore } from './panes';

const EVERY_MS = 2000;

const WORDS = {
  good: 'The study beside is aligned.',
  care: 'The study beside is aligned, take care:',
  failed: 'The study beside is not aligned:',
} as const;

/** What became of asking for an alignment; `pair` is null while nothing has been answered. */
interface Asked {
  prior: string;
  pair: PairAlignment | null;
  refusal: string;
}

export class Beside {
  readonly #asked = signal<Asked | null>(null);
  #abort = new AbortController();

  constructor(
    private readonly reading: Signal<Reading | null>,
    private readonly study: Signal<Study | null>,
    private readonly panes: PanesStore,
  ) {}

  /** The study that is beside the current one, or will be. */
  readonly uid = computed(() => this.study.value?.uid ?? this.reading.value?.prior?.study.uid ?? null);
  readonly date = computed(() => (this.study.value ?? this.reading.value?.prior?.study)?.date ?? '');

  /** How the two were aligned; null while nothing is known. */
  readonly alignment = computed<Alignment | null>(() => {
    const comparison = this.#comparison();
    const asked = this.#pair();
    if (comparison || !asked) return comparison;
    const { pair } = asked;
    const reason = asked.refusal || (pair?.status === 'failed' ? pair.text : '');
    if (reason)
      return { prior_uid: asked.prior, verdict: 'failed', reason, method: '', tests: [], grid: null };
    return pair?.alignment ?? null;
  });

  /** What is said while there is no alignment. */
  readonly words = computed(() => {
    if (!this.uid.value) return 'no prior';
    return this.#pair() ? 'aligning …' : 'not aligned yet';
  });

  /** Where the server draws the prior on an image of the current study. */
  sliceUrl(query: URLSearchParams): string {
    const comparison = this.#comparison();
    if (comparison) return `/api/comparisons/${encodeURIComponent(comparison.id)}/prior?${query}`;
    return `${api.priorSlice(this.reading.value?.study.uid ?? '', this.uid.value ?? '')}?${query}`;
  }

  /** Ask where no comparison will tell: between studies of different kinds none is ever made. */
  async settle(): Promise<void> {
    const reading = this.reading.value;
    const prior = this.study.value ?? reading?.prior?.study;
    if (!reading || !prior || this.alignment.value || this.#pair() || isToBeCompared(reading)) return;
    await this.ask(prior);
  }

  /** Have the current study aligned with an earlier one, and tie the panes once it is. */
  async ask(prior: Study): Promise<void> {
    this.leave();
    const { signal: left } = this.#abort;
    const current = this.reading.value?.study.uid ?? '';
    const address = api.pairAlignment(current, prior.uid);
    this.#asked.value = { prior: prior.uid, pair: null, refusal: '' };
    try {
      let pair = await post<PairAlignment>(address, undefined, left);
      const waited = pair.status === 'waiting';
      while (pair.status === 'waiting') {
        await pause(left);
        pair = await again(address, pair, left);
      }
      await this.#tie(prior, pair, left);
      if (left.aborted) return;
      this.#asked.value = { prior: prior.uid, pair, refusal: '' };
      if (waited)
        tell(`${WORDS[pair.alignment?.verdict ?? 'failed']} ${pair.alignment?.reason ?? pair.text}`);
    } catch (error) {
      if (left.aborted) return;
      const refusal = error instanceof Error ? error.message : String(error);
      this.#asked.value = { prior: prior.uid, pair: null, refusal };
    }
  }

  /** Another study is shown, or none: what is still on its way no longer matters. */
  leave(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  async #tie(prior: Study, pair: PairAlignment, left: AbortSignal): Promise<void> {
    // What cannot be aligned may not be loadable either, and the reason why is then the server's.
    if (!pair.alignment || pair.alignment.verdict === 'failed') return;
    const [series, mapping] = await Promise.all([
      load(prior, pair.prior_series_uid),
      mappingOf(pair.alignment, left),
    ]);
    if (!mapping || left.aborted) return;
    await tie(this.panes, series, pair.alignment, mapping);
    if (!performance.getEntriesByName('prior-aligned').length) performance.mark('prior-aligned');
  }

  #comparison() {
    const { comparison } = this.reading.value ?? {};
    return comparison && comparison.prior_uid === this.uid.value ? comparison : null;
  }

  #pair(): Asked | null {
    const asked = this.#asked.value;
    return asked && asked.prior === this.uid.value ? asked : null;
  }
}

/** Whether a comparison with the best prior may still come by itself. */
export const isToBeCompared = ({ state, analysis }: Pick<Reading, 'state' | 'analysis'>): boolean =>
  /arriving|waiting|running/.test(`${state} ${analysis.state}`);

/** From the current study to the one beside it; null where the alignment is not to be trusted. */
export async function mappingOf(
  { grid, verdict }: Alignment,
  left?: AbortSignal,
): Promise<DisplacementGrid | null> {
  if (!grid || verdict === 'failed') return null;
  return new DisplacementGrid(grid, await getFloats(grid.url, left));
}

/** Have the panes that show a series of the prior follow the current study. */
export async function tie(
  panes: PanesStore,
  series: SeriesToShow,
  { images }: Alignment,
  mapping: DisplacementGrid,
): Promise<void> {
  const [current, prior] = images ?? [];
  const isPicture = series.slices.every((s) => !s.positionLpsMm);
  if (current && prior && isPicture) panes.alignPictures([current, prior], mapping);
  else await panes.align(series, mapping);
}

/** Ask how it stands; while nobody looks, or the server does not answer, it stands as before. */
async function again(address: string, before: PairAlignment, left: AbortSignal): Promise<PairAlignment> {
  if (document.hidden) return before;
  try {
    return await get<PairAlignment>(address, left);
  } catch (error) {
    if (left.aborted || !(error instanceof Refused) || error.status !== 0) throw error;
    return before;
  }
}

function pause(left: AbortSignal): Promise<void> {
  return new Promise((done, refuse) => {
    const timer = setTimeout(done, EVERY_MS);
    left.addEventListener('abort', () => {
      clearTimeout(timer);
      refuse(left.reason);
    });
  });
}
