/** The edge of the side panel: drag it, or move it with the arrow keys; its place is remembered. */
import { useEffect, useState } from 'preact/hooks';

const KEY = 'sightline.panel-width';
const [LEAST, MOST, STEP] = [280, 460, 16];

export function ResizeHandle() {
  const [width, setWidth] = useState(remembered);
  useEffect(() => {
    document.documentElement.style.setProperty('--side', `${width}px`);
  }, [width]);
  const resize = (to: number) => {
    const kept = Math.min(MOST, Math.max(LEAST, Math.round(to)));
    setWidth(kept);
    try {
      localStorage.setItem(KEY, String(kept));
    } catch {
      // Without storage the width lasts until the page is closed.
    }
  };
  return (
    <div
      class="resize"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the panel"
      aria-valuenow={width}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)}
      onPointerMove={(e) => {
        if (e.currentTarget.hasPointerCapture(e.pointerId)) resize(innerWidth - e.clientX);
      }}
      onKeyDown={(e) => {
        const step = { ArrowLeft: STEP, ArrowRight: -STEP }[e.key];
        if (!step) return;
        e.preventDefault();
        resize(width + step);
      }}
    />
  );
}

function remembered(): number {
  try {
    const kept = Number(localStorage.getItem(KEY));
    return kept >= LEAST && kept <= MOST ? kept : 320;
  } catch {
    return 320;
  }
}
