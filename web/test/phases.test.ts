import { describe, expect, it } from 'vitest';
import { nextFrame, trimmed } from '../src/viewer/loops';
import { type DicomJson, frameRate, nearestSlice, phaseOf, readSeries } from '../src/viewer/series';

const value = (...Value: unknown[]) => ({ vr: 'XX', Value });

function slice(k: number, z: number, more: DicomJson = {}): DicomJson {
  return {
    '00080018': value(`1.2.${k}`),
    '00080060': value('MR'),
    '00200013': value(k),
    '00280010': value(4),
    '00200032': value(0, 0, z),
    '00200037': value(1, 0, 0, 0, 1, 0),
    ...more,
  };
}

const read = (instances: DicomJson[]) =>
  readSeries(instances, { studyUid: '1', seriesUid: '2' }, (sop, frame) => `/i/${sop}/frames/${frame}`);

describe('positions imaged more than once', () => {
  const fourD = read(
    [0, 1, 2].flatMap((t) => [10, 0].map((z, k) => slice(t * 2 + k + 1, z, { '00200100': value(t + 1) }))),
  );

  it('are taken apart into points in time', () => {
    expect(fourD.phases).toEqual({ count: 3, names: ['t 1', 't 2', 't 3'] });
    expect(fourD.slices.map((s) => s.sopUid)).toEqual(['1.2.1', '1.2.2', '1.2.3', '1.2.4', '1.2.5', '1.2.6']);
    expect(phaseOf(fourD, 3)).toBe(1);
  });

  it('are found at their own point in time', () => {
    expect(nearestSlice(fourD, [0, 0, 1], 2)).toBe(5);
  });

  it('play through time at one place', () => {
    expect(nextFrame(fourD, 1, 1)).toBe(3);
    expect(nextFrame(fourD, 5, 1)).toBe(1);
  });

  it('are named by their b-value or echo where that tells them apart', () => {
    const echo = (te: number) => ({ '00180081': value(te) });
    const echoes = read(
      [0, 5].flatMap((z, k) => [slice(k * 2 + 1, z, echo(80)), slice(k * 2 + 2, z, echo(12))]),
    );
    expect(echoes.phases.names).toEqual(['TE 12 ms', 'TE 80 ms']);
  });

  it('stay together where they repeat unevenly', () => {
    const uneven = read([slice(1, 0), slice(2, 0), slice(3, 5)]);
    expect(uneven.phases.count).toBe(1);
    expect(uneven.slices).toHaveLength(3);
  });
});

describe('loops', () => {
  const loop = (frames: number, more: DicomJson = {}): DicomJson => ({
    '00080018': value('1.2.9'),
    '00080060': value('US'),
    '00280010': value(4),
    '00280008': value(frames),
    ...more,
  });

  it('play at the rate of the object', () => {
    expect(frameRate(loop(3, { '00181063': value(40) }))).toBe(25);
    expect(frameRate(loop(3, { '00082144': value(30), '00181063': value(40) }))).toBe(30);
    expect(frameRate(loop(3, { '00181065': value(0, 50, 50) }))).toBe(20);
    expect(frameRate(loop(3, { '00181063': value(0) }))).toBe(15);
  });

  it('go round within themselves', () => {
    const series = read([loop(3), { ...loop(2), '00080018': value('1.2.10') }]);
    expect(series.clips.map((c) => [c.start, c.count])).toEqual([
      [0, 3],
      [3, 2],
    ]);
    expect(nextFrame(series, 2, 1)).toBe(0);
    expect(nextFrame(series, 4, 1)).toBe(3);
    expect(nextFrame(series, 0, 2)).toBe(2);
  });

  it('play the part that was chosen, and only of the loop it was chosen in', () => {
    const series = read([loop(9), { ...loop(5), '00080018': value('1.2.10') }]);
    const from = trimmed(series, 3, null, 'first');
    expect([from.first, from.last]).toEqual([3, 8]);
    const part = trimmed(series, 6, from, 'last');
    expect([3, 4, 5, 6, 8, 0].map((k) => nextFrame(series, k, 1, part))).toEqual([4, 5, 6, 3, 3, 3]);
    expect(nextFrame(series, 13, 1, part)).toBe(9);
    expect(trimmed(series, 1, part, 'last')).toMatchObject({ first: 0, last: 1 });
    expect(trimmed(series, 8, part, 'first')).toMatchObject({ first: 8, last: 8 });
  });

  it('play a part of the points in time at the place that is shown', () => {
    const fourD = read(
      [0, 1, 2].flatMap((t) => [10, 0].map((z, k) => slice(t * 2 + k + 1, z, { '00200100': value(t + 1) }))),
    );
    const part = trimmed(fourD, 3, null, 'first');
    expect([1, 3, 5].map((k) => nextFrame(fourD, k, 1, part))).toEqual([3, 5, 3]);
  });
});
