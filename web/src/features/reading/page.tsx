/** The reading page: current left, prior right, findings and report beside them. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Reading } from '../../api';
import { navigate, pathTo } from '../../app/router';
import { me } from '../../app/session';
import { count, day, sexAge } from '../../ui/format';
import { offer } from '../../ui/keys';
import { AllKeys } from '../../ui/overlays';
import { Button, Kbd, Notice, SimulatedTag } from '../../ui/primitives';
import { forgetSteps } from '../../ui/toasts';
import { ReportPanel } from '../reporting/panel';
import { readingActions } from './actions';
import { ChangeMapPanel, changeMapActions } from './change-map-panel';
import { Drawn } from './drawn';
import { Findings } from './findings';
import { linkActions } from './lesion-link-panel';
import { LesionPanel, lesionActions } from './lesion-panel';
import { DRAGGED, Pane } from './pane';
import { overActions } from './prior-over-image';
import { Priors } from './priors';
import { ResizeHandle } from './resize';
import { Segmentation } from './segmentation-panel';
import { ReadingStore } from './store';
import { TextDialog } from './text-dialog';
import { ToolBar } from './tool-bar';
import { Verdict } from './verdict';
import './reading.css';
import './change-map.css';
import './lesions.css';
import '../reporting/reporting.css';

export function ReadingPage({ study }: { study: string }) {
  const store = useMemo(() => new ReadingStore(study), [study]);
  useEffect(() => {
    forgetSteps();
    void store.open();
    return () => store.close();
  }, [store]);
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      const drawn = store.annotations.state.value;
      const kept = drawn === 'saved' || drawn === 'kept';
      if (!kept) void store.annotations.flush();
      if (store.report.saveState.value !== 'saved' || !kept || store.segmentation.unsaved.value)
        event.preventDefault();
    };
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [store]);
  useEffect(() => offer('reading', readingActions(store)), [store]);
  useEffect(
    () =>
      offer('lesions', [
        ...lesionActions(store),
        ...linkActions(store),
        ...overActions(store),
        ...changeMapActions(store),
      ]),
    [store],
  );
  const reading = store.reading.value;
  useEffect(() => {
    document.title = reading ? `${reading.study.exam} · Sightline` : 'Sightline';
  }, [reading]);
  return (
    <div
      class={`reading ${store.panel.value ? '' : 'no-panel'} ${store.panes.blink.value ? 'blinking' : ''}`}
    >
      <Head store={store} />
      <main
        class={`panes ${store.panes.maximised.value ? 'one-only' : ''}`}
        style={{
          '--rows': store.panes.arrangement.value.rows,
          '--columns': store.panes.arrangement.value.columns,
        }}
        aria-label="Images"
      >
        {store.panes.slots.value.map((slot) => (
          <Pane key={slot.id} slot={slot} store={store} />
        ))}
        {store.problem.value && <Problem text={store.problem.value} />}
      </main>
      {store.panel.value && (
        <aside class="side" aria-label="Findings and report">
          <ResizeHandle />
          <div class="sections">
            <LesionPanel store={store} />
            <Findings store={store} />
            <ChangeMapPanel store={store} />
            <Segmentation store={store} />
            <Drawn store={store} />
          </div>
          <ReportPanel store={store.report} onFinding={(id) => store.findings.select(id)} />
        </aside>
      )}
      <Foot store={store} />
      <TextDialog panes={store.panes} />
    </div>
  );
}

function Problem({ text }: { text: string }) {
  return (
    <div class="reading-problem">
      <Notice tone="error" title="This study cannot be opened.">
        <p>{text}</p>
        <div class="decisions">
          <Button kind="primary" onClick={() => location.reload()}>
            Try again
          </Button>
          <Button onClick={() => navigate(pathTo.worklist)}>Back to the worklist</Button>
        </div>
      </Notice>
    </div>
  );
}

function Head({ store }: { store: ReadingStore }) {
  const reading = store.reading.value;
  const patient = reading?.study.patient;
  return (
    <header class="bar top">
      <h1 class="sr-only">{reading ? `Reading: ${reading.study.exam}` : 'Reading'}</h1>
      <a class="brand" href={pathTo.worklist} title="Back to the worklist (Alt W)">
        Sightline
      </a>
      {reading && patient && (
        <>
          <a class="patient" href={pathTo.patient(patient.id)} title="Open this patient’s timeline">
            <bdi>
              <strong>{patient.name}</strong>
            </bdi>{' '}
            <span>{sexAge(patient)}</span> <span class="muted optional">ID {patient.patient_id}</span>
          </a>
          {reading.study.simulated && <SimulatedTag />}
          {store.windows.others.value > 0 && (
            <span class="error other-patient" role="status">
              ✕ another window shows another patient
            </span>
          )}
          <Strip reading={reading} store={store} />
          <Priors reading={reading} store={store} />
          <Verdict store={store} />
        </>
      )}
      {reading && (
        <span class="muted indication" title={reading.study.indication ?? undefined}>
          {reading.study.exam}
          {reading.study.indication && ` · ${reading.study.indication}`}
        </span>
      )}
      <span class="muted who">{me.value?.initials}</span>
    </header>
  );
}

/** Studies on one time axis; a click puts one into the right pane. */
function Strip({ reading, store }: { reading: Reading; store: ReadingStore }) {
  const times = reading.timeline.map((t) => Date.parse(t.date));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const at = (date: string) => (to > from ? ((Date.parse(date) - from) / (to - from)) * 100 : 50);
  const shown = store.priorStudy.value?.uid;
  if (reading.timeline.length === 0) return null;
  return (
    <nav class="strip" aria-label="Studies of this patient">
      <span class="year">{reading.timeline.length > 1 && new Date(from).getUTCFullYear()}</span>
      <span class="axis">
        {reading.timeline.map((entry) => {
          const here = entry.study_uid === reading.study.uid;
          const kind = here ? 'here' : entry.study_uid === shown ? 'shown' : '';
          const words = `${entry.exam}, ${day(entry.date)}${here ? ' (this study)' : ''}`;
          return (
            <button
              type="button"
              key={entry.study_uid}
              class={`dot ${kind}`}
              style={{ left: `${at(entry.date)}%` }}
              aria-label={here ? words : `Compare with ${words}`}
              title={here ? words : `Compare with ${words}`}
              aria-current={here ? 'true' : undefined}
              onClick={() => void store.compare(entry.study_uid)}
            />
          );
        })}
      </span>
      <span class="year">now</span>
    </nav>
  );
}

function Foot({ store }: { store: ReadingStore }) {
  const reading = store.reading.value;
  return (
    <footer class="bar bottom">
      <ToolBar store={store} />
      <SeriesStrip store={store} />
      {reading?.place_reason && (
        <span class="muted optional said" title={`Why it is on the worklist: ${reading.place_reason}`}>
          {reading.place_reason}
        </span>
      )}
      {reading?.next && (
        <a class="next" href={pathTo.study(reading.next.study_uid)} title={`Next: ${reading.next.label}`}>
          <span class="muted">next</span> <bdi>{reading.next.label}</bdi> <Kbd keys="n" />
        </a>
      )}
      <AllKeys />
    </footer>
  );
}

/** The series of the studies that are open; a click shows one, dragging puts it into a pane. */
function SeriesStrip({ store }: { store: ReadingStore }) {
  const shown = new Set(store.panes.slots.value.map((s) => s.seriesUid));
  return (
    <div class="series-strip" role="group" aria-label="Series">
      {store.studies.value.flatMap((study) =>
        study.series.map((s) => (
          <button
            type="button"
            key={s.uid}
            class={`series-thumb ${study.uid === store.uid ? '' : 'of-prior'}`}
            aria-pressed={shown.has(s.uid)}
            draggable
            title={`${study.uid === store.uid ? '' : 'Prior, '}Series ${s.number ?? ''}: ${s.description || s.modality}${s.images ? `, ${count(s.images, 'image')}` : ''}`}
            onClick={() => void store.showSeries(s.uid)}
            onDragStart={(e) => e.dataTransfer?.setData(DRAGGED, s.uid)}
          >
            <Thumbnail series={s} />
            <span class="sr-only">
              Series {s.number} {s.description}
            </span>
          </button>
        )),
      )}
    </div>
  );
}

const WITHOUT_PIXELS = /^(SR|SEG|PR|KO|DOC|OT|REG|RTSTRUCT|RTPLAN|FID|ECG|AU)$/;

/** A small picture of a series, or its modality where there is none. */
function Thumbnail({ series }: { series: Reading['study']['series'][number] }) {
  const [failed, setFailed] = useState(false);
  if (failed || !series.thumbnail_url || WITHOUT_PIXELS.test(series.modality))
    return <span>{series.modality.replace(/^RT(?=.)/, 'RT ')}</span>;
  return <img src={series.thumbnail_url} alt="" loading="lazy" onError={() => setFailed(true)} />;
}
