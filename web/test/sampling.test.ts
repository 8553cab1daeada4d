import { describe, expect, it } from 'vitest';
import { alongLine, histogramOf, inside, valueAt } from '../src/viewer/sampling';

/** A plane: the value is 2 × column + 3 × row at the centre of each pixel. */
const ramp = {
  columns: 8,
  rows: 6,
  values: Array.from({ length: 48 }, (_, k) => 2 * ((k % 8) + 0.5) + 3 * (Math.floor(k / 8) + 0.5)),
};

describe('values of an image', () => {
  it('are exact on a plane, between the centres too', () => {
    expect(valueAt(ramp, [2.5, 1.5])).toBeCloseTo(9.5, 12);
    expect(valueAt(ramp, [3.2, 2.9])).toBeCloseTo(2 * 3.2 + 3 * 2.9, 12);
  });

  it('are not made up outside', () => {
    expect(valueAt(ramp, [0.2, 2])).toBeNaN();
    expect(valueAt(ramp, [4, 5.9])).toBeNaN();
  });

  it('run straight along a line of a plane, from its first to its last point', () => {
    const profile = alongLine(ramp, [1, 1], [5, 4]);
    expect(profile[0]).toBeCloseTo(5, 12);
    expect(profile.at(-1)).toBeCloseTo(22, 12);
    const steps = profile.slice(1).map((v, k) => v - (profile[k] ?? 0));
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThan(1e-9);
  });

  it('inside an outline are those of the pixels whose centres lie in it', () => {
    const square = [
      [1, 1],
      [4, 1],
      [4, 3],
      [1, 3],
    ] as const;
    const found = inside(ramp, square);
    expect(found).toHaveLength(6);
    expect(found.reduce((a, b) => a + b, 0) / 6).toBeCloseTo(2 * 2.5 + 3 * 2, 12);
  });

  it('leave the hole of a ring out', () => {
    // One outline that goes round, in, round the hole, and out again.
    const ring = [
      [0, 0],
      [6, 0],
      [6, 6],
      [0, 6],
      [0, 0],
      [2, 4],
      [4, 4],
      [4, 2],
      [2, 2],
      [2, 4],
    ] as const;
    expect(inside(ramp, ring)).toHaveLength(36 - 4);
  });

  it('are all counted in a histogram', () => {
    const { counts, low } = histogramOf([1, 1, 2, 5, 5, 5]);
    expect(low).toBe(1);
    expect(counts.reduce((a, b) => a + b, 0)).toBe(6);
    expect(counts.at(-1)).toBe(3);
  });
});
