/** One patient through time: studies and lesions on one axis. */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, get, type PatientTimeline } from '../../api';
import { navigate, pathTo } from '../../app/router';
import { day, figure, sexAge, volume } from '../../ui/format';
import { Notice, SimulatedTag, Skeleton } from '../../ui/primitives';
import { axisYears, type TimeAxis, timeAxis } from './axis';
import './timeline.css';

const [ROW, MARGIN] = [92, 56];

export function TimelinePage({ patient }: { patient: string }) {
  const [line, setLine] = useState<PatientTimeline | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    document.title = 'Timeline · Sightline';
    get<PatientTimeline>(api.timeline(patient)).then(setLine, (error: Error) => setProblem(error.message));
  }, [patient]);
  return (
    <div class="timeline">
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
            <a href={pathTo.patient(patient)} aria-current="page">
              Timeline
            </a>
            <a href={pathTo.response(patient)}>Response</a>
          </nav>
        )}
        {line?.simulated && <SimulatedTag />}
      </header>
      <main>
        {problem && (
          <Notice tone="error" title="The timeline cannot be shown.">
            <p>{problem}</p>
          </Notice>
        )}
        {!line && !problem && <Skeleton lines={8} />}
        {line && <Rows line={line} />}
      </main>
    </div>
  );
}

function Rows({ line }: { line: PatientTimeline }) {
  const [hover, setHover] = useState<string | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const width = useDrawingWidth(list);
  if (line.studies.length === 0) return <p class="empty">No studies of this patient are held.</p>;
  const axis = timeAxis(
    line.studies.map((s) => s.date),
    { from: MARGIN, to: width - MARGIN },
  );
  return (
    <ol class="rows" ref={list}>
      <li class="time-row">
        <div class="row-label">
          <strong>Studies</strong>
          <span class="muted">{line.studies.length} held</span>
        </div>
        <Studies line={line} axis={axis} width={width} hover={hover} onHover={setHover} />
      </li>
      {line.lesions.map((lesion) => (
        <li class="time-row" key={lesion.tracking_uid}>
          <div class="row-label">
            <strong>{lesion.label}</strong>
            <span class={lesion.state === 'proposed' ? 'proposed' : 'muted'}>
              {lesion.state === 'proposed' ? '◆ proposed' : lesion.state}
            </span>
            <span>{lesion.change_text}</span>
          </div>
          <Curve lesion={lesion} axis={axis} width={width} hover={hover} onHover={setHover} />
        </li>
      ))}
      {line.lesions.length === 0 && <li class="empty">No lesions are followed in this patient yet.</li>}
    </ol>
  );
}

/** The room for the drawings beside the labels, in px. */
function useDrawingWidth(list: RefObject<HTMLOListElement | null>): number {
  const [width, setWidth] = useState(1000);
  useEffect(() => {
    const drawing = list.current?.querySelector('.study-axis');
    if (!drawing) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(drawing.clientWidth, 240)));
    observer.observe(drawing);
    return () => observer.disconnect();
  }, [list]);
  return width;
}

interface RowProps {
  axis: TimeAxis;
  width: number;
  hover: string | null;
  onHover: (date: string | null) => void;
}

function Studies({ line, axis, hover, onHover }: RowProps & { line: PatientTimeline }) {
  return (
    <div class="study-axis">
      {axisYears(axis).map((tick) => (
        <span key={tick.label} class="tick" style={{ left: `${tick.x}px` }}>
          {tick.label}
        </span>
      ))}
      {line.studies.map((study, k) => (
        <a
          key={study.study_uid}
          class={`study-mark ${hover === study.date ? 'hover' : ''} ${k % 2 ? 'low' : ''}`}
          style={{ left: `${axis.x(study.date)}px` }}
          href={pathTo.study(study.study_uid)}
          onPointerEnter={() => onHover(study.date)}
          onPointerLeave={() => onHover(null)}
          onFocus={() => onHover(study.date)}
          title={`Open ${study.exam}, ${day(study.date)}`}
        >
          <i aria-hidden="true" />
          <span>
            {study.modality} {day(study.date)}
          </span>
        </a>
      ))}
    </div>
  );
}

function Curve({
  lesion,
  axis,
  width,
  hover,
  onHover,
}: RowProps & { lesion: PatientTimeline['lesions'][number] }) {
  const points = lesion.points;
  const top = Math.max(...points.map((p) => p.high ?? p.volume_mm3), 1e-9);
  const y = (mm3: number) => ROW - 14 - (mm3 / top) * (ROW - 34);
  const path = points.map((p) => `${axis.x(p.date).toFixed(1)},${y(p.volume_mm3).toFixed(1)}`).join(' ');
  return (
    <svg
      class="curve"
      viewBox={`0 0 ${width} ${ROW}`}
      role="group"
      aria-label={`Volume of ${lesion.label} over time`}
    >
      <line class="ground" x1={0} x2={width} y1={y(0)} y2={y(0)} />
      <polyline points={path} />
      {points.map((p) => {
        const x = axis.x(p.date);
        const { value, unit } = volume(p.volume_mm3, top);
        const words = `${day(p.date)}: ${value} ${unit}${p.long_axis_mm ? `, ${figure(p.long_axis_mm)} mm` : ''}`;
        return (
          <a
            key={p.study_uid}
            href={pathTo.study(p.study_uid)}
            class={hover === p.date ? 'hover' : ''}
            onPointerEnter={() => onHover(p.date)}
            onPointerLeave={() => onHover(null)}
            onClick={(e) => {
              e.preventDefault();
              navigate(pathTo.study(p.study_uid));
            }}
          >
            <title>Open the study of {words}</title>
            {p.low !== null && p.high !== null && (
              <path
                class="bar"
                d={`M${x - 6} ${y(p.low)}h12M${x} ${y(p.low)}V${y(p.high)}M${x - 6} ${y(p.high)}h12`}
              />
            )}
            <circle cx={x} cy={y(p.volume_mm3)} r="4" />
            <text x={x} y={Math.max(y(p.high ?? p.volume_mm3) - 6, 11)}>
              {value} {unit}
            </text>
          </a>
        );
      })}
    </svg>
  );
}
