/** Tumour response of a patient: the table, why each category, the plots; every change is kept and can be undone. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { api, download, get, type Plan, post, put, type ResponseView } from '../../api';
import { Foot } from '../../app/frame';
import { pathTo } from '../../app/router';
import { can } from '../../app/session';
import { count, moment, sexAge } from '../../ui/format';
import { type Action, offer } from '../../ui/keys';
import { Button, Notice, SimulatedTag, Skeleton } from '../../ui/primitives';
import { tell, tellError } from '../../ui/toasts';
import { CourseDialog, PointDialog } from './course';
import { CellDialog, LesionDialog } from './editing';
import { pointsOf, withoutOffer } from './plan';
import { Plots } from './plots';
import { Reasons } from './reasons';
import './response.css';
import { type Place, ResponseTable } from './table';

const HINTS = [
  ['ArrowUp ArrowDown ArrowLeft ArrowRight', 'move'],
  ['Enter', 'open'],
  ['[ ]', 'criterion'],
] as const;

type Open = Place | { kind: 'course' } | { kind: 'new' } | null;

export function ResponsePage({ patient }: { patient: string }) {
  const kept = useResponse(patient);
  const { shown, problem } = kept;
  const [open, setOpen] = useState<Open>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  useEffect(() => {
    document.title = 'Response · Sightline';
  }, []);
  const openPlace = useCallback((place: Place) => {
    if (place.kind === 'category') setChosen(place.at);
    else if (can('response.edit')) setOpen(place);
    else tell('Only who may set up a response can change it.');
  }, []);
  useActions(kept, setOpen);
  return (
    <div class="response">
      <Head kept={kept} onCourse={() => setOpen({ kind: 'course' })} />
      <main>
        {problem && (
          <Notice tone={shown ? 'warning' : 'error'} title={shown ? '' : 'The response cannot be shown.'}>
            <p>{problem}</p>
          </Notice>
        )}
        {!shown && !problem && <Skeleton lines={10} />}
        {shown && pointsOf(shown.plan).length === 0 && <Nothing shown={shown} />}
        {shown && pointsOf(shown.plan).length > 0 && (
          <>
            <Proposed kept={kept} shown={shown} />
            <ResponseTable
              shown={shown}
              chosen={chosen ?? shown.points.at(-1)?.study_uid ?? null}
              onOpen={openPlace}
            />
            {shown.lesions.some((one) => one.cells.some((cell) => cell.values.some((v) => v.assumed))) && (
              <p class="small muted">
                <span class="assumed">± dotted</span>: no interval of this measurement;{' '}
                {shown.assumed_interval}.
              </p>
            )}
            <div class="below">
              <Reasons shown={shown} at={chosen} />
              <Plots shown={shown} />
            </div>
          </>
        )}
      </main>
      <Foot hints={HINTS}>
        {shown?.changed_by && `kept by ${shown.changed_by}, ${moment(shown.changed_at)} · `}
        Draft. A reader decides.
      </Foot>
      {shown && <Dialogs kept={kept} shown={shown} open={open} onClose={() => setOpen(null)} />}
    </div>
  );
}

interface Kept {
  shown: ResponseView | null;
  problem: string | null;
  /** Look at it by another criterion, without keeping that. */
  judge: (criterion: string) => void;
  keep: (plan: Plan, done: string) => Promise<void>;
  undo: () => Promise<void>;
  redo: () => Promise<void>;
}

/** The response of a patient; what was shown stays while the next is on its way, and late answers are dropped. */
function useResponse(patient: string): Kept {
  const [shown, show] = useState<ResponseView | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const turn = useRef(0);
  const undone = useRef<Plan[]>([]);
  const run = useCallback(async (ask: () => Promise<ResponseView>) => {
    const mine = ++turn.current;
    const answer = await ask();
    if (mine !== turn.current) return;
    show(answer);
    setProblem(null);
  }, []);
  const path = api.response(patient);
  useEffect(() => {
    show(null);
    undone.current = [];
    run(() => get(path)).catch((error: Error) => setProblem(error.message));
  }, [path, run]);
  const write = async (ask: () => Promise<ResponseView>, done: string, criterion: string | null) => {
    await run(async () => {
      const answer = await ask();
      return criterion && criterion !== answer.criterion.name
        ? get(api.response(patient, criterion))
        : answer;
    });
    tell(done);
  };
  const version = shown?.version ?? 0;
  const looking = shown?.criterion.name ?? null;
  return {
    shown,
    problem,
    judge: (criterion) => {
      run(() => get(api.response(patient, criterion))).catch(tellError);
    },
    keep: async (plan, done) => {
      await write(
        () => put(path, { version, plan }),
        done,
        plan.criterion === shown?.plan.criterion ? looking : null,
      );
      undone.current = [];
    },
    undo: async () => {
      if (!shown?.can_undo) return tell('There is nothing to undo.');
      const before = shown.plan;
      await write(() => post(`${path}/undoing`, { version }), 'Undone', null);
      undone.current.push(before);
    },
    redo: async () => {
      const plan = undone.current.pop();
      if (!plan) return tell('There is nothing to redo.');
      await write(() => put(path, { version, plan }), 'Done again', null);
    },
  };
}

/** Keys of the page; the latest state is read when one is pressed. */
function useActions(kept: Kept, setOpen: (open: Open) => void): void {
  const latest = useRef(kept);
  latest.current = kept;
  useEffect(() => {
    const mine = () => can('response.edit') && latest.current.shown !== null;
    const act = (id: string, label: string, keys: string[], run: () => unknown, when = mine): Action => ({
      id: `response-${id}`,
      label,
      keys,
      group: 'Response',
      when,
      run: () => void Promise.resolve(run()).catch(tellError),
    });
    const loaded = () => latest.current.shown !== null;
    return offer('response', [
      act('undo', 'Undo the last change', ['Ctrl-z'], () => latest.current.undo()),
      act('redo', 'Do it again', ['Ctrl-Shift-z'], () => latest.current.redo()),
      act('keep', 'Keep what is proposed', ['a'], () => keepProposed(latest.current)),
      act('course', 'Treatment, protocol, time points', ['t'], () => setOpen({ kind: 'course' })),
      act('new', 'Add a lesion', ['n'], () => setOpen({ kind: 'new' })),
      act('next', 'Next criterion', [']'], () => turn(latest.current, 1), loaded),
      act('previous', 'Previous criterion', ['['], () => turn(latest.current, -1), loaded),
      ...EXPORTS.map(([name, label]) =>
        act(
          `export-${name}`,
          `Export ${label}`,
          [],
          () => exportAs(latest.current, name),
          () => latest.current.shown?.kept ?? false,
        ),
      ),
    ]);
  }, [setOpen]);
}

function turn(kept: Kept, step: number): void {
  const { shown } = kept;
  if (!shown) return;
  const names = shown.criteria.map((one) => one.name);
  const at = names.indexOf(shown.criterion.name) + step;
  const next = names[(at + names.length) % names.length];
  if (next) kept.judge(next);
}

async function keepProposed(kept: Kept): Promise<void> {
  const { shown } = kept;
  if (!shown) return;
  if (!shown.kept) await kept.keep(shown.plan, 'Kept');
  else if (shown.proposal) await kept.keep(shown.proposal, 'Added');
  else tell('Nothing is proposed.');
}

const EXPORTS = [
  ['table', 'CSV', 'text/csv', 'csv'],
  ['fhir', 'FHIR', 'application/fhir+json', 'fhir.json'],
  ['sr', 'DICOM SR', 'application/dicom', 'dcm'],
] as const;

async function exportAs(kept: Kept, name: string): Promise<void> {
  const found = EXPORTS.find(([one]) => one === name);
  if (!kept.shown || !found) return;
  const [kind, , media, ending] = found;
  const address = `${api.response(kept.shown.patient.id)}/${kind}?criterion=${kept.shown.criterion.name}`;
  await download(address, media, `tumour-response-draft.${ending}`);
}

function Head({ kept, onCourse }: { kept: Kept; onCourse: () => void }) {
  const { shown } = kept;
  const mine = can('response.edit');
  return (
    <header class="bar top">
      <a class="brand" href={pathTo.worklist}>
        Sightline
      </a>
      {shown && (
        <>
          <h1 class="patient">
            <bdi>{shown.patient.name}</bdi> <span>{sexAge(shown.patient)}</span>{' '}
            <span class="muted">ID {shown.patient.patient_id}</span>
          </h1>
          <nav class="places" aria-label="Of this patient">
            <a href={pathTo.patient(shown.patient.id)}>Timeline</a>
            <a href={pathTo.response(shown.patient.id)} aria-current="page">
              Response
            </a>
          </nav>
          {shown.simulated && <SimulatedTag />}
          <span class="tag draft">Draft</span>
          <span class="spacer" />
          <label class="criterion">
            <span class="sr-only">Criterion</span>
            <select
              class="field"
              onChange={(e) => kept.judge(e.currentTarget.value)}
              title="Criterion ([ and ])"
            >
              {shown.criteria.map((one) => (
                <option key={one.name} value={one.name} selected={one.name === shown.criterion.name}>
                  {one.title}
                  {one.name === shown.plan.criterion && shown.kept ? ' · kept' : ''}
                </option>
              ))}
            </select>
          </label>
          {mine && shown.kept && shown.criterion.name !== shown.plan.criterion && (
            <Button
              onClick={() =>
                void kept
                  .keep({ ...shown.plan, criterion: shown.criterion.name }, 'Criterion kept')
                  .catch(tellError)
              }
            >
              Keep this criterion
            </Button>
          )}
          {mine && (
            <Button onClick={onCourse} keys="t">
              Course
            </Button>
          )}
          {shown.kept &&
            EXPORTS.map(([name, label]) => (
              <Button
                key={name}
                kind="quiet"
                label={`Export ${label} (draft)`}
                onClick={() => void exportAs(kept, name).catch(tellError)}
              >
                {label}
              </Button>
            ))}
        </>
      )}
    </header>
  );
}

/** What a machine proposes and nobody kept yet, and why; a key keeps it. */
function Proposed({ kept, shown }: { kept: Kept; shown: ResponseView }) {
  const mine = can('response.edit');
  const reasons = shown.kept ? shown.proposal_reasons : shown.reasons;
  const offered = !shown.kept || shown.proposal !== null;
  return (
    <>
      {shown.problem && (
        <Notice tone="error" title="This cannot be evaluated as it stands.">
          <p>{shown.problem}</p>
        </Notice>
      )}
      {shown.remarks.map((words) => (
        <Notice key={words} tone="warning">
          <p>{words}</p>
        </Notice>
      ))}
      {offered && (
        <div class="offer" role="status">
          <strong class="proposed">
            ◆ {shown.kept ? 'Found since it was kept' : 'Proposed, kept by nobody yet'}
          </strong>
          <ul>
            {reasons.map((words) => (
              <li key={words}>{words}</li>
            ))}
          </ul>
          {mine && (
            <div class="decisions">
              <Button kind="primary" keys="a" onClick={() => void keepProposed(kept).catch(tellError)}>
                {shown.kept ? 'Add' : 'Keep'}
              </Button>
              {shown.kept && shown.proposal && (
                <Button
                  onClick={() => {
                    if (shown.proposal)
                      void kept.keep(withoutOffer(shown.plan, shown.proposal), 'Left out').catch(tellError);
                  }}
                >
                  Leave out
                </Button>
              )}
            </div>
          )}
        </div>
      )}
    </>
  );
}

function Nothing({ shown }: { shown: ResponseView }) {
  const newest = shown.studies.at(-1);
  return (
    <div class="empty">
      <p>No lesion of this patient was accepted yet, so there is nothing to follow.</p>
      <p class="muted">
        {shown.undecided > 0
          ? `${count(shown.undecided, 'proposed finding waits', 'proposed findings wait')} for a decision. Accept what is a lesion; the response is then proposed here.`
          : 'Mark or measure a lesion while reading; the response is then proposed here.'}
      </p>
      {newest && (
        <a class="button primary" href={pathTo.study(newest.uid)}>
          Open the newest study
        </a>
      )}
    </div>
  );
}

function Dialogs({
  kept,
  shown,
  open,
  onClose,
}: {
  kept: Kept;
  shown: ResponseView;
  open: Open;
  onClose: () => void;
}) {
  const common = { shown, onClose, onKeep: kept.keep };
  switch (open?.kind) {
    case 'cell':
      return <CellDialog {...common} lesion={open.lesion} at={open.at} />;
    case 'lesion':
      return <LesionDialog {...common} lesion={open.lesion} />;
    case 'new':
      return <LesionDialog {...common} lesion={null} />;
    case 'point':
      return <PointDialog {...common} at={open.at} />;
    case 'course':
      return <CourseDialog {...common} />;
    default:
      return null;
  }
}
