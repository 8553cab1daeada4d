import { describe, expect, it } from 'vitest';
import { behind, boundsOf, boxAround, keptOf } from '../src/viewer/crop';
import { readSeries } from '../src/viewer/series';
import { WHOLE } from '../src/viewer/view';

const image = (z: number) => ({
  '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
  '00080018': { vr: 'UI', Value: [`1.${z}`] },
  '00280010': { vr: 'US', Value: [100] },
  '00280011': { vr: 'US', Value: [200] },
  '00280030': { vr: 'DS', Value: [0.5, 0.5] },
  '00200032': { vr: 'DS', Value: [-50, -25, z] },
  '00200037': { vr: 'DS', Value: [1, 0, 0, 0, 1, 0] },
});
const series = readSeries([image(0), image(40)], { studyUid: '1', seriesUid: '2' }, () => 'https://x/1');
const box = { low: [-50, -25, 0] as const, high: [50, 25, 40] as const };

describe('cutting a volume', () => {
  it('knows the box around the slices', () => {
    expect(boxAround(series)).toEqual(box);
  });

  it('cuts nothing away until it is asked to', () => {
    expect(boundsOf(box, WHOLE)).toEqual([]);
    expect(keptOf(box, WHOLE)).toEqual(box);
  });

  it('takes a share of each side and always keeps something', () => {
    const kept = keptOf(box, { low: [0.25, 0, 0.9], high: [0, 0.5, 0.9], facing: null });
    expect(kept.low).toEqual([-25, -25, 36]);
    expect(kept.high[1]).toBe(0);
    expect(kept.high[2]).toBeCloseTo(36.4);
  });

  it('gives a half-space for each side that is cut, and for the plane that faced the person', () => {
    const crop = { low: [0, 0, 0], high: [0.5, 0, 0], facing: { ahead: [0, 1, 0], depth: 0.5 } } as const;
    const [side, facing] = boundsOf(box, crop);
    expect(side?.normal[0]).toBe(-1);
    expect(side?.distance).toBeCloseTo(0);
    expect(facing).toEqual({ normal: [0, 1, 0], distance: 0 });
    expect(behind(box, { ...crop, facing: null })).toBeNull();
  });
});
