/** Treatments as bars, one lane each: as long as is stated, open where no end is. */
import type { ChartEvent } from '../../api';
import { day } from '../../ui/format';
import { type Span, timeOf, xOf } from './axis';
import type { TimelineStore } from './store';
import { roam } from './studies';

const GOING_ON = new Set(['active', 'in-progress', 'on-hold']);
const LEAST = 12;

export interface Lane {
  name: string;
  events: ChartEvent[];
}

/** Treatments by name, the latest begun first. */
export function lanesOf(events: readonly ChartEvent[]): Lane[] {
  const lanes = new Map<string, ChartEvent[]>();
  for (const event of events) lanes.set(event.name, [...(lanes.get(event.name) ?? []), event]);
  const last = (lane: Lane) => Math.max(...lane.events.map((e) => timeOf(e.start)));
  return [...lanes].map(([name, found]) => ({ name, events: found })).sort((a, b) => last(b) - last(a));
}

export type End = 'stated' | 'going on' | 'not stated';

/** Where a bar ends and whether that was said; it goes on only while its status says so. */
export function endOf(event: ChartEvent, now: number): { at: number; end: End } {
  const stop = timeOf(event.stop ?? '');
  if (Number.isFinite(stop)) return { at: stop, end: 'stated' };
  if (GOING_ON.has(event.status ?? '')) return { at: now, end: 'going on' };
  return { at: timeOf(event.start), end: 'not stated' };
}

/** `10 Jan 2025 to 3 Mar 2025`, `since 10 Jan 2025`, `10 Jan 2025, end not stated`. */
export function spanText(event: ChartEvent): string {
  const start = day(event.start);
  if (event.stop) return day(event.stop) === start ? start : `${start} to ${day(event.stop)}`;
  return GOING_ON.has(event.status ?? '') ? `since ${start}` : `${start}, end not stated`;
}

interface LanesProps {
  store: TimelineStore;
  onOpen: (event: ChartEvent) => void;
}

export function Lanes({ store, onOpen }: LanesProps) {
  const [span, width] = [store.span.value, store.width.value];
  const now = Date.now();
  return (
    <>
      {lanesOf(store.treatments.value).map((lane) => (
        <li class="time-row lane" key={lane.name}>
          <div class="row-label">
            <span class="lane-name" title={lane.name}>
              {lane.name}
            </span>
          </div>
          <div class="drawing">
            <div class="track" role="group" aria-label={lane.name} onKeyDown={roam}>
              <Beyond store={store} times={lane.events.map((e) => [timeOf(e.start), endOf(e, now).at])} />
              {lane.events.map((event, k) => {
                const bar = barOf(event, span, width, now);
                return (
                  bar && (
                    <button
                      key={event.id}
                      type="button"
                      tabIndex={k === lane.events.length - 1 ? 0 : -1}
                      class={`treatment ${bar.end.replace(' ', '-')}`}
                      style={{ left: `${bar.left}px`, width: `${bar.width}px` }}
                      title={`${event.name}: ${spanText(event)}`}
                      aria-label={`${event.name}: ${spanText(event)}`}
                      onClick={() => onOpen(event)}
                    />
                  )
                );
              })}
            </div>
          </div>
        </li>
      ))}
    </>
  );
}

/** Says that all of a row lies outside of what is in sight, and goes there. */
export function Beyond({
  store,
  times,
}: {
  store: TimelineStore;
  times: readonly (readonly [number, number])[];
}) {
  const span = store.span.value;
  if (times.length === 0 || times.some(([start, stop]) => stop >= span.from && start <= span.to)) return null;
  const before = times.filter(([, stop]) => stop < span.from).map(([, stop]) => stop);
  const at = before.length > 0 ? Math.max(...before) : Math.min(...times.map(([start]) => start));
  const date = day(new Date(at).toISOString());
  return (
    <button
      type="button"
      class={before.length > 0 ? 'as-text beyond' : 'as-text beyond after'}
      onClick={() => store.reveal(at)}
    >
      {before.length > 0 ? `◂ last ${date}` : `first ${date} ▸`}
    </button>
  );
}

export function barOf(event: ChartEvent, span: Span, width: number, now: number) {
  const { at, end } = endOf(event, now);
  const [start, stop] = [xOf(timeOf(event.start), span, width), xOf(at, span, width)];
  if (stop < 0 || start > width) return null;
  const left = Math.min(Math.max(start, 0), width - LEAST);
  return { left, width: Math.max(Math.min(stop, width) - left, LEAST), end };
}
