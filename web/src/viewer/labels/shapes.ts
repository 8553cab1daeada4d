/** The shapes a person draws on a pane, in its pixels; and what grows from a point. */
import { acrossOf, type Box, type Face, type Point, voxelAt } from './face';
import type { LabelGrid, Voxel } from './grid';

export interface Shape {
  box: Box;
  inside: (x: number, y: number) => boolean;
}

const boxOf = (points: readonly Point[], more = 0): Box => {
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
  return {
    from: [Math.min(...xs) - more, Math.min(...ys) - more],
    to: [Math.max(...xs) + more, Math.max(...ys) + more],
  };
};

/** What a round brush covers on its way from one point to the next. */
export function stroke(from: Point, to: Point, radius: number): Shape {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const long = dx * dx + dy * dy;
  const inside = (x: number, y: number): boolean => {
    const t = long && Math.min(Math.max(((x - from[0]) * dx + (y - from[1]) * dy) / long, 0), 1);
    return (x - from[0] - t * dx) ** 2 + (y - from[1] - t * dy) ** 2 <= radius * radius;
  };
  return { box: boxOf([from, to], radius), inside };
}

export const circle = (centre: Point, edge: Point): Shape =>
  stroke(centre, centre, Math.hypot(edge[0] - centre[0], edge[1] - centre[1]));

export function rectangle(one: Point, other: Point): Shape {
  const box = boxOf([one, other]);
  const { from, to } = box;
  return { box, inside: (x, y) => x >= from[0] && x <= to[0] && y >= from[1] && y <= to[1] };
}

/** A closed outline; where it crosses itself, what is enclosed twice is outside. */
export function polygon(points: readonly Point[]): Shape {
  const inside = (x: number, y: number): boolean => {
    let odd = false;
    for (let k = 0, before = points.length - 1; k < points.length; before = k++) {
      const [a, b] = [points[before], points[k]];
      if (!a || !b || a[1] > y === b[1] > y) continue;
      if (x < a[0] + ((y - a[1]) * (b[0] - a[0])) / (b[1] - a[1])) odd = !odd;
    }
    return odd;
  };
  return { box: boxOf(points), inside };
}

/** Visit the voxels whose centre lies in a ball around a point of the grid, its radius in mm. */
export function ball(
  grid: LabelGrid,
  centre: readonly [number, number, number],
  radiusMm: number,
  size: readonly [number, number, number],
  visit: (voxel: Voxel) => void,
): void {
  const range = (axis: 0 | 1 | 2, most: number): [number, number] => [
    Math.max(Math.floor(centre[axis] - radiusMm / size[axis]), 0),
    Math.min(Math.ceil(centre[axis] + radiusMm / size[axis]), most - 1),
  ];
  const [c0, c1] = range(0, grid.columns);
  const [r0, r1] = range(1, grid.rows);
  const [s0, s1] = range(2, grid.count);
  for (let s = s0; s <= s1; s++)
    for (let r = r0; r <= r1; r++)
      for (let c = c0; c <= c1; c++) {
        const x = (c + 0.5 - centre[0]) * size[0];
        const y = (r + 0.5 - centre[1]) * size[1];
        const z = (s + 0.5 - centre[2]) * size[2];
        if (x * x + y * y + z * z <= radiusMm * radiusMm) visit([c, r, s]);
      }
}

/**
 * The voxels of one plane of the grid that are joined to the one under a point and have its label.
 *
 * Returns a reason in words where they cannot be told: the plane is oblique, or the region runs out to the edge.
 */
export function enclosed(face: Face, grid: LabelGrid, layer: number, at: Point): Voxel[] | string {
  const across = acrossOf(face);
  if (across === null) return 'Filling works on the slices and the three planes, not on an oblique plane.';
  const seed = voxelAt(face, at);
  if (!grid.holds(seed)) return [];
  const label = grid.at(layer, seed);
  const limits = [grid.columns, grid.rows, grid.count];
  const [u, v] = ([0, 1, 2] as const).filter((axis) => axis !== across) as [0 | 1 | 2, 0 | 1 | 2];
  const [wide, high] = [limits[u] ?? 0, limits[v] ?? 0];
  const seen = new Uint8Array(wide * high);
  const found: Voxel[] = [];
  const waiting = [seed[v] * wide + seed[u]];
  seen[waiting[0] ?? 0] = 1;
  while (waiting.length) {
    const place = waiting.pop() ?? 0;
    const [x, y] = [place % wide, Math.floor(place / wide)];
    const voxel = [...seed] as [number, number, number];
    voxel[u] = x;
    voxel[v] = y;
    if (grid.at(layer, voxel) !== label) continue;
    if (x === 0 || y === 0 || x === wide - 1 || y === high - 1)
      return 'What you clicked is not enclosed: close the outline first, then fill it.';
    found.push(voxel);
    for (const next of [place - 1, place + 1, place - wide, place + wide])
      if (!seen[next]) {
        seen[next] = 1;
        waiting.push(next);
      }
  }
  return found;
}

/** The values of a slice, or null where they cannot be had. */
export type ValuesOf = (slice: number) => Promise<ArrayLike<number> | null>;

/**
 * Grow from a voxel to all that are joined to it by a face and lie in a range of values; slice after slice, so that
 * only the values of two are needed at a time. `visit` says whether the region may go on there.
 */
export async function grown(
  grid: LabelGrid,
  seed: Voxel,
  [low, high]: readonly [number, number],
  valuesOf: ValuesOf,
  visit: (slice: number, pixel: number) => boolean,
  most: number,
): Promise<number> {
  const { columns, rows } = grid;
  const seen = new Map<number, Uint8Array>();
  const waiting = new Map<number, number[]>([[seed[2], [seed[1] * columns + seed[0]]]]);
  let found = 0;
  for (let next = waiting.entries().next(); !next.done && found < most; next = waiting.entries().next()) {
    const [slice, pixels] = next.value;
    waiting.delete(slice);
    const values = await valuesOf(slice);
    if (!values) continue;
    const here = seen.get(slice) ?? new Uint8Array(columns * rows);
    seen.set(slice, here);
    const reached: number[] = [];
    while (pixels.length && found < most) {
      const pixel = pixels.pop() ?? 0;
      const value = values[pixel] ?? Number.NaN;
      if (here[pixel]) continue;
      here[pixel] = 1;
      if (!(value >= low && value <= high) || !visit(slice, pixel)) continue;
      found += 1;
      reached.push(pixel);
      const column = pixel % columns;
      if (column > 0) pixels.push(pixel - 1);
      if (column < columns - 1) pixels.push(pixel + 1);
      if (pixel >= columns) pixels.push(pixel - columns);
      if (pixel < columns * (rows - 1)) pixels.push(pixel + columns);
    }
    for (const other of [slice - 1, slice + 1]) {
      if (other < 0 || other >= grid.count || !reached.length) continue;
      const known = seen.get(other);
      const fresh = known ? reached.filter((pixel) => !known[pixel]) : reached;
      if (fresh.length) waiting.set(other, [...(waiting.get(other) ?? []), ...fresh]);
    }
  }
  return found;
}
