/** The archive: find a study while typing, see what is known of it, put right what is wrong with it. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Frame } from '../../app/frame';
import { navigate, pathTo, route } from '../../app/router';
import { can } from '../../app/session';
import { grouped } from '../../ui/amounts';
import { count } from '../../ui/format';
import { type Action, offer } from '../../ui/keys';
import { Button, Kbd } from '../../ui/primitives';
import { Acts, type Asking } from './acts';
import './archive.css';
import { Detail } from './detail';
import { chooseFiles, DropArea } from './drop';
import { Filters } from './filters';
import { ArchiveStore } from './store';
import { StudyTable } from './table';
import { uploads } from './uploads';

const HINTS = [
  ['ArrowUp ArrowDown', 'move'],
  ['Enter', 'open'],
  ['Space', 'mark'],
  ['e', 'correct'],
  ['r', 'reject'],
  ['s', 'send'],
  ['Delete', 'trash'],
  ['Ctrl-k', 'anything'],
] as const;

export function ArchivePage() {
  const store = useMemo(() => new ArchiveStore(), []);
  const acts = useMemo(() => new Acts(store), [store]);
  const here = route.value;
  const study = here.page === 'archive' ? here.study : null;
  useEffect(() => {
    store.start(study);
    uploads.onDone(() => store.loadSoon());
    return () => {
      uploads.onDone(null);
      store.close();
    };
  }, [store]);
  useEffect(() => {
    if (study) store.show(study);
  }, [store, study]);
  useEffect(() => offer('archive', actionsOf(store, acts)), [store, acts]);
  return (
    <Frame
      title="Archive"
      class={`archive ${store.panel.value ? 'show-detail' : ''}`}
      tools={<Search store={store} />}
      hints={HINTS}
      foot={<Counts store={store} />}
    >
      <DropArea>
        <Filters store={store} />
        <main class="archive-list" aria-label="Studies held">
          <Marked store={store} acts={acts} />
          <StudyTable store={store} />
        </main>
      </DropArea>
      <Detail store={store} acts={acts} />
      <acts.Dialogs />
    </Frame>
  );
}

function actionsOf(store: ArchiveStore, acts: Acts): Action[] {
  const action = (
    id: string,
    label: string,
    keys: string[],
    run: () => void,
    when: () => boolean = () => true,
  ): Action => ({ id: `archive-${id}`, label, keys, group: 'Archive', run, when });
  const ask = (asking: Asking) => () => acts.ask(asking);
  const some = () => store.chosen.length > 0;
  const one = () => store.selectedRow !== null;
  return [
    action('down', 'Next study', ['ArrowDown'], () => store.step(1)),
    action('up', 'Previous study', ['ArrowUp'], () => store.step(-1)),
    action('mark-down', 'Mark and go down', ['Shift-ArrowDown'], () => store.step(1, true)),
    action('mark-up', 'Mark and go up', ['Shift-ArrowUp'], () => store.step(-1, true)),
    action('page-down', 'Twenty studies on', ['PageDown'], () => store.step(20)),
    action('page-up', 'Twenty studies back', ['PageUp'], () => store.step(-20)),
    action('first', 'First study', ['Home'], () => store.step(-store.rows.value.length)),
    action('last', 'Last study loaded', ['End'], () => store.step(store.rows.value.length)),
    action('search', 'Search', ['/'], () => document.getElementById('archive-search')?.focus()),
    action('open', 'Open in the viewer', ['Enter'], () => {
      const row = store.selectedRow;
      if (row) navigate(pathTo.study(row.uid));
    }),
    action('panel', 'Show or hide what is known', ['i'], () => {
      store.panel.value = !store.panel.value;
    }),
    action('mark', 'Mark the study, or unmark it', ['Space'], () => {
      if (store.selected.value) store.mark(store.selected.value);
    }),
    action(
      'unmark',
      'Unmark all',
      ['Escape'],
      () => store.unmark(),
      () => store.marked.value.size > 0,
    ),
    action('correct', 'Correct the study', ['e'], ask('edit'), () => one() && can('archive.correct')),
    action('move', 'Move to another patient', ['m'], ask('move'), () => one() && can('archive.correct')),
    action(
      'merge',
      'Merge the patient with another',
      ['g'],
      ask('merge'),
      () => one() && can('archive.correct'),
    ),
    action(
      'split',
      'Split series into a study of their own',
      ['p'],
      ask('split'),
      () => one() && can('archive.correct'),
    ),
    action('reject', 'Reject with a reason', ['r'], ask('reject'), () => one() && can('archive.reject')),
    action('trash', 'Put into the trash', ['Delete'], ask('trash'), () => some() && can('archive.delete')),
    action('label', 'Label', ['l'], ask('label'), () => some() && can('archive.label')),
    action('hold', 'Put on hold, or lift the hold', ['h'], ask('hold'), () => some() && can('archive.hold')),
    action('send', 'Send to a peer or server', ['s'], ask('send'), () => some() && can('archive.export')),
    action('download', 'Download', ['d'], ask('download'), () => one() && can('archive.export')),
    action(
      'complete',
      'Mark as complete',
      ['k'],
      () => void acts.complete(),
      () => one() && can('archive.correct'),
    ),
    action(
      'upload',
      'Upload files',
      ['u'],
      () => chooseFiles('files'),
      () => can('archive.store'),
    ),
    action(
      'upload-folder',
      'Upload a folder',
      ['U'],
      () => chooseFiles('folder'),
      () => can('archive.store'),
    ),
    action(
      'undo-correction',
      'Undo the last correction of the study',
      [],
      () => void acts.undoLastCorrection(),
      () => acts.lastCorrection !== null && can('archive.correct'),
    ),
  ];
}

function Search({ store }: { store: ArchiveStore }) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <label class="search">
        <span class="sr-only">Search the archive by name, patient ID, accession number or description</span>
        <input
          id="archive-search"
          ref={field}
          class="field"
          type="search"
          placeholder="Name, ID, accession, description"
          autocomplete="off"
          spellcheck={false}
          onInput={(e) => store.type(e.currentTarget.value)}
          onKeyDown={(e) => {
            const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
            if (by) {
              e.preventDefault();
              store.step(by);
            } else if (e.key === 'Enter') {
              e.preventDefault();
              document.getElementById('archive-table')?.focus();
            } else if (e.key === 'Escape') e.currentTarget.blur();
          }}
        />
        <Kbd keys="/" />
      </label>
      {can('archive.store') && (
        <Button icon="up" keys="u" onClick={() => chooseFiles('files')}>
          Upload
        </Button>
      )}
    </>
  );
}

/** What was marked, and what can be done with all of it at once. */
function Marked({ store, acts }: { store: ArchiveStore; acts: Acts }) {
  const n = store.marked.value.size;
  if (n === 0) return null;
  return (
    <div class="marked" role="region" aria-label="Marked studies">
      <strong role="status">{count(n, 'study', 'studies')} marked</strong>
      {can('archive.export') && (
        <Button keys="s" onClick={() => acts.ask('send')}>
          Send
        </Button>
      )}
      {can('archive.label') && (
        <Button keys="l" onClick={() => acts.ask('label')}>
          Label
        </Button>
      )}
      {can('archive.hold') && (
        <Button keys="h" onClick={() => acts.ask('hold')}>
          Hold
        </Button>
      )}
      {can('archive.delete') && (
        <Button keys="Delete" onClick={() => acts.ask('trash')}>
          Trash
        </Button>
      )}
      <Button kind="quiet" keys="Escape" onClick={() => store.unmark()}>
        Unmark
      </Button>
    </div>
  );
}

function Counts({ store }: { store: ArchiveStore }) {
  if (store.state.value !== 'ready') return null;
  const shown = store.rows.value.length;
  const total = store.total.value ?? (store.beyond.value ? null : shown);
  return (
    <span role="status" aria-live="polite">
      {store.searching.value
        ? 'Searching'
        : total === null
          ? `${grouped(shown)} studies loaded, and more`
          : total === 1
            ? '1 study'
            : `${grouped(total)} studies`}
    </span>
  );
}
