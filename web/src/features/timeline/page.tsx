/** One patient through time: studies, reports, lesions, treatments and laboratory values on one line of time. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ChartEvent } from '../../api';
import { Account } from '../../app/account';
import { Foot } from '../../app/frame';
import { pathTo } from '../../app/router';
import { can } from '../../app/session';
import { count, sexAge } from '../../ui/format';
import { type Action, offer } from '../../ui/keys';
import { Button, ChangeBadge, Notice, SimulatedTag, Skeleton } from '../../ui/primitives';
import { timeOf, xOf } from './axis';
import { type Curve, changeText, codeName, type Lesion, rangeText, type StudyMark } from './curves';
import { EnterLab, EnterTreatment, Entry } from './entering';
import { Filters } from './filters';
import { offerPaper } from './paper';
import { AXIS, RIGHT } from './plot';
import { ReportText } from './report';
import { CurveRow } from './row';
import { TimelineStore } from './store';
import { judged, Reports, Responses, Studies, TimeHead, Undated } from './studies';
import { Lanes } from './treatments';
import './timeline.css';

type Open =
  | { what: 'report'; study: StudyMark }
  | { what: 'entry'; event: ChartEvent }
  | { what: 'treatment' }
  | { what: 'lab' };

export function TimelinePage({ patient }: { patient: string }) {
  const store = useMemo(() => new TimelineStore(patient), [patient]);
  const [open, setOpen] = useState<Open | null>(null);
  useEffect(() => {
    document.title = 'Timeline · Sightline';
    void store.start();
    return offerPaper(store);
  }, [store]);
  useEffect(() => offer('timeline', actionsOf(store, setOpen)), [store]);
  const line = store.line.value;
  const close = () => setOpen(null);
  return (
    <div class="timeline">
      <Head store={store} />
      {line && line.studies.length > 0 && <Filters store={store} />}
      <main class="rows-box" onWheel={(event) => zoomByWheel(store, event)}>
        {store.problem.value && (
          <Notice tone="error" title="The timeline cannot be shown.">
            <p>{store.problem.value}</p>
          </Notice>
        )}
        {!line && !store.problem.value && <Skeleton lines={8} />}
        {line && <Rows store={store} onOpen={setOpen} />}
      </main>
      <Foot hints={HINTS}>Drag over a curve to zoom. Hollow, violet: proposed by a model.</Foot>
      {open?.what === 'report' && <ReportText study={open.study} onClose={close} />}
      {open?.what === 'entry' && <Entry store={store} event={open.event} onClose={close} />}
      {open?.what === 'treatment' && <EnterTreatment store={store} onClose={close} />}
      {open?.what === 'lab' && <EnterLab store={store} onClose={close} />}
    </div>
  );
}

function actionsOf(store: TimelineStore, open: (what: Open) => void): Action[] {
  const action = (
    id: string,
    label: string,
    keys: string[],
    run: () => void,
    when?: () => boolean,
  ): Action => ({
    id: `timeline-${id}`,
    label,
    keys,
    group: 'Timeline',
    run,
    ...(when && { when }),
  });
  const mayEnter = () => can('chart.edit');
  return [
    action('closer', 'Zoom in', ['+', '='], () => store.zoom(true)),
    action('farther', 'Zoom out', ['-'], () => store.zoom(false)),
    action('fit', 'All studies, then all that is known', ['0'], () => store.fit()),
    action('earlier', 'Earlier', ['ArrowLeft', 'Shift-ArrowLeft'], () => store.pan(false)),
    action('later', 'Later', ['ArrowRight', 'Shift-ArrowRight'], () => store.pan(true)),
    action('log', 'Values on a linear or logarithmic axis', ['l'], () =>
      store.show({ log: !store.shown.value.log }),
    ),
    action('quantity', 'Next quantity', ['q'], () => store.nextQuantity()),
    action('all', 'Show everything again', ['x'], () => store.showEverything()),
    action('treatment', 'Enter a treatment', ['t'], () => open({ what: 'treatment' }), mayEnter),
    action('lab', 'Enter a laboratory value', ['v'], () => open({ what: 'lab' }), mayEnter),
    action('print', 'Print', ['p'], () => print()),
  ];
}

/** The wheel scrolls; with Ctrl, or a pinch, it zooms about the pointer; sideways it moves through time. */
function zoomByWheel(store: TimelineStore, event: WheelEvent): void {
  const onAxis = event.target instanceof Element && event.target.closest('.axis-row');
  if (event.ctrlKey || event.metaKey || (onAxis && event.deltaY !== 0)) {
    event.preventDefault();
    store.zoom(event.deltaY < 0);
  } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault();
    store.pan(event.deltaX > 0, Math.min(Math.abs(event.deltaX) / store.width.value, 0.5));
  }
}

function Head({ store }: { store: TimelineStore }) {
  const line = store.line.value;
  return (
    <header class="bar top">
      <a class="brand" href={pathTo.worklist}>
        Sightline
      </a>
      {line && (
        <h1 class="patient">
          <bdi>{line.patient.name}</bdi> <span>{sexAge(line.patient)}</span>{' '}
          <span class="muted">ID {line.patient.patient_id}</span>
        </h1>
      )}
      {line && (
        <nav class="places" aria-label="Of this patient">
          <a href={pathTo.patient(line.patient.id)} aria-current="page">
            Timeline
          </a>
          <a href={pathTo.response(line.patient.id)}>Response</a>
        </nav>
      )}
      {line?.simulated && <SimulatedTag />}
      <span class="spacer" />
      <Account />
    </header>
  );
}

function Rows({ store, onOpen }: { store: TimelineStore; onOpen: (what: Open) => void }) {
  const list = useRef<HTMLOListElement>(null);
  useDrawingWidth(store, list);
  const line = store.line.value;
  if (!line) return null;
  if (line.studies.length === 0) return <p class="empty">No studies of this patient are held.</p>;
  const response = store.response.value;
  const undated = store.studies.value.filter((study) => !Number.isFinite(timeOf(study.date)));
  const reports = store.studies.value.filter((study) => study.report).length;
  return (
    <div class="rows-area">
      <Undated studies={undated} />
      <ol class="rows" ref={list} onPointerMove={(event) => follow(store, event)}>
        <li class="time-row axis-row">
          <div class="row-label">
            <strong>Studies</strong>
            <span class="muted">
              {store.studies.value.length === line.studies.length
                ? `${line.studies.length} held`
                : `${store.studies.value.length} of ${line.studies.length} held`}
            </span>
          </div>
          <div class="drawing">
            <TimeHead store={store} />
            <Studies store={store} />
          </div>
        </li>
        {line.reports_shown && reports > 0 && (
          <li class="time-row slim">
            <div class="row-label">
              <strong>Reports</strong>
              <span class="muted">{count(reports, 'signed', 'signed')}</span>
            </div>
            <div class="drawing">
              <Reports store={store} onOpen={(study) => onOpen({ what: 'report', study })} />
            </div>
          </li>
        )}
        {response && judged(response).length > 0 && (
          <li class="time-row slim">
            <div class="row-label">
              <strong>Response</strong>
              <span class="muted">
                {response.criterion.name}
                {!response.kept && ', proposed'}
              </span>
            </div>
            <div class="drawing">
              <Responses response={response} store={store} />
            </div>
          </li>
        )}
        <LesionRows store={store} />
        <ChartRows store={store} onOpen={onOpen} />
      </ol>
      <CursorLine store={store} />
    </div>
  );
}

function LesionRows({ store }: { store: TimelineStore }) {
  const { log } = store.shown.value;
  const held = store.line.value?.lesions.length ?? 0;
  if (held === 0) return <li class="empty">No lesions are followed in this patient yet.</li>;
  if (store.curves.value.length === 0)
    return (
      <li class="empty">
        None of the {held} lesions is among what is chosen.{' '}
        <Button keys="x" onClick={() => store.showEverything()}>
          Show everything
        </Button>
      </li>
    );
  return (
    <>
      {store.curves.value.map(({ lesion, curve }) => (
        <CurveRow
          key={curve.key}
          store={store}
          curve={curve}
          log={log}
          onOpen={(point) => store.open(point.study, point.finding)}
        >
          <LesionLabel lesion={lesion} curve={curve} />
        </CurveRow>
      ))}
    </>
  );
}

function LesionLabel({ lesion, curve }: { lesion: Lesion; curve: Curve }) {
  const change = lesion.changes.at(-1);
  return (
    <>
      <strong title={lesion.label}>{lesion.label}</strong>
      <span class={lesion.state === 'proposed' ? 'proposed' : 'good'}>
        {lesion.state === 'proposed' ? '◆ proposed' : `✓ ${lesion.state}`}
      </span>
      {curve.points.length === 0 && <span class="muted">not measured by this quantity</span>}
      {change && (
        <span class="change-words" title={`${change.text}. ${change.reason}`}>
          <ChangeBadge change={{ kind: change.kind }} /> {change.percent !== null && changeText(change)}
        </span>
      )}
    </>
  );
}

function ChartRows({ store, onOpen }: { store: TimelineStore; onOpen: (what: Open) => void }) {
  if (!can('chart.read')) return null;
  const mayEnter = can('chart.edit');
  return (
    <>
      <li class="section-head">
        <h2>Treatments</h2>
        {store.treatments.value.length === 0 && <span class="muted">none known</span>}
        {mayEnter && (
          <Button
            kind="quiet"
            icon="plus"
            label="Enter a treatment"
            keys="t"
            onClick={() => onOpen({ what: 'treatment' })}
          />
        )}
        {store.eventsProblem.value && <span class="error">{store.eventsProblem.value}</span>}
      </li>
      <Lanes store={store} onOpen={(event) => onOpen({ what: 'entry', event })} />
      <li class="section-head">
        <h2>Laboratory</h2>
        {store.labs.value.length === 0 && <span class="muted">no values known</span>}
        {mayEnter && (
          <Button
            kind="quiet"
            icon="plus"
            label="Enter a laboratory value"
            keys="v"
            onClick={() => onOpen({ what: 'lab' })}
          />
        )}
      </li>
      {store.labs.value.map((curve) => (
        <CurveRow
          key={curve.key}
          store={store}
          curve={curve}
          log={false}
          onOpen={(point) => {
            const event = store.events.value.find((e) => e.id === point.finding);
            if (event) onOpen({ what: 'entry', event });
          }}
        >
          <strong
            title={`${curve.label} (${codeName(store.events.value.find((e) => e.id === curve.points[0]?.finding))})`}
          >
            {curve.label}
          </strong>
          {curve.range && <span class="muted">{rangeText(curve)}</span>}
        </CurveRow>
      ))}
    </>
  );
}

/** One line through all rows at the moment under the pointer. */
function CursorLine({ store }: { store: TimelineStore }) {
  const at = store.cursor.value;
  const span = store.span.value;
  if (at === null || at < span.from || at > span.to) return null;
  return (
    <div class="cursor-layer" aria-hidden="true">
      <i style={{ left: `${AXIS + xOf(at, span, store.width.value)}px` }} />
    </div>
  );
}

/** The cursor follows the pointer over rows that are no curves as well. */
function follow(store: TimelineStore, event: PointerEvent): void {
  const track = event.target instanceof Element ? event.target.closest('.track') : null;
  if (!track) return;
  const { from, to } = store.span.value;
  const x = event.clientX - track.getBoundingClientRect().left;
  store.cursor.value = from + (x / store.width.value) * (to - from);
}

/** The room for the drawings beside the labels, without the axis of values, in px. */
function useDrawingWidth(store: TimelineStore, list: { current: HTMLOListElement | null }): void {
  useLayoutEffect(() => {
    const drawing = list.current?.querySelector('.drawing');
    if (!drawing) return;
    const measure = () => {
      store.width.value = Math.max(drawing.clientWidth - AXIS - RIGHT, 160);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(drawing);
    return () => observer.disconnect();
  }, [store, list]);
}

const HINTS: readonly (readonly [string, string])[] = [
  ['+ - 0', 'zoom'],
  ['ArrowLeft ArrowRight', 'move, or point to point in a row'],
  ['Enter', 'images'],
  ['q', 'quantity'],
  ['l', 'log'],
  ['p', 'print'],
];
