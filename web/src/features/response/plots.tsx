/** The three plots of one patient: what each target came to, the sums over time, categories and treatment. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ResponseView } from '../../api';
import { figure } from '../../ui/format';
import { type Tone, toneOf } from './plan';

const HEIGHT = 190;
const COLOURS: Record<Tone, string> = {
  good: '#4fc38a',
  plain: '#8a96a3',
  urgent: '#ff6b5e',
  warning: '#f2b84b',
};
const LINES = ['#4aa3ff', '#b48cff', '#f2b84b', '#4fc38a', '#ff9f6b', '#6bd5e1'];
const [TEXT, MUTED, GRID] = ['#d7dde4', '#8a96a3', '#2a323b'];
const FONT = '11px system-ui, sans-serif';

const percent = (value: number | null): string =>
  value === null ? '' : `${value > 0 ? '+' : ''}${figure(value)} %`;

const axis = (more: Partial<uPlot.Axis> = {}): uPlot.Axis => ({
  stroke: MUTED,
  grid: { stroke: GRID, width: 1 },
  ticks: { stroke: GRID, width: 1 },
  font: FONT,
  ...more,
});

/** A canvas that is drawn anew with its data and follows the width it is given; its numbers are in words. */
function Plot({
  title,
  words,
  of,
  options,
  data,
}: {
  title: string;
  words: string;
  /** What it is drawn from; drawn anew only when this changes. */
  of: ResponseView;
  options: Omit<uPlot.Options, 'width' | 'height'>;
  data: uPlot.AlignedData;
}) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const at = place.current;
    if (!at) return;
    const width = () => Math.max(at.clientWidth, 200);
    const plot = new uPlot({ ...options, width: width(), height: HEIGHT }, data, at);
    const observer = new ResizeObserver(() => plot.setSize({ width: width(), height: HEIGHT }));
    observer.observe(at);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [of]);
  return (
    <figure class="plot">
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={`${title}. ${words}`} />
    </figure>
  );
}

export function Plots({ shown }: { shown: ResponseView }) {
  return (
    <section class="plots" aria-label="Plots">
      <Waterfall shown={shown} />
      <Spider shown={shown} />
      <Swimmer shown={shown} />
    </section>
  );
}

function Waterfall({ shown }: { shown: ResponseView }) {
  const bars = shown.lesions
    .filter((lesion) => lesion.best_percent !== null)
    .sort((a, b) => (b.best_percent ?? 0) - (a.best_percent ?? 0));
  if (bars.length === 0) return null;
  const { response_percent, progression_percent } = shown.criterion;
  const options: Omit<uPlot.Options, 'width' | 'height'> = {
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: [-0.6, bars.length - 0.4] },
      y: { range: (_u, low, high) => [Math.min(low, -40) - 5, Math.max(high, 30) + 8] },
    },
    axes: [
      axis({
        splits: () => bars.map((_bar, k) => k),
        values: () => bars.map((bar) => bar.code),
        grid: { show: false },
      }),
      axis({ values: (_u, ticks) => ticks.map((t) => `${t}%`), size: 46 }),
    ],
    series: [
      {},
      {
        paths: uPlot.paths.bars?.({ size: [0.6, 48] }) as uPlot.Series.PathBuilder,
        fill: '#4aa3ff',
        points: { show: false },
      },
    ],
    hooks: {
      draw: [
        (u) => {
          for (const limit of [response_percent, progression_percent])
            if (limit !== null) line(u, limit, true);
          line(u, 0, false);
          bars.forEach((bar, k) => {
            write(u, percent(bar.best_percent), k, bar.best_percent ?? 0);
          });
        },
      ],
    },
  };
  const words = bars.map((bar) => `${bar.code} ${bar.label}: ${percent(bar.best_percent)}`).join('; ');
  return (
    <Plot
      title="Waterfall: best change of each target from baseline"
      words={words}
      of={shown}
      options={options}
      data={[bars.map((_bar, k) => k), bars.map((bar) => bar.best_percent)]}
    />
  );
}

function line(u: uPlot, value: number, dashed: boolean): void {
  const y = Math.round(u.valToPos(value, 'y', true));
  u.ctx.save();
  u.ctx.strokeStyle = dashed ? '#5d6a77' : MUTED;
  u.ctx.setLineDash(dashed ? [5, 5] : []);
  u.ctx.beginPath();
  u.ctx.moveTo(u.bbox.left, y);
  u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
  u.ctx.stroke();
  u.ctx.restore();
}

function write(u: uPlot, text: string, x: number, y: number): void {
  u.ctx.save();
  u.ctx.fillStyle = TEXT;
  u.ctx.textAlign = 'center';
  u.ctx.textBaseline = y > 0 ? 'bottom' : 'top';
  u.ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  u.ctx.fillText(text, u.valToPos(x, 'x', true), u.valToPos(y, 'y', true) + (y > 0 ? -3 : 3));
  u.ctx.restore();
}

function Spider({ shown }: { shown: ResponseView }) {
  const days = shown.points.map((point) => point.day);
  const targets = shown.lesions.filter((lesion) => lesion.cells.some((cell) => cell.change_percent !== null));
  const sum = shown.points.map((point, k) => (k === 0 && point.value !== null ? 0 : point.change_percent));
  if (days.length < 2 || sum.every((value) => value === null)) return null;
  const { response_percent, progression_percent } = shown.criterion;
  const options: Omit<uPlot.Options, 'width' | 'height'> = {
    legend: { show: true, live: false },
    cursor: { show: false },
    scales: {
      x: { time: false },
      y: { range: (_u, low, high) => [Math.min(low, -40) - 5, Math.max(high, 30) + 5] },
    },
    axes: [
      axis({ values: (_u, ticks) => ticks.map((t) => `${t} d`) }),
      axis({ values: (_u, ticks) => ticks.map((t) => `${t}%`), size: 46 }),
    ],
    series: [
      { label: 'day' },
      { label: 'sum', stroke: TEXT, width: 3, points: { show: true, size: 7, fill: TEXT }, spanGaps: true },
      ...targets.map((lesion, k) => ({
        label: lesion.code,
        stroke: LINES[k % LINES.length] ?? MUTED,
        width: 1.5,
        dash: k >= LINES.length ? [4, 3] : [],
        points: { show: true, size: 5 },
        spanGaps: true,
      })),
    ],
    hooks: {
      draw: [
        (u) => {
          for (const limit of [response_percent, progression_percent])
            if (limit !== null) line(u, limit, true);
        },
      ],
    },
  };
  const words = shown.points
    .map((p, k) => `day ${p.day}: ${percent(sum[k] ?? null) || 'not known'}`)
    .join('; ');
  return (
    <Plot
      title="Spider: change from baseline over time"
      words={`Sum: ${words}`}
      of={shown}
      options={options}
      data={[days, sum, ...targets.map((lesion) => lesion.cells.map((cell) => cell.change_percent))]}
    />
  );
}

function Swimmer({ shown }: { shown: ResponseView }) {
  const last = shown.points.at(-1)?.day ?? 0;
  if (shown.swimmer.length === 0) return null;
  const { treatment_start_day: from, treatment_end_day: until } = shown;
  const room = Math.max(last * 0.12, 14);
  const treatment = from === null ? 'treatment not told' : `treatment from day ${from}`;
  const options: Omit<uPlot.Options, 'width' | 'height'> = {
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [Math.min(0, from ?? 0), last + room] }, y: { range: [0, 2] } },
    axes: [
      axis({ values: (_u, ticks) => ticks.map((t) => `${t} d`) }),
      axis({
        splits: () => [0.5, 1.5],
        values: () => ['treatment', 'response'],
        grid: { show: false },
        size: 70,
      }),
    ],
    series: [{}, { stroke: 'transparent', points: { show: false } }],
    hooks: {
      draw: [
        (u) => {
          if (from !== null) {
            const words = shown.plan.treatment || 'treatment';
            band(u, from, until ?? last + room, 0.5, '#4aa3ff', words, until === null);
          }
          for (const span of shown.swimmer) {
            const open = span.end_day === null;
            const end = span.end_day ?? last + room;
            band(u, span.start_day, end, 1.5, COLOURS[toneOf(span.category)], span.category, open);
          }
          for (const point of shown.points) mark(u, point.day);
        },
      ],
    },
  };
  const words = shown.swimmer
    .map((s) => `${s.category} from day ${s.start_day}${s.end_day === null ? '' : ` to ${s.end_day}`}`)
    .join('; ');
  return (
    <Plot
      title="Swimmer: categories and treatment"
      words={`${words}; ${treatment}`}
      of={shown}
      options={options}
      data={[
        [0, last + room],
        [null, null],
      ]}
    />
  );
}

/** A stretch of one lane; an open end fades, since what comes after is not known. */
function band(
  u: uPlot,
  from: number,
  to: number,
  lane: number,
  colour: string,
  words: string,
  open: boolean,
): void {
  const [x, end] = [u.valToPos(from, 'x', true), u.valToPos(to, 'x', true)];
  const [top, bottom] = [u.valToPos(lane + 0.3, 'y', true), u.valToPos(lane - 0.3, 'y', true)];
  u.ctx.save();
  const fill = u.ctx.createLinearGradient(x, 0, end, 0);
  fill.addColorStop(0, `${colour}66`);
  fill.addColorStop(1, open ? `${colour}08` : `${colour}66`);
  u.ctx.fillStyle = fill;
  u.ctx.fillRect(x, top, end - x, bottom - top);
  u.ctx.fillStyle = colour;
  u.ctx.fillRect(x, top, 3 * devicePixelRatio, bottom - top);
  u.ctx.fillStyle = TEXT;
  u.ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  u.ctx.textAlign = 'left';
  u.ctx.textBaseline = 'middle';
  u.ctx.beginPath();
  u.ctx.rect(x, top, end - x, bottom - top);
  u.ctx.clip();
  u.ctx.fillText(words, x + 8 * devicePixelRatio, (top + bottom) / 2);
  u.ctx.restore();
}

function mark(u: uPlot, day: number): void {
  const x = u.valToPos(day, 'x', true);
  u.ctx.save();
  u.ctx.strokeStyle = '#5d6a77';
  u.ctx.setLineDash([2, 4]);
  u.ctx.beginPath();
  u.ctx.moveTo(x, u.bbox.top);
  u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
  u.ctx.stroke();
  u.ctx.restore();
}
