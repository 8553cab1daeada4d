import { describe, expect, it } from 'vitest';
import type { ChartEvent } from '../src/api';
import { clusters, DAY_MS, panned, spanOf, ticks, timeOf, xOf, zoomed } from '../src/features/timeline/axis';
import {
  type Curve,
  changeText,
  type Lesion,
  labCurves,
  lesionCurve,
  nearestPoint,
  pointText,
  quantitiesOf,
  rangeText,
  type StudyMark,
  valueSpan,
} from '../src/features/timeline/curves';
import { labOf, treatmentOf } from '../src/features/timeline/entering';
import {
  chosenLesions,
  chosenStudies,
  EVERYTHING,
  organsOf,
  parseShown,
  printShown,
} from '../src/features/timeline/query';
import { barOf, endOf, lanesOf, spanText } from '../src/features/timeline/treatments';

const whole = { from: Date.UTC(2020), to: Date.UTC(2026) };

describe('the axis of time', () => {
  it('holds all dates with room at both ends, and a single one in the middle', () => {
    const dates = ['2026-05-03', '2025-11-02', '2026-11-24'].map(timeOf);
    const span = spanOf(dates);
    expect(Math.min(...dates.map((t) => xOf(t, span, 100)))).toBeGreaterThan(0);
    expect(Math.max(...dates.map((t) => xOf(t, span, 100)))).toBeLessThan(100);
    const one = timeOf('2026-01-01');
    expect(xOf(one, spanOf([one]), 100)).toBeCloseTo(50);
    expect(spanOf([Number.NaN]).to).toBeGreaterThan(spanOf([Number.NaN]).from);
  });

  it('zooms about a moment that stays where it is, and never beyond the whole', () => {
    const about = Date.UTC(2024);
    const closer = zoomed(whole, 0.5, about, whole);
    expect(closer.to - closer.from).toBeCloseTo((whole.to - whole.from) / 2);
    expect(xOf(about, closer, 1)).toBeCloseTo(xOf(about, whole, 1));
    expect(zoomed(closer, 100, about, whole)).toEqual(whole);
    const closest = zoomed(whole, 1e-9, about, whole);
    expect(closest.to - closest.from).toBeCloseTo(7 * DAY_MS);
  });

  it('moves to the end and no farther', () => {
    const span = { from: Date.UTC(2025), to: Date.UTC(2026) };
    expect(panned(span, 0.5, whole)).toEqual(span);
    expect(panned(span, -100, whole).from).toBe(whole.from);
  });

  it.each([
    [whole, 700, '2021', '2025'],
    [{ from: Date.UTC(2025, 0, 10), to: Date.UTC(2025, 8, 10) }, 700, 'Apr 2025', 'Jul 2025'],
    [{ from: Date.UTC(2025, 0, 1), to: Date.UTC(2025, 0, 8) }, 700, '2 Jan', '7 Jan'],
  ])('writes round dates, %#', (span, width, within, last) => {
    const labels = ticks(span, width).map((t) => t.label);
    expect(labels).toContain(within);
    expect(labels).toContain(last);
    expect(labels.length).toBeLessThanOrEqual(9);
  });

  it('takes marks that would cover each other together', () => {
    const marks = clusters([100, 0, 5, 12], (x) => x, 10);
    expect(marks.map((m) => [m.x, m.items.length])).toEqual([
      [2.5, 2],
      [12, 1],
      [100, 1],
    ]);
  });
});

const measured = (value: number, low: number | null = null, high: number | null = null, unit = 'mm3') => ({
  value,
  unit,
  low,
  high,
  method: 'counted voxels',
});
const change = { study_uid: '2', date: '2025-07-04', prior_uid: '1', days: 182, kind: 'grown' };
const lesion = {
  tracking_uid: '2.25.1',
  label: 'right lung nodule',
  kind: 'lung-nodule',
  state: 'proposed',
  organ: 'lung',
  regions: ['chest'],
  modalities: ['CT'],
  changes: [{ ...change, percent: 74, low: 30, high: 132, text: 'grew', reason: 'beyond repeatability' }],
  points: [
    {
      finding_id: 'a',
      study_uid: '1',
      date: '2025-01-03',
      state: 'accepted',
      source: 'model 1',
      by_model: true,
      values: { volume: measured(800, 700, 900), suv_max: measured(4, null, null, 'g/ml') },
    },
    {
      finding_id: 'b',
      study_uid: '2',
      date: '2025-07-04',
      state: 'proposed',
      source: 'model 1',
      by_model: true,
      values: { volume: measured(1392, 1200, 1600) },
    },
  ],
} as Lesion;

describe('the curve of a lesion', () => {
  it('is in one unit, with the interval, the method and what has changed', () => {
    const curve = lesionCurve(lesion, 'volume');
    expect(curve.unit).toBe('ml');
    expect(curve.points.map((p) => p.value)).toEqual([0.8, 1.392]);
    expect(curve.points.map((p) => p.proposed)).toEqual([false, true]);
    const second = curve.points[1];
    expect(second && pointText(curve, second)).toBe('1.4 ml ± 0.20');
    expect(second?.change && changeText(second.change)).toBe('+74 % (+30 to +132) in 182 d');
    expect(second?.method).toBe('counted voxels');
  });

  it('leaves out dates at which the quantity was not measured', () => {
    expect(lesionCurve(lesion, 'suv_max').points.map((p) => p.finding)).toEqual(['a']);
    expect(lesionCurve(lesion, 'nothing').points).toEqual([]);
    expect(quantitiesOf([lesion])).toEqual(['volume', 'suv_max']);
  });

  it('begins at zero on a linear axis, and on a logarithmic one holds what is positive', () => {
    const curve = lesionCurve(lesion, 'volume');
    expect(valueSpan(curve, false)).toEqual([0, 1.6 * 1.15]);
    const [low, high] = valueSpan(curve, true);
    expect(low).toBeCloseTo(0.7 / 1.3);
    expect(high).toBeCloseTo(1.6 * 1.3);
  });

  it('gives the point nearest to the cursor, within reach', () => {
    const { points } = lesionCurve(lesion, 'volume');
    expect(nearestPoint(points, timeOf('2025-06-30'), 10 * DAY_MS)).toBe(1);
    expect(nearestPoint(points, timeOf('2025-04-01'), 10 * DAY_MS)).toBe(-1);
  });
});

const event = (more: Partial<ChartEvent>): ChartEvent => ({
  kind: 'lab',
  name: 'LDH',
  start: '2025-02-01',
  id: 'e',
  origin: 'fhir',
  reference: 'http://h Observation/1',
  entered_at: '2026-01-01T00:00:00Z',
  entered_by: 'Dr A',
  stop: null,
  unit: 'U/L',
  ...more,
});

describe('laboratory values', () => {
  it('are one curve for each test and unit, in the order of time, with the latest reference range', () => {
    const code = { system: 'http://loinc.org', value: '2532-0', meaning: '' };
    const curves = labCurves([
      event({ value: 310, high: 250, code, id: 'late', start: '2025-03-01' }),
      event({ value: 240, code, name: 'Lactate dehydrogenase' }),
      event({ value: 4.1, unit: 'ukat/L', code }),
      event({ kind: 'treatment', name: 'drug' }),
    ]);
    expect(curves.map((c) => [c.label, c.unit, c.quantity])).toEqual([
      ['LDH', 'U/L', 'LOINC 2532-0'],
      ['LDH', 'ukat/L', 'LOINC 2532-0'],
    ]);
    expect(curves[0]?.points.map((p) => p.value)).toEqual([240, 310]);
    expect(rangeText(curves[0] as Curve)).toBe('up to 250 U/L');
  });

  it('are entered with a code where one is given', () => {
    const values = {
      name: 'LDH',
      start: '2025-02-01',
      unit: 'U/L',
      value: '310',
      low: '',
      high: '250',
      loinc: '2532-0',
    };
    expect(labOf(values)).toMatchObject({
      value: 310,
      low: null,
      high: 250,
      code: { system: 'http://loinc.org', value: '2532-0' },
    });
    expect(labOf({ ...values, loinc: '' }).code).toBeNull();
  });
});

describe('treatments', () => {
  const now = Date.UTC(2026, 0);
  const drug = (more: Partial<ChartEvent>) =>
    event({ kind: 'treatment', name: 'Drug', status: 'active', ...more });

  it('end where it was stated, go on while their status says so, and else have no end', () => {
    expect(endOf(drug({ stop: '2025-03-01' }), now)).toEqual({ at: timeOf('2025-03-01'), end: 'stated' });
    expect(endOf(drug({}), now)).toEqual({ at: now, end: 'going on' });
    expect(endOf(drug({ status: 'stopped' }), now)).toEqual({ at: timeOf('2025-02-01'), end: 'not stated' });
    expect(spanText(drug({ status: 'stopped' }))).toBe('1 Feb 2025, end not stated');
  });

  it('are one lane each, the latest begun first, and no bar beyond what is in sight', () => {
    const lanes = lanesOf([
      drug({}),
      drug({ name: 'Later', start: '2025-06-01' }),
      drug({ start: '2024-01-01' }),
    ]);
    expect(lanes.map((l) => [l.name, l.events.length])).toEqual([
      ['Later', 1],
      ['Drug', 2],
    ]);
    const span = { from: Date.UTC(2025, 2), to: Date.UTC(2025, 5) };
    expect(barOf(drug({}), span, 500, now)).toEqual({ left: 0, width: 500, end: 'going on' });
    expect(barOf(drug({ stop: '2025-02-10' }), span, 500, now)).toBeNull();
  });

  it('are entered as ended or going on', () => {
    expect(treatmentOf({ name: 'Drug', start: '2025-01-01', stop: '' })).toMatchObject({
      stop: null,
      status: 'active',
    });
    expect(treatmentOf({ name: 'Drug', start: '2025-01-01', stop: '2025-02-01' }).status).toBe('completed');
  });
});

describe('what is shown', () => {
  it('stands in the address and comes back from it', () => {
    const shown = {
      ...EVERYTHING,
      quantity: 'volume',
      log: true,
      region: 'lumbar-spine',
      organ: 'adrenal gland',
      accepted: true,
    };
    expect(parseShown(printShown(shown))).toEqual(shown);
    expect(printShown(EVERYTHING)).toBe('');
    expect(parseShown('?region=<script>&quantity=a%00b')).toEqual(EVERYTHING);
  });

  it('tells lesions of one region apart by organ, of which only those that occur can be chosen', () => {
    const of = (organ: string) => ({ ...lesion, organ, regions: ['abdomen'] });
    const lesions = ['other', 'liver', 'kidney', 'adrenal gland', 'liver'].map(of);
    const inLiver = { ...EVERYTHING, region: 'abdomen', organ: 'liver' };
    expect(organsOf(lesions)).toEqual(['adrenal gland', 'kidney', 'liver', 'other']);
    expect(chosenLesions(lesions, inLiver).map((l) => l.organ)).toEqual(['liver', 'liver']);
    expect(chosenLesions(lesions, { ...EVERYTHING, organ: 'other' })).toHaveLength(1);
    expect(chosenLesions(lesions, { ...EVERYTHING, organ: 'spleen' })).toHaveLength(0);
    const study = { regions: ['abdomen'], modality: 'CT' } as StudyMark;
    expect(chosenStudies([study], inLiver)).toEqual([study]);
  });

  it('chooses lesions by region, modality, lesion and state', () => {
    expect(chosenLesions([lesion], { ...EVERYTHING, region: 'chest' })).toHaveLength(1);
    expect(chosenLesions([lesion], { ...EVERYTHING, region: 'head' })).toHaveLength(0);
    expect(chosenLesions([lesion], { ...EVERYTHING, modality: 'MR' })).toHaveLength(0);
    expect(chosenLesions([lesion], { ...EVERYTHING, accepted: true })).toHaveLength(0);
    expect(chosenLesions([lesion], { ...EVERYTHING, lesion: '2.25.1' })).toHaveLength(1);
  });
});
