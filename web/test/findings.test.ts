import { describe, expect, it } from 'vitest';
import type { Finding } from '../src/api';
import { changeOf } from '../src/features/reading/findings';

const quantity = (value: number) => ({ value, unit: 'mm', low: null, high: null, method: '' });
const finding = {
  label: 'nodule',
  note: null,
  current: { long_axis: quantity(10.1), short_axis: quantity(8) },
} as unknown as Finding;
const typed = { label: 'nodule', long: '10.1', short: '8', note: '' };

describe('editing a finding', () => {
  it('sends only what differs', () => {
    expect(changeOf(finding, typed)).toEqual({});
    expect(changeOf(finding, { ...typed, long: '11,5', note: 'spiculated' })).toEqual({
      long_axis_mm: 11.5,
      note: 'spiculated',
    });
  });

  it.each([
    [{ label: ' ' }, 'A finding needs a name.'],
    [{ long: 'about ten' }, '“about ten” is not a length in mm.'],
    [{ long: '-4' }, '“-4” is not a length in mm.'],
    [{ short: '12' }, 'The short axis cannot be longer than the long axis.'],
  ])('refuses %j', (change, words) => {
    expect(changeOf(finding, { ...typed, ...change })).toBe(words);
  });
});
