import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChangeMap, Reading } from '../src/api';
import { ChangeMaps, isUnderWay, mapRefusal, qWords } from '../src/features/reading/change-map';
import { placeWords } from '../src/features/reading/change-map-panel';
import { LaidOver } from '../src/features/reading/laid-over';
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
  const done = { state: 'open', analysis: { state: 'done' } };
  it.each([
    [{ prior: null, comparison: null }, 'There is no prior to compare with.'],
    [{ prior, comparison: null, ...done, state: 'arriving' }, 'not aligned yet'],
    [{ prior, comparison: null, analysis: { state: 'running' } }, 'not aligned yet'],
    [{ prior, comparison: null, ...done }, 'studies of one modality are compared'],
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

const PLACE = { centre_lps_mm: [0, 0, 0], sign: 'increase' };
const mapSince = (prior: string, status: ChangeMap['status'] = 'done') =>
  ({
    status,
    text: `since ${prior}`,
    prior_uid: prior,
    series_uid: 'series',
    objects: status === 'done' ? [{ content: 'CHANGE_Z', sop_uid: `z since ${prior}` }] : [],
    clusters: status === 'done' ? [PLACE] : [],
  }) as unknown as ChangeMap;
const DATES = { P1: '2025-01-03', P2: '2024-01-03' };
const comparedWith = (prior: keyof typeof DATES | null, others: (keyof typeof DATES)[] = []) =>
  ({
    comparison: prior && { id: `with ${prior}`, prior_uid: prior, verdict: 'good' },
    prior: prior && { study: { uid: prior, date: DATES[prior] } },
    priors: others.map((uid) => ({ study_uid: uid, date: DATES[uid] })),
  }) as unknown as Reading;

describe('the map when the study is compared with another prior', () => {
  let answers: ((map: ChangeMap) => void)[];
  let reading = signal<Reading | null>(null);
  const settled = () => new Promise((done) => setTimeout(done));

  /** A reader of a study whose map since P1 lies over its images, with the first place chosen. */
  async function withMap(showSeries = () => Promise.resolve()) {
    const laidOver = new LaidOver();
    const panes = { slots: signal([{ seriesUid: 'series', kind: 'stack' }]) };
    const reader = { uid: '1', reading, panel: signal(true), panes, laidOver, showSeries };
    const maps = new ChangeMaps(reader as never);
    reading.value = comparedWith('P1');
    maps.open();
    answers.pop()?.(mapSince('P1'));
    await settled();
    laidOver.lists.value = new Map([['series', []]]);
    await maps.select(0);
    expect(maps.shown.value).toBe('z');
    return { maps, laidOver, panes };
  }

  beforeEach(() => {
    answers = [];
    reading = signal<Reading | null>(null);
    // Answered by the test, whether or not whoever asked has left: as what is on the wire already.
    const answer = () => new Promise((done) => answers.push((map) => done(Response.json(map))));
    vi.stubGlobal('fetch', answer);
  });
  afterEach(() => vi.unstubAllGlobals());

  it.each([['P2'], [null]] as const)('is forgotten and lies no longer over the images (%s)', async (next) => {
    const { maps, laidOver } = await withMap();
    reading.value = comparedWith(next);
    expect([maps.map.value, maps.selected.value, maps.shown.value]).toEqual([null, null, null]);
    expect(laidOver.on.value.size).toBe(0);
    expect(maps.looked.value).toBe(false);
    maps.close();
  });

  it('is that of the new prior, under its date', async () => {
    const { maps } = await withMap();
    reading.value = comparedWith('P2');
    answers.pop()?.(mapSince('P2'));
    await settled();
    expect(maps.map.value?.prior_uid).toBe('P2');
    expect(maps.since.value).toBe(DATES.P2);
    expect(maps.shown.value).toBeNull();
    maps.close();
  });

  it('takes no answer that was asked for before', async () => {
    const { maps } = await withMap();
    maps.map.value = mapSince('P1', 'none');
    const asked = maps.press();
    const [late] = answers.splice(0);
    reading.value = comparedWith('P2');
    late?.(mapSince('P1'));
    await asked;
    expect(maps.map.value).toBeNull();
    maps.close();
  });

  it('is not laid over once it was left while its series was opened', async () => {
    const { maps, laidOver, panes } = await withMap(async () => {
      reading.value = comparedWith('P2');
      answers.pop()?.(mapSince('P2'));
      await settled();
    });
    await maps.toggle('z');
    panes.slots.value = [];
    await maps.select(0);
    expect(laidOver.on.value.size).toBe(0);
    maps.close();
  });

  it('stands under the date of its own prior, not of the one that is shown', async () => {
    const { maps } = await withMap();
    const now = comparedWith('P2', ['P1']);
    reading.value = { ...now, comparison: comparedWith('P1').comparison };
    expect(maps.since.value).toBe(DATES.P1);
    reading.value = { ...reading.value, priors: [] };
    expect(maps.since.value).toBe('');
    maps.close();
  });
});
