import { describe, expect, it } from 'vitest';
import { entryOf, nextQuarter } from '../src/features/orders/entering';
import { differing, leftOf } from '../src/features/transfers/page';
import { differenceText } from '../src/features/transfers/report';
import { whenText } from '../src/features/transfers/rules';
import { joinName, personName } from '../src/ui/names';

describe('a transfer', () => {
  const running = { state: 'running', total: 612, done: 200, failed: 0, rate_per_s: 41.2 } as const;

  it('says what is left only while it runs', () => {
    expect(leftOf(running)).toBe('10 s');
    expect(leftOf({ ...running, state: 'waiting' })).toBe('');
    expect(leftOf({ ...running, rate_per_s: null })).toBe('');
  });

  it('counts what the two sides do not have in common', () => {
    expect(
      differing({ differences: { expected: 240, held: 238, missing: 2, extra: 0, conflicting: 1 } }),
    ).toBe(3);
    expect(differing({ differences: null })).toBe(0);
    expect(differenceText({ missing: 2, extra: 0, conflicting: 1 })).toBe('2 missing, 1 in conflict');
  });
});

describe('a rule', () => {
  it('is said in words', () => {
    expect(whenText({ modality: 'CT', source: '', label: '', description: '*chest*' })).toBe(
      'CT, described as *chest*',
    );
    expect(whenText({ modality: '', source: '', label: '', description: '' })).toBe('every study');
  });
});

describe('an order', () => {
  it('is entered as DICOM writes names and dates', () => {
    const entry = entryOf({ patient_id: 'N-1', family: 'Meyer', given: 'Anna', birth_date: '1965-02-11' });
    expect(entry.patient).toMatchObject({ name: 'Meyer^Anna', birth_date: '19650211' });
  });

  it('is offered at the next full quarter of an hour', () => {
    expect(nextQuarter(new Date(2026, 10, 24, 9, 45, 30))).toBe('2026-11-24T10:00');
    expect(nextQuarter(new Date(2026, 10, 24, 23, 50))).toBe('2026-11-25T00:00');
  });
});

describe('a person’s name', () => {
  it.each([
    ['MEYER^Anna', 'MEYER, Anna'],
    ['MEYER', 'MEYER'],
    ['Yamada^Tarou=山田^太郎', 'Yamada, Tarou (山田, 太郎)'],
    ['', ''],
  ])('%s', (name, shown) => {
    expect(personName(name)).toBe(shown);
  });

  it('is put together from its parts', () => {
    expect([joinName(' Meyer', 'Anna '), joinName('Meyer', '')]).toEqual(['Meyer^Anna', 'Meyer']);
  });
});
