import { describe, expect, it } from 'vitest';
import { nextFrame } from '../src/viewer/cine';
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
});
