import { describe, expect, it } from 'vitest';
import { sameDrawing } from '../src/features/reading/annotations';
import type { Measurement } from '../src/viewer/measurements';

const length = (to: number, value: number | null, method = ''): Measurement => ({
  uid: '2.25.1',
  kind: 'length',
  label: '',
  series_uid: '1.2',
  sop_uid: '1.2.3',
  frame: 1,
  frame_of_reference_uid: '',
  points_px: [
    [0, 0],
    [to, 0],
  ],
  points_lps_mm: null,
  values: value === null ? [] : [{ name: 'length', value, unit: 'mm', method }],
  calibration: '',
});

describe('a measurement that is drawn again', () => {
  it('stays as it was kept, whether its numbers are there yet or not', () => {
    expect(sameDrawing(length(50, 50), length(50.001, null))).toBe(true);
    expect(sameDrawing(length(50, 50, 'from its points'), length(50, 50.1))).toBe(true);
  });

  it('is another once it is moved', () => {
    expect(sameDrawing(length(50, 50), length(51, 50))).toBe(false);
  });

  it('takes the numbers that come after its last move', () => {
    expect(sameDrawing(length(60, 52.4), length(60, 60))).toBe(false);
    expect(sameDrawing(length(60, 59.9), length(60, 60))).toBe(false);
    expect(sameDrawing(length(60, null), length(60, 60))).toBe(false);
  });
});
