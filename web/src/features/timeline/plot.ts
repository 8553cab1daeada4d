/**
 * One curve drawn by uPlot: values with their 95 % intervals, the reference range behind them, the shared span of
 * time below. Points that no person stands behind are hollow.
 */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { type Span, ticks } from './axis';
import { type Curve, type CurvePoint, valueSpan } from './curves';

/** Room for the numbers of the value axis, and at the right, in px. */
export const [AXIS, RIGHT] = [56, 14];

export interface Colours {
  line: string;
  proposed: string;
  range: string;
  grid: string;
  text: string;
  background: string;
  font: string;
}

export interface PlotOptions {
  curve: Curve;
  log: boolean;
  width: number;
  height: number;
  span: Span;
  colours: Colours;
  onCursor: (at: number | null) => void;
  onZoom: (span: Span) => void;
}

export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    line: read('--accent'),
    proposed: read('--proposed'),
    range: 'rgb(79 195 138 / 12%)',
    grid: read('--line'),
    text: read('--muted'),
    background: read('--background'),
    font: `11px ${style.fontFamily}`,
  };
}

export function makePlot(box: HTMLElement, options: PlotOptions): uPlot {
  const { curve, log, width, height, span, colours } = options;
  const points = drawable(curve, log);
  const ends = valueSpan(curve, log);
  const data: uPlot.AlignedData = [points.map((p) => p.at / 1000), points.map((p) => p.value)];
  const tone = points.every((p) => p.proposed) && points.length > 0 ? colours.proposed : colours.line;
  return new uPlot(
    {
      width,
      height,
      padding: [8, RIGHT, 6, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: (_, min, max) => [min, max], min: span.from / 1000, max: span.to / 1000 },
        y: { distr: log ? 3 : 1, range: () => ends },
      },
      axes: [
        {
          size: 0,
          gap: 0,
          ticks: { show: false },
          grid: { stroke: colours.grid, width: 1 },
          splits: (u) => timeSplits(u),
          values: (_, splits) => splits.map(() => ''),
        },
        {
          size: AXIS,
          font: colours.font,
          stroke: colours.text,
          ticks: { show: false },
          grid: { stroke: colours.grid, width: 1, dash: [2, 4] },
          space: 26,
          values: (_, splits) => splits.map((v) => (v ? curve.show(v) : v === 0 ? '0' : '')),
        },
      ],
      series: [{}, { stroke: tone, width: 1.75, points: { show: false }, spanGaps: true }],
      cursor: {
        x: false,
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 6 },
      },
      hooks: {
        drawAxes: [(u) => drawRange(u, curve, colours)],
        draw: [(u) => drawPoints(u, points, colours)],
        setCursor: [(u) => options.onCursor(cursorTime(u))],
        setSelect: [(u) => select(u, options.onZoom)],
      },
    },
    data,
    box,
  );
}

/** Show another span of time. */
export function showSpan(plot: uPlot, span: Span): void {
  plot.setScale('x', { min: span.from / 1000, max: span.to / 1000 });
}

const drawable = (curve: Curve, log: boolean): CurvePoint[] =>
  curve.points.filter((p) => !log || p.value > 0);

function timeSplits(u: uPlot): number[] {
  const { min, max } = u.scales.x ?? {};
  if (min === undefined || max === undefined || min === null || max === null) return [];
  return ticks({ from: min * 1000, to: max * 1000 }, u.width - AXIS - RIGHT).map((t) => t.at / 1000);
}

function cursorTime(u: uPlot): number | null {
  const left = u.cursor.left ?? -1;
  return left < 0 ? null : u.posToVal(left, 'x') * 1000;
}

function select(u: uPlot, onZoom: (span: Span) => void): void {
  const { left, width } = u.select;
  if (width <= 6) return;
  const span = { from: u.posToVal(left, 'x') * 1000, to: u.posToVal(left + width, 'x') * 1000 };
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom(span);
}

function drawRange(u: uPlot, { range }: Curve, colours: Colours): void {
  if (!range) return;
  const { top, left, width, height } = u.bbox;
  const y = (value: number | null, edge: number) =>
    value === null ? edge : Math.min(Math.max(u.valToPos(value, 'y', true), top), top + height);
  const [upper, lower] = [y(range.high, top), y(range.low, top + height)];
  u.ctx.fillStyle = colours.range;
  u.ctx.fillRect(left, upper, width, Math.max(lower - upper, 0));
}

function drawPoints(u: uPlot, points: readonly CurvePoint[], colours: Colours): void {
  const { ctx, bbox } = u;
  const unit = uPlot.pxRatio;
  const y = (value: number) =>
    Math.min(Math.max(u.valToPos(value, 'y', true), bbox.top), bbox.top + bbox.height);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - 6 * unit, bbox.top - 6 * unit, bbox.width + 12 * unit, bbox.height + 12 * unit);
  ctx.clip();
  for (const p of points) {
    const x = u.valToPos(p.at / 1000, 'x', true);
    if (x < bbox.left - 8 * unit || x > bbox.left + bbox.width + 8 * unit) continue;
    const tone = p.proposed ? colours.proposed : colours.line;
    ctx.strokeStyle = tone;
    if (p.low !== null && p.high !== null) drawInterval(ctx, x, y(Math.max(p.low, 1e-12)), y(p.high), unit);
    ctx.beginPath();
    ctx.arc(x, y(p.value), 3.75 * unit, 0, 2 * Math.PI);
    ctx.fillStyle = p.proposed ? colours.background : tone;
    ctx.fill();
    ctx.lineWidth = 1.75 * unit;
    ctx.stroke();
  }
  ctx.restore();
}

function drawInterval(ctx: CanvasRenderingContext2D, x: number, low: number, high: number, unit: number) {
  ctx.globalAlpha = 0.75;
  ctx.lineWidth = 1.25 * unit;
  ctx.beginPath();
  ctx.moveTo(x, low);
  ctx.lineTo(x, high);
  for (const end of [low, high]) {
    ctx.moveTo(x - 4 * unit, end);
    ctx.lineTo(x + 4 * unit, end);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}
