/**
 * A line that follows edges: the cheapest way between two pixels, where strong edges are cheap (Mortensen and Barrett
 * 1998, gradient term only), found by Dijkstra within a window around both.
 */
import type { Point } from './face';

const MARGIN = 24;
const MOST = 256;
/** Buckets of the queue: costs are whole numbers up to this. */
const LONGEST_STEP = 182;

export interface Picture {
  columns: number;
  rows: number;
  values: ArrayLike<number>;
}

/** The pixels of the way, from the first to the second, both among them; straight where they lie far apart. */
export function wire({ columns, rows, values }: Picture, from: Point, to: Point): Point[] {
  const [x0, y0] = [
    Math.max(Math.min(from[0], to[0]) - MARGIN, 0),
    Math.max(Math.min(from[1], to[1]) - MARGIN, 0),
  ];
  const [x1, y1] = [
    Math.min(Math.max(from[0], to[0]) + MARGIN, columns - 1),
    Math.min(Math.max(from[1], to[1]) + MARGIN, rows - 1),
  ];
  const [wide, high] = [x1 - x0 + 1, y1 - y0 + 1];
  const within = ([x, y]: Point) => x >= x0 && y >= y0 && x <= x1 && y <= y1;
  if (wide > MOST || high > MOST || !within(from) || !within(to)) return [from, to];
  const cost = costs((x, y) => values[(y0 + y) * columns + x0 + x] ?? 0, wide, high);
  const place = ([x, y]: Point): number => (y - y0) * wide + x - x0;
  const before = cheapest(cost, wide, high, place(from), place(to));
  const way: Point[] = [];
  for (let at = place(to); at >= 0; at = before[at] ?? -1)
    way.push([x0 + (at % wide), y0 + Math.floor(at / wide)]);
  return way.reverse();
}

/** From 1 on the strongest edge of the window to 128 where there is none. */
function costs(value: (x: number, y: number) => number, wide: number, high: number): Uint8Array {
  const gradient = new Float64Array(wide * high);
  let most = 1e-9;
  for (let y = 1; y < high - 1; y++)
    for (let x = 1; x < wide - 1; x++) {
      const across = value(x + 1, y) - value(x - 1, y);
      const down = value(x, y + 1) - value(x, y - 1);
      const steep = Math.hypot(across, down);
      gradient[y * wide + x] = steep;
      most = Math.max(most, steep);
    }
  return Uint8Array.from(gradient, (g) => 1 + Math.round(127 * (1 - g / most)));
}

/** Where each pixel is reached from; −1 at the start. Dial's queue: a ring of buckets, one a cost. */
function cheapest(cost: Uint8Array, wide: number, high: number, from: number, to: number): Int32Array {
  const before = new Int32Array(wide * high).fill(-1);
  const total = new Int32Array(wide * high).fill(0x7fffffff);
  const ring: number[][] = Array.from({ length: LONGEST_STEP + 1 }, () => []);
  total[from] = 0;
  ring[0]?.push(from);
  let waiting = 1;
  for (let now = 0; waiting > 0; now++) {
    const bucket = ring[now % ring.length] ?? [];
    while (bucket.length) {
      const at = bucket.pop() ?? 0;
      waiting--;
      if (total[at] !== now) continue;
      if (at === to) return before;
      const [x, y] = [at % wide, Math.floor(at / wide)];
      for (let dy = -1; dy <= 1; dy++)
        for (let dx = -1; dx <= 1; dx++) {
          if ((!dx && !dy) || x + dx < 0 || y + dy < 0 || x + dx >= wide || y + dy >= high) continue;
          const next = at + dy * wide + dx;
          const step = Math.round((cost[next] ?? 128) * (dx && dy ? Math.SQRT2 : 1));
          if (now + step >= (total[next] ?? 0)) continue;
          total[next] = now + step;
          before[next] = at;
          ring[(now + step) % ring.length]?.push(next);
          waiting++;
        }
    }
  }
  return before;
}
