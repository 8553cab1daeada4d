import { describe, expect, it } from 'vitest';
import { rateOf } from '../src/features/reading/line';

const transfer = (start: number, end: number, bytes: number) => ({ start, end, bytes });

describe('how fast the line is', () => {
  it('is what came in the time in which anything came', () => {
    expect(rateOf([transfer(0, 100, 200_000), transfer(500, 600, 200_000)])).toBe(2_000_000);
  });

  it('counts the time of transfers that share the line once', () => {
    const four = [0, 10, 20, 30].map((start) => transfer(start, 200, 100_000));
    expect(rateOf(four)).toBe(2_000_000);
  });

  it('is not known by a few small answers', () => {
    expect(rateOf([transfer(0, 60, 40_000)])).toBeNull();
    expect(rateOf([])).toBeNull();
  });
});
