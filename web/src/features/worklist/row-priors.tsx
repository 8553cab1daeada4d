/** The priors of a row that other archives hold: a quiet mark in the list, and beside it what a person can do. */
import { useEffect, useState } from 'preact/hooks';
import { api, get, type PriorsElsewhere, type Row, type Standing } from '../../api';
import { tell } from '../../ui/toasts';
import { Elsewhere } from '../priors/elsewhere';
import type { WorklistStore } from './store';

const GLYPHS = { fetching: '↓', doubtful: '?', failed: '▲', asking: '…', arrived: '✓' } as const;
const TONES = {
  fetching: 'accent',
  doubtful: 'warning',
  failed: 'warning',
  asking: 'muted',
  arrived: 'muted',
} as const;

/** What stands beside the glyph: how many of how many, or how many at all. */
export function figureOf({ state, fetched, wanted, open }: Standing): string {
  if (state === 'fetching') return `${fetched}/${wanted}`;
  if (state === 'arrived') return `${fetched}`;
  return state === 'doubtful' ? `${open}` : '';
}

export function PriorMark({ row, store }: { row: Row; store: WorklistStore }) {
  const standing = store.standings.value.get(row.study_uid);
  if (!standing) return null;
  return (
    <button
      type="button"
      class={`prior-mark ${standing.state} ${TONES[standing.state]}`}
      tabIndex={-1}
      title={`Priors in other archives: ${standing.text} (P)`}
      onClick={(e) => {
        e.stopPropagation();
        store.select(row.study_uid);
        showPriors(store);
      }}
    >
      <span aria-hidden="true">
        {GLYPHS[standing.state]}
        {figureOf(standing)}
      </span>
      <span class="sr-only">Priors in other archives: {standing.text}</span>
    </button>
  );
}

/** Show what other archives hold for the selected row, and go there. */
export function showPriors(store: WorklistStore): void {
  const row = store.selectedRow;
  if (!row) return;
  if (!store.standings.value.has(row.study_uid)) {
    tell('Other archives were not asked for priors of this study, or have none to tell of.');
    return;
  }
  store.detail.value = true;
  // The part is there when the page has been drawn with the row selected.
  requestAnimationFrame(() => {
    const part = document.getElementById('row-priors');
    part?.scrollIntoView({ block: 'nearest' });
    part?.focus({ preventScroll: true });
  });
}

export function RowPriors({ row, store }: { row: Row; store: WorklistStore }) {
  const standing = store.standings.value.get(row.study_uid);
  const [known, setKnown] = useState<PriorsElsewhere | null>(null);
  // While something comes, how many images there are changes with each look.
  const look = standing?.state === 'fetching' ? store.now.value : 0;
  useEffect(() => {
    if (!standing) return;
    const leaving = new AbortController();
    get<PriorsElsewhere>(api.priorsElsewhere(row.study_uid), leaving.signal)
      .then(setKnown)
      .catch(() => {}); // the line above it stands; the next change asks again
    return () => leaving.abort();
  }, [row.study_uid, standing, look]);
  if (!standing) return null;
  return (
    <div id="row-priors" class="part" role="group" tabIndex={-1} aria-label="How the priors stand">
      <p class={TONES[standing.state]}>
        <span aria-hidden="true">{GLYPHS[standing.state]} </span>
        {standing.text}
      </p>
      {known && (
        <Elsewhere
          study={row.study_uid}
          known={known}
          show={(next) => {
            setKnown(next);
            void store.load();
          }}
        />
      )}
    </div>
  );
}
