/** One image pane: the canvas, what is written at its corners, the marks. */
import type { Ref } from 'preact';
import { useRef } from 'preact/hooks';
import { day, figure } from '../../ui/format';
import { Kbd, SimulatedTag } from '../../ui/primitives';
import type { PaneId, PaneView } from '../../viewer';
import { scaleBar } from '../../viewer/overlay';
import { presetName } from '../../viewer/presets';
import type { ReadingStore } from './store';

interface PaneProps {
  id: PaneId;
  store: ReadingStore;
  element: Ref<HTMLDivElement>;
}

const WHEEL_STEP = 40;
const TOUCH_STEP = 9;

export function Pane({ id, store, element }: PaneProps) {
  const view = store.views[id].value;
  const study = id === 'current' ? store.reading.value?.study : store.priorStudy.value;
  const name = id === 'current' ? 'Current' : 'Prior';
  let rolled = 0;
  const onWheel = (event: WheelEvent) => {
    event.preventDefault();
    rolled += event.deltaMode === 0 ? event.deltaY : event.deltaY * WHEEL_STEP;
    const steps =
      Math.trunc(rolled / WHEEL_STEP) || (Math.abs(event.deltaY) >= WHEEL_STEP ? Math.sign(event.deltaY) : 0);
    if (!steps) return;
    rolled -= steps * WHEEL_STEP;
    store.lead(id);
    store.scroll(Math.max(-8, Math.min(8, steps)), id);
  };
  const touch = useTouchScroll(store, id);
  return (
    <section
      class={`pane ${store.focused.value === id ? 'focused' : ''}`}
      aria-label={`${name}: ${describe(view)}`}
      onPointerDownCapture={() => store.lead(id)}
      onFocusCapture={() => store.lead(id)}
    >
      <div
        class="canvas"
        role="application"
        aria-label={`${name} image; up and down scroll`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an image pane is a widget of its own, and takes the scroll keys.
        tabIndex={0}
        onWheel={onWheel}
        {...touch}
        onPointerMove={(e) => {
          if (id === 'current') store.pointer = { x: e.clientX, y: e.clientY };
        }}
        onPointerLeave={() => {
          if (id === 'current') store.pointer = null;
        }}
        onContextMenu={(e) => e.preventDefault()}
      >
        <div class="stack" ref={element} />
      </div>
      <Marks view={view} store={store} />
      <div class="corner top-left">
        <strong>{name.toUpperCase()}</strong>
        <span>{study?.exam}</span>
        <span class="line">{study && day(study.date)}</span>
        <span class="line muted">{id === 'prior' && view.state === 'shown' && priorWords(store)}</span>
        {study?.simulated && <SimulatedTag />}
      </div>
      <div class="corner top-right">
        {(view.state === 'loading' || view.state === 'empty') && <span class="muted">Loading images</span>}
        {view.series && view.state === 'shown' && (
          <>
            <span>
              Se {view.series.number} · Im {view.index + 1}/{view.series.slices.length}
            </span>
            <span class="line">{view.series.description}</span>
            <span class="line">
              {view.series.thicknessMm !== null && `${figure(view.series.thicknessMm)} mm`}
              {view.mmPerPixel === null && ' · not calibrated'}
            </span>
          </>
        )}
      </div>
      <div class="corner bottom-left">
        {view.window && (
          <span>
            W {view.window.width} L {view.window.center}
            {view.series?.modality === 'CT' && presetName(view.window) && (
              <span class="muted"> {presetName(view.window)}</span>
            )}
          </span>
        )}
        {view.positionLpsMm && <span class="line muted">z {view.positionLpsMm[2].toFixed(1)} mm</span>}
        {view.beyond && (
          <span class="line warning">This level lies outside the {id === 'prior' ? 'prior' : 'current'}</span>
        )}
      </div>
      <div class="corner bottom-right">
        <Scale mmPerPixel={view.mmPerPixel} />
        <span class="line muted">Not for diagnosis on this display</span>
      </div>
      {view.letters && (
        <div class="letters" aria-hidden="true">
          <i class="t">{view.letters.top}</i>
          <i class="r">{view.letters.right}</i>
          <i class="b">{view.letters.bottom}</i>
          <i class="l">{view.letters.left}</i>
        </div>
      )}
      {view.state === 'failed' && (
        <div class="pane-reason" role="status">
          <p>{view.reason}</p>
        </div>
      )}
      {id === 'prior' && store.blink.value && view.state === 'shown' && (
        <div class="blink-note">
          Prior <Kbd keys="Space" />
        </div>
      )}
    </section>
  );
}

/** One finger scrolls, as long as no other tool than the window was chosen; the tool library then hears nothing. */
function useTouchScroll(store: ReadingStore, id: PaneId) {
  const from = useRef<number | null>(null);
  const mine = (event: TouchEvent) => event.touches.length === 1 && store.tool.value === 'window';
  return {
    onTouchStartCapture: (event: TouchEvent) => {
      from.current = mine(event) ? (event.touches[0]?.clientY ?? null) : null;
      if (from.current === null) return;
      event.stopPropagation();
      store.lead(id);
    },
    onTouchMoveCapture: (event: TouchEvent) => {
      const y = event.touches[0]?.clientY;
      if (from.current === null || y === undefined || !mine(event)) return;
      event.stopPropagation();
      const steps = Math.trunc((y - from.current) / TOUCH_STEP);
      if (!steps) return;
      from.current += steps * TOUCH_STEP;
      store.scroll(steps, id);
    },
  };
}

function Marks({ view, store }: { view: PaneView; store: ReadingStore }) {
  if (view.state !== 'shown') return null;
  return (
    <svg class="marks" aria-hidden="true">
      {view.marks.map((m) => (
        <g
          key={m.id}
          class={`mark ${m.tone} ${m.selected ? 'selected' : ''}`}
          onPointerDown={() => store.select(m.id)}
        >
          {m.path && <path d={m.path} />}
          {m.circle && <circle cx={m.circle.x} cy={m.circle.y} r={m.circle.r} />}
          {m.axes.map((a) => (
            <line key={`${a.x1} ${a.y1}`} class="axis" {...a} />
          ))}
          <text x={m.labelAt.x} y={m.labelAt.y}>
            {m.label}
          </text>
        </g>
      ))}
    </svg>
  );
}

function Scale({ mmPerPixel }: { mmPerPixel: number | null }) {
  const bar = mmPerPixel === null ? null : scaleBar(mmPerPixel);
  if (!bar) return null;
  return (
    <span class="scale" style={{ width: `${bar.pixels}px` }}>
      {bar.label}
    </span>
  );
}

function priorWords(store: ReadingStore): string {
  const prior = store.reading.value?.prior;
  const shown = store.priorStudy.value;
  if (!shown) return '';
  const how = {
    aligned: 'linked by alignment',
    position: 'linked by position, not aligned',
    none: 'not linked',
  };
  const why = shown.uid === prior?.study.uid ? `${prior.why} · ` : '';
  return `${why}${how[store.linkKind.value]}`;
}

function describe(view: PaneView): string {
  if (view.state === 'failed') return view.reason;
  if (view.state !== 'shown' || !view.series) return 'loading';
  return `image ${view.index + 1} of ${view.series.slices.length}`;
}
