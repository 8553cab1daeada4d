import { describe, expect, it } from 'vitest';
import { ago, grouped, left, percent, Rate, sizeText } from '../src/ui/amounts';

describe('sizes', () => {
  it.each([
    [0, '0\u202fB'],
    [999, '999\u202fB'],
    [1000, '1.00\u202fkB'],
    [52_345, '52.3\u202fkB'],
    [999_600, '1.00\u202fMB'],
    [176_000_000, '176\u202fMB'],
    [8e12, '8.00\u202fTB'],
  ])('%d bytes', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });

  it('group their thousands', () => {
    expect(grouped(1204312)).toBe('1\u202f204\u202f312');
  });
});

describe('progress', () => {
  it('is a hundred only when all is there', () => {
    expect(percent(999, 1000)).toBe(99);
    expect(percent(1000, 1000)).toBe(100);
    expect(percent(0, 0)).toBe(0);
  });

  it('says how long it will take, and nothing where nobody can tell', () => {
    expect(left(0.2)).toBe('1 s');
    expect(left(300)).toBe('5 min');
    expect(left(null)).toBe('');
    expect(left(Number.POSITIVE_INFINITY)).toBe('');
  });

  it('says how long ago', () => {
    const now = Date.parse('2026-11-24T12:00:00Z');
    expect(ago('2026-11-24T11:48:00Z', now)).toBe('12 min ago');
    expect(ago('2026-11-24T11:59:40Z', now)).toBe('now');
  });
});

describe('a rate', () => {
  it('follows the last seconds', () => {
    const rate = new Rate(8000);
    for (let t = 0; t <= 20_000; t += 1000) rate.add(500, t);
    expect(rate.perSecond(20_000)).toBeCloseTo(500, -1);
  });

  it('falls to nothing when nothing moves', () => {
    const rate = new Rate(8000);
    rate.add(1000, 0);
    rate.add(1000, 1000);
    expect(rate.perSecond(30_000)).toBe(0);
  });
});
