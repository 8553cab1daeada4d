import { describe, expect, it } from 'vitest';
import { beside, between, flipped, movedBy, placed } from '../src/features/documents/calipers';
import {
  type Annotation,
  type Channel,
  filtered,
  firstGroup,
  type Group,
  isTwelveLead,
  LABEL_MM,
  layOut,
  line,
  marksIn,
  marksOf,
  scaleOf,
  stripAt,
  timeAt,
  valueAt,
  xAt,
  yAt,
} from '../src/features/documents/ecg-paper';

const LEADS = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'];
const channel = (lead: string, unit = 'mV'): Channel => ({
  name: `Lead ${lead}`,
  lead,
  unit,
  stated_unit: 'uV',
  calibrated: true,
  skew_s: 0,
  low_hz: null,
  high_hz: null,
  notch_hz: null,
});
const TWELVE = LEADS.map((lead) => channel(lead));

describe('leads on paper', () => {
  it('stand in four columns that follow each other in time, with a rhythm strip below', () => {
    const paper = layOut(TWELVE, '3x4', 10, 25);
    expect(paper.strips).toHaveLength(13);
    const v4 = paper.strips.find((s) => s.label === 'V4');
    expect([v4?.from, v4?.to, v4?.x]).toEqual([7.5, 10, LABEL_MM + 3 * 62.5]);
    expect(paper.rhythm).toMatchObject({ label: 'II', from: 0, to: 10 });
    expect(paper.width).toBe(LABEL_MM + 250 + 2);
    expect(paper.height).toBe(4 * paper.rowHeight);
  });

  it('of a single beat each show all of it', () => {
    const paper = layOut(TWELVE, '3x4', 1.2, 25);
    expect(paper.strips).toHaveLength(12);
    expect(paper.strips.every((s) => s.from === 0 && s.to === 1.2)).toBe(true);
  });

  it('stand below each other', () => {
    const paper = layOut(TWELVE, '12x1', 10, 25);
    expect(paper.strips.map((s) => s.label)).toEqual(LEADS);
    expect(paper.height).toBe(12 * paper.rowHeight);
  });

  it('that are not twelve stand below each other in either layout', () => {
    const two = [channel('II'), { ...channel(''), name: 'Aortic pressure', unit: 'mm[Hg]' }];
    expect(isTwelveLead(two)).toBe(false);
    expect(layOut(two, '3x4', 10, 25).strips.map((s) => s.label)).toEqual(['II', 'Aortic pressure']);
  });
});

describe('the scale', () => {
  const [strip] = layOut(TWELVE, '12x1', 10, 25).strips;
  if (!strip) throw new Error('no strip');

  it('is 25 mm for a second and 10 mm for a millivolt', () => {
    expect(xAt(strip, 1, 25) - xAt(strip, 0, 25)).toBe(25);
    const { mmPerUnit, middle } = scaleOf(channel('I'), new Float32Array([0, 5]), 10, 18);
    expect(yAt(strip, 0, mmPerUnit, middle) - yAt(strip, 1, mmPerUnit, middle)).toBe(10);
  });

  it('can be read back', () => {
    expect(timeAt(strip, xAt(strip, 3.2, 25), 25)).toBeCloseTo(3.2);
    expect(valueAt(strip, yAt(strip, -0.7, 10, 0), 10, 0)).toBeCloseTo(-0.7);
    expect(timeAt(strip, -50, 25)).toBe(0);
  });

  it('fits what is not in volts into its row', () => {
    const pressure = channel('', 'mm[Hg]');
    const scale = scaleOf(pressure, new Float32Array([80, 120, Number.NaN]), 10, 20);
    expect(scale).toEqual({ mmPerUnit: 0.4, middle: 100, fitted: true });
    expect(scaleOf(pressure, new Float32Array([7, 7]), 10, 20).middle).toBe(7);
    expect(scaleOf(pressure, new Float32Array([Number.NaN]), 10, 20).middle).toBe(0);
  });

  it('finds the strip under the pointer', () => {
    const paper = layOut(TWELVE, '3x4', 10, 25);
    expect(stripAt(paper, 100, paper.rowHeight * 1.5, 25)?.label).toBe('aVL');
  });
});

describe('the line', () => {
  const place = { x: 0, mmPerSample: 0.025, y: (v: number) => v };

  it('goes through every sample where there is room', () => {
    const points = line(new Float32Array([1, 2, 3]), { first: 0, last: 3 }, place, 0.02);
    expect([...points.filter((_, k) => k % 2)]).toEqual([1, 2, 3]);
  });

  it('loses no peak where many samples fall on a pixel', () => {
    const values = new Float32Array(10_000);
    values[5003] = 9;
    values[5004] = -9;
    const points = line(values, { first: 0, last: 10_000 }, place, 2);
    expect(points.length).toBeLessThan(2000);
    const drawn = points.filter((_, k) => k % 2);
    expect([Math.max(...drawn), Math.min(...drawn)]).toEqual([9, -9]);
  });

  it('is broken where there is no value', () => {
    const values = new Float32Array(400).fill(Number.NaN);
    expect(line(values, { first: 0, last: 400 }, place, 2).some(Number.isNaN)).toBe(true);
  });
});

describe('the filter', () => {
  const rate = 500;
  const wave = (hz: number) =>
    Float32Array.from({ length: 5000 }, (_, k) => Math.sin((2 * Math.PI * hz * k) / rate));
  const size = (values: Float32Array) => Math.max(...values.slice(1500, 3500));

  it('keeps what lies between 0.5 and 40 Hz and takes away the rest', () => {
    expect(size(filtered(wave(5), rate))).toBeCloseTo(1, 1);
    expect(size(filtered(wave(150), rate))).toBeLessThan(0.02);
    expect(size(filtered(wave(0.05), rate))).toBeLessThan(0.05);
  });

  it('shifts nothing in time', () => {
    const values = new Float32Array(2001);
    values.fill(1, 990, 1011);
    const smooth = filtered(values, rate);
    for (const away of [5, 10, 15, 40]) expect(smooth[1000 - away]).toBeCloseTo(smooth[1000 + away] ?? 0, 3);
  });

  it('leaves gaps and what is sampled too seldom as they are', () => {
    const values = new Float32Array([0, Number.NaN, 0, 0, 0]);
    expect(Number.isNaN(filtered(values, rate)[1])).toBe(true);
    expect(filtered(values, 50)).toBe(values);
  });
});

describe('calipers', () => {
  const paper = layOut(TWELVE, '3x4', 10, 25);
  const strip = paper.strips.find((s) => s.label === 'V4');
  if (!strip) throw new Error('no strip');

  it('begin and stay on their strip', () => {
    const late = placed(strip, 99, 0);
    expect(late.ends.map((end) => end.time)).toEqual([9.6, 10]);
    const moved = movedBy(late, 5, 0.2);
    expect(moved.ends[1]).toEqual({ time: 10, value: 0.2 });
    expect(movedBy(flipped(late), -99, 0).ends[0].time).toBe(7.5);
  });

  it('go from lead to lead and no further', () => {
    const first = placed(paper.strips[0] ?? strip, 0, 0);
    expect(beside(paper, first, 1)?.label).toBe('II');
    expect(beside(paper, first, -1)).toBeUndefined();
  });
});

describe('what is measured and said', () => {
  it('is ms, rate and difference', () => {
    expect(between({ time: 1, value: 0 }, { time: 1.8, value: 0.5 })).toEqual({
      ms: 800,
      perMinute: 75,
      difference: 0.5,
    });
    expect(between({ time: 1, value: 0 }, { time: 1, value: 0 }).perMinute).toBeNull();
  });

  it('stands where it belongs: once for all leads, or at its own', () => {
    const said = (at: number, channels: number[]): Annotation => ({
      name: 'R',
      text: '',
      value: null,
      unit: '',
      group: 1,
      channels,
      at_s: [at],
      extent: 'POINT',
    });
    const paper = layOut(TWELVE, '12x1', 10, 25);
    const marks = marksOf([said(12, []), said(13, [1]), said(25, [])], { start: 10, duration: 10 }, 12);
    expect(marks.map((m) => m.time)).toEqual([2, 3]);
    const carriers = paper.strips.filter((s) => marksIn(s, paper, marks).length).map((s) => s.label);
    expect(carriers).toEqual(['I', 'II']);
  });

  it('begins with what was measured, not derived', () => {
    const group = (number: number, originality: string, samples: number, problem = '') =>
      ({ number, originality, samples, frequency_hz: 500, problem }) as Group;
    const groups = [
      group(1, 'DERIVED', 9000),
      group(2, 'ORIGINAL', 100),
      group(3, 'ORIGINAL', 5000, 'broken'),
    ];
    expect(firstGroup(groups)?.number).toBe(2);
    expect(firstGroup([])).toBeNull();
  });
});
