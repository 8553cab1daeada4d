/**
 * Hear the pointer on a pane while a tool of ours is chosen. Real pointers come as pointer events; the pointer moved by
 * keys sends mouse events, which no person's hand does without the others.
 */
import { useEffect } from 'preact/hooks';
import type { PaneId, PaneView } from '../../viewer';
import type { Point } from '../../viewer/labels/face';
import type { PanesStore } from './panes';

/** Which keys were held while the button went down. */
export interface Held {
  shift: boolean;
  alt: boolean;
}

/** What a tool does with the pointer; points are pixels of the pane. */
export interface PointerTool {
  /** Whether it is chosen. */
  readonly takes: boolean;
  /** The button went down; says whether the tool took it. */
  press(pane: PaneId, view: PaneView, at: Point, held: Held): boolean;
  move(pane: PaneId, view: PaneView, at: Point): void;
  release(): void;
  /** A second finger came: this was no stroke. */
  abort(): void;
  leave(): void;
}

export function usePanePointer(id: PaneId, panes: PanesStore, tool: PointerTool): void {
  useEffect(() => {
    const element = document.querySelector<HTMLElement>(`[data-pane="${id}"] .canvas`);
    if (!element) return;
    const aborting = new AbortController();
    const listen = <K extends keyof HTMLElementEventMap>(
      name: K,
      act: (event: HTMLElementEventMap[K]) => void,
    ) => element.addEventListener(name, act, { signal: aborting.signal, capture: true });
    const at = (event: MouseEvent): Point => {
      const box = element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const press = (event: MouseEvent): boolean =>
      event.button === 0 &&
      tool.press(id, panes.view(id).value, at(event), { shift: event.shiftKey, alt: event.altKey });
    const move = (event: MouseEvent): void => tool.move(id, panes.view(id).value, at(event));
    listen('pointerdown', (event) => {
      if (!event.isPrimary) return tool.abort();
      if (!press(event)) return;
      event.stopPropagation(); // nothing else is to drag here meanwhile
      element.setPointerCapture(event.pointerId);
    });
    listen('pointermove', (event) => {
      if (!event.isPrimary) return;
      for (const each of event.getCoalescedEvents?.() ?? [event]) move(each);
    });
    listen('pointerup', (event) => void (event.isPrimary && tool.release()));
    listen('pointercancel', () => tool.release());
    listen('pointerleave', () => tool.leave());
    listen('dblclick', (event) => {
      if (tool.takes) event.stopPropagation(); // two quick dabs are no wish for a larger pane
    });
    listen('mousedown', (event) => void (event.isTrusted || press(event)));
    listen('mousemove', (event) => event.isTrusted || move(event));
    listen('mouseup', (event) => event.isTrusted || tool.release());
    return () => aborting.abort();
  }, [id, panes, tool]);
}
