/** The worklist page: a dense table, and beside it what is known about the selected study. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Row } from '../../api';
import { Account } from '../../app/account';
import { places } from '../../app/places';
import { navigate, pathTo } from '../../app/router';
import { can, me } from '../../app/session';
import { count, day, due, sexAge, span, wait } from '../../ui/format';
import { type Action, offer } from '../../ui/keys';
import { AllKeys } from '../../ui/overlays';
import { Button, Kbd, Notice, SimulatedTag } from '../../ui/primitives';
import { tellError } from '../../ui/toasts';
import { useVirtualRows } from '../../ui/virtual';
import { Detail } from './detail';
import { PriorMark, showPriors } from './row-priors';
import { type Filter, modalitiesOf, WorklistStore } from './store';
import './worklist.css';

export function WorklistPage() {
  const store = useMemo(() => new WorklistStore(), []);
  useEffect(() => {
    document.title = 'Worklist · Sightline';
    store.start();
    return () => store.close();
  }, [store]);
  useEffect(() => offer('worklist', actionsOf(store)), [store]);
  return (
    <div class={`worklist ${store.detail.value ? 'show-detail' : ''}`}>
      <Head store={store} />
      <main class="list" aria-label="Worklist">
        <Table store={store} />
      </main>
      <Detail store={store} />
      <Foot store={store} />
    </div>
  );
}

function actionsOf(store: WorklistStore): Action[] {
  const row = () => store.selectedRow;
  const action = (id: string, label: string, keys: string[], run: () => void): Action => ({
    id,
    label,
    keys,
    group: 'Worklist',
    run,
  });
  return [
    action('row-down', 'Next study', ['ArrowDown'], () => store.step(1)),
    action('row-up', 'Previous study', ['ArrowUp'], () => store.step(-1)),
    action('row-page-down', 'Twenty studies on', ['PageDown'], () => store.step(20)),
    action('row-page-up', 'Twenty studies back', ['PageUp'], () => store.step(-20)),
    action('row-first', 'First study', ['Home'], () => store.step(-store.rows.value.length)),
    action('row-last', 'Last study loaded', ['End'], () => store.step(store.rows.value.length)),
    action('open', 'Open the study', ['Enter'], () => open(row())),
    action('claim', 'Claim the study', ['c'], () => {
      const r = row();
      if (r) void store.claim(r);
    }),
    action('defer', 'Defer the study', ['d'], () => {
      const r = row();
      if (r) void store.defer(r);
    }),
    action('why', 'Why is it here?', ['w'], () => {
      store.detail.value = !store.detail.value;
      document.getElementById('place')?.scrollIntoView({ block: 'nearest' });
    }),
    action('priors', 'Priors in other archives', ['p'], () => showPriors(store)),
    action('patient', 'Open the patient’s timeline', ['t'], () => {
      const r = row();
      if (r) navigate(pathTo.patient(r.patient.id));
    }),
    action('search', 'Search', ['/'], () => document.getElementById('search')?.focus()),
  ];
}

function open(row: Row | null): void {
  if (row) navigate(pathTo.study(row.study_uid));
}

const STATES: readonly (readonly [Filter['state'], string])[] = [
  ['open', 'Open'],
  ['reported', 'Reported'],
  ['all', 'All'],
];

function Head({ store }: { store: WorklistStore }) {
  const counts = store.counts.value;
  const { state } = store.filter.value;
  return (
    <header class="bar top">
      <span class="brand">Sightline</span>
      <h1 class="sr-only">Worklist</h1>
      <nav class="places" aria-label="Pages">
        {places()
          .filter((place) => SHORTCUTS.has(place.page))
          .map((place) => (
            <a
              key={place.page}
              href={place.path}
              aria-current={place.page === 'worklist' ? 'page' : undefined}
              title={place.keys ? `${place.name} (${place.keys.replace('-', ' ').toUpperCase()})` : undefined}
            >
              {place.name}
            </a>
          ))}
        {can('archive.store') && (
          <button type="button" class="button quiet" onClick={upload}>
            Upload
          </button>
        )}
      </nav>
      <div class="chips" role="group" aria-label="State">
        {STATES.map(([value, words]) => (
          <button
            type="button"
            key={value}
            class="chip"
            aria-pressed={state === value}
            onClick={() => store.setFilter({ state: value })}
          >
            {words}
          </button>
        ))}
      </div>
      <Modalities store={store} />
      <span class="spacer" />
      <Search store={store} />
      {counts && (
        <span class="counts">
          {counts.critical > 0 && <span class="urgent">{counts.critical} critical</span>}
          <span>{counts.open} open</span>
          {counts.median_wait_min !== null && (
            <span class="muted optional">median wait {span(counts.median_wait_min)}</span>
          )}
        </span>
      )}
      <Account />
    </header>
  );
}

/** The pages that stand beside the filters; the others are in the menu under the name. */
const SHORTCUTS = new Set(['archive', 'orders']);
/** Choose files for the archive; the part that sends them is fetched when it is wanted. */
const upload = () => void import('../archive/drop').then((drop) => drop.chooseFiles('files'), tellError);

/** How many modalities have a chip of their own; all are in the list behind them. */
const CHIPS = 5;

/** The modalities of the rows: those seen most as chips where there is room, every one in the list. */
function Modalities({ store }: { store: WorklistStore }) {
  const { modality } = store.filter.value;
  const seen = modalitiesOf(store.rows.value);
  const all = [...new Set([...seen, modality])].filter(Boolean).sort();
  const set = (next: string) => store.setFilter({ modality: next });
  return (
    <div class="chips modalities" role="group" aria-label="Modality">
      {seen
        .slice(0, CHIPS)
        .sort()
        .map((m) => (
          <button
            type="button"
            key={m}
            class="chip of-modality"
            aria-pressed={modality === m}
            onClick={() => set(modality === m ? '' : m)}
          >
            {m}
          </button>
        ))}
      <select
        class="chip"
        aria-label="Modality"
        value={modality}
        onChange={(e) => set(e.currentTarget.value)}
      >
        <option value="">Any modality</option>
        {all.map((m) => (
          <option key={m} value={m}>
            {m}
          </option>
        ))}
      </select>
    </div>
  );
}

function Search({ store }: { store: WorklistStore }) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return (
    <label class="search">
      <span class="sr-only">Search name, ID or accession number</span>
      <input
        id="search"
        class="field"
        type="search"
        placeholder="Search name, ID, accession"
        onInput={(e) => {
          const q = e.currentTarget.value.trim();
          clearTimeout(timer.current);
          timer.current = setTimeout(() => store.setFilter({ q }), 200);
        }}
        onKeyDown={(e) => {
          if (e.key === 'Enter' || e.key === 'Escape') e.currentTarget.blur();
        }}
      />
      <Kbd keys="/" />
    </label>
  );
}

function Table({ store }: { store: WorklistStore }) {
  const rows = store.rows.value;
  const index = store.index.value;
  const view = useVirtualRows({
    count: rows.length,
    index,
    selected: store.selected.value,
    onNearEnd: () => void store.more(),
  });
  return (
    <>
      {store.problem.value && store.state.value === 'ready' && (
        <Notice tone="warning">{store.problem.value}</Notice>
      )}
      <div
        class="table"
        role="grid"
        aria-label="Studies, most urgent first"
        aria-rowcount={rows.length + 1}
        aria-activedescendant={index >= 0 ? `row-${index}` : undefined}
        aria-busy={store.state.value === 'loading'}
        tabIndex={0}
        ref={view.scroller}
        onScroll={view.onScroll}
      >
        <HeaderRow />
        <div class="rows" style={{ height: `${rows.length * view.row}px` }}>
          {rows.slice(view.first, view.last).map((row, k) => (
            <RowLine
              key={row.study_uid}
              row={row}
              index={view.first + k}
              top={(view.first + k) * view.row}
              store={store}
            />
          ))}
        </div>
        <Empty store={store} />
      </div>
    </>
  );
}

const COLUMNS = [
  '',
  'Patient',
  'Exam',
  'Study date',
  'Wait',
  'Due',
  'Why it is here',
  'Prior',
  'Images',
  'Reader',
];

function HeaderRow() {
  return (
    <div class="row head" role="row" aria-rowindex={1}>
      {COLUMNS.map((name) => (
        <span key={name} role="columnheader" tabIndex={-1}>
          {name || <span class="sr-only">Urgency</span>}
        </span>
      ))}
    </div>
  );
}

const URGENCY = {
  critical: { glyph: '!', words: 'critical', tone: 'urgent' },
  soon: { glyph: '▲', words: 'soon', tone: 'warning' },
  routine: { glyph: '', words: 'routine', tone: 'muted' },
} as const;

function RowLine({ row, index, top, store }: { row: Row; index: number; top: number; store: WorklistStore }) {
  const selected = store.selected.value === row.study_uid;
  const urgency = URGENCY[row.urgency];
  const late = due(row.due_at, store.now.value);
  const proposed = row.changes.length > 0 && row.urgency !== 'critical';
  return (
    <div
      id={`row-${index}`}
      class={`row ${selected ? 'selected' : ''} ${row.state}`}
      style={{ transform: `translateY(${top}px)` }}
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 2}
      aria-selected={selected}
      onClick={() => store.select(row.study_uid)}
      onDblClick={() => open(row)}
      onKeyDown={() => {}}
    >
      <span role="gridcell" tabIndex={-1} class={`urgency ${urgency.tone}`} title={urgency.words}>
        <span aria-hidden="true">{urgency.glyph}</span>
        <span class="sr-only">{urgency.words}</span>
      </span>
      <span role="gridcell" tabIndex={-1} class="name">
        <a
          href={pathTo.study(row.study_uid)}
          tabIndex={-1}
          onClick={(e) =>
            e.detail === 1 && !e.ctrlKey && !e.metaKey && !e.shiftKey && !touch() && e.preventDefault()
          }
        >
          <bdi>{row.patient.name}</bdi>
        </a>{' '}
        <span class="muted">{sexAge(row.patient)}</span>
      </span>
      <span role="gridcell" tabIndex={-1} class="exam">
        {row.exam}
      </span>
      <span role="gridcell" tabIndex={-1} class="date muted">
        {day(row.study_date)}
      </span>
      <span role="gridcell" tabIndex={-1} class="wait">
        {wait(row.arrived_at, store.now.value)}
      </span>
      <span role="gridcell" tabIndex={-1} class={`due ${late.near ? 'urgent' : 'muted'}`}>
        {late.text}
      </span>
      <span role="gridcell" tabIndex={-1} class="reason">
        {row.simulated && <SimulatedTag />}
        {proposed && (
          <span class="proposed" aria-hidden="true">
            ◆{' '}
          </span>
        )}
        <span class={row.urgency === 'critical' ? 'urgent' : proposed ? 'proposed' : ''}>{row.reason}</span>
        <AnalysisWord row={row} />
      </span>
      <span role="gridcell" tabIndex={-1} class="prior muted">
        <span class="when">{priorDate(row)}</span>
        <PriorMark row={row} store={store} />
      </span>
      <span role="gridcell" tabIndex={-1} class="images">
        <Images row={row} />
      </span>
      <span role="gridcell" tabIndex={-1} class="reader muted">
        {row.state === 'reported' ? '✓ ' : ''}
        {row.reader ? (row.reader.id === me.value?.id ? 'you' : row.reader.name) : ''}
      </span>
    </div>
  );
}

function priorDate(row: Row): string {
  if (row.prior_count === 0) return 'none';
  return row.prior_count > 1 ? `${day(row.prior_date)} +${row.prior_count - 1}` : day(row.prior_date);
}

const touch = () => matchMedia('(pointer: coarse)').matches;

function AnalysisWord({ row }: { row: Row }) {
  const words = {
    waiting: 'analysis waiting',
    running: 'being analysed',
    failed: 'analysis failed',
    refused: 'not analysed',
  };
  const word = words[row.analysis.state as keyof typeof words];
  if (!word) return null;
  return <span class="muted"> · {word}</span>;
}

function Images({ row }: { row: Row }) {
  const { received, expected, gaps } = row.images;
  if (expected === null || received >= expected) {
    if (gaps === 0) return <span class="muted">{received}</span>;
    return (
      <span class="warning" title={`${count(gaps, 'image number')} missing in between`}>
        <span aria-hidden="true">▲ </span>
        {received}
        <span class="sr-only">, {count(gaps, 'image number')} missing in between</span>
      </span>
    );
  }
  return (
    <>
      {received}/{expected}
      <progress max={expected} value={received} aria-label={`${received} of ${expected} images received`} />
    </>
  );
}

function Empty({ store }: { store: WorklistStore }) {
  const state = store.state.value;
  if (state === 'failed') {
    return (
      <div class="empty">
        <Notice tone="error" title="The worklist cannot be shown.">
          <p>{store.problem.value}</p>
          <Button kind="primary" onClick={() => void store.load()}>
            Try again
          </Button>
        </Notice>
      </div>
    );
  }
  if (store.rows.value.length > 0) return null;
  if (state === 'loading') {
    return (
      <div class="skeleton-rows" aria-hidden="true">
        {Array.from({ length: 18 }, (_, k) => (
          <i key={k} />
        ))}
      </div>
    );
  }
  const { q, modality, state: which } = store.filter.value;
  return (
    <div class="empty">
      <p>
        {q || modality
          ? 'No study matches.'
          : which === 'open'
            ? 'Nothing is waiting to be read.'
            : 'There are no studies yet.'}
      </p>
      <p class="muted">
        {q || modality
          ? 'Change the search or the filters.'
          : 'Studies appear here as they arrive: by DICOM, DICOMweb or sightline import.'}
      </p>
    </div>
  );
}

function Foot({ store }: { store: WorklistStore }) {
  const status = store.status.value;
  return (
    <footer class="bar bottom">
      <span class="hints optional">
        <Kbd keys="ArrowUp" />
        <Kbd keys="ArrowDown" /> move <Kbd keys="Enter" /> open <Kbd keys="c" /> claim <Kbd keys="d" /> defer{' '}
        <Kbd keys="w" /> why <Kbd keys="Ctrl-k" /> anything
      </span>
      <AllKeys />
      <span class="spacer" />
      {status && (
        <span class="muted" role="status">
          {status.arriving > 0 && `${count(status.arriving, 'study', 'studies')} arriving · `}
          jobs: {status.jobs.running} running, {status.jobs.waiting} waiting
          {status.jobs.failed > 0 && <span class="warning">, {status.jobs.failed} failed</span>}
        </span>
      )}
    </footer>
  );
}
