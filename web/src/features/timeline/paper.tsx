/**
 * The page on paper: light, A4, every curve as a drawing that stays sharp, every value in a table. It is made when
 * the browser is about to print and taken away afterwards.
 */
import { render } from 'preact';
import type { PointColumn, ResponseView } from '../../api';
import { day, moment, sexAge, spread } from '../../ui/format';
import { type Span, spanOf, ticks, xOf } from './axis';
import { type Curve, changeText, quantityName, rangeText, valueSpan } from './curves';
import type { TimelineStore } from './store';
import { judged } from './studies';
import { barOf, lanesOf, spanText } from './treatments';
import './paper.css';

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [680, 130, 46, 12, 8, 20];

/** Put the page on paper whenever it is printed; returns how to stop that. */
export function offerPaper(store: TimelineStore): () => void {
  const sheet = Object.assign(document.createElement('div'), { className: 'paper' });
  const put = () => {
    document.body.append(sheet);
    render(<Paper store={store} />, sheet);
  };
  const take = () => {
    render(null, sheet);
    sheet.remove();
  };
  addEventListener('beforeprint', put);
  addEventListener('afterprint', take);
  return () => {
    removeEventListener('beforeprint', put);
    removeEventListener('afterprint', take);
    take();
  };
}

export function Paper({ store }: { store: TimelineStore }) {
  const line = store.line.value;
  if (!line) return null;
  const { log } = store.shown.value;
  const span = store.span.value;
  const quantity = store.quantity.value;
  const response = store.response.value;
  const filters = filtersOf(store);
  return (
    <>
      <header>
        <h1>
          <bdi>{line.patient.name}</bdi>, {sexAge(line.patient)}, ID {line.patient.patient_id}
        </h1>
        {line.simulated && <b class="paper-simulated">SIMULATED: computed, not scanned</b>}
        <p>
          {day(new Date(span.from).toISOString())} to {day(new Date(span.to).toISOString())}
          {filters.length > 0 && `, ${filters.join(', ')} only`}
          {store.shown.value.accepted && ', accepted findings only'} · printed{' '}
          {moment(new Date().toISOString())} · Research software, not a medical device: not cleared for
          diagnosis.
        </p>
      </header>
      <StudyTable store={store} />
      {response && <ResponseTable response={response} filtered={filters.length > 0} />}
      {store.curves.value.map(({ lesion, curve }) => (
        <section key={curve.key}>
          <h2>
            {curve.label} · {quantityName(quantity)}
            {lesion.state === 'proposed' ? ' · ◆ proposed by a model, not accepted' : ` · ${lesion.state}`}
          </h2>
          <PaperCurve curve={curve} log={log} span={span} />
          <LesionTable curve={curve} />
          {lesion.changes
            .filter((change) => change.kind === 'vanished')
            .map((change) => (
              <p key={change.study_uid}>
                {day(change.date)}: {changeText(change)}. {change.reason}
              </p>
            ))}
        </section>
      ))}
      <TreatmentList store={store} span={span} />
      {store.labs.value.map((curve) => (
        <section key={curve.key}>
          <h2>
            {curve.label} ({curve.quantity}){curve.range && `, reference range ${rangeText(curve)}`}
          </h2>
          <PaperCurve curve={curve} log={false} span={spanOf(curve.points.map((p) => p.at))} />
          <p class="values">
            {curve.points.map((p) => `${day(p.date)}: ${p.prefix}${curve.show(p.value)}`).join(' · ')}{' '}
            {curve.unit}
          </p>
        </section>
      ))}
    </>
  );
}

/** What the page is narrowed to, so that a part of the record is never taken for all of it. */
function filtersOf(store: TimelineStore): string[] {
  const { region, organ, modality, lesion } = store.shown.value;
  const one = store.line.value?.lesions.find((held) => held.tracking_uid === lesion);
  const name = one ? `lesion “${one.label}”` : 'a lesion that is not followed here';
  return [region.replaceAll('-', ' '), organ, modality, lesion && name].filter(Boolean);
}

/** What the criterion says at each time point and why in short; of all lesions, whatever else is chosen. */
function ResponseTable({ response, filtered }: { response: ResponseView; filtered: boolean }) {
  const points = judged(response);
  if (points.length === 0 && !response.problem) return null;
  return (
    <section>
      <h2>
        Response by {response.criterion.title}
        {filtered && ', of all its lesions'} · draft, a reader decides ·{' '}
        {response.kept
          ? `kept by ${response.changed_by}, ${moment(response.changed_at)}`
          : '◆ proposed, kept by nobody yet'}
      </h2>
      {response.problem && <p>It cannot be evaluated as it stands. {response.problem}</p>}
      {points.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>Date</th>
              <th>Category</th>
              <th>Why</th>
            </tr>
          </thead>
          <tbody>
            {points.map((point) => (
              <tr key={point.study_uid}>
                <td>{day(point.date)}</td>
                <td>{categoryText(point)}</td>
                <td>{whyText(point)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** A category with what leaves it open: `iUPD (needs another scan; may be iPR)`. */
function categoryText(point: PointColumn): string {
  const others = point.plausible.length > 1 ? point.plausible.filter((one) => one !== point.category) : [];
  const open = [
    point.provisional && 'needs another scan',
    point.disregarded && 'does not count',
    others.length > 0 && `may be ${others.join(' or ')}`,
  ].filter(Boolean);
  return open.length > 0 ? `${point.category} (${open.join('; ')})` : `${point.category}`;
}

/** The rule that decided, the last one; unconfirmed if any that led to it was not checked at its source. */
function whyText({ reasons }: PointColumn): string {
  const last = reasons.at(-1);
  if (!last) return '';
  const doubt = reasons.every((reason) => reason.confirmed) ? '' : '; unconfirmed';
  return `${last.compared}: ${last.outcome} [${last.source}${doubt}]`;
}

function StudyTable({ store }: { store: TimelineStore }) {
  return (
    <section>
      <h2>Studies</h2>
      <table>
        <thead>
          <tr>
            <th>Date</th>
            <th>Study</th>
            <th>Images</th>
            <th>Report</th>
          </tr>
        </thead>
        <tbody>
          {store.studies.value.map((study) => (
            <tr key={study.study_uid}>
              <td>{day(study.date) || 'no date'}</td>
              <td>
                {study.exam}
                {study.simulated && ' (simulated)'}
              </td>
              <td>{study.images}</td>
              <td>
                {study.report ? `signed by ${study.report.signed_by}, ${moment(study.report.signed_at)}` : ''}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function LesionTable({ curve }: { curve: Curve }) {
  return (
    <table>
      <thead>
        <tr>
          <th>Date</th>
          <th>
            {curve.quantity} ({curve.unit})
          </th>
          <th>95 % interval</th>
          <th>Change since the prior</th>
          <th>Method and source</th>
        </tr>
      </thead>
      <tbody>
        {curve.points.map((p) => (
          <tr key={`${p.date} ${p.finding}`}>
            <td>{day(p.date)}</td>
            <td>{curve.show(p.value)}</td>
            <td>{spread(p.value, p.low, p.high, curve.show).trim() || 'none given'}</td>
            <td>{p.change ? changeText(p.change) : ''}</td>
            <td>{[p.method, p.source].filter(Boolean).join('; ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function TreatmentList({ store, span }: { store: TimelineStore; span: Span }) {
  const lanes = lanesOf(store.treatments.value);
  if (lanes.length === 0) return null;
  const now = Date.now();
  return (
    <section>
      <h2>Treatments</h2>
      <table>
        <tbody>
          {lanes.map((lane) => (
            <tr key={lane.name}>
              <td class="lane">{lane.name}</td>
              <td>{lane.events.map(spanText).join(' · ')}</td>
              <td class="bars">
                <svg viewBox="0 0 200 10" role="img" aria-label={lane.events.map(spanText).join(', ')}>
                  {lane.events.map((event) => {
                    const bar = barOf(event, span, 200, now);
                    return (
                      bar && (
                        <rect key={event.id} x={bar.left} y="2" width={Math.max(bar.width, 2)} height="6" />
                      )
                    );
                  })}
                </svg>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A curve in ink: axis of values at the left, dates below, whiskers where there is an interval. */
export function PaperCurve({ curve, log, span }: { curve: Curve; log: boolean; span: Span }) {
  const [low, high] = valueSpan(curve, log);
  const scale = (value: number) => (log ? Math.log(Math.max(value, low)) : value);
  const x = (at: number) => LEFT + xOf(at, span, WIDTH - LEFT - RIGHT);
  const y = (value: number) =>
    HEIGHT - BOTTOM - ((scale(value) - scale(low)) / (scale(high) - scale(low))) * (HEIGHT - TOP - BOTTOM);
  const points = curve.points.filter((p) => (!log || p.value > 0) && p.at >= span.from && p.at <= span.to);
  const marks = [0, 0.5, 1].map((share) => (log ? low * (high / low) ** share : low + share * (high - low)));
  const bottom = HEIGHT - BOTTOM;
  return (
    <svg
      class="paper-curve"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${curve.quantity} of ${curve.label}`}
    >
      {curve.range && (
        <rect
          class="range"
          x={LEFT}
          width={WIDTH - LEFT - RIGHT}
          y={y(Math.min(curve.range.high ?? high, high))}
          height={Math.max(
            y(Math.max(curve.range.low ?? low, low)) - y(Math.min(curve.range.high ?? high, high)),
            0,
          )}
        />
      )}
      {marks.map((value) => (
        <g key={value}>
          <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(value)} y2={y(value)} />
          <text x={LEFT - 4} y={y(value) + 3} text-anchor="end">
            {curve.show(value)}
          </text>
        </g>
      ))}
      {ticks(span, WIDTH - LEFT - RIGHT).map((tick) => (
        <g key={tick.at}>
          <line class="grid" x1={x(tick.at)} x2={x(tick.at)} y1={TOP} y2={bottom} />
          <text x={x(tick.at)} y={HEIGHT - 6} text-anchor="middle">
            {tick.label}
          </text>
        </g>
      ))}
      <polyline points={points.map((p) => `${x(p.at).toFixed(1)},${y(p.value).toFixed(1)}`).join(' ')} />
      {points.map((p) => (
        <g key={`${p.at} ${p.finding}`}>
          {p.low !== null && p.high !== null && (
            <path
              d={`M${x(p.at) - 3} ${y(p.low)}h6M${x(p.at)} ${y(p.low)}V${y(p.high)}M${x(p.at) - 3} ${y(p.high)}h6`}
            />
          )}
          <circle class={p.proposed ? 'hollow' : ''} cx={x(p.at)} cy={y(p.value)} r="2.6" />
        </g>
      ))}
    </svg>
  );
}
