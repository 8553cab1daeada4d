/** Long lists: only the rows in sight are in the document, so ten thousand scroll like ten. */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

const OVERSCAN = 12;
const NEAR_END = 30;

export interface VirtualRows {
  scroller: RefObject<HTMLDivElement | null>;
  onScroll: () => void;
  /** The first row to draw, and the one after the last. */
  first: number;
  last: number;
  /** Height of a row in px; it follows the text size. */
  row: number;
}

export interface VirtualList {
  count: number;
  /** Where the selected row stands, −1 for nowhere, and by which name it is known. */
  index: number;
  selected: string | null;
  onNearEnd?: () => void;
}

export function useVirtualRows({ count, index, selected, onNearEnd }: VirtualList): VirtualRows {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, row: 28 });

  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const measure = () => setView({ top: box.scrollTop, height: box.clientHeight, row: measured(box) });
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  useKeepSelectionInSight(scroller, index, view.row, selected);

  const first = Math.max(0, Math.floor(view.top / view.row) - OVERSCAN);
  const last = Math.min(count, Math.ceil((view.top + view.height) / view.row) + OVERSCAN);
  useEffect(() => {
    if (last > count - NEAR_END) onNearEnd?.();
  }, [last, count]);

  const onScroll = () => {
    const box = scroller.current;
    if (box) setView({ top: box.scrollTop, height: box.clientHeight, row: view.row });
  };
  return { scroller, onScroll, first, last, row: view.row };
}

function measured(box: HTMLElement): number {
  const probe = document.createElement('div');
  probe.className = 'row probe';
  box.append(probe);
  const { height } = probe.getBoundingClientRect();
  probe.remove();
  return height || 28;
}

/** Nothing moves unless the person moved it: when rows shift, the selected one stays where it was on the screen. */
function useKeepSelectionInSight(
  scroller: { current: HTMLDivElement | null },
  index: number,
  row: number,
  selected: string | null,
): void {
  const before = useRef<{ index: number; selected: string | null }>({ index: -1, selected: null });
  useEffect(() => {
    const box = scroller.current;
    const { index: old, selected: whom } = before.current;
    before.current = { index, selected };
    if (!box || index < 0) return;
    if (whom === selected && old >= 0 && old !== index && box.scrollTop > 0) {
      box.scrollTop += (index - old) * row;
      return;
    }
    const top = index * row;
    const room = box.clientHeight - row;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + row > box.scrollTop + room) box.scrollTop = top + row - room;
  }, [index, row, selected, scroller]);
}
