import { describe, expect, it } from 'vitest';
import type { CoercionRule, RetentionRule } from '../src/api/archive';
import {
  coercionWhat,
  coercionWhen,
  placed,
  readFixed,
  retentionWhat,
  retentionWhen,
} from '../src/features/archive/rules';

const door: CoercionRule = {
  name: 'old scanner',
  enabled: true,
  kind: 'dimse',
  source: 'CT*',
  modality: 'CT',
  character_set: 'ISO_IR 100',
  patient_id_prefix: '',
  issuer: 'MARY',
  remove_private: true,
  fixed: { InstitutionName: 'St. Mary', StationName: null },
};
const kept: RetentionRule = {
  name: 'ten years',
  enabled: true,
  keep_days: 3650,
  modality: '',
  label: 'teaching',
  basis: 'used',
  action: 'trash',
};

describe('rules of the archive', () => {
  it('are told in words', () => {
    expect(coercionWhen(door)).toBe('CT, from CT*, by DICOM');
    expect(coercionWhen({ ...door, modality: '', source: '', kind: '' })).toBe('everything');
    expect(coercionWhat(door)).toBe(
      'texts are in ISO_IR 100 where nothing else is said; patient IDs are of MARY; ' +
        'private attributes are left out; InstitutionName is St. Mary; no StationName',
    );
    expect(retentionWhen(kept)).toBe('labelled teaching');
    expect(retentionWhat(kept)).toBe('kept 3650 days from when it was last used, then into the trash');
  });

  it('read attributes that are always so from lines', () => {
    expect(readFixed('InstitutionName = St. Mary = North\n\n StationName \n')).toEqual({
      InstitutionName: 'St. Mary = North',
      StationName: null,
    });
  });

  it('keep their order when one is changed', () => {
    const list = [{ name: 'a' }, { name: 'b' }];
    expect(placed(list, { name: 'a' }, { name: 'c' })).toEqual([{ name: 'c' }, { name: 'b' }]);
    expect(placed(list, 'new', { name: 'c' })).toEqual([...list, { name: 'c' }]);
  });
});
