import { describe, expect, it } from 'vitest';
import { directionLetters, drawMarks, type Mark, scaleBar } from '../src/viewer/overlay';
import type { Vec3 } from '../src/viewer/vectors';

const mark: Mark = {
  id: 'f1',
  number: 1,
  label: '1 · 8 mm',
  tone: 'proposed',
  selected: true,
  centreLpsMm: [50, 60, 70],
  diameterMm: 8,
  sopUid: '1.2',
  outlines: null,
  longAxis: [
    [46, 60, 70],
    [54, 60, 70],
  ],
  shortAxis: null,
};
const toCanvas = (p: Vec3): [number, number] => [p[0] * 2, p[1] * 2];
const at = (sopUid: string, z: number) => ({
  sopUid,
  thicknessMm: 2,
  distanceMm: (p: Vec3) => Math.abs(p[2] - z),
});

describe('orientation letters (PS3.3 C.7.6.1.1.1)', () => {
  it.each([
    [[1, 0, 0], 'L'],
    [[-1, 0, 0], 'R'],
    [[0, 1, 0], 'P'],
    [[0, 0, 1], 'H'],
    [[0, -1, -1], 'AF'],
    [[0.1, -0.99, 0], 'A'],
    [[0, 0, 0], ''],
  ] as const)('%j points to %s', (direction, letters) => {
    expect(directionLetters(direction)).toBe(letters);
  });
});

describe('the scale bar', () => {
  it('is the longest round length that fits', () => {
    expect(scaleBar(0.5)).toEqual({ pixels: 100, label: '5 cm' });
    expect(scaleBar(0.01)).toEqual({ pixels: 100, label: '1 mm' });
  });

  it('is not drawn where nothing is calibrated', () => {
    expect(scaleBar(0)).toBeNull();
    expect(scaleBar(Number.NaN)).toBeNull();
  });
});

describe('marks', () => {
  it('are circles on slices within reach where no outline is known', () => {
    const [drawn] = drawMarks([mark], at('1.2', 70), toCanvas, 0.5);
    expect(drawn?.circle).toEqual({ x: 100, y: 120, r: 12 });
    expect(drawn?.axes).toEqual([{ x1: 92, y1: 120, x2: 108, y2: 120 }]);
    expect(drawMarks([mark], at('1.3', 75), toCanvas, 0.5)).toEqual([]);
  });

  it('are drawn only on the slices that their outline names', () => {
    const square: Vec3[] = [
      [48, 58, 70],
      [52, 58, 70],
      [52, 62, 70],
    ];
    const outlined = { ...mark, outlines: new Map([['1.2', [square]]]) };
    const [drawn] = drawMarks([outlined], at('1.2', 70), toCanvas, 0.5);
    expect(drawn?.path).toBe('M96.0 116.0L104.0 116.0L104.0 124.0Z');
    expect(drawn?.labelAt).toEqual({ x: 112, y: 124 });
    expect(drawMarks([outlined], at('1.3', 70), toCanvas, 0.5)).toEqual([]);
  });

  it('show their axes on the slice where these were measured', () => {
    expect(drawMarks([mark], at('1.9', 71), toCanvas, 0.5)[0]?.axes).toEqual([]);
  });
});
