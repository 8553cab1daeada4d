/** A row of the page with a curve: what it is of, the value under the cursor, and the curve itself. */
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { day } from '../../ui/format';
import { xOf } from './axis';
import { type Curve, type CurvePoint, nearestPoint, pointLines, pointText } from './curves';
import { AXIS, coloursOf, makePlot, RIGHT, showSpan } from './plot';
import type { TimelineStore } from './store';
import { Beyond } from './treatments';

const NEAR_PX = 28;

interface CurveRowProps {
  store: TimelineStore;
  curve: Curve;
  log: boolean;
  /** Stands above the value in the label. */
  children: ComponentChildren;
  /** What Enter or a click on a point does; none where there is nothing to open. */
  onOpen: ((point: CurvePoint) => void) | null;
}

export function CurveRow({ store, curve, log, children, onOpen }: CurveRowProps) {
  const row = useRef<HTMLLIElement>(null);
  const inSight = useInSight(row);
  const at = store.cursor.value;
  const { from, to } = store.span.value;
  const reach = ((to - from) / store.width.value) * NEAR_PX;
  const near = at === null ? -1 : nearestPoint(curve.points, at, reach);
  const told = curve.points[near] ?? curve.points.at(-1);
  return (
    <li class="time-row curve-row" ref={row}>
      <div class="row-label">
        {children}
        {told && (
          <span class={near >= 0 ? 'reading here' : 'reading'}>
            <b>{pointText(curve, told)}</b> <span class="muted">{day(told.date)}</span>
          </span>
        )}
      </div>
      <div class="drawing">
        <Beyond store={store} times={curve.points.map((p) => [p.at, p.at])} />
        {inSight && <Drawing store={store} curve={curve} log={log} near={near} onOpen={onOpen} />}
      </div>
    </li>
  );
}

interface DrawingProps {
  store: TimelineStore;
  curve: Curve;
  log: boolean;
  near: number;
  onOpen: ((point: CurvePoint) => void) | null;
}

function Drawing({ store, curve, log, near, onOpen }: DrawingProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [focused, setFocused] = useState(-1);
  const [over, setOver] = useState(false);
  const width = store.width.value + AXIS + RIGHT;
  const span = store.span.value;
  useLayoutEffect(() => {
    const here = box.current;
    if (!here) return;
    plot.current = makePlot(here, {
      curve,
      log,
      width,
      height: here.clientHeight || 96,
      span: store.span.peek(),
      colours: coloursOf(here),
      onCursor: (at) => {
        store.cursor.value = at;
      },
      onZoom: (chosen) => store.zoomTo(chosen),
    });
    return () => plot.current?.destroy();
  }, [curve, log, width, store]);
  useEffect(() => {
    if (plot.current) showSpan(plot.current, span);
  }, [span]);
  const shown = focused >= 0 ? focused : over ? near : -1;
  const point = curve.points[shown];
  const move = (index: number) => {
    const next = curve.points[index];
    if (!next) return;
    setFocused(index);
    store.reveal(next.at);
    store.cursor.value = next.at;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = curve.points.length - 1;
    const here = focused < 0 ? last : focused;
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last }[event.key];
    if (to !== undefined && !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey)
      move(Math.min(Math.max(to, 0), last));
    else if (event.key === 'Enter' && point && onOpen) onOpen(point);
    else if (event.key === 'ArrowUp' || event.key === 'ArrowDown')
      focusBeside(event.key === 'ArrowDown', box.current);
    else return;
    event.preventDefault();
  };
  const words = point ?? curve.points.at(-1);
  return (
    <div
      ref={box}
      class="plot"
      role="slider"
      tabIndex={0}
      aria-label={`${curve.quantity} of ${curve.label} over time`}
      aria-valuemin={1}
      aria-valuemax={Math.max(curve.points.length, 1)}
      aria-valuenow={(focused < 0 ? curve.points.length - 1 : focused) + 1}
      aria-valuetext={words ? pointLines(curve, words).join('. ') : 'not measured'}
      onKeyDown={onKeyDown}
      onFocus={() => move(focused < 0 ? curve.points.length - 1 : focused)}
      onBlur={() => setFocused(-1)}
      onPointerDown={(event) => event.preventDefault()}
      onPointerEnter={() => setOver(true)}
      onPointerLeave={() => {
        setOver(false);
        store.cursor.value = null;
      }}
      onClick={() => over && near >= 0 && curve.points[near] && onOpen?.(curve.points[near])}
      style={{ cursor: over && near >= 0 && onOpen ? 'pointer' : undefined }}
    >
      {point && (
        <Told
          curve={curve}
          point={point}
          x={xOf(point.at, span, store.width.value)}
          store={store}
          opens={!!onOpen}
        />
      )}
    </div>
  );
}

interface ToldProps {
  curve: Curve;
  point: CurvePoint;
  x: number;
  store: TimelineStore;
  opens: boolean;
}

/** What is known of a point, beside it. */
function Told({ curve, point, x, store, opens }: ToldProps) {
  const left = x > store.width.value / 2;
  const [first, ...rest] = pointLines(curve, point);
  return (
    <div class={left ? 'told left' : 'told'} style={{ left: `${AXIS + x}px` }} aria-hidden="true">
      <b>{first}</b>
      {rest.map((line) => (
        <span key={line}>{line}</span>
      ))}
      {opens && <span class="muted">Enter or click: its images</span>}
    </div>
  );
}

function focusBeside(down: boolean, from: HTMLElement | null): void {
  const all = [...document.querySelectorAll<HTMLElement>('.timeline [role="slider"]')];
  const next = all[all.indexOf(from as HTMLElement) + (down ? 1 : -1)];
  next?.focus();
  next?.closest('li')?.scrollIntoView({ block: 'nearest' });
}

/** Whether a row is in sight or close to it; only then it is drawn, so that a hundred rows cost as ten. */
function useInSight(row: RefObject<HTMLElement | null>): boolean {
  const [inSight, setInSight] = useState(false);
  useEffect(() => {
    if (!row.current) return;
    const observer = new IntersectionObserver(
      (entries) => setInSight(entries.at(-1)?.isIntersecting ?? false),
      { rootMargin: '400px' },
    );
    observer.observe(row.current);
    return () => observer.disconnect();
  }, [row]);
  return inSight;
}
