/** The list of studies. */
import type { StudyRow } from '../../api/archive';
import { navigate, pathTo } from '../../app/router';
import { can } from '../../app/session';
import { ago, sizeText } from '../../ui/amounts';
import { day, timeOfDay } from '../../ui/format';
import { personName } from '../../ui/names';
import { Button, Notice, SimulatedTag } from '../../ui/primitives';
import { SkeletonRows, Trouble } from '../../ui/states';
import { useVirtualRows } from '../../ui/virtual';
import { chooseFiles } from './drop';
import { type ArchiveStore, completenessOf, EVERYTHING } from './store';

const COLUMNS = [
  '',
  'Patient',
  'ID',
  'Date',
  'Mod.',
  'Description',
  'Series',
  'Images',
  'Size',
  'Received',
  'Labels',
];

export function StudyTable({ store }: { store: ArchiveStore }) {
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
        id="archive-table"
        class={`table ${store.searching.value ? 'searching' : ''}`}
        role="grid"
        aria-label="Studies, newest first"
        aria-multiselectable="true"
        aria-rowcount={store.beyond.value ? -1 : rows.length + 1}
        aria-activedescendant={index >= 0 ? `study-${index}` : undefined}
        aria-busy={store.state.value === 'loading' || store.searching.value}
        tabIndex={0}
        ref={view.scroller}
        onScroll={view.onScroll}
      >
        <div class="row head" role="row" aria-rowindex={1}>
          {COLUMNS.map((name) => (
            <span key={name} role="columnheader" tabIndex={-1}>
              {name || <span class="sr-only">State</span>}
            </span>
          ))}
        </div>
        <div class="rows" style={{ height: `${rows.length * view.row}px` }}>
          {rows.slice(view.first, view.last).map((row, k) => (
            <Line
              key={row.uid}
              row={row}
              index={view.first + k}
              top={(view.first + k) * view.row}
              selected={store.selected.value === row.uid}
              marked={store.marked.value.has(row.uid)}
              now={store.now.value}
              store={store}
            />
          ))}
        </div>
        <Empty store={store} />
      </div>
    </>
  );
}

interface LineProps {
  row: StudyRow;
  index: number;
  top: number;
  selected: boolean;
  marked: boolean;
  now: number;
  store: ArchiveStore;
}

const touch = () => matchMedia('(pointer: coarse)').matches;

function Line({ row, index, top, selected, marked, now, store }: LineProps) {
  const choose = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey) store.mark(row.uid);
    else if (event.shiftKey) markTo(store, index);
    store.select(row.uid);
    if (touch()) store.panel.value = true;
  };
  return (
    <div
      id={`study-${index}`}
      class={`row ${selected ? 'selected' : ''} ${marked ? 'is-marked' : ''}`}
      style={{ transform: `translateY(${top}px)` }}
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 2}
      aria-selected={marked || selected}
      onClick={choose}
      onDblClick={() => navigate(pathTo.study(row.uid))}
      onKeyDown={() => {}}
    >
      <span role="gridcell" tabIndex={-1} class="glyph">
        <Glyph row={row} marked={marked} />
      </span>
      <span role="gridcell" tabIndex={-1} class="name">
        <bdi>{personName(row.patient.name) || 'No name'}</bdi> <span class="muted">{bornSex(row)}</span>
      </span>
      <span role="gridcell" tabIndex={-1} class="id muted">
        {row.patient.patient_id}
      </span>
      <span role="gridcell" tabIndex={-1} class="date">
        {day(row.date) || <span class="muted">no date</span>} <span class="muted">{timeOfDay(row.time)}</span>
      </span>
      <span role="gridcell" tabIndex={-1} class="modality">
        {row.modalities.join(' ')}
      </span>
      <span role="gridcell" tabIndex={-1} class="description" title={row.description}>
        {row.simulated && <SimulatedTag />}
        {row.description || <span class="muted">no description</span>}
        {row.accession && <span class="muted"> · {row.accession}</span>}
      </span>
      <span role="gridcell" tabIndex={-1} class="number muted">
        {row.series_count}
      </span>
      <span role="gridcell" tabIndex={-1} class="received">
        <Received row={row} />
      </span>
      <span role="gridcell" tabIndex={-1} class="number muted">
        {sizeText(row.bytes)}
      </span>
      <span role="gridcell" tabIndex={-1} class="when muted">
        {ago(row.last_received, now)}
      </span>
      <span role="gridcell" tabIndex={-1} class="labels">
        {row.labels.map((label) => (
          <span key={label} class="label">
            {label}
          </span>
        ))}
      </span>
    </div>
  );
}

/** Shift and click marks all from the selected row to this one. */
function markTo(store: ArchiveStore, index: number): void {
  const from = Math.max(store.index.value, 0);
  const [first, last] = from < index ? [from, index] : [index, from];
  const uids = store.rows.value.slice(first, last + 1).map((r) => r.uid);
  store.marked.value = new Set([...store.marked.value, ...uids]);
}

function bornSex({ patient }: StudyRow): string {
  return [patient.sex, patient.birth_date.slice(0, 4)].filter(Boolean).join(' ');
}

function Glyph({ row, marked }: { row: StudyRow; marked: boolean }) {
  if (marked) return <Sign tone="marked-sign" glyph="✓" words="marked" />;
  if (row.conflicts > 0) return <Sign tone="urgent" glyph="≠" words={`${row.conflicts} in conflict`} />;
  if (completenessOf(row).tone === 'warning') return <Sign tone="warning" glyph="▲" words="incomplete" />;
  if (row.on_hold) return <Sign tone="muted" glyph="■" words="on hold" />;
  if (!row.settled) return <Sign tone="good" glyph="↓" words="arriving" />;
  return null;
}

function Sign({ tone, glyph, words }: { tone: string; glyph: string; words: string }) {
  return (
    <span class={tone} title={words}>
      <span aria-hidden="true">{glyph}</span>
      <span class="sr-only">{words}</span>
    </span>
  );
}

function Received({ row }: { row: StudyRow }) {
  const { tone, words } = completenessOf(row);
  if (row.expected === null) {
    return (
      <span title={row.settled ? undefined : words}>
        {row.instance_count}
        {tone === 'warning' && <span class="warning"> · {words}</span>}
      </span>
    );
  }
  return (
    <>
      <span class={tone === 'warning' ? 'warning' : ''}>
        {row.instance_count}
        <span class="muted">/{row.expected}</span>
      </span>
      {row.instance_count < row.expected && (
        <progress max={row.expected} value={row.instance_count} aria-label={words} />
      )}
    </>
  );
}

function Empty({ store }: { store: ArchiveStore }) {
  const state = store.state.value;
  if (state === 'failed' || state === 'forbidden') {
    return (
      <Trouble
        what="the archive"
        state={state}
        problem={store.problem.value}
        retry={() => {
          store.state.value = 'loading';
          void store.load(true);
        }}
      />
    );
  }
  if (store.rows.value.length > 0) return null;
  if (state === 'loading') return <SkeletonRows rows={20} />;
  const { text, ...filters } = store.filter.value;
  const narrowed = Object.values(filters).some(Boolean);
  if (text || narrowed) {
    return (
      <div class="empty">
        <p>No study matches.</p>
        <p class="muted">
          {text ? 'Names match from any place in them, with small differences of spelling.' : ''}{' '}
          {narrowed ? 'Filters narrow the search.' : ''}
        </p>
        {narrowed && (
          <Button onClick={() => store.setFilter({ ...EVERYTHING, text })}>Clear the filters</Button>
        )}
      </div>
    );
  }
  return (
    <div class="empty">
      <p>The archive is empty.</p>
      <p class="muted">Studies come by DICOM and DICOMweb, or drag files, folders and ZIPs here.</p>
      {can('archive.store') && (
        <Button kind="primary" keys="u" onClick={() => chooseFiles('files')}>
          Upload files
        </Button>
      )}
    </div>
  );
}
