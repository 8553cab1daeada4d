/** The worklist page: a dense table, and beside it what is known about the selected study. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Row } from '../../api';
import { navigate, pathTo } from '../../app/router';
import { isAdministrator, me, signOut } from '../../app/session';
import { count, day, due, sexAge, span, wait } from '../../ui/format';
import { type Action, offer } from '../../ui/keys';
import { keysOpen } from '../../ui/overlays';
import { Button, Kbd, Notice, SimulatedTag } from '../../ui/primitives';
import { Detail } from './detail';
import { type Filter, WorklistStore } from './store';
import './worklist.css';

const OVERSCAN = 12;

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
  const { state, modality } = store.filter.value;
  const modalities = [
    ...new Set([...store.rows.value.map((r) => r.modality), ...(modality ? [modality] : [])]),
  ].sort();
  return (
    <header class="bar top">
      <span class="brand">Sightline</span>
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
      <div class="chips optional" role="group" aria-label="Modality">
        {modalities.map((m) => (
          <button
            type="button"
            key={m}
            class="chip"
            aria-pressed={modality === m}
            onClick={() => store.setFilter({ modality: modality === m ? '' : m })}
          >
            {m}
          </button>
        ))}
      </div>
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

function Account() {
  return (
    <details class="account">
      <summary>{me.value?.name || me.value?.username}</summary>
      <div class="menu">
        {isAdministrator() && (
          <a class="button quiet" href={pathTo.audit}>
            Audit trail
          </a>
        )}
        <Button kind="quiet" onClick={() => void signOut()}>
          Sign out
        </Button>
      </div>
    </details>
  );
}

/** Only the rows in sight are in the document, so ten thousand scroll like ten. */
function Table({ store }: { store: WorklistStore }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, row: 28 });
  const rows = store.rows.value;
  const index = store.index.value;

  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const measure = () => setView({ top: box.scrollTop, height: box.clientHeight, row: rowHeight(box) });
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  useKeepSelectionInSight(scroller, index, view.row, store.selected.value);

  const first = Math.max(0, Math.floor(view.top / view.row) - OVERSCAN);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / view.row) + OVERSCAN);
  useEffect(() => {
    if (last > rows.length - 30) void store.more();
  }, [last, rows.length, store]);

  const onScroll = () => {
    const box = scroller.current;
    if (box) setView({ top: box.scrollTop, height: box.clientHeight, row: view.row });
  };
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
        ref={scroller}
        onScroll={onScroll}
      >
        <HeaderRow />
        <div class="rows" style={{ height: `${rows.length * view.row}px` }}>
          {rows.slice(first, last).map((row, k) => (
            <RowLine
              key={row.study_uid}
              row={row}
              index={first + k}
              top={(first + k) * view.row}
              store={store}
            />
          ))}
        </div>
        <Empty store={store} />
      </div>
    </>
  );
}

function rowHeight(box: HTMLElement): number {
  return Number.parseFloat(getComputedStyle(box).getPropertyValue('--row-px')) || measured(box);
}

/** The height of a row in px; it follows the text size. */
function measured(box: HTMLElement): number {
  const probe = document.createElement('div');
  probe.className = 'row probe';
  box.append(probe);
  const { height } = probe.getBoundingClientRect();
  probe.remove();
  return height || 28;
}

/** Nothing moves unless the person moved it: when rows shift, the selected one stays where it was on the screen. */
function useKeepSelectionInSight(
  scroller: { current: HTMLDivElement | null },
  index: number,
  row: number,
  selected: string | null,
): void {
  const before = useRef<{ index: number; selected: string | null }>({ index: -1, selected: null });
  useEffect(() => {
    const box = scroller.current;
    const { index: old, selected: whom } = before.current;
    before.current = { index, selected };
    if (!box || index < 0) return;
    if (whom === selected && old >= 0 && old !== index && box.scrollTop > 0) {
      box.scrollTop += (index - old) * row;
      return;
    }
    const top = index * row;
    const room = box.clientHeight - row;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + row > box.scrollTop + room) box.scrollTop = top + row - room;
  }, [index, row, selected, scroller]);
}

const COLUMNS = ['', 'Patient', 'Exam', 'Wait', 'Due', 'Why it is here', 'Prior', 'Images', 'Reader'];

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
        {row.prior_count === 0
          ? 'none'
          : row.prior_count > 1
            ? `${day(row.prior_date)} +${row.prior_count - 1}`
            : day(row.prior_date)}
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
  const { received, expected } = row.images;
  if (expected === null || received >= expected) return <span class="muted">{received}</span>;
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
      <Button
        kind="quiet"
        keys="?"
        onClick={() => {
          keysOpen.value = true;
        }}
      >
        keys
      </Button>
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
