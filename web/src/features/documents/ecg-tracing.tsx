/** A page of a recording on the screen: drawn, moved, enlarged and measured, by pointer and by keys. */
import type { RefObject } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { beside, type Caliper, flipped, movedBy, movedTo, placed } from './calipers';
import { draw } from './ecg-drawing';
import {
  filtered,
  fitting,
  type Group,
  HOME,
  isTwelveLead,
  keptPan,
  keptZoom,
  type Look,
  layOut,
  marksOf,
  onPaper,
  PIXELS_PER_MM,
  pointAt,
  type Sheet,
  type Strip,
  stripAt,
  timeAt,
  ZOOM_STEP,
} from './ecg-paper';
import { Foot, Measured, type PageProps, Tools } from './ecg-parts';
import { useSize } from './size';

/** What an arrow key moves an end of the calipers by, or the paper; with Shift ten times as far. */
const STEP_S = 0.004;
const STEP_MM = 0.1;
const PAPER_STEP_MM = 5;

type Change = (part: Partial<Look>) => void;

interface TracingProps extends PageProps {
  values: readonly Float32Array[];
  look: Look;
  change: Change;
}

export function Tracing(props: TracingProps) {
  const { group, look, annotations, startS } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const duration = (props.values[0]?.length ?? 0) / group.frequency_hz;
  const sheet = useSheet(props, duration, canvas);
  const [stated, setCaliper] = useState<Caliper | null>(null);
  // Another layout, speed or page is other paper, and the calipers lay on the one before.
  const caliper = stated && sheet.paper.strips.includes(stated.strip) ? stated : null;
  const marks = useMemo(
    () => marksOf(annotations, { start: startS, duration }, group.channels.length),
    [annotations, startS, duration, group],
  );
  useEffect(() => {
    if (canvas.current?.clientWidth) draw(canvas.current, { ...sheet, marks, caliper });
  });
  const hands: Hands = { ...props, sheet, caliper, setCaliper };
  const zoomBy = (factor: number) => props.change({ zoom: enlarged(sheet, factor) });
  const onCaliper = () => {
    toggleCaliper(hands);
    stage.current?.focus();
  };
  return (
    <>
      <Tools
        look={look}
        change={props.change}
        twelve={isTwelveLead(group.channels)}
        caliper={!!caliper}
        onCaliper={onCaliper}
        zoomBy={zoomBy}
      />
      <div class="ecg-paper">
        <div
          ref={stage}
          class={`document-canvas ${caliper ? 'measuring' : ''}`}
          role="application"
          aria-label={describe(group, duration)}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the sheet is a widget of its own, and takes its keys.
          tabIndex={0}
          onKeyDown={(event) => pressKey(event, hands)}
          {...usePointer(canvas, hands)}
        >
          <canvas ref={canvas} />
        </div>
        {look.filter && <span class="ecg-flag">filtered 0.5–40 Hz for display</span>}
        {caliper && <Measured caliper={caliper} unit={group.channels[caliper.strip.channel]?.unit ?? ''} />}
      </div>
      <Foot {...props} scale={sheet.scale} duration={duration} />
    </>
  );
}

/** The page laid out as it is looked at. */
function useSheet(
  { group, values, look }: TracingProps,
  duration: number,
  canvas: RefObject<HTMLCanvasElement | null>,
): Sheet {
  const size = useSize(canvas);
  const paper = useMemo(
    () => layOut(group.channels, look.layout, duration, look.speed),
    [group, look.layout, look.speed, duration],
  );
  const shown = useMemo(
    () => (look.filter ? values.map((v) => filtered(v, group.frequency_hz)) : values),
    [values, look.filter, group],
  );
  const scale = PIXELS_PER_MM * (look.zoom ?? fitting(paper, size.width));
  return {
    paper,
    channels: group.channels,
    values: shown,
    frequency: group.frequency_hz,
    speed: look.speed,
    gain: look.gain,
    scale,
    pan: keptPan(look.pan, paper, size, scale),
  };
}

/** What keys and pointers act on. */
interface Hands extends Pick<TracingProps, 'look' | 'change' | 'page' | 'pages' | 'turn'> {
  sheet: Sheet;
  caliper: Caliper | null;
  setCaliper: (caliper: Caliper | null) => void;
}

const enlarged = (sheet: Sheet, factor: number): number => keptZoom((sheet.scale / PIXELS_PER_MM) * factor);

function measure({ sheet, setCaliper }: Hands, strip: Strip | null | undefined): void {
  if (!strip) return;
  const middle = sheet.pan.x + Math.min(40, ((strip.to - strip.from) * sheet.speed) / 2);
  const { value } = pointAt(sheet, strip, strip);
  setCaliper(placed(strip, timeAt(strip, Math.max(strip.x, middle), sheet.speed), value));
}

function toggleCaliper(hands: Hands): void {
  if (hands.caliper) hands.setCaliper(null);
  else measure(hands, hands.sheet.paper.rhythm);
}

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** What a key does; a key that does nothing here is left to the page. */
const KEYS: Record<string, (hands: Hands) => void> = {
  '1': ({ change, sheet }) => isTwelveLead(sheet.channels) && change({ layout: '3x4', pan: HOME }),
  '2': ({ change }) => change({ layout: '12x1', pan: HOME }),
  '+': ({ change, sheet }) => change({ zoom: enlarged(sheet, ZOOM_STEP) }),
  '=': ({ change, sheet }) => change({ zoom: enlarged(sheet, ZOOM_STEP) }),
  '-': ({ change, sheet }) => change({ zoom: enlarged(sheet, 1 / ZOOM_STEP) }),
  '0': ({ change }) => change({ zoom: null, pan: HOME }),
  f: ({ change, look }) => change({ filter: !look.filter }),
  c: toggleCaliper,
  PageDown: ({ turn, page, pages }) => turn(Math.min(pages - 1, page + 1)),
  PageUp: ({ turn, page }) => turn(Math.max(0, page - 1)),
};
const CALIPER_KEYS: Record<string, (hands: Hands & { caliper: Caliper }) => void> = {
  x: ({ caliper, setCaliper }) => setCaliper(flipped(caliper)),
  '[': (hands) => measure(hands, beside(hands.sheet.paper, hands.caliper, -1)),
  ']': (hands) => measure(hands, beside(hands.sheet.paper, hands.caliper, 1)),
  Escape: ({ setCaliper }) => setCaliper(null),
};

function pressKey(event: KeyboardEvent, hands: Hands): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { caliper } = hands;
  const arrow = ARROWS[event.key];
  const measuring = caliper && CALIPER_KEYS[event.key];
  const act = KEYS[event.key];
  if (!arrow && !measuring && !act) return;
  event.preventDefault();
  event.stopPropagation();
  if (arrow) pressArrow(arrow, event.shiftKey ? 10 : 1, hands);
  else if (measuring) measuring({ ...hands, caliper });
  else act?.(hands);
}

function pressArrow([right, up]: readonly [number, number], far: number, hands: Hands): void {
  const { sheet, caliper, change, setCaliper } = hands;
  if (!caliper) {
    const step = far * PAPER_STEP_MM;
    change({ pan: { x: sheet.pan.x + right * step, y: sheet.pan.y - up * step } });
    return;
  }
  const { strip } = caliper;
  const base = pointAt(sheet, strip, strip).value;
  const above = pointAt(sheet, strip, { x: strip.x, y: strip.y - STEP_MM }).value;
  setCaliper(movedBy(caliper, right * far * STEP_S, up * far * (above - base)));
}

/** A drag moves the paper or, with calipers, measures; the wheel moves, and with Control enlarges. */
function usePointer(canvas: RefObject<HTMLCanvasElement | null>, hands: Hands) {
  const { sheet, caliper, change, setCaliper } = hands;
  const drag = useRef<{ x: number; y: number; pan: Look['pan'] } | null>(null);
  const end = () => {
    drag.current = null;
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      canvas.current?.setPointerCapture(event.pointerId);
      drag.current = { x: event.offsetX, y: event.offsetY, pan: sheet.pan };
      const at = onPaper(sheet, event);
      const strip = caliper && stripAt(sheet.paper, at.x, at.y, sheet.speed);
      if (!strip) return;
      const point = pointAt(sheet, strip, at);
      setCaliper({ strip, ends: [point, point], active: 1 });
    },
    onPointerMove: (event: PointerEvent) => {
      const from = drag.current;
      if (!from) return;
      if (caliper) setCaliper(movedTo(caliper, pointAt(sheet, caliper.strip, onPaper(sheet, event))));
      else change({ pan: dragged(from, event, sheet.scale) });
    },
    onPointerUp: end,
    onPointerCancel: end,
    onWheel: (event: WheelEvent) => {
      event.preventDefault();
      change(event.ctrlKey || event.metaKey ? wheelZoom(sheet, event) : { pan: wheelPan(sheet, event) });
    },
  };
}

const dragged = (from: { x: number; y: number; pan: Look['pan'] }, to: PointerEvent, scale: number) => ({
  x: from.pan.x - (to.offsetX - from.x) / scale,
  y: from.pan.y - (to.offsetY - from.y) / scale,
});

const wheelPan = ({ pan, scale }: Sheet, event: WheelEvent) => ({
  x: pan.x + event.deltaX / scale,
  y: pan.y + event.deltaY / scale,
});

/** Enlarge so that what is under the pointer stays there. */
function wheelZoom(sheet: Sheet, event: WheelEvent): Partial<Look> {
  const zoom = enlarged(sheet, event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP);
  const at = onPaper(sheet, event);
  const scale = zoom * PIXELS_PER_MM;
  return { zoom, pan: { x: at.x - event.offsetX / scale, y: at.y - event.offsetY / scale } };
}

const describe = (group: Group, duration: number): string =>
  `${group.channels.length} channels, ${duration.toFixed(1)} seconds. 1 and 2 change the layout, plus and minus enlarge, c measures, arrow keys move`;
