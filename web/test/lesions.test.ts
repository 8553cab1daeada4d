import { describe, expect, it } from 'vitest';
import type { Clicked, Finding } from '../src/api';
import { limitsWords } from '../src/features/reading/change-limits';
import { markOf, thinned } from '../src/features/reading/lesion-click';
import { identityOf, linkWords } from '../src/features/reading/lesion-links';
import { paintGreys, refusalOf, stepOf, windowOver } from '../src/features/reading/prior-over';

const limits = {
  quantity: 'volume',
  low: -32,
  high: 48,
  size_low_mm: 12.5,
  size_high_mm: 34.5,
  slice_mm: 1.25,
  max_slice_mm: 2.5,
  source: 'QIBA',
  added: [],
};

describe('what repeats vary by', () => {
  it.each([
    [{ kind: 'stable', percent: 15, limits }, 'grew 15.0 %: within what repeats vary by (−32 to +48 %)'],
    [{ kind: 'grown', percent: 133, limits }, 'grew 133 %: more than repeats vary by (−32 to +48 %)'],
    [
      { kind: 'shrunk', percent: -40, limits: { ...limits, quantity: 'long axis' } },
      'more than repeats vary by (−32 to +48 % of long axis)',
    ],
    [{ kind: 'new', percent: null, limits: null }, ''],
  ])('says of %j', (change, words) => {
    expect(limitsWords(change as never)).toBe(words);
  });
});

describe('the link of a lesion', () => {
  const place = { finding_id: 'a' };
  it.each([
    [
      { change: { linked: true, said: null }, prior: place },
      'same lesion as in the prior, by alignment',
      false,
    ],
    [
      { change: { linked: false, said: null }, prior: place },
      'may be a lesion of the prior: a person decides',
      true,
    ],
    [
      { change: { linked: true, said: 'same', said_by: 'Dr A' }, prior: place },
      'same lesion as in the prior, said Dr A',
      false,
    ],
    [
      { change: { linked: false, said: 'different', said_by: 'Dr A' }, prior: null },
      'not the lesion of the prior, said Dr A',
      false,
    ],
    [{ change: null, prior: null }, 'not linked with the prior', false],
  ])('of %j', (finding, words, doubtful) => {
    expect(linkWords(finding as unknown as Finding)).toEqual({ words, doubtful });
  });

  it.each([
    [1, 1, 'same'],
    [2, 1, 'merged'],
    [1, 3, 'split'],
    [0, 1, 'Choose a finding of each study.'],
    [2, 2, 'Several of both cannot be told: say it in two steps.'],
  ])('%i of the prior and %i of now are %s', (earlier, later, words) => {
    expect(identityOf(earlier, later)).toBe(words);
  });
});

describe('a stroke', () => {
  it('keeps its ends and at most 24 points', () => {
    const long = Array.from({ length: 500 }, (_, k) => [k, 0] as const);
    expect(thinned(long)).toHaveLength(24);
    expect([thinned(long)[0], thinned(long).at(-1)]).toEqual([
      [0, 0],
      [499, 0],
    ]);
    expect(thinned(long.slice(0, 3))).toHaveLength(3);
  });
});

it('what was clicked is drawn as an outline that is not kept yet', () => {
  const value = (v: number) => ({ value: v, unit: 'mm', low: null, high: null, method: '' });
  const mark = markOf({
    values: { long_axis: value(18.2), short_axis: value(16) },
    centre_lps_mm: [1, 2, 3],
    sop_uid: '1.2',
    slices: [{ sop_uid: '1.2', z_mm: 3, contours: [[[0, 0, 3]]] }],
    long_axis: [
      [0, 0, 3],
      [18.2, 0, 3],
    ],
    short_axis: null,
  } as unknown as Clicked);
  expect([mark.label, mark.tone, mark.shortAxis]).toEqual(['18.2 × 16.0 mm', 'draft', null]);
  expect(mark.outlines?.get('1.2')).toEqual([[[0, 0, 3]]]);
});

describe('the prior over the current image', () => {
  /** PS3.3 C.11.2.1.2.1: of window 40/400 the lowest grey is at -160, the highest at 239. */
  it('is painted by the window, and let through where it shows nothing', () => {
    const picture = paintGreys(
      Float32Array.of(-1000, -160, 39.5, 239, 3000, Number.NaN),
      { center: 40, width: 400 },
      false,
    );
    expect([...picture].filter((_, k) => k % 4 === 0)).toEqual([0, 0, 128, 255, 255, 0]);
    expect([...picture].filter((_, k) => k % 4 === 3)).toEqual([255, 255, 255, 255, 255, 0]);
    const inverted = paintGreys(Float32Array.of(-1000, 3000), { center: 40, width: 400 }, true);
    expect([inverted[0], inverted[4]]).toEqual([255, 0]);
  });

  it('of radiographs comes as greys, and coarser where the picture is large', () => {
    const window = { center: 40, width: 400 };
    expect(windowOver('CT', window)).toBe(window);
    const greys = paintGreys(Float32Array.of(0, 255), windowOver('DX', window), false);
    expect([greys[0], greys[4]]).toEqual([0, 255]);
    expect(stepOf(512 * 512, [512, 512])).toBe(1);
    expect(stepOf(1216 * 1013, [2026, 2432])).toBe(2);
    expect(stepOf(17, [512, 512])).toBeNull();
  });

  it.each([
    [null, null, 'There is no prior to compare with.'],
    ['1.1', null, 'The prior is not aligned yet; look at both side by side until it is.'],
    [
      '1.1',
      { verdict: 'failed', reason: 'The scans show different parts.' } as const,
      'Not aligned, so the prior is not laid onto this study: The scans show different parts.',
    ],
    ['1.1', { verdict: 'care', reason: '' } as const, null],
  ])('is refused for %j', (prior, alignment, words) => {
    expect(refusalOf(prior, alignment)).toBe(words);
  });
});
