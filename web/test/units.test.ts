import { describe, expect, it } from 'vitest';
import type { DicomJson } from '../src/viewer/dicom';
import { scalingOf } from '../src/viewer/units';

const value = (...Value: unknown[]) => ({ vr: 'XX', Value });

const pet = (more: DicomJson = {}, tracer: DicomJson = {}): DicomJson => ({
  '00541001': value('BQML'),
  '00541102': value('START'),
  '00101030': value(70),
  '00080021': value('20240501'),
  '00080031': value('110000'),
  '00080032': value('110000'),
  '00540016': value({
    '00181074': value(350e6),
    '00181075': value(6586.2),
    '00181072': value('110000'),
    ...tracer,
  }),
  ...more,
});

describe('the standardised uptake value', () => {
  it('is 1 where activity is dose over weight: 5 kBq/ml at 350 MBq and 70 kg', () => {
    expect((scalingOf(pet(), 'PT').suvPerBqml ?? 0) * 5000).toBeCloseTo(1, 12);
    expect(scalingOf(pet(), 'PT').unit).toBe('SUVbw');
  });

  it('doubles for each half-life that passed since the injection', () => {
    const later = pet({}, { '00181072': value('091013.8') }); // 6586.2 s earlier
    expect((scalingOf(later, 'PT').suvPerBqml ?? 0) * 5000).toBeCloseTo(2, 9);
  });

  it('does not decay twice what was corrected to the injection', () => {
    const admin = pet({ '00541102': value('ADMIN') }, { '00181072': value('090000') });
    expect((scalingOf(admin, 'PT').suvPerBqml ?? 0) * 5000).toBeCloseTo(1, 12);
  });

  it.each([
    ['no weight', pet({ '00101030': undefined }), /weight is not stated/],
    ['a dose in MBq', pet({}, { '00181074': value(350) }), /not in becquerel/],
    ['counts', pet({ '00541001': value('CNTS') }), /in counts/],
    ['an injection after the scan', pet({}, { '00181072': value('120000') }), /before the injection/],
    ['no correction for decay', pet({ '00541102': value('NONE') }), /not decay-corrected/],
  ])('is refused with its reason for %s', (_, instance, reason) => {
    const scaling = scalingOf(instance, 'PT');
    expect(scaling.suvPerBqml).toBeNull();
    expect(scaling.reason).toMatch(reason);
  });

  it('names other values plainly', () => {
    expect(scalingOf({}, 'CT').unit).toBe('HU');
    expect(scalingOf({}, 'MR').unit).toBe('stored value');
  });
});
