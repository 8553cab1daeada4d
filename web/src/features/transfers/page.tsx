/** What is on its way: sent, retrieved, migrated; with the rules and the servers it goes by. */
import { useState } from 'preact/hooks';
import { get, post } from '../../api';
import { archive, type Page, type Transfer, type TransferState } from '../../api/archive';
import { Frame } from '../../app/frame';
import { pathTo } from '../../app/router';
import { can } from '../../app/session';
import { grouped, left, percent, sizeText } from '../../ui/amounts';
import { count, moment } from '../../ui/format';
import { useLoaded } from '../../ui/load';
import { Button } from '../../ui/primitives';
import { Nothing, Whole } from '../../ui/states';
import { tell, tellError } from '../../ui/toasts';
import '../archive/archive.css';
import { Failures, StartDialog } from './report';
import { Rules, Servers } from './rules';

const EVERY_MS = 2000;

const STATES: readonly (readonly [TransferState | '', string])[] = [
  ['', 'All'],
  ['running', 'Running'],
  ['waiting', 'Waiting'],
  ['failed', 'Failed'],
  ['done', 'Done'],
  ['cancelled', 'Cancelled'],
];

const EMPTY: Readonly<Record<TransferState | '', string>> = {
  '': 'Nothing was sent or fetched yet.',
  running: 'Nothing is in flight.',
  waiting: 'Nothing waits.',
  failed: 'Nothing failed.',
  done: 'Nothing is done yet.',
  cancelled: 'Nothing was cancelled.',
};

type View = 'transfers' | 'rules' | 'servers';

const VIEWS: readonly (readonly [View, string])[] = [
  ['transfers', 'Transfers'],
  ['rules', 'Rules'],
  ['servers', 'DICOMweb servers'],
];

export function TransfersPage() {
  const [view, setView] = useState<View>('transfers');
  return (
    <Frame title="Transfers">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <main class="sheet" tabIndex={0}>
        <div class="chips" role="group" aria-label="What to show">
          {VIEWS.map(([value, words]) => (
            <button
              type="button"
              key={value}
              class="chip"
              aria-pressed={view === value}
              onClick={() => setView(value)}
            >
              {words}
            </button>
          ))}
        </div>
        {view === 'transfers' && <Transfers />}
        {view === 'rules' && <Rules />}
        {view === 'servers' && <Servers />}
      </main>
    </Frame>
  );
}

function Transfers() {
  const [starting, start] = useState(false);
  const [asked, ask] = useState<Transfer | null>(null);
  const [state, setState] = useState<TransferState | ''>('');
  const loaded = useLoaded(
    (signal) => get<Page<Transfer>>(archive.transfers(state, null), signal),
    state,
    EVERY_MS,
  );
  const act = async (transfer: Transfer, what: 'retry' | 'cancel') => {
    try {
      await post(archive.transfer(transfer.id, what));
      tell(what === 'retry' ? 'It goes on.' : 'Cancelled. What arrived already stays there.');
      await loaded.reload();
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <>
      <div class="chips" role="group" aria-label="State">
        {STATES.map(([value, words]) => (
          <button
            type="button"
            key={value}
            class="chip"
            aria-pressed={state === value}
            onClick={() => setState(value)}
          >
            {words}
          </button>
        ))}
        <span class="spacer" />
        {can('archive.store') && can('peer.read') && (
          <Button onClick={() => start(true)}>Take over from another archive</Button>
        )}
      </div>
      <Whole loaded={loaded} what="transfers">
        {({ items }) =>
          items.length === 0 ? (
            <Nothing title={EMPTY[state]}>
              <p>Send studies from the archive with S, or add a rule that sends them by itself.</p>
            </Nothing>
          ) : (
            <>
              <Flow items={items} />
              <TransferTable items={items} act={act} ask={ask} />
            </>
          )
        }
      </Whole>
      {starting && <StartDialog onClose={() => start(false)} reload={loaded.reload} />}
      {asked && <Failures transfer={asked} onClose={() => ask(null)} />}
    </>
  );
}

/** What goes over the wires at this moment, in one line. */
function Flow({ items }: { items: readonly Transfer[] }) {
  const running = items.filter((t) => t.state === 'running');
  const failed = items.filter((t) => t.state === 'failed').length;
  const rate = running.reduce((n, t) => n + (t.kind === 'migrate' ? 0 : (t.rate_per_s ?? 0)), 0);
  return (
    <p role="status" aria-live="polite">
      {running.length === 0 ? 'Nothing is in flight.' : `${count(running.length, 'transfer')} in flight`}
      {rate > 0 && <span class="muted"> · {rateText(rate)}</span>}
      {failed > 0 && <span class="urgent"> · ✕ {failed} failed</span>}
    </p>
  );
}

interface TableProps {
  items: readonly Transfer[];
  act: (transfer: Transfer, what: 'retry' | 'cancel') => Promise<void>;
  ask: (transfer: Transfer) => void;
}

function TransferTable({ items, act, ask }: TableProps) {
  return (
    <table class="plain wide">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">State</th>
          <th scope="col">Progress</th>
          <th scope="col" class="number">
            Rate
          </th>
          <th scope="col">Left</th>
          <th scope="col">Since</th>
          <th scope="col">
            <span class="sr-only">What to do</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((t) => (
          <tr key={t.id}>
            <th scope="row">
              <span aria-hidden="true">{t.kind === 'send' ? '→' : '←'}</span> {KINDS[t.kind]} <b>{t.peer}</b>{' '}
              {t.study_uid && (
                <a class="linked" href={pathTo.held(t.study_uid)}>
                  study
                </a>
              )}
            </th>
            <td>
              <StateWord transfer={t} />
              {(t.kind === 'migrate' || t.failed > 0 || differing(t) > 0) && (
                <Button kind="quiet" label={`${reportWord(t)}, ${t.peer}`} onClick={() => ask(t)}>
                  {reportWord(t)}
                </Button>
              )}
            </td>
            <td>
              <Progress transfer={t} />
            </td>
            <td class="number muted">
              {t.state === 'running' && t.rate_per_s ? rateText(t.rate_per_s, t.kind) : ''}
            </td>
            <td class="muted">{leftOf(t)}</td>
            <td class="muted">{moment(t.ended_at ?? t.started_at ?? t.created_at)}</td>
            <td class="end">
              {can(t.kind === 'send' ? 'archive.export' : 'archive.store') &&
                ['failed', 'cancelled'].includes(t.state) && (
                  <Button label={`Retry: to ${t.peer}`} onClick={() => void act(t, 'retry')}>
                    Retry
                  </Button>
                )}
              {can(t.kind === 'send' ? 'archive.export' : 'archive.store') &&
                ['waiting', 'running'].includes(t.state) && (
                  <Button kind="quiet" label={`Cancel: to ${t.peer}`} onClick={() => void act(t, 'cancel')}>
                    Cancel
                  </Button>
                )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const reportWord = (t: Transfer): string => (t.kind === 'migrate' ? 'report' : 'which');

const KINDS: Readonly<Record<Transfer['kind'], string>> = {
  send: 'to',
  retrieve: 'from',
  migrate: 'migration from',
  import: 'import from',
};

const TONES: Readonly<Record<TransferState, readonly [tone: string, glyph: string]>> = {
  waiting: ['muted', ''],
  running: ['', ''],
  done: ['good', '✓ '],
  failed: ['urgent', '✕ '],
  cancelled: ['muted', ''],
};

function StateWord({ transfer: t }: { transfer: Transfer }) {
  const [tone, glyph] = TONES[t.state];
  const differences = differing(t);
  return (
    <>
      <span class={tone}>
        {glyph}
        {t.state}
      </span>
      {t.rule && <span class="muted"> · by rule {t.rule}</span>}
      {t.attempts > 1 && <span class="muted"> · attempt {t.attempts}</span>}
      {t.failed > 0 && <span class="urgent"> · {t.failed} not taken</span>}
      {differences > 0 && <span class="warning"> · ▲ {count(differences, 'difference')}</span>}
      {t.error && t.state !== 'cancelled' && (
        <small class={t.state === 'failed' ? 'urgent' : 'muted'}>{t.error}</small>
      )}
    </>
  );
}

function Progress({ transfer: t }: { transfer: Transfer }) {
  const unit = t.kind === 'migrate' ? 'studies' : 'objects';
  const words = t.total > 0 ? `${grouped(t.done)} of ${grouped(t.total)} ${unit}` : '';
  return (
    <span class="progress">
      {t.total > 0 && t.state !== 'done' && (
        <progress max={t.total} value={t.done} aria-label={`${percent(t.done, t.total)} per cent`} />
      )}
      <span>
        {words} {t.bytes > 0 && <span class="muted">{sizeText(t.bytes)}</span>}
      </span>
    </span>
  );
}

/** A migration counts studies, everything else objects. */
const rateText = (perSecond: number, kind?: Transfer['kind']): string => {
  const unit = kind === 'migrate' ? 'studies' : 'objects';
  return `${perSecond >= 10 ? Math.round(perSecond) : perSecond.toFixed(1)} ${unit}/s`;
};

/** How many objects the two sides do not have in common. */
export function differing({ differences }: Pick<Transfer, 'differences'>): number {
  const of = (name: string) => Number(differences?.[name] ?? 0) || 0;
  return of('missing') + of('extra') + of('conflicting');
}

export function leftOf(t: Pick<Transfer, 'state' | 'total' | 'done' | 'failed' | 'rate_per_s'>): string {
  if (t.state !== 'running' || t.total === 0 || !t.rate_per_s) return '';
  return left((t.total - t.done - t.failed) / t.rate_per_s);
}
