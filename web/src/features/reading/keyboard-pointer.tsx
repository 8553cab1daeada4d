/**
 * The pointer without a mouse: a cross moved by the arrow keys that presses where Enter is hit, so that every tool that
 * draws can be used from the keyboard (WCAG 2.1.1).
 */
import { signal } from '@preact/signals';
import { Kbd } from '../../ui/primitives';
import type { PaneId } from '../../viewer';
import type { PanesStore } from './panes';

const STEP = 1;
const LONG_STEP = 12;

/** Where the cross stands, in pixels of its pane; null while the keys scroll. */
export const cross = signal<{ pane: PaneId; x: number; y: number; pressed: boolean } | null>(null);

/** Tools that only change how an image is seen need no point in it. */
const POINTLESS = new Set(['window', 'zoom', 'pan']);

/** Begin, at the middle of the pane that has the keys; says whether there is a tool to point with. */
export function beginPointing(panes: PanesStore): boolean {
  const element = document.querySelector<HTMLElement>(`[data-pane="${panes.focused.value}"] .stack`);
  if (!element || POINTLESS.has(panes.tool.value) || panes.shown.state !== 'shown') return false;
  element.parentElement?.focus({ preventScroll: true });
  cross.value = {
    pane: panes.focused.value,
    x: element.clientWidth / 2,
    y: element.clientHeight / 2,
    pressed: false,
  };
  return true;
}

const MOVES: Record<string, readonly [number, number]> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

/** What a key does while the cross is there; it swallows what it understands. */
export function pointWith(event: KeyboardEvent, panes: PanesStore): void {
  const now = cross.value;
  const element =
    event.currentTarget instanceof HTMLElement ? event.currentTarget.querySelector('.stack') : null;
  if (!now || !(element instanceof HTMLElement)) return;
  const move = MOVES[event.key];
  if (!move && event.key !== 'Enter' && event.key !== ' ' && event.key !== 'Escape') return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key === 'Escape') {
    if (now.pressed) send(element, 'mouseup', now);
    cross.value = null;
    return;
  }
  const step = event.shiftKey ? LONG_STEP : STEP;
  const next = move
    ? {
        ...now,
        x: Math.min(Math.max(now.x + move[0] * step, 0), element.clientWidth),
        y: Math.min(Math.max(now.y + move[1] * step, 0), element.clientHeight),
      }
    : { ...now, pressed: !now.pressed };
  cross.value = next;
  const box = element.getBoundingClientRect();
  panes.pointer = { pane: now.pane, x: box.left + next.x, y: box.top + next.y };
  if (panes.tool.value === 'crosshair')
    void panes.controller?.pointOut(now.pane, box.left + next.x, box.top + next.y);
  else if (move) send(element, 'mousemove', next);
  else send(element, next.pressed ? 'mousedown' : 'mouseup', next);
}

function send(element: HTMLElement, type: string, at: { x: number; y: number; pressed: boolean }): void {
  const box = element.getBoundingClientRect();
  const held = type === 'mouseup' ? 0 : at.pressed || type === 'mousedown' ? 1 : 0;
  element.dispatchEvent(
    new MouseEvent(type, {
      clientX: box.left + at.x,
      clientY: box.top + at.y,
      button: 0,
      buttons: held,
      bubbles: true,
      cancelable: true,
      view: window,
    }),
  );
}

/** The cross, and how it is used. */
export function KeyboardCross({ pane }: { pane: PaneId }) {
  const now = cross.value;
  if (now?.pane !== pane) return null;
  return (
    <>
      <svg class={`keyboard-cross ${now.pressed ? 'pressed' : ''}`} aria-hidden="true">
        <line x1={now.x - 14} x2={now.x + 14} y1={now.y} y2={now.y} />
        <line x1={now.x} x2={now.x} y1={now.y - 14} y2={now.y + 14} />
      </svg>
      <p class="keyboard-note" role="status">
        Arrow keys move, with Shift further · <Kbd keys="Enter" /> {now.pressed ? 'lets go' : 'presses'} ·{' '}
        <Kbd keys="Escape" /> ends
      </p>
    </>
  );
}
