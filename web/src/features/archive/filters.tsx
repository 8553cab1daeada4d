/** Narrow the list: how a study stands, modality, days, label. */
import { day, dicomDate, isoDate } from '../../ui/format';
import { Button } from '../../ui/primitives';
import { type ArchiveStore, dayOf, daysBack, EVERYTHING, type Filter } from './store';

const STATES: readonly (readonly [Filter['state'], string])[] = [
  ['', 'All'],
  ['arriving', 'Arriving'],
  ['incomplete', 'Incomplete'],
  ['held', 'On hold'],
];

export function Filters({ store }: { store: ArchiveStore }) {
  const filter = store.filter.value;
  const { state, modality, label } = filter;
  const narrowed = Object.entries(filter).some(([name, value]) => name !== 'text' && value !== '');
  const modalities = [...new Set([...store.modalities.value, ...(modality ? [modality] : [])])].sort();
  return (
    <div class="filters" role="search" aria-label="Filters">
      <div class="chips" role="group" aria-label="State">
        {STATES.map(([value, words]) => (
          <Chip key={value} on={state === value} act={() => store.setFilter({ state: value })}>
            {words}
          </Chip>
        ))}
      </div>
      <div class="chips" role="group" aria-label="Modality">
        {modalities.map((m) => (
          <Chip
            key={m}
            on={modality === m}
            act={() => store.setFilter({ modality: modality === m ? '' : m })}
          >
            {m}
          </Chip>
        ))}
      </div>
      <Days store={store} />
      {(store.labels.value.length > 0 || label) && (
        <select
          class="field"
          aria-label="Label"
          value={label}
          onChange={(e) => store.setFilter({ label: e.currentTarget.value })}
        >
          <option value="">Any label</option>
          {[...new Set([...store.labels.value, ...(label ? [label] : [])])].map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
      {narrowed && (
        <Button
          kind="quiet"
          icon="cross"
          onClick={() => store.setFilter({ ...EVERYTHING, text: filter.text })}
        >
          Clear filters
        </Button>
      )}
    </div>
  );
}

function Chip({ on, act, children }: { on: boolean; act: () => void; children: string }) {
  return (
    <button type="button" class="chip" aria-pressed={on} onClick={act}>
      {children}
    </button>
  );
}

function Days({ store }: { store: ArchiveStore }) {
  const { since, until } = store.filter.value;
  const spans = [
    ['Today', daysBack(1, new Date())],
    ['7 days', daysBack(7, new Date())],
  ] as const;
  const custom = (since || until) && !spans.some(([, s]) => s.since === since && s.until === until);
  const words = custom
    ? [since && day(since), until && day(until)].map((d) => d || '…').join(' – ')
    : 'Dates';
  return (
    <div class="chips" role="group" aria-label="Study date">
      {spans.map(([name, wanted]) => {
        const on = since === wanted.since && until === wanted.until;
        return (
          <Chip key={name} on={on} act={() => store.setFilter(on ? { since: '', until: '' } : wanted)}>
            {name}
          </Chip>
        );
      })}
      <button
        type="button"
        class="chip"
        aria-pressed={Boolean(custom)}
        popoverTarget="archive-days"
        aria-label={`Study dates: ${words}`}
      >
        {words}
      </button>
      <div id="archive-days" class="popover days" popover="auto">
        <label>
          From
          <input
            class="field"
            type="date"
            value={isoDate(since)}
            max={isoDate(until || dayOf(new Date()))}
            onChange={(e) => store.setFilter({ since: dicomDate(e.currentTarget.value) })}
          />
        </label>
        <label>
          Up to
          <input
            class="field"
            type="date"
            value={isoDate(until)}
            min={isoDate(since)}
            onChange={(e) => store.setFilter({ until: dicomDate(e.currentTarget.value) })}
          />
        </label>
        <Button onClick={() => store.setFilter({ since: '', until: '' })}>Any date</Button>
      </div>
    </div>
  );
}
