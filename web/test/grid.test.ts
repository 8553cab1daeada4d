import { describe, expect, it } from 'vitest';
import { DisplacementGrid, FixedShift } from '../src/viewer/grid';
import type { Vec3 } from '../src/viewer/vectors';

const GEOMETRY = {
  shape_zyx: [3, 4, 5],
  spacing_xyz_mm: [10, 20, 30],
  origin_lps_mm: [-20, -30, -40],
  directions: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};

/** A grid whose displacement is a linear function of the point: trilinear interpolation must give it exactly. */
function linearGrid(directions = GEOMETRY.directions, of: (p: Vec3) => Vec3 = linear): DisplacementGrid {
  const [nz, ny, nx] = [3, 4, 5];
  const values = new Float32Array(nz * ny * nx * 3);
  const d = directions;
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        const step = [x * 10, y * 20, z * 30];
        const point = [0, 1, 2].map(
          (r) =>
            (GEOMETRY.origin_lps_mm[r] ?? 0) +
            [0, 1, 2].reduce((sum, c) => sum + (d[r * 3 + c] ?? 0) * (step[c] ?? 0), 0),
        ) as unknown as Vec3;
        values.set(of(point), ((z * ny + y) * nx + x) * 3);
      }
  return new DisplacementGrid({ ...GEOMETRY, directions }, values);
}

const linear = (p: Vec3): Vec3 => [2 + 0.1 * p[0], -3 + 0.05 * p[2], 1 - 0.02 * p[1]];

const close = (a: Vec3, b: Vec3, digits = 4) => {
  for (const k of [0, 1, 2] as const) expect(a[k]).toBeCloseTo(b[k], digits);
};

describe('the displacement grid', () => {
  it('gives back a linear displacement exactly between its points', () => {
    close(linearGrid().displacement([-3, 7, 11]), linear([-3, 7, 11]));
  });

  it('reads its directions row by row, the columns being the axes', () => {
    const turned = [0, -1, 0, 1, 0, 0, 0, 0, 1]; // x runs along +y, y along −x
    const point: Vec3 = [-45, -15, -20]; // inside the turned grid
    close(linearGrid(turned).displacement(point), linear(point));
  });

  it('is clamped outside, so that nothing flies away', () => {
    const grid = linearGrid();
    close(grid.displacement([1000, 0, 0]), grid.displacement([20, 0, 0]));
    close(grid.displacement([0, 0, -999]), grid.displacement([0, 0, -40]));
  });

  it('comes back to where it started', () => {
    const grid = linearGrid();
    const point: Vec3 = [5, 4, 3];
    close(grid.toCurrent(grid.toPrior(point)), point, 1);
  });

  it('refuses numbers that do not fill it', () => {
    expect(() => new DisplacementGrid(GEOMETRY, new Float32Array(7))).toThrow(
      'should hold 180 numbers but has 7',
    );
  });

  it('may be a single slice thick', () => {
    const grid = new DisplacementGrid(
      { ...GEOMETRY, shape_zyx: [1, 1, 2] },
      new Float32Array([0, 0, 0, 10, 0, 0]),
    );
    close(grid.displacement([-15, 50, 50]), [5, 0, 0]);
  });
});

describe('a fixed shift', () => {
  it('goes there and back', () => {
    const shift = new FixedShift([1, 2, 3]);
    close(shift.toCurrent(shift.toPrior([7, 8, 9])), [7, 8, 9]);
  });
});
