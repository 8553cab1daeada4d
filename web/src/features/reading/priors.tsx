/** The priors of a study: those that are here with the reason of their rank, and those that other archives hold. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { api, get, type PriorsElsewhere, post, type Reading } from '../../api';
import { count, day } from '../../ui/format';
import { tell } from '../../ui/toasts';
import { Elsewhere } from '../priors/elsewhere';
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
  const troubled = /person|not|error/.test(text);
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
