/** The size of an element as it changes. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export interface Size {
  width: number;
  height: number;
}

export function useSize(element: RefObject<HTMLElement | null>): Size {
  const [size, set] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const seen = element.current;
    if (!seen) return;
    const watch = new ResizeObserver(() => set({ width: seen.clientWidth, height: seen.clientHeight }));
    watch.observe(seen);
    return () => watch.disconnect();
  }, [element]);
  return size;
}
