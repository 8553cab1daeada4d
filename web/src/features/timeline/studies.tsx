/** The rows of studies, signed reports and response categories. */
import { useState } from 'preact/hooks';
import type { ResponseView } from '../../api';
import { navigate, pathTo } from '../../app/router';
import { count, day } from '../../ui/format';
import { Icon } from '../../ui/icons';
import { type Cluster, clusters, ticks, timeOf, xOf } from './axis';
import type { StudyMark } from './curves';
import type { TimelineStore } from './store';

const [MARK, WITH_DATE] = [30, 92];

export function TimeHead({ store }: { store: TimelineStore }) {
  const [span, width] = [store.span.value, store.width.value];
  return (
    <div class="track head-track" aria-hidden="true">
      {ticks(span, width)
        .filter((tick) => xOf(tick.at, span, width) < width - 48)
        .map((tick) => (
          <span key={tick.at} class="tick" style={{ left: `${xOf(tick.at, span, width)}px` }}>
            {tick.label}
          </span>
        ))}
    </div>
  );
}

/** Marks on the line of time; those that would cover each other are one, which a click zooms into. */
function useMarks<T extends { date: string }>(store: TimelineStore, items: readonly T[]): Cluster<T>[] {
  const [span, width] = [store.span.value, store.width.value];
  const seen = items.filter((item) => timeOf(item.date) >= span.from && timeOf(item.date) <= span.to);
  return clusters(seen, (item) => xOf(timeOf(item.date), span, width), MARK);
}

function zoomInto(store: TimelineStore, items: readonly { date: string }[]): void {
  const times = items.map((item) => timeOf(item.date));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const room = Math.max((to - from) * 0.2, 4 * 86_400_000);
  store.zoomTo({ from: from - room, to: to + room });
}

export function Studies({ store }: { store: TimelineStore }) {
  const marks = useMarks(store, store.studies.value);
  const [active, setActive] = useState<string | null>(null);
  const keyOf = (mark: Cluster<StudyMark>) => mark.items[0]?.study_uid ?? '';
  const current = marks.some((m) => keyOf(m) === active)
    ? active
    : keyOf(marks.at(-1) ?? { x: 0, items: [] });
  return (
    <div class="track studies" role="group" aria-label="Studies, oldest first" onKeyDown={roam}>
      {marks.map((mark, k) => {
        const before = marks[k - 1];
        const dated =
          (!before || mark.x - before.x > WITH_DATE) && (marks[k + 1]?.x ?? 1e9) - mark.x > WITH_DATE / 2;
        const shared = {
          class: 'study-mark',
          style: { left: `${mark.x}px` },
          tabIndex: keyOf(mark) === current ? 0 : -1,
          onFocus: () => {
            setActive(keyOf(mark));
            store.cursor.value = timeOf(mark.items[0]?.date ?? '');
          },
        };
        const [study] = mark.items;
        if (!study) return null;
        if (mark.items.length > 1)
          return (
            <button
              key={keyOf(mark)}
              type="button"
              {...shared}
              title={`${severalWords(mark.items)}: zoom in`}
              onClick={() => zoomInto(store, mark.items)}
            >
              <b>{mark.items.length}×</b>
            </button>
          );
        return (
          <a
            key={keyOf(mark)}
            {...shared}
            href={pathTo.study(study.study_uid)}
            title={`Open ${study.exam}, ${day(study.date)}${study.simulated ? ', simulated' : ''}`}
          >
            <b>{study.modality}</b>
            {study.simulated && <i class="simulated-mark" title="Simulated" />}
            {dated && <span>{day(study.date)}</span>}
          </a>
        );
      })}
    </div>
  );
}

const severalWords = (studies: readonly StudyMark[]): string =>
  `${count(studies.length, 'study', 'studies')} from ${day(studies[0]?.date)} to ${day(studies.at(-1)?.date)}`;

export function Reports({ store, onOpen }: { store: TimelineStore; onOpen: (study: StudyMark) => void }) {
  const marks = useMarks(
    store,
    store.studies.value.filter((study) => study.report),
  );
  return (
    <div class="track reports" role="group" aria-label="Signed reports, oldest first" onKeyDown={roam}>
      {marks.map((mark, k) => {
        const [study] = mark.items;
        if (!study?.report) return null;
        const several = mark.items.length > 1;
        return (
          <button
            key={study.study_uid}
            type="button"
            class="report-mark"
            style={{ left: `${mark.x}px` }}
            tabIndex={k === marks.length - 1 ? 0 : -1}
            title={
              several
                ? `${mark.items.length} signed reports: zoom in`
                : `Read the report of ${day(study.date)}, signed by ${study.report.signed_by}`
            }
            onClick={() => (several ? zoomInto(store, mark.items) : onOpen(study))}
          >
            {several ? <b>{mark.items.length}×</b> : <Icon name="list" />}
          </button>
        );
      })}
    </div>
  );
}

export function Responses({ response, store }: { response: ResponseView; store: TimelineStore }) {
  const [span, width] = [store.span.value, store.width.value];
  return (
    <div class="track responses">
      {judged(response).map((point) => (
        <a
          key={point.study_uid}
          class="response"
          href={pathTo.response(response.patient.id)}
          style={{ left: `${xOf(timeOf(point.date), span, width)}px` }}
          title={`${day(point.date)}: ${point.category} by ${response.criterion.title}. ${point.reasons.at(-1)?.outcome ?? ''}`}
        >
          {point.category}
        </a>
      ))}
    </div>
  );
}

/** The time points that have a category; the baseline has none. */
export const judged = (response: ResponseView) => response.points.filter((point) => point.category !== null);

/** Left and right go from mark to mark. */
export function roam(event: KeyboardEvent): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || !(event.currentTarget instanceof HTMLElement)) return;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('a, button')];
  all[all.indexOf(document.activeElement as HTMLElement) + step]?.focus();
  event.preventDefault();
}

/** Undated studies stand on no line; they are still opened from here. */
export function Undated({ studies }: { studies: readonly StudyMark[] }) {
  if (studies.length === 0) return null;
  return (
    <p class="undated">
      <span class="muted">Without a date:</span>{' '}
      {studies.map((study) => (
        <button
          key={study.study_uid}
          type="button"
          class="as-text linked"
          onClick={() => navigate(pathTo.study(study.study_uid))}
        >
          {study.exam}
        </button>
      ))}
    </p>
  );
}
