import { describe, expect, it } from 'vitest';
import { day, due, figure, sexAge, signed, span, spread, volume, wait } from '../src/ui/format';

const NOW = Date.parse('2026-11-24T12:00:00Z');

describe('dates and waits', () => {
  it('writes a date the same in every time zone', () => {
    expect(day('2026-11-24')).toBe('24 Nov 2026');
    expect(day('20260503')).toBe('3 May 2026');
    expect(day(null)).toBe('');
    expect(day('unknown')).toBe('unknown');
  });

  it.each([
    [0, '0 min'],
    [12.4, '12 min'],
    [80, '1 h 20'],
    [120, '2 h'],
    [1439, '24 h'],
    [4320, '3 d'],
  ])('%d minutes are %s', (minutes, text) => {
    expect(span(minutes)).toBe(text);
  });

  it('counts a wait from the arrival and never below nothing', () => {
    expect(wait('2026-11-24T11:48:00Z', NOW)).toBe('12 min');
    expect(wait('2026-11-24T12:05:00Z', NOW)).toBe('0 min');
  });

  it('says when something is late', () => {
    expect(due('2026-11-24T12:10:00Z', NOW)).toEqual({ text: '10 min', late: false, near: true });
    expect(due('2026-11-24T11:30:00Z', NOW)).toEqual({ text: 'late 30 min', late: true, near: true });
    expect(due('2026-11-24T18:00:00Z', NOW).near).toBe(false);
    expect(due(null, NOW).text).toBe('');
  });
});

describe('numbers', () => {
  it.each([
    [8.42, '8.4'],
    [10, '10.0'],
    [174.4, '174'],
    [0.034, '0.03'],
    [-3.25, '−3.3'],
    [12345, '12\u202f345'],
  ])('%d is written %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it('changes to ml at one ml, and two sizes keep one unit', () => {
    expect(volume(524)).toEqual({ value: '524', unit: 'mm³' });
    expect(volume(1437)).toEqual({ value: '1.4', unit: 'ml' });
    expect(volume(524, 1437)).toEqual({ value: '0.52', unit: 'ml' });
  });

  it('always gives a change its sign, and zero none', () => {
    expect([signed(174.4), signed(-12), signed(0.2), signed(-0.2)]).toEqual(['+174', '−12', '0', '0']);
  });

  it('has no interval where an end is missing', () => {
    expect(spread(133, 39, null, signed)).toBe('');
  });

  it('gives ± only to an interval that does not lean', () => {
    expect(spread(10, 8, 12, figure)).toBe(` ± ${figure(2)}`);
    expect(spread(133, 39, 290, signed)).toBe(' (+39 to +290)');
  });

  it('leaves out an unknown age', () => {
    expect(sexAge({ sex: 'F', age_years: 61 })).toBe('F 61 y');
    expect(sexAge({ sex: 'M', age_years: null })).toBe('M');
  });
});
