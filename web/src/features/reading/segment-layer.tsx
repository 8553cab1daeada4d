/** The labels over one pane, the ring of the brush, and the pointer of the tools that segment. */
import { useEffect, useRef } from 'preact/hooks';
import type { PaneId, PaneView } from '../../viewer';
import { mmPerPixel } from '../../viewer/labels/face';
import { paintFace } from '../../viewer/labels/picture';
import { rgb } from './laid-over';
import { usePanePointer } from './pane-pointer';
import type { Drawing } from './segment-strokes';
import type { ReadingStore } from './store';

interface Over {
  id: PaneId;
  view: PaneView;
  store: ReadingStore;
}

export function SegmentLayer({ id, view, store }: Over) {
  usePanePointer(id, store.panes, store.strokes);
  return (
    <>
      {store.segmentation.opened.value && <Labels id={id} view={view} store={store} />}
      <Ring id={id} view={view} store={store} />
    </>
  );
}

function Labels({ id, view, store }: Over) {
  const { segmentation } = store;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [revision, segments, opacity] = [
    segmentation.revision.value,
    segmentation.segments.value,
    segmentation.opacity.value,
  ];
  useEffect(() => {
    const element = canvas.current;
    const opened = segmentation.opened.value;
    const face = segmentation.faceOf(id, view);
    const frame = element?.parentElement;
    if (!element || !frame) return;
    const size = [frame.clientWidth, frame.clientHeight] as const;
    const shown = segments
      .filter((s) => s.visible)
      .map((s) => ({ id: s.id, layer: s.layer, colour: rgb(s.colour) }));
    const picture = face && opened && paintFace(face, opened.grid, shown, size, opacity);
    [element.width, element.height] = picture ? size : [0, 0];
    if (picture)
      element.getContext('2d')?.putImageData(new ImageData(picture as never, size[0], size[1]), 0, 0);
  }, [view, revision, segments, opacity, id, segmentation]);
  return <canvas class="segment-labels" ref={canvas} />;
}

/** The size of the brush around the pointer, or the shape that is being drawn. */
function Ring({ id, view, store }: Over) {
  const { strokes, segmentation } = store;
  const pointer = strokes.pointer.value;
  const drawing = strokes.drawing.value;
  const colour = segmentation.activeSegment.value?.colour ?? 'currentColor';
  const shape = drawing?.pane === id ? drawing : null;
  const brush = strokes.tool?.startsWith('brush') && pointer?.pane === id ? pointer.at : null;
  if (!shape && !brush) return null;
  const mm = brush ? scaleOf(id, view, store) : null;
  return (
    <svg class="marks segment-ring" aria-hidden="true" style={{ stroke: colour }}>
      {brush && mm && <circle cx={brush[0]} cy={brush[1]} r={strokes.radiusMm.value / mm} />}
      {shape && <Outline drawing={shape} />}
    </svg>
  );
}

function Outline({ drawing }: { drawing: Drawing }) {
  const { points, tool } = drawing;
  const [one, two] = [points[0], points.at(-1)];
  if (!one || !two) return null;
  if (tool === 'scissors-rectangle')
    return (
      <rect
        x={Math.min(one[0], two[0])}
        y={Math.min(one[1], two[1])}
        width={Math.abs(two[0] - one[0])}
        height={Math.abs(two[1] - one[1])}
      />
    );
  if (tool === 'scissors-circle' || tool === 'scissors-sphere')
    return <circle cx={one[0]} cy={one[1]} r={Math.hypot(two[0] - one[0], two[1] - one[1])} />;
  return (
    <>
      <polyline points={points.map((p) => p.map((v) => v.toFixed(1)).join(',')).join(' ')} />
      {tool === 'outline-live' && <circle cx={one[0]} cy={one[1]} r="4" />}
    </>
  );
}

/** Millimetres per pixel: of the labels where there are any, else of the pane. */
function scaleOf(id: PaneId, view: PaneView, store: ReadingStore): number | null {
  const face = store.segmentation.faceOf(id, view);
  return face ? mmPerPixel(face) : (view.mmPerPixel ?? 1);
}
