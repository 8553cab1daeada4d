/** The priors of a study that other archives hold: who told of them, what becomes of each, and what a person decides. */
import { api, type PriorElsewhere, type PriorsElsewhere, post } from '../../api';
import { can } from '../../app/session';
import { count, day } from '../../ui/format';
import { Button, Notice } from '../../ui/primitives';
import { tellError } from '../../ui/toasts';
import './elsewhere.css';

interface ElsewhereProps {
  study: string;
  known: PriorsElsewhere;
  show: (known: PriorsElsewhere) => void;
}

export function Elsewhere({ study, known, show }: ElsewhereProps) {
  const act = async (path: string, body?: unknown) => {
    try {
      show(await post<PriorsElsewhere>(path, body));
    } catch (error) {
      tellError(error);
    }
  };
  const silent = known.sources.filter((one) => one.error);
  return (
    <section class="elsewhere" aria-label="Priors in other archives">
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
      {known.items.length === 0 && known.sources.some((one) => one.state === 'answered') && (
        <p class="muted">They told of no earlier study.</p>
      )}
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
