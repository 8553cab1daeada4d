/** Values of an image along a line and inside an outline; points in columns and rows, (0, 0) at the corner of a pixel. */
export interface Pixels {
  columns: number;
  rows: number;
  values: ArrayLike<number>;
}

type Point = readonly [number, number];

/** The value at a point, interpolated between the four centres of pixels around it; NaN outside. */
export function valueAt({ columns, rows, values }: Pixels, [x, y]: Point): number {
  const column = x - 0.5;
  const row = y - 0.5;
  const [left, top] = [Math.floor(column), Math.floor(row)];
  if (left < 0 || top < 0 || left + 1 >= columns || top + 1 >= rows) return Number.NaN;
  const at = (dx: number, dy: number) => values[(top + dy) * columns + left + dx] ?? Number.NaN;
  const [fx, fy] = [column - left, row - top];
  return (1 - fy) * ((1 - fx) * at(0, 0) + fx * at(1, 0)) + fy * ((1 - fx) * at(0, 1) + fx * at(1, 1));
}

/** Values along a line at steps of half a pixel or less, from its first to its last point. */
export function alongLine(pixels: Pixels, from: Point, to: Point): number[] {
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
  return Array.from({ length: steps + 1 }, (_, k) => {
    const part = k / steps;
    return valueAt(pixels, [from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])]);
  });
}

/** Values of the pixels whose centres lie inside a closed outline (even-odd). */
export function inside(pixels: Pixels, outline: readonly Point[]): number[] {
  const found: number[] = [];
  const ys = outline.map((p) => p[1]);
  const first = Math.max(0, Math.floor(Math.min(...ys) - 0.5));
  const last = Math.min(pixels.rows - 1, Math.ceil(Math.max(...ys) - 0.5));
  for (let row = first; row <= last; row++) {
    const crossings = crossingsAt(outline, row + 0.5);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const from = Math.max(0, Math.ceil((crossings[k] ?? 0) - 0.5));
      const to = Math.min(pixels.columns - 1, Math.floor((crossings[k + 1] ?? 0) - 0.5));
      for (let column = from; column <= to; column++)
        found.push(pixels.values[row * pixels.columns + column] ?? Number.NaN);
    }
  }
  return found;
}

function crossingsAt(outline: readonly Point[], y: number): number[] {
  const xs: number[] = [];
  outline.forEach((a, k) => {
    const b = outline[(k + 1) % outline.length] ?? a;
    if (a[1] <= y !== b[1] <= y) xs.push(a[0] + ((y - a[1]) / (b[1] - a[1])) * (b[0] - a[0]));
  });
  return xs.sort((a, b) => a - b);
}

export interface Histogram {
  low: number;
  binWidth: number;
  counts: number[];
}

const MOST_BINS = 60;

/** Counts of values in at most 60 bins of one width. */
export function histogramOf(values: readonly number[]): Histogram {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const binWidth = Math.max((high - low) / MOST_BINS, 1e-9);
  const counts = new Array<number>(MOST_BINS).fill(0);
  for (const value of values) {
    const bin = Math.min(Math.floor((value - low) / binWidth), MOST_BINS - 1);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { low, binWidth, counts };
}
