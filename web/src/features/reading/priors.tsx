/** The priors of a study: those that are here with the reason of their rank, and those that other archives hold. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { api, get, type PriorElsewhere, type PriorsElsewhere, post, type Reading } from '../../api';
import { can } from '../../app/session';
import { count, day } from '../../ui/format';
import { Button, Notice } from '../../ui/primitives';
import { tell, tellError } from '../../ui/toasts';
import type { ReadingStore } from './store';
import './priors.css';

const EVERY_MS = 3000;

const isMoving = (known: PriorsElsewhere): boolean =>
  known.items.some((one) => one.under_way) || known.sources.some((one) => one.state === 'waiting');

const heldOf = (known: PriorsElsewhere | null): readonly string[] =>
  known?.items.filter((one) => one.state === 'held').map((one) => one.study_uid) ?? [];

/** What other archives told of this study's priors; they are asked once when it is opened. */
function useElsewhere(study: string, onCome: () => void) {
  const [known, setKnown] = useState<PriorsElsewhere | null>(null);
  const last = useRef<PriorsElsewhere | null>(null);
  const come = useRef(onCome);
  come.current = onCome;
  const show = useCallback((next: PriorsElsewhere) => {
    const before = last.current;
    last.current = next;
    setKnown(next);
    if (before && heldOf(next).some((uid) => !heldOf(before).includes(uid))) come.current();
  }, []);
  useEffect(() => {
    last.current = null;
    setKnown(null);
    const leaving = new AbortController();
    // Who may not ask, or a study that is gone: then nothing is said of other archives.
    post<PriorsElsewhere>(api.priorSearch(study), { trigger: 'opening' })
      .then((next) => !leaving.signal.aborted && show(next))
      .catch(() => {});
    return () => leaving.abort();
  }, [study, show]);
  const moving = known !== null && isMoving(known);
  useEffect(() => {
    if (!moving) return;
    const leaving = new AbortController();
    const ask = () =>
      get<PriorsElsewhere>(api.priorsElsewhere(study), leaving.signal)
        .then(show)
        .catch(() => {}); // the next one may be answered
    const timer = setInterval(() => !document.hidden && void ask(), EVERY_MS);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, [study, moving, show]);
  return { known, show };
}

export function Priors({ reading, store }: { reading: Reading; store: ReadingStore }) {
  const { known, show } = useElsewhere(reading.study.uid, () => {
    tell('A prior has come from another archive. It is in the list of priors.');
    void store.refreshPriors();
  });
  const text = known?.text ?? '';
  const troubled = /person|not/.test(text);
  return (
    <>
      <button
        type="button"
        id="priors"
        class={`verdict ${troubled ? 'warning' : 'muted'}`}
        popovertarget="priors-list"
        title="Priors, and why each ranks where it does (Alt P)"
      >
        {count(reading.priors.length, 'prior')}
        {text && ` · ${text}`}
      </button>
      <span class="sr-only" role="status">
        {text}
      </span>
      <div id="priors-list" class="popover priors-list" popover="auto">
        <Here reading={reading} store={store} />
        {known && (known.sources.length > 0 || known.items.length > 0) && (
          <Elsewhere study={reading.study.uid} known={known} show={show} />
        )}
      </div>
    </>
  );
}

function Here({ reading, store }: { reading: Reading; store: ReadingStore }) {
  const shown = store.priorStudy.value?.uid;
  if (reading.priors.length === 0) return <p class="muted">No earlier study here bears on this one.</p>;
  return (
    <ol class="ranked" aria-label="Priors held here, best first">
      {reading.priors.map((prior, rank) => (
        <li key={prior.study_uid}>
          <button
            type="button"
            autofocus={rank === 0}
            aria-current={prior.study_uid === shown ? 'true' : undefined}
            onClick={() => {
              document.getElementById('priors-list')?.hidePopover();
              void store.compare(prior.study_uid);
            }}
          >
            <span class="date">{day(prior.date)}</span> <bdi>{prior.exam}</bdi>{' '}
            <span class="muted why">{prior.why}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

interface ElsewhereProps {
  study: string;
  known: PriorsElsewhere;
  show: (known: PriorsElsewhere) => void;
}

function Elsewhere({ study, known, show }: ElsewhereProps) {
  const act = async (path: string, body?: unknown) => {
    try {
      show(await post<PriorsElsewhere>(path, body));
    } catch (error) {
      tellError(error);
    }
  };
  const silent = known.sources.filter((one) => one.error);
  return (
    <section aria-label="Priors in other archives">
      <div class="elsewhere-head">
        <h2>In other archives</h2>
        <Button kind="quiet" onClick={() => void act(api.priorSearch(study), { trigger: 'person' })}>
          Ask again
        </Button>
      </div>
      {silent.map((one) => (
        <Notice key={one.source} tone="warning" title={`${one.source} has not answered.`}>
          <p>
            {one.error}{' '}
            {one.state === 'waiting' ? 'It is asked again by itself.' : 'It is not asked again by itself.'}
          </p>
        </Notice>
      ))}
      {known.items.length === 0 && <p class="muted">They told of no earlier study.</p>}
      <ul class="told">
        {known.items.map((one) => (
          <Told
            key={`${one.source} ${one.study_uid}`}
            one={one}
            act={(what) => act(api.prior(study, one.study_uid, what))}
          />
        ))}
      </ul>
    </section>
  );
}

const WORDS = {
  coming: 'coming',
  held: 'here',
  left: 'not fetched',
  doubtful: 'needs a person',
  dismissed: 'not this patient',
} as const;

function Told({ one, act }: { one: PriorElsewhere; act: (what: 'take' | 'dismiss') => void }) {
  const lost = one.state === 'coming' && !one.under_way;
  const decidable = can('archive.correct') && (lost || one.state === 'left' || one.state === 'doubtful');
  const exam = one.exam || one.modality || 'study without a description';
  // What is here stands in the list above, with its reason.
  const reason = [one.reason, one.state === 'held' ? '' : one.why, one.error].filter(Boolean).join(' · ');
  return (
    <li class={one.state}>
      <span class="date">{day(one.date)}</span> <bdi>{exam}</bdi> <span class="muted">{one.source}</span>{' '}
      <span class={one.state === 'doubtful' || lost ? 'warning' : 'muted'}>
        {lost ? 'did not come' : WORDS[one.state]}
        {one.under_way && one.total > 0 && ` ${one.done} of ${count(one.total, 'image')}`}
      </span>
      {reason && <span class="muted why">{reason}</span>}
      {one.state === 'doubtful' && (
        <span class="why">
          There: <bdi>{one.patient.name}</bdi>, born {day(one.patient.birth_date) || 'not stated'}, sex{' '}
          {one.patient.sex || 'not stated'}, ID {one.patient.patient_id}
          {one.patient.issuer ? ` of ${one.patient.issuer}` : ', issuer not stated'}
        </span>
      )}
      {decidable && (
        <span class="decide">
          <Button
            kind="quiet"
            label={`${one.state === 'doubtful' ? 'Take' : 'Fetch'} ${exam}`}
            onClick={() => act('take')}
          >
            {one.state === 'doubtful' ? 'Take for this patient' : 'Fetch'}
          </Button>
          {one.state === 'doubtful' && (
            <Button kind="quiet" label={`Not this patient: ${exam}`} onClick={() => act('dismiss')}>
              Not this patient
            </Button>
          )}
        </span>
      )}
    </li>
  );
}
