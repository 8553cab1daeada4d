import { describe, expect, it } from 'vitest';
import { isUnderWay, mapRefusal, qWords } from '../src/features/reading/change-map';
import { placeWords } from '../src/features/reading/change-map-panel';
import { paintSigned, scaleOf, signedLook } from '../src/features/reading/signed-map';

const map = (label: string, code = '', form: 'map' | 'series' = 'map') => ({
  form,
  label,
  unit: '1',
  quantity: code ? ([code, 'DCM', 'A quantity'] as [string, string, string]) : null,
});
const Z = signedLook(map('CHANGE_Z', '113071'), [-5, 20]);
const at = (picture: Uint8ClampedArray, k: number) => [...picture.slice(k * 4, k * 4 + 4)];

describe('a map with values to both sides of zero', () => {
  it('is clear about zero and where it has no values', () => {
    const values = Float32Array.of(0, 2.9, -2.9, 3, Number.NaN);
    expect(Z && [...paintSigned(values, Z, 1)].every((byte) => byte === 0)).toBe(true);
  });

  it('is warm above and cool below, as strong as asked for, and ends at the top', () => {
    if (!Z) throw new Error('no look');
    const picture = paintSigned(Float32Array.of(6, -6, 8, 800), Z, 0.5);
    const [more, less, top, beyond] = [0, 1, 2, 3].map((k) => at(picture, k));
    expect(more?.[0]).toBeGreaterThan((more?.[2] ?? 0) + 100);
    expect(less?.[2]).toBeGreaterThan((less?.[0] ?? 0) + 100);
    expect(more?.[3]).toBe(128);
    expect(beyond).toEqual(top);
  });

  it('comes in without a step', () => {
    const picture = Z && paintSigned(Float32Array.of(3.01, 3.5, 4), Z, 1);
    const [just, half, all] = [3, 7, 11].map((k) => picture?.[k] ?? 0);
    expect(just).toBeLessThan(5);
    expect(half).toBeCloseTo(128, -1);
    expect(all).toBe(255);
  });

  it.each([
    ['an unsigned map', map('ADC', '113041'), [0, 3000]],
    ['an unsigned map with noise about zero', map('Perfusion'), [-2, 400]],
    ['another series, such as CT', map('CT', '', 'series'), [-1024, 3000]],
    ['a map without values', map('Empty'), null],
  ] as const)('%s keeps the other colours', (_, known, range) => {
    expect(signedLook(known, range)).toBeNull();
  });

  it('of another origin reaches as far as its values do, the same to both sides', () => {
    const look = signedLook(map('Velocity', '110852'), [-120, 80]);
    expect(look?.top).toBe(120);
    expect(look?.clear).toBeCloseTo(2.4);
    expect(look?.words).toBe('A quantity');
  });
});

describe('the scale beside the image', () => {
  it('has its signs and its unit, and is clear in the middle', () => {
    const { ticks, colours } = scaleOf(Z as NonNullable<typeof Z>);
    expect(ticks.map((t) => t.words)).toEqual(['+8 SD', '+3 SD', '−3 SD', '−8 SD']);
    expect(ticks.map((t) => Math.round(t.at))).toEqual([0, 31, 69, 100]);
    expect(colours).toMatch(/\/ 0\) 31.3%, .*\/ 0\) 68.8%/);
  });

  it('of growth says how many times', () => {
    const look = signedLook(map('GROWTH_LOGJAC', 'log-jacobian'), [-0.5, 0.4]);
    expect(look && scaleOf(look).ticks.map((t) => t.words)).toEqual(['×2', '×1.1', '÷1.1', '÷2']);
  });
});

describe('words', () => {
  it('a place is told as the patient lies', () => {
    expect(placeWords([32.4, -12, 45])).toBe('L 32 A 12 H 45 mm');
    expect(placeWords([-7, 0.2, -100])).toBe('R 7 P 0 F 100 mm');
  });

  it('q has three digits', () => {
    expect([0.0123, 0.0002].map(qWords)).toEqual(['q 0.012', 'q < 0.001']);
  });

  it.each([
    ['none', false],
    ['waiting', true],
    ['making', true],
    ['done', false],
    ['refused', false],
    ['failed', false],
  ] as const)('%s is under way: %s', (status, expected) => {
    expect(isUnderWay({ status })).toBe(expected);
  });
});

describe('why there is no map', () => {
  const prior = { study: { uid: '1.2' } } as never;
  it.each([
    [{ prior: null, comparison: null }, 'There is no prior to compare with.'],
    [{ prior, comparison: null }, 'not aligned yet'],
    [
      { prior, comparison: { verdict: 'failed', reason: 'Other person.' } },
      'so no change is mapped: Other person.',
    ],
  ])('%j', (reading, words) => {
    expect(mapRefusal(reading as never)).toContain(words);
  });

  it('an alignment to be used with care is no reason', () => {
    expect(mapRefusal({ prior, comparison: { verdict: 'care' } } as never)).toBeNull();
  });
});
