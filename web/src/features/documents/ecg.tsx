/** A waveform on millimetre paper: 25 mm/s and 10 mm/mV, unless the reader chooses otherwise. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get, getFloats } from '../../api';
import { useLoaded } from '../../ui/load';
import { Button, Notice, Skeleton } from '../../ui/primitives';
import { Nothing, Whole } from '../../ui/states';
import type { ViewProps } from '.';
import { addresses, type Place } from './addresses';
import { sopUid } from './attributes';
import { type Caliper, draw, type Point } from './ecg-drawing';
import {
  type Annotation,
  between,
  filtered,
  firstGroup,
  type Group,
  isTwelveLead,
  type Layout,
  layOut,
  marksOf,
  PAGE_S,
  type Paper,
  PIXELS_PER_MM,
  said,
  scaleOf,
  stripAt,
  timeAt,
  valueAt,
  type Waveform,
  xAt,
} from './ecg-paper';
import { useSize } from './size';

const SPEEDS = [12.5, 25, 50] as const;
const GAINS = [5, 10, 20] as const;
const ZOOM_STEP = 1.25;
/** What an arrow key moves an end of the calipers by; with Shift ten times as far. */
const STEP_S = 0.004;
const STEP_MM = 0.1;

export function EcgView({ studyUid, seriesUid, instance }: ViewProps) {
  const place = { studyUid, seriesUid, sopUid: sopUid(instance) };
  const address = addresses.waveform(place);
  const loaded = useLoaded((signal) => get<Waveform>(address, signal), address);
  return (
    <Whole loaded={loaded} what="the waveform">
      {(waveform) => <Recording waveform={waveform} place={place} />}
    </Whole>
  );
}

function Recording({ waveform, place }: { waveform: Waveform; place: Place }) {
  const [number, choose] = useState(() => firstGroup(waveform.groups)?.number ?? 0);
  const group = waveform.groups.find((g) => g.number === number);
  if (!group) return <Nothing title="This object holds no waveform." />;
  return (
    <div class="document-whole">
      {waveform.groups.length > 1 && (
        <div class="document-head" role="group" aria-label="Groups of channels">
          {waveform.groups.map((g) => (
            <button
              key={g.number}
              type="button"
              class="chip"
              aria-pressed={g === group}
              onClick={() => choose(g.number)}
            >
              {g.label || `Group ${g.number}`}
              {g.originality === 'DERIVED' && <span class="muted">derived</span>}
            </button>
          ))}
        </div>
      )}
      {group.problem ? (
        <div class="document-body">
          <Notice tone="warning" title="These channels cannot be drawn.">
            {group.problem}
          </Notice>
        </div>
      ) : (
        <Sheet key={group.number} group={group} waveform={waveform} place={place} />
      )}
    </div>
  );
}

/** One page of a group: its values, and how they are shown. */
function Sheet({ group, waveform, place }: { group: Group; waveform: Waveform; place: Place }) {
  const [page, turn] = useState(0);
  const perPage = Math.ceil(PAGE_S * group.frequency_hz);
  const pages = Math.max(1, Math.ceil(group.samples / perPage - 0.01));
  const address = addresses.samples(place, group.number, page * perPage, perPage);
  const loaded = useLoaded((signal) => getFloats(address, signal), address);
  const channels = group.channels.length;
  const values = useMemo(() => {
    const all = loaded.data;
    const each = all ? Math.floor(all.length / channels) : 0;
    return all && Array.from({ length: channels }, (_, c) => all.subarray(c * each, (c + 1) * each));
  }, [loaded.data, channels]);
  return (
    <Whole loaded={loaded} what="the samples" skeleton={<Skeleton lines={8} />}>
      {() =>
        values && (
          <Tracing
            group={group}
            values={values}
            annotations={waveform.annotations.filter((a) => a.group === null || a.group === group.number)}
            unshown={waveform.more_annotations}
            startS={(page * perPage) / group.frequency_hz}
            pages={pages}
            page={page}
            turn={turn}
          />
        )
      }
    </Whole>
  );
}

interface TracingProps {
  group: Group;
  values: readonly Float32Array[];
  annotations: readonly Annotation[];
  unshown: number;
  startS: number;
  pages: number;
  page: number;
  turn: (page: number) => void;
}

interface Look {
  layout: Layout;
  speed: number;
  gain: number;
  filter: boolean;
  /** Enlargement; null fits the width. */
  zoom: number | null;
  pan: { x: number; y: number };
}

function Tracing(props: TracingProps) {
  const { group, values, annotations, startS, page, pages, turn } = props;
  const twelve = isTwelveLead(group.channels);
  const [look, setLook] = useState<Look>({
    layout: twelve ? '3x4' : '12x1',
    speed: 25,
    gain: 10,
    filter: false,
    zoom: null,
    pan: { x: 0, y: 0 },
  });
  const [caliper, setCaliper] = useState<Caliper | null>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const size = useSize(canvas);
  const change = (part: Partial<Look>) => setLook((before) => ({ ...before, ...part }));
  const duration = (values[0]?.length ?? 0) / group.frequency_hz;
  const paper = useMemo(
    () => layOut(group.channels, look.layout, duration, look.speed),
    [group, look.layout, look.speed, duration],
  );
  const shown = useMemo(
    () => (look.filter ? values.map((v) => filtered(v, group.frequency_hz)) : values),
    [values, look.filter, group],
  );
  const scale = PIXELS_PER_MM * (look.zoom ?? fitting(paper, size));
  const pan = held(look.pan, paper, size, scale);
  const marks = useMemo(
    () => marksOf(annotations, { start: startS, duration }, group.channels.length),
    [annotations, startS, duration, group],
  );
  useEffect(() => {
    if (!canvas.current || !size.width) return;
    draw(canvas.current, {
      paper,
      channels: group.channels,
      values: shown,
      frequency: group.frequency_hz,
      speed: look.speed,
      gain: look.gain,
      scale,
      pan,
      marks,
      caliper,
    });
  });

  const unitOf = (c: Caliper) => group.channels[c.strip.channel]?.unit ?? '';
  const pointAt = (strip: Caliper['strip'], x: number, y: number): Point => {
    const channel = group.channels[strip.channel];
    const row = shown[strip.channel];
    if (!channel || !row) return { time: 0, value: 0 };
    const { mmPerUnit, middle } = scaleOf(channel, row, look.gain, paper.rowHeight);
    return { time: timeAt(strip, x, look.speed), value: valueAt(strip, y, mmPerUnit, middle) };
  };
  const onPaper = (event: { offsetX: number; offsetY: number }) => ({
    x: event.offsetX / scale + pan.x,
    y: event.offsetY / scale + pan.y,
  });
  /** Put the calipers on a strip, 0.4 s apart, in the middle of what is seen. */
  const measure = (strip: Caliper['strip'] | null | undefined) => {
    if (!strip) return;
    const middle = timeAt(strip, pan.x + size.width / scale / 2, look.speed);
    const time = Math.max(strip.from, Math.min(middle, strip.to - 0.4));
    const { value } = pointAt(strip, strip.x, strip.y);
    const to = Math.min(strip.to, time + 0.4);
    setCaliper({
      strip,
      ends: [
        { time, value },
        { time: to, value },
      ],
      active: 1,
    });
  };
  const measureBeside = (step: number) => {
    const at = caliper ? paper.strips.indexOf(caliper.strip) + step : -1;
    measure(paper.strips[at]);
  };
  const move = (time: number, mm: number) => {
    if (!caliper) return;
    const { strip, active } = caliper;
    const ends: [Point, Point] = [caliper.ends[0], caliper.ends[1]];
    const end = ends[active];
    const step = pointAt(strip, 0, strip.y - mm).value - pointAt(strip, 0, strip.y).value;
    ends[active] = {
      time: Math.min(strip.to, Math.max(strip.from, end.time + time)),
      value: end.value + step,
    };
    setCaliper({ ...caliper, ends });
  };
  const zoomBy = (factor: number) =>
    change({ zoom: Math.min(8, Math.max(0.1, (scale / PIXELS_PER_MM) * factor)) });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const fast = event.shiftKey ? 10 : 1;
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const [right, up] = arrows[event.key] ?? [0, 0];
    const acts: Record<string, () => void> = {
      '1': () => twelve && change({ layout: '3x4', pan: { x: 0, y: 0 } }),
      '2': () => change({ layout: '12x1', pan: { x: 0, y: 0 } }),
      '+': () => zoomBy(ZOOM_STEP),
      '=': () => zoomBy(ZOOM_STEP),
      '-': () => zoomBy(1 / ZOOM_STEP),
      '0': () => change({ zoom: null, pan: { x: 0, y: 0 } }),
      f: () => change({ filter: !look.filter }),
      c: () => (caliper ? setCaliper(null) : measure(paper.rhythm)),
      '[': () => measureBeside(-1),
      ']': () => measureBeside(1),
      x: () => caliper && setCaliper({ ...caliper, active: caliper.active ? 0 : 1 }),
      Escape: () => setCaliper(null),
      PageDown: () => turn(Math.min(pages - 1, page + 1)),
      PageUp: () => turn(Math.max(0, page - 1)),
    };
    if (event.key === 'Escape' && !caliper) return;
    const act = acts[event.key];
    if (!act && !(right || up)) return;
    event.preventDefault();
    event.stopPropagation();
    if (act) act();
    else if (caliper) move(right * fast * STEP_S, up * fast * STEP_MM);
    else change({ pan: { x: pan.x + right * fast * 5, y: pan.y - up * fast * 5 } });
  };
  const drag = useRef<{ x: number; y: number; pan: Look['pan'] } | null>(null);
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    canvas.current?.setPointerCapture(event.pointerId);
    if (caliper) {
      const at = onPaper(event);
      const strip = stripAt(paper, at.x, at.y, look.speed);
      if (!strip) return;
      const point = pointAt(strip, at.x, at.y);
      setCaliper({ strip, ends: [point, point], active: 1 });
    }
    drag.current = { x: event.offsetX, y: event.offsetY, pan };
  };
  const onPointerMove = (event: PointerEvent) => {
    const from = drag.current;
    if (!from) return;
    if (!caliper) {
      change({
        pan: {
          x: from.pan.x - (event.offsetX - from.x) / scale,
          y: from.pan.y - (event.offsetY - from.y) / scale,
        },
      });
      return;
    }
    const at = onPaper(event);
    setCaliper({ ...caliper, ends: [caliper.ends[0], pointAt(caliper.strip, at.x, at.y)], active: 1 });
  };
  const onPointerUp = () => {
    drag.current = null;
  };
  const onWheel = (event: WheelEvent) => {
    event.preventDefault();
    if (!event.ctrlKey && !event.metaKey) {
      const mm = 1 / scale;
      change({ pan: { x: pan.x + event.deltaX * mm, y: pan.y + event.deltaY * mm } });
      return;
    }
    const factor = event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP;
    const zoom = Math.min(8, Math.max(0.1, (scale / PIXELS_PER_MM) * factor));
    const at = onPaper(event);
    const next = zoom * PIXELS_PER_MM;
    change({ zoom, pan: { x: at.x - event.offsetX / next, y: at.y - event.offsetY / next } });
  };
  return (
    <>
      <Tools
        look={look}
        change={change}
        twelve={twelve}
        caliper={!!caliper}
        onCaliper={() => {
          if (caliper) setCaliper(null);
          else measure(paper.rhythm);
          sheet.current?.focus();
        }}
        zoomBy={zoomBy}
      />
      <div class="ecg-paper">
        <div
          class={`document-canvas ${caliper ? 'measuring' : ''}`}
          role="application"
          aria-label={`${describe(group, duration)}. 1 and 2 change the layout, plus and minus enlarge, c measures, arrow keys move`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the sheet is a widget of its own, and takes its keys.
          tabIndex={0}
          ref={sheet}
          onKeyDown={onKeyDown}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerCancel={onPointerUp}
          onWheel={onWheel}
        >
          <canvas ref={canvas} />
        </div>
        {look.filter && <span class="ecg-flag">filtered 0.5–40 Hz for display</span>}
        {caliper && <Measured caliper={caliper} unit={unitOf(caliper)} />}
      </div>
      <Foot {...props} look={look} scale={scale} duration={duration} />
    </>
  );
}

function Tools(props: {
  look: Look;
  change: (part: Partial<Look>) => void;
  twelve: boolean;
  caliper: boolean;
  onCaliper: () => void;
  zoomBy: (factor: number) => void;
}) {
  const { look, change } = props;
  const home = { x: 0, y: 0 };
  return (
    <div class="document-head" role="toolbar" aria-label="Waveform">
      {props.twelve && (
        <>
          <Button
            label="Three rows of four leads, with rhythm"
            keys="1"
            pressed={look.layout === '3x4'}
            onClick={() => change({ layout: '3x4', pan: home })}
          >
            3×4
          </Button>
          <Button
            label="One lead below the other"
            keys="2"
            pressed={look.layout === '12x1'}
            onClick={() => change({ layout: '12x1', pan: home })}
          >
            12×1
          </Button>
        </>
      )}
      <Pick
        name="Paper speed"
        unit="mm/s"
        value={look.speed}
        of={SPEEDS}
        onPick={(speed) => change({ speed })}
      />
      <Pick name="Gain" unit="mm/mV" value={look.gain} of={GAINS} onPick={(gain) => change({ gain })} />
      <Button label="Measure time and voltage" keys="c" pressed={props.caliper} onClick={props.onCaliper}>
        Calipers
      </Button>
      <Button
        label="Filter for display, 0.5 to 40 Hz"
        keys="f"
        pressed={look.filter}
        onClick={() => change({ filter: !look.filter })}
      >
        Filter
      </Button>
      <Button
        kind="quiet"
        icon="minus"
        label="Smaller"
        keys="-"
        onClick={() => props.zoomBy(1 / ZOOM_STEP)}
      />
      <Button kind="quiet" icon="plus" label="Larger" keys="+" onClick={() => props.zoomBy(ZOOM_STEP)} />
      <Button
        kind="quiet"
        icon="fit"
        label="Fit the width"
        keys="0"
        onClick={() => change({ zoom: null, pan: home })}
      />
    </div>
  );
}

function Pick<N extends number>(props: {
  name: string;
  unit: string;
  value: number;
  of: readonly N[];
  onPick: (value: N) => void;
}) {
  return (
    <label class="document-choice">
      <span class="sr-only">{props.name}</span>
      <select
        class="field"
        value={props.value}
        onChange={(event) => props.onPick(Number(event.currentTarget.value) as N)}
      >
        {props.of.map((one) => (
          <option key={one} value={one}>
            {one} {props.unit}
          </option>
        ))}
      </select>
    </label>
  );
}

function Measured({ caliper, unit }: { caliper: Caliper; unit: string }) {
  const { ms, perMinute, difference } = between(caliper.ends[0], caliper.ends[1]);
  return (
    <output class="ecg-measured" aria-live="polite">
      <span class="muted">{caliper.strip.label}</span>
      <span>
        {ms.toFixed(0)} <span class="unit">ms</span>
      </span>
      {perMinute !== null && (
        <span>
          {perMinute.toFixed(0)} <span class="unit">/min</span>
        </span>
      )}
      <span>
        {difference.toFixed(2).replace('-', '−')} <span class="unit">{unit === '1' ? '' : unit}</span>
      </span>
      <span class="muted">arrows move, x other end, [ ] other lead</span>
    </output>
  );
}

function Foot(props: TracingProps & { look: Look; scale: number; duration: number }) {
  const { group, annotations, look, scale, startS, duration, page, pages, turn } = props;
  const whole = annotations.filter((a) => a.at_s.length === 0 && said(a));
  const stated = group.channels[0];
  const band =
    stated?.low_hz || stated?.high_hz ? `recorded ${stated.low_hz ?? 0}–${stated.high_hz ?? '?'} Hz` : '';
  const lost = group.stated_samples > group.samples;
  return (
    <footer class="ecg-foot">
      <p>
        <strong>
          {look.speed} mm/s · {look.gain} mm/mV
        </strong>{' '}
        <span class="muted">
          1 mm = {scale.toFixed(1)} px; millimetres of a screen are nominal, so measure with the calipers ·{' '}
          {group.frequency_hz} Hz {band && `· ${band}`}
        </span>
        {lost && (
          <span class="warning">
            {' '}
            · {group.samples} of {group.stated_samples} samples are held
          </span>
        )}
      </p>
      {pages > 1 && (
        <div class="document-choice">
          <Button label="Earlier" keys="PageUp" disabled={page === 0} onClick={() => turn(page - 1)}>
            Earlier
          </Button>
          <span>
            {startS.toFixed(0)}–{(startS + duration).toFixed(0)} <span class="unit">s</span> · {page + 1}/
            {pages}
          </span>
          <Button label="Later" keys="PageDown" disabled={page === pages - 1} onClick={() => turn(page + 1)}>
            Later
          </Button>
        </div>
      )}
      {whole.length > 0 && (
        <details>
          <summary>What the recorder says ({whole.length + props.unshown})</summary>
          <dl class="ecg-said">
            {whole.map((a, k) => (
              <div key={k}>
                <dt>{[a.name, leadsOf(a, group)].filter(Boolean).join(' · ') || 'Statement'}</dt>
                <dd>{said(a)}</dd>
              </div>
            ))}
          </dl>
          {props.unshown > 0 && <p class="warning">{props.unshown} more are not shown.</p>}
        </details>
      )}
    </footer>
  );
}

const leadsOf = (a: Annotation, group: Group): string =>
  a.channels.length > 0 && a.channels.length < group.channels.length
    ? a.channels.map((c) => group.channels[c - 1]?.lead || c).join(', ')
    : '';

const describe = (group: Group, duration: number): string =>
  `${group.channels.length} channels, ${duration.toFixed(1)} seconds`;

/** The enlargement at which the paper fills the width. */
const fitting = (paper: Paper, size: { width: number }): number =>
  size.width ? Math.min(3, Math.max(0.1, size.width / (paper.width * PIXELS_PER_MM))) : 1;

/** Keep at least some of the paper in sight. */
function held(pan: Look['pan'], paper: Paper, size: { width: number; height: number }, scale: number) {
  const most = (whole: number, seen: number) => Math.max(0, whole - seen / scale);
  return {
    x: Math.min(Math.max(0, pan.x), most(paper.width, size.width)),
    y: Math.min(Math.max(0, pan.y), most(paper.height, size.height)),
  };
}
