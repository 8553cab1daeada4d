import { describe, expect, it } from 'vitest';
import { type DicomJson, nearestSlice, outsideMm, readSeries, shiftBetween } from '../src/viewer/series';

const value = (...Value: unknown[]) => ({ vr: 'XX', Value });

function slice(k: number, position: number[] | null, more: DicomJson = {}): DicomJson {
  return {
    '00080018': value(`1.2.${k}`),
    '00080060': value('CT'),
    '00200013': value(k),
    '00280010': value(4),
    '00280030': value(0.5, 0.7),
    '00180050': value('2.5'),
    '00200037': value(1, 0, 0, 0, 1, 0),
    ...(position && { '00200032': value(...position) }),
    ...more,
  };
}

const read = (instances: DicomJson[]) =>
  readSeries(instances, { studyUid: '1', seriesUid: '2' }, (sop, frame) => `/i/${sop}/frames/${frame}`);

const axial = (from: number, step: number, n: number) =>
  read(Array.from({ length: n }, (_, k) => slice(k + 1, [0, 0, from + k * step])));

describe('a series', () => {
  it('runs head to feet, whatever the order of arrival', () => {
    const series = read([slice(1, [0, 0, 10]), slice(2, [0, 0, 30]), slice(3, [0, 0, 20])]);
    expect(series.slices.map((s) => s.sopUid)).toEqual(['1.2.2', '1.2.3', '1.2.1']);
  });

  it('runs front to back when it is coronal', () => {
    const coronal = { '00200037': value(1, 0, 0, 0, 0, -1) };
    const series = read([slice(1, [0, 40, 0], coronal), slice(2, [0, -40, 0], coronal)]);
    expect(series.slices.map((s) => s.sopUid)).toEqual(['1.2.2', '1.2.1']);
  });

  it('keeps the order of its numbers where a position is missing', () => {
    const series = read([slice(2, null), slice(1, [0, 0, 5])]);
    expect(series.normal).toBeNull();
    expect(series.slices.map((s) => s.sopUid)).toEqual(['1.2.1', '1.2.2']);
  });

  it('has no common normal when its slices are turned against each other', () => {
    const turned = { '00200037': value(1, 0, 0, 0, 0, -1) };
    expect(read([slice(1, [0, 0, 0]), slice(2, [0, 9, 0], turned)]).normal).toBeNull();
  });

  it('takes the frames of a multi-frame object apart', () => {
    const plane = (z: number) => ({ '00209113': value({ '00200032': value(0, 0, z) }) });
    const series = read([
      slice(1, null, {
        '00280008': value(3),
        '52009230': value(plane(0), plane(5), plane(10)),
      }),
    ]);
    expect(series.slices.map((s) => [s.frame, s.positionLpsMm?.[2]])).toEqual([
      [3, 10],
      [2, 5],
      [1, 0],
    ]);
    expect(series.slices[0]?.imageId).toBe('wadors:/i/1.2.1/frames/3');
  });

  it('says what it is when it holds no images', () => {
    const report: DicomJson = {
      '00080016': value('1.2.840.10008.5.1.4.1.1.88.34'),
      '00080018': value('1.2.3'),
    };
    expect(read([report]).notShown).toBe('This series holds a structured report, not images.');
    expect(read([]).notShown).toBe('This series holds no objects.');
  });
});

describe('finding the slice of a point', () => {
  it('takes the nearest along the normal, not the nearest in index', () => {
    const series = axial(0, 2.5, 5); // z 10, 7.5, 5, 2.5, 0
    expect(nearestSlice(series, [99, -99, 6.6])).toBe(1);
    expect(nearestSlice(series, [0, 0, -500])).toBe(4);
  });

  it('says how far outside the series a point lies', () => {
    const series = axial(0, 2.5, 5);
    expect(outsideMm(series, [0, 0, 11])).toBe(0); // within half a slice
    expect(outsideMm(series, [0, 0, 31.26])).toBeCloseTo(20, 1);
  });
});

describe('linking by position', () => {
  it('trusts the table where both cover the same range', () => {
    expect(shiftBetween(axial(0, 2, 50), axial(10, 2, 50)).map((v) => v + 0)).toEqual([0, 0, 0]);
  });

  it('puts middle on middle where they do not overlap', () => {
    expect(shiftBetween(axial(0, 2, 51), axial(1000, 2, 51))[2]).toBeCloseTo(1000);
  });
});
