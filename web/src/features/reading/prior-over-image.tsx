/** Draws the aligned prior over a pane, with the line that wipes, and says whose pixels are seen. */
import { day } from '../../ui/format';
import type { Action } from '../../ui/keys';
import { Button, Kbd } from '../../ui/primitives';
import type { PaneView } from '../../viewer';
import { Picture } from './laid-over-image';
import { type OverMode, paintGreys, stepOf, windowOver } from './prior-over';
import type { ReadingStore } from './store';

const WORDS: Record<OverMode, string> = { blink: 'Blink', swipe: 'Swipe', checker: 'Checkerboard' };
const KEYS: Record<OverMode, string> = { blink: 'Alt-b', swipe: 'Alt-x', checker: 'Alt-c' };
const MODES: readonly OverMode[] = ['blink', 'swipe', 'checker'];

interface Over {
  view: PaneView;
  store: ReadingStore;
}

export function PriorOverImage({ view, store }: Over) {
  const { over } = store;
  const mode = over.mode.value;
  const { series, placement, presentation } = view;
  const slice = series?.slices[view.index];
  if (!mode || !series || !slice || !placement || over.refusal.value || over.refusalIn(view)) return null;
  const { window, invert } = presentation;
  const [columns, rows] = slice.size;
  const at = over.line.value;
  return (
    <>
      <div
        class={`prior-over ${mode} ${mode === 'blink' && !over.priorShown.value ? 'hidden' : ''}`}
        style={mode === 'swipe' ? { clipPath: `inset(0 0 0 ${at * 100}%)` } : {}}
      >
        <Picture
          placement={placement}
          name={`prior ${store.beside.uid.value} ${series.uid} ${slice.sopUid} ${slice.frame} ${window?.center} ${window?.width} ${invert}`}
          paint={async () => {
            const values = await over.slice(series.uid, slice);
            const step = stepOf(values.length, slice.size);
            if (!step || !window) return null;
            const picture = paintGreys(values, windowOver(series.modality, window), invert);
            const size = [Math.ceil(columns / step), Math.ceil(rows / step)] as const;
            return { picture, size, origin: [0, 0], step };
          }}
        />
      </div>
      {mode === 'swipe' && <Line store={store} />}
      <Badge mode={mode} store={store} />
    </>
  );
}

/** The line between the two; dragged, or moved by its arrow keys. */
function Line({ store: { over } }: { store: ReadingStore }) {
  const at = over.line.value;
  const drag = (event: PointerEvent) => {
    const line = event.currentTarget as HTMLElement;
    const box = line.parentElement?.getBoundingClientRect();
    if (line.hasPointerCapture(event.pointerId) && box) over.putLine((event.clientX - box.left) / box.width);
  };
  return (
    <div
      class="wipe-line"
      role="slider"
      tabIndex={0}
      aria-label="Line between current (left) and prior (right)"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(at * 100)}
      style={{ left: `${at * 100}%` }}
      onPointerDown={(e) => {
        e.stopPropagation();
        e.currentTarget.setPointerCapture(e.pointerId);
      }}
      onPointerMove={drag}
      onKeyDown={(e) => {
        const by = { ArrowLeft: -1, ArrowRight: 1, Home: -100, End: 100 }[e.key];
        if (!by) return;
        e.preventDefault();
        e.stopPropagation();
        over.moveLine(by);
      }}
    />
  );
}

/** Whose pixels are seen, and the other ways to compare. */
function Badge({ mode, store }: { mode: OverMode; store: ReadingStore }) {
  const { over, beside } = store;
  const reading = store.reading.value;
  const date = day(beside.date.value);
  const alignment = beside.alignment.value;
  const whose = {
    blink: over.priorShown.value ? `prior ${date}, aligned` : `current ${day(reading?.study.date)}`,
    swipe: `left current · right prior ${date}, aligned`,
    checker: `checkerboard with the prior ${date}, aligned`,
  }[mode];
  return (
    <div class="over-badge" role="status">
      <span>{whose}</span>
      {mode === 'blink' && <Kbd keys="Space" />}
      {alignment?.verdict === 'care' && (
        <span class="warning" title={alignment.reason}>
          ▲ alignment: take care
        </span>
      )}
      <Button kind="quiet" keys="Escape" onClick={() => over.leave()}>
        Leave
      </Button>
    </div>
  );
}

/** The ways to compare in one pane, as buttons; where it cannot be, the reason. */
export function OverButtons({ store: { over } }: { store: ReadingStore }) {
  if (over.refusal.value) return <p class="why">{over.refusal.value}</p>;
  return (
    <div class="decisions" role="group" aria-label="Compare in one pane">
      {MODES.map((mode) => (
        <Button
          key={mode}
          keys={KEYS[mode]}
          pressed={over.mode.value === mode}
          onClick={() => over.toggle(mode)}
        >
          {WORDS[mode]}
        </Button>
      ))}
    </div>
  );
}

export function overActions(store: ReadingStore): Action[] {
  const { over } = store;
  const act = (id: string, label: string, keys: string[], run: () => void, when?: () => boolean): Action => ({
    id: `over-${id}`,
    label,
    keys,
    group: 'Images',
    run,
    ...(when && { when }),
  });
  const on = (mode: OverMode) => () => over.mode.value === mode;
  return [
    act('blink', 'Blink the aligned prior in this pane', ['Alt-b'], () => over.toggle('blink')),
    act('swipe', 'Swipe between current and aligned prior', ['Alt-x'], () => over.toggle('swipe')),
    act('checker', 'Checkerboard of current and aligned prior', ['Alt-c'], () => over.toggle('checker')),
    act('other', 'Show the other of the two', ['Space'], () => over.blink(), on('blink')),
    act('line-left', 'Move the line left', ['ArrowLeft'], () => over.moveLine(-1), on('swipe')),
    act('line-right', 'Move the line right', ['ArrowRight'], () => over.moveLine(1), on('swipe')),
    act(
      'leave',
      'Leave the comparison in one pane',
      ['Escape'],
      () => over.leave(),
      () => over.mode.value !== null,
    ),
  ];
}
