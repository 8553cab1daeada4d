/**
 * Slices between drawn ones, and margins: shapes made from shapes.
 *
 * Interpolation is shape-based: the signed distance to the outline is interpolated between two slices, after their
 * centroids have been brought together (Raya and Udupa 1990; Herman, Zheng and Bucholtz 1992). Distances are exact
 * (Felzenszwalb and Huttenlocher 2012).
 */

/** A shape in a box of pixels, row by row; not 0 is inside. */
export interface Mask {
  columns: number;
  rows: number;
  inside: Uint8Array;
}

const FAR = 1e20;

/** Square of the distance to the nearest place where `f` is 0, along one line of `n` values `step` apart. */
function distanceAlong(
  f: Float64Array,
  n: number,
  step: number,
  into: Float64Array,
  v: Int32Array,
  z: Float64Array,
): void {
  let k = 0;
  v[0] = 0;
  z[0] = -FAR;
  z[1] = FAR;
  const s2 = step * step;
  const height = (q: number): number => (f[q] ?? FAR) + s2 * q * q;
  for (let q = 1; q < n; q++) {
    let meet = 0;
    for (;;) {
      const p = v[k] ?? 0;
      meet = (height(q) - height(p)) / (2 * s2 * (q - p));
      if (meet > (z[k] ?? -FAR) || k === 0) break;
      k--;
    }
    if (meet <= (z[k] ?? -FAR)) meet = -FAR;
    else k++;
    v[k] = q;
    z[k] = meet;
    z[k + 1] = FAR;
  }
  k = 0;
  for (let q = 0; q < n; q++) {
    while ((z[k + 1] ?? FAR) < q) k++;
    const p = v[k] ?? 0;
    into[q] = s2 * (q - p) * (q - p) + (f[p] ?? FAR);
  }
}

/** Distance in mm of each pixel to the nearest one that is inside, or outside when `outer` is false. */
function distanceTo(
  { columns, rows, inside }: Mask,
  outer: boolean,
  spacing: readonly [number, number],
): Float64Array {
  const n = Math.max(columns, rows);
  const [line, out] = [new Float64Array(n), new Float64Array(n)];
  const [v, z] = [new Int32Array(n), new Float64Array(n + 1)];
  const squared = new Float64Array(columns * rows);
  for (let k = 0; k < squared.length; k++) squared[k] = !!inside[k] === outer ? 0 : FAR;
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) line[row] = squared[row * columns + column] ?? FAR;
    distanceAlong(line, rows, spacing[0], out, v, z);
    for (let row = 0; row < rows; row++) squared[row * columns + column] = out[row] ?? FAR;
  }
  for (let row = 0; row < rows; row++) {
    line.set(squared.subarray(row * columns, (row + 1) * columns));
    distanceAlong(line, columns, spacing[1], out, v, z);
    for (let column = 0; column < columns; column++)
      squared[row * columns + column] = Math.sqrt(out[column] ?? FAR);
  }
  return squared;
}

/** Distance to the outline in mm, positive inside; the outline lies half way between two pixels. */
export function signedDistance(mask: Mask, spacing: readonly [number, number] = [1, 1]): Float64Array {
  const half = Math.min(...spacing) / 2;
  const outwards = distanceTo(mask, true, spacing);
  const inwards = distanceTo(mask, false, spacing);
  return Float64Array.from(outwards, (out, k) => (out > 0 ? half - out : (inwards[k] ?? 0) - half));
}

function centroid({ columns, inside }: Mask): readonly [number, number] {
  let [n, x, y] = [0, 0, 0];
  inside.forEach((label, k) => {
    if (!label) return;
    n += 1;
    x += k % columns;
    y += Math.floor(k / columns);
  });
  return [x / Math.max(n, 1), y / Math.max(n, 1)];
}

/** The shapes at the given parts of the way from one shape to another, both in one box. */
export function between(
  from: Mask,
  to: Mask,
  parts: readonly number[],
  spacing: readonly [number, number] = [1, 1],
): Uint8Array[] {
  const { columns, rows } = from;
  const [here, there] = [signedDistance(from, spacing), signedDistance(to, spacing)];
  const [start, end] = [centroid(from), centroid(to)];
  const sampled = (distance: Float64Array, x: number, y: number): number =>
    x < 0 || y < 0 || x >= columns || y >= rows ? -FAR : (distance[y * columns + x] ?? -FAR);
  return parts.map((t) => {
    const [mx, my] = [end[0] - start[0], end[1] - start[1]];
    const [ax, ay] = [Math.round(mx * t), Math.round(my * t)];
    const [bx, by] = [Math.round(mx) - ax, Math.round(my) - ay];
    return Uint8Array.from(here, (_, k) => {
      const [x, y] = [k % columns, Math.floor(k / columns)];
      const d = (1 - t) * sampled(here, x - ax, y - ay) + t * sampled(there, x + bx, y + by);
      return d > 0 ? 1 : 0;
    });
  });
}

/** Offsets of the pixels and slices within a distance in mm, as (column, row, slice). */
export function reach(mm: number, size: readonly [number, number, number]): [number, number, number][] {
  const [nx, ny, nz] = size.map((s) => Math.floor(mm / s + 1e-6)) as [number, number, number];
  const offsets: [number, number, number][] = [];
  for (let z = -nz; z <= nz; z++)
    for (let y = -ny; y <= ny; y++)
      for (let x = -nx; x <= nx; x++)
        if ((x * size[0]) ** 2 + (y * size[1]) ** 2 + (z * size[2]) ** 2 <= mm * mm + 1e-6)
          offsets.push([x, y, z]);
  return offsets;
}
