/**
 * The displacement grid of a comparison: where the prior shows what the current study shows.
 *
 * Invariants: `toPrior(p) = p + d(p)`, trilinear between grid points and clamped outside them; `toCurrent` is its
 * inverse by fixed-point iteration. All points are in mm, patient space (LPS).
 */
import { add, dot, length, subtract, type Vec3 } from './vectors';

/** Maps points between two studies. */
export interface Mapping {
  toPrior(point: Vec3): Vec3;
  toCurrent(point: Vec3): Vec3;
}

export interface GridGeometry {
  shape_zyx: number[];
  spacing_xyz_mm: number[];
  origin_lps_mm: number[];
  /** Row-major 3×3; the columns are the x, y and z axes. */
  directions: number[];
}

const INVERSE_STEPS = 12;
const INVERSE_TOLERANCE_MM = 0.01;

export class DisplacementGrid implements Mapping {
  readonly #values: Float32Array;
  readonly #size: Vec3;
  readonly #spacing: Vec3;
  readonly #origin: Vec3;
  readonly #axes: readonly [Vec3, Vec3, Vec3];

  constructor(geometry: GridGeometry, values: Float32Array) {
    const [nz = 0, ny = 0, nx = 0] = geometry.shape_zyx;
    if (nx * ny * nz * 3 !== values.length) {
      throw new RangeError(`The grid should hold ${nx * ny * nz * 3} numbers but has ${values.length}.`);
    }
    const d = geometry.directions;
    const column = (k: number): Vec3 => [d[k] ?? 0, d[k + 3] ?? 0, d[k + 6] ?? 0];
    this.#values = values;
    this.#size = [nx, ny, nz];
    this.#spacing = vec3(geometry.spacing_xyz_mm);
    this.#origin = vec3(geometry.origin_lps_mm);
    this.#axes = [column(0), column(1), column(2)];
  }

  toPrior(point: Vec3): Vec3 {
    return add(point, this.displacement(point));
  }

  toCurrent(point: Vec3): Vec3 {
    let guess = subtract(point, this.displacement(point));
    for (let step = 0; step < INVERSE_STEPS; step++) {
      const miss = subtract(point, this.toPrior(guess));
      if (length(miss) < INVERSE_TOLERANCE_MM) break;
      guess = add(guess, miss);
    }
    return guess;
  }

  /** The displacement at a point, in mm. */
  displacement(point: Vec3): Vec3 {
    const from = subtract(point, this.#origin);
    const [x, y, z] = [0, 1, 2].map((k) => this.#cell(from, k as 0 | 1 | 2)) as [Cell, Cell, Cell];
    const out: [number, number, number] = [0, 0, 0];
    for (const [iz, wz] of z) {
      for (const [iy, wy] of y) {
        for (const [ix, wx] of x) {
          const weight = wx * wy * wz;
          if (weight === 0) continue;
          const at = ((iz * this.#size[1] + iy) * this.#size[0] + ix) * 3;
          for (let k = 0; k < 3; k++) out[k] = (out[k] ?? 0) + weight * (this.#values[at + k] ?? 0);
        }
      }
    }
    return out;
  }

  /** The two neighbours along one axis and their weights, clamped to the grid. */
  #cell(from: Vec3, axis: 0 | 1 | 2): Cell {
    const last = this.#size[axis] - 1;
    const at = Math.min(Math.max(dot(from, this.#axes[axis]) / this.#spacing[axis], 0), last);
    const low = Math.min(Math.floor(at), Math.max(last - 1, 0));
    const part = at - low;
    return [
      [low, 1 - part],
      [Math.min(low + 1, last), part],
    ];
  }
}

type Cell = readonly (readonly [number, number])[];

const vec3 = (values: number[]): Vec3 => [values[0] ?? 0, values[1] ?? 0, values[2] ?? 0];

/** One and the same space. */
export const IDENTITY: Mapping = { toPrior: (point) => point, toCurrent: (point) => point };

/** Link by position only: used where there is no trusted alignment. */
export class FixedShift implements Mapping {
  constructor(readonly shift: Vec3) {}

  toPrior(point: Vec3): Vec3 {
    return add(point, this.shift);
  }

  toCurrent(point: Vec3): Vec3 {
    return subtract(point, this.shift);
  }
}
