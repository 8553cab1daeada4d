/** Draws a recording on millimetre paper. */
import type { Caliper } from './calipers';
import {
  type Channel,
  LABEL_MM,
  line,
  type Mark,
  marksIn,
  type Sheet,
  type Strip,
  scaleOf,
  xAt,
  yAt,
} from './ecg-paper';

export interface Drawing extends Sheet {
  marks: readonly Mark[];
  caliper: Caliper | null;
}

const INK = {
  paper: '#11161b',
  fine: '#1d2730',
  bold: '#33434f',
  trace: '#e6edf4',
  label: '#9fb4c6',
  pulse: '#8a96a3',
  mark: '#f2b84b',
  caliper: '#4aa3ff',
};

export function draw(canvas: HTMLCanvasElement, drawing: Drawing): void {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d');
  if (!pen) return;
  const { scale, pan, paper } = drawing;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = '#000';
  pen.fillRect(0, 0, width, height);
  // From here on a unit is a mm of the paper.
  pen.setTransform(ratio * scale, 0, 0, ratio * scale, -pan.x * scale * ratio, -pan.y * scale * ratio);
  drawGrid(pen, drawing, {
    left: pan.x,
    top: pan.y,
    right: pan.x + width / scale,
    bottom: pan.y + height / scale,
  });
  for (const strip of paper.strips) drawStrip(pen, drawing, strip);
  drawMarks(pen, drawing);
  if (drawing.caliper) drawCaliper(pen, drawing, drawing.caliper);
}

function drawGrid(
  pen: CanvasRenderingContext2D,
  { paper, scale }: Drawing,
  seen: { left: number; top: number; right: number; bottom: number },
): void {
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, paper.width, paper.height);
  const right = Math.min(seen.right, paper.width);
  const bottom = Math.min(seen.bottom, paper.height);
  for (const [step, ink] of [
    [1, INK.fine],
    [5, INK.bold],
  ] as const) {
    if (step * scale < 3) continue;
    pen.beginPath();
    for (let x = Math.max(0, Math.ceil(seen.left / step) * step); x <= right; x += step) {
      pen.moveTo(x, Math.max(0, seen.top));
      pen.lineTo(x, bottom);
    }
    for (let y = Math.max(0, Math.ceil(seen.top / step) * step); y <= bottom; y += step) {
      pen.moveTo(Math.max(0, seen.left), y);
      pen.lineTo(right, y);
    }
    pen.strokeStyle = ink;
    pen.lineWidth = 1 / scale;
    pen.stroke();
  }
}

function drawStrip(pen: CanvasRenderingContext2D, drawing: Drawing, strip: Strip): void {
  const values = drawing.values[strip.channel];
  const channel = drawing.channels[strip.channel];
  if (!values || !channel) return;
  const { frequency, speed, gain, scale, paper } = drawing;
  const { mmPerUnit, middle, fitted } = scaleOf(channel, values, gain, paper.rowHeight);
  const range = {
    first: Math.round(strip.from * frequency),
    last: Math.min(values.length, Math.round(strip.to * frequency)),
  };
  const place = {
    x: strip.x,
    mmPerSample: speed / frequency,
    y: (v: number) => yAt(strip, v, mmPerUnit, middle),
  };
  pen.save();
  pen.beginPath();
  pen.rect(strip.x, 0, (strip.to - strip.from) * speed, paper.height);
  pen.clip();
  trace(pen, line(values, range, place, 1 / scale));
  pen.strokeStyle = INK.trace;
  pen.lineWidth = 1.1 / scale;
  pen.lineJoin = 'round';
  pen.stroke();
  pen.restore();
  label(pen, drawing, strip, channel, fitted ? mmPerUnit : null);
  if (strip.leads && !fitted) pulse(pen, strip, speed, gain, scale);
}

function trace(pen: CanvasRenderingContext2D, points: readonly number[]): void {
  pen.beginPath();
  let down = false;
  for (let k = 0; k < points.length; k += 2) {
    const [x = 0, y = Number.NaN] = [points[k], points[k + 1]];
    if (Number.isNaN(y)) down = false;
    else if (down) pen.lineTo(x, y);
    else {
      pen.moveTo(x, y);
      down = true;
    }
  }
}

function label(
  pen: CanvasRenderingContext2D,
  { scale, paper }: Drawing,
  strip: Strip,
  channel: Channel,
  mmPerUnit: number | null,
): void {
  const size = 12 / scale;
  const top = strip.y - paper.rowHeight / 2 + size * 1.3;
  pen.fillStyle = INK.label;
  pen.font = `600 ${size}px system-ui, sans-serif`;
  pen.fillText(strip.label.slice(0, 40), strip.x + 1, top);
  const notes = [
    mmPerUnit !== null &&
      `${(10 / mmPerUnit).toPrecision(3)} ${channel.unit === '1' ? '' : channel.unit} per 10 mm`,
    !channel.calibrated && 'not calibrated',
  ].filter(Boolean);
  if (!notes.length) return;
  pen.font = `${size * 0.9}px system-ui, sans-serif`;
  pen.fillText(notes.join(' · '), strip.x + 1, top + size * 1.1);
}

/** The calibration pulse: 1 mV, 0.2 s. */
function pulse(
  pen: CanvasRenderingContext2D,
  strip: Strip,
  speed: number,
  gain: number,
  scale: number,
): void {
  const width = Math.min(0.2 * speed, LABEL_MM - 2);
  const left = LABEL_MM - 1 - width;
  pen.beginPath();
  pen.moveTo(left - 0.5, strip.y);
  pen.lineTo(left, strip.y);
  pen.lineTo(left, strip.y - gain);
  pen.lineTo(left + width, strip.y - gain);
  pen.lineTo(left + width, strip.y);
  pen.lineTo(left + width + 0.5, strip.y);
  pen.strokeStyle = INK.pulse;
  pen.lineWidth = 1 / scale;
  pen.stroke();
}

/** A tick for each mark, and its words where they have room. */
function drawMarks(pen: CanvasRenderingContext2D, { marks, paper, speed, scale }: Drawing): void {
  pen.strokeStyle = INK.mark;
  pen.fillStyle = INK.mark;
  pen.lineWidth = 1 / scale;
  pen.font = `${10 / scale}px system-ui, sans-serif`;
  for (const strip of paper.strips) {
    const bottom = strip.y + paper.rowHeight / 2;
    const here = marksIn(strip, paper, marks);
    for (const [at, mark] of here.entries()) {
      const x = xAt(strip, mark.time, speed);
      pen.beginPath();
      pen.moveTo(x, bottom - 2.5);
      pen.lineTo(x, bottom - 0.5);
      pen.stroke();
      const room = xAt(strip, here[at + 1]?.time ?? strip.to, speed) - x;
      if (pen.measureText(mark.text).width + 1 < room) pen.fillText(mark.text, x + 0.5, bottom - 0.7);
    }
  }
}

function drawCaliper(
  pen: CanvasRenderingContext2D,
  drawing: Drawing,
  { strip, ends, active }: Caliper,
): void {
  const values = drawing.values[strip.channel];
  const channel = drawing.channels[strip.channel];
  if (!values || !channel) return;
  const { scale, speed, gain, paper } = drawing;
  const { mmPerUnit, middle } = scaleOf(channel, values, gain, paper.rowHeight);
  const half = paper.rowHeight / 2;
  const at = ends.map((end) => ({
    x: xAt(strip, end.time, speed),
    y: yAt(strip, end.value, mmPerUnit, middle),
  }));
  const [a, b] = at as [{ x: number; y: number }, { x: number; y: number }];
  pen.strokeStyle = INK.caliper;
  pen.lineWidth = 1 / scale;
  for (const [k, end] of at.entries()) {
    pen.setLineDash(k === active ? [] : [3 / scale, 3 / scale]);
    pen.beginPath();
    pen.moveTo(end.x, strip.y - half);
    pen.lineTo(end.x, strip.y + half);
    pen.moveTo(Math.min(a.x, b.x) - 2, end.y);
    pen.lineTo(Math.max(a.x, b.x) + 2, end.y);
    pen.stroke();
  }
  pen.setLineDash([]);
  const end = at[active];
  if (!end) return;
  pen.beginPath();
  pen.arc(end.x, end.y, 4 / scale, 0, 2 * Math.PI);
  pen.stroke();
}
