/** Moving and enlarging a slide by pointers. */
import type { RefObject } from 'preact';
import { useRef } from 'preact/hooks';
import { type View, zoomedAt } from './pyramid';

/** One pointer drags, two enlarge, the wheel enlarges about the pointer. */
export function usePointers(
  canvas: RefObject<HTMLCanvasElement | null>,
  shown: View | null,
  look: (view: View) => void,
) {
  const down = useRef(new Map<number, { x: number; y: number }>());
  const middle = (event: { offsetX: number; offsetY: number }) => ({
    x: event.offsetX - (canvas.current?.clientWidth ?? 0) / 2,
    y: event.offsetY - (canvas.current?.clientHeight ?? 0) / 2,
  });
  const end = (event: PointerEvent) => void down.current.delete(event.pointerId);
  return {
    onPointerDown: (event: PointerEvent) => {
      canvas.current?.setPointerCapture(event.pointerId);
      down.current.set(event.pointerId, middle(event));
    },
    onPointerMove: (event: PointerEvent) => {
      const before = down.current.get(event.pointerId);
      if (!before || !shown) return;
      const now = middle(event);
      const other = [...down.current.entries()].find(([id]) => id !== event.pointerId)?.[1];
      down.current.set(event.pointerId, now);
      if (!other) {
        look({
          ...shown,
          x: shown.x - (now.x - before.x) / shown.zoom,
          y: shown.y - (now.y - before.y) / shown.zoom,
        });
        return;
      }
      const apart = (p: { x: number; y: number }) => Math.max(8, Math.hypot(p.x - other.x, p.y - other.y));
      const about = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      look(zoomedAt(shown, apart(now) / apart(before), about));
    },
    onPointerUp: end,
    onPointerCancel: end,
    onWheel: (event: WheelEvent) => {
      event.preventDefault();
      if (!shown) return;
      const lines = event.deltaMode === 0 ? event.deltaY : event.deltaY * 40;
      look(zoomedAt(shown, 2 ** (-Math.max(-300, Math.min(300, lines)) / 300), middle(event)));
    },
    onDblClick: (event: MouseEvent) => shown && look(zoomedAt(shown, 2, middle(event))),
  };
}
