import { describe, expect, it } from 'vitest';
import { areaShown, cut, geometryNote, projected, tiltDegrees, volumeProblem } from '../src/viewer/geometry';
import { type DicomJson, readSeries } from '../src/viewer/series';

const value = (...Value: unknown[]) => ({ vr: 'XX', Value });
const AXIAL = [1, 0, 0, 0, 1, 0];

function slice(k: number, position: number[], cosines = AXIAL, more: DicomJson = {}): DicomJson {
  return {
    '00080018': value(`1.2.${k}`),
    '00080060': value('CT'),
    '00200013': value(k),
    '00280010': value(4),
    '00280011': value(4),
    '00280030': value(1, 1),
    '00200032': value(...position),
    '00200037': value(...cosines),
    ...more,
  };
}

const read = (instances: DicomJson[]) =>
  readSeries(instances, { studyUid: '1', seriesUid: '2' }, (sop, frame) => `/i/${sop}/frames/${frame}`);
const stack = (depths: number[], shear = 0) => read(depths.map((z, k) => slice(k + 1, [0, shear * z, z])));

describe('a volume', () => {
  it('is made of even, parallel slices', () => {
    expect(volumeProblem(stack([0, 2.5, 5, 7.5]))).toBeNull();
    expect(volumeProblem(stack([0, 2.5, 5.01, 7.5]))).toBeNull();
  });

  it.each([
    ['a gap', stack([0, 2.5, 10, 12.5]), /missing between 1 and 2|missing between/],
    ['varying spacing', stack([0, 2.5, 5.5, 8]), /spacing of the slices varies/],
    ['one slice', stack([0]), /one slice only/],
    ['two slices', stack([0, 1]), /two slices only/],
    ['a tilted gantry', stack([0, 2.5, 5, 7.5], 0.3), /tilted/],
    ['two images at one place', stack([0, 2.5, 2.5, 5]), /same place/],
  ])('is refused with its reason for %s', (_, series, reason) => {
    expect(volumeProblem(series)).toMatch(reason);
  });

  it('is refused where slices are turned against each other, and the pane says so', () => {
    const mixed = read([slice(1, [0, 0, 0]), slice(2, [0, 0, 2]), slice(3, [0, 0, 4], [1, 0, 0, 0, 0, -1])]);
    expect(volumeProblem(mixed)).toMatch(/turned against each other/);
    expect(geometryNote(mixed)).toBe('slices turned against each other');
  });

  it('is refused where images do not say where they lie', () => {
    const nowhere = read([1, 2, 3].map((k) => ({ ...slice(k, [0, 0, k]), '00200032': undefined })));
    expect(volumeProblem(nowhere)).toMatch(/do not say where/);
  });

  it('measures the tilt of the gantry', () => {
    expect(tiltDegrees(stack([0, 2.5, 5], Math.tan((15 * Math.PI) / 180)))).toBeCloseTo(15, 6);
    expect(geometryNote(stack([0, 2.5, 5], 0.3))).toBe('gantry tilted 16.7°');
  });

  it('lies right in every position of the patient: the normal follows the cosines, not the table', () => {
    // Decubitus: rows run from front to back. Slices still go head to feet.
    const decubitus = read([
      slice(1, [0, 0, 0], [0, 1, 0, -1, 0, 0]),
      slice(2, [0, 0, 5], [0, 1, 0, -1, 0, 0]),
    ]);
    expect(decubitus.slices.map((s) => s.sopUid)).toEqual(['1.2.2', '1.2.1']);
    expect(decubitus.normal?.map((x) => x + 0)).toEqual([0, 0, 1]);
  });
});

describe('the line where two planes meet', () => {
  const seen = {
    normal: [0, 0, 1] as const,
    corners: [
      [-10, -10, 5],
      [10, -10, 5],
      [10, 10, 5],
      [-10, 10, 5],
    ] as const,
  };

  it('runs across what is seen of the other', () => {
    const line = cut({ normal: [1, 0, 0], point: [3, 0, 0] }, seen);
    expect(line).toEqual([
      [3, -10, 5],
      [3, 10, 5],
    ]);
  });

  it('is not drawn for planes that run side by side or do not meet', () => {
    expect(cut({ normal: [0, 0, 1], point: [0, 0, 0] }, seen)).toBeNull();
    expect(cut({ normal: [1, 0, 0], point: [30, 0, 0] }, seen)).toBeNull();
  });
});

describe('the area a pane shows', () => {
  it('is the whole image where it just fits', () => {
    expect(areaShown([2, 0, 0, 2, 0, 0], 200, 100)).toEqual({ top_left: [0, 0], bottom_right: [100, 50] });
  });

  it('grows from its top left even where the image is turned', () => {
    // A quarter turn: columns run down, rows to the left.
    const area = areaShown([0, 1, -1, 0, 80, 10], 100, 60);
    expect(area.top_left).toEqual([-10, -20]);
    expect(area.bottom_right).toEqual([50, 80]);
  });
});

describe('a point on a plane that is seen', () => {
  const plane = {
    normal: [0, 0, 1],
    corners: [
      [0, 0, 5],
      [10, 0, 5],
      [10, 20, 5],
      [0, 20, 5],
    ],
  } as const;

  it('is straight before or behind it', () => {
    expect(projected([4, 15, 9], plane)).toEqual([4, 15, 5]);
  });

  it('is none where it is not in view', () => {
    expect(projected([11, 15, 5], plane)).toBeNull();
    expect(projected([4, -1, 5], plane)).toBeNull();
  });
});
