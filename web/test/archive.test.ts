import { describe, expect, it } from 'vitest';
import type { Conflict, HeldPatient, StudyRow } from '../src/api/archive';
import { comparison } from '../src/features/archive/conflicts';
import { changesOf, studyFields } from '../src/features/archive/correcting';
import { gapText } from '../src/features/archive/detail';
import { patientsOf } from '../src/features/archive/picking';
import { fullIn } from '../src/features/archive/storage';
import { completenessOf, daysBack, examOf, join, settle } from '../src/features/archive/store';
import { purgeText } from '../src/features/archive/withheld';
import { isoDate } from '../src/ui/format';

const patient: HeldPatient = {
  id: 'p1',
  name: 'MEYER^Anna',
  patient_id: 'N-1',
  issuer: '',
  birth_date: '19650211',
  sex: 'F',
};

const study = (change: Partial<StudyRow> = {}): StudyRow => ({
  uid: '1.2',
  patient,
  date: '20261124',
  time: '094100',
  accession: 'A1',
  description: 'CT chest',
  modalities: ['CT'],
  series_count: 1,
  instance_count: 218,
  image_count: 218,
  bytes: 1000,
  labels: [],
  simulated: false,
  first_received: '2026-11-24T09:45:00Z',
  last_received: '2026-11-24T09:47:00Z',
  settled: true,
  on_hold: false,
  expected: null,
  missing: null,
  conflicts: 0,
  ...change,
});

describe('how a study stands', () => {
  it('is incomplete when fewer came than were announced', () => {
    expect(completenessOf(study({ expected: 240 }))).toEqual({ tone: 'warning', words: '22 missing' });
  });

  it('is incomplete when images are missing though nobody announced a number', () => {
    expect(completenessOf(study({ missing: 3 })).words).toBe('3 missing');
  });

  it('is not called incomplete while it is arriving', () => {
    expect(completenessOf(study({ expected: 240, settled: false })).words).toBe('arriving');
  });

  it('is never called complete by a guess', () => {
    expect(completenessOf(study()).tone).toBe('muted');
    expect(completenessOf(study({ expected: 218 })).words).toBe('complete');
  });

  it('is named by its modality once', () => {
    expect(examOf(study())).toBe('CT chest');
    expect(examOf(study({ description: 'Thorax' }))).toBe('CT Thorax');
    expect(examOf(study({ description: '' }))).toBe('CT without description');
  });
});

describe('the list', () => {
  it('holds each study once when pages overlap', () => {
    const rows = [study({ uid: 'a' }), study({ uid: 'b' })];
    expect(join(rows, [study({ uid: 'b' }), study({ uid: 'c' })]).map((r) => r.uid)).toEqual(['a', 'b', 'c']);
  });

  it('does not change when a refresh brings nothing new', () => {
    const old = [study({ uid: 'a' })];
    expect(settle(old, [study({ uid: 'a' })])).toBe(old);
  });

  it('asks for days by the clock on the wall', () => {
    expect(daysBack(1, new Date(2026, 10, 24, 0, 5)).since).toBe('20261124');
    expect(daysBack(7, new Date(2026, 2, 3)).since).toBe('20260225');
  });
});

describe('a correction', () => {
  const fields = studyFields(study());
  const untouched = Object.fromEntries(fields.map((f) => [f.keyword, isoDate(f.value)]));

  it('holds only what was changed', () => {
    expect(changesOf(fields, { ...untouched, AccessionNumber: 'A2' })).toEqual({ AccessionNumber: 'A2' });
    expect(changesOf(fields, untouched)).toEqual({});
  });

  it('takes a value away where the field was emptied', () => {
    expect(changesOf(fields, { ...untouched, StudyDescription: '' })).toEqual({ StudyDescription: null });
  });

  it('writes dates as DICOM does', () => {
    expect(changesOf(fields, { ...untouched, StudyDate: '2026-11-23' })).toEqual({ StudyDate: '20261123' });
  });
});

describe('patients to choose from', () => {
  it('are each there once, without the one in question', () => {
    const other = { ...patient, id: 'p2' };
    const rows = [study(), study({ patient: other }), study({ patient: other })];
    expect(patientsOf(rows, 'p1')).toEqual([other]);
  });
});

describe('a conflict', () => {
  it('shows what differs first and what agrees after it', () => {
    const conflict = {
      held: { name: 'A', sex: 'F' },
      new: { name: 'B', sex: 'F' },
      differs: [
        { tag: '00100010', keyword: 'PatientName', held: 'A', new: 'B' },
        { tag: '00091001', keyword: '', held: '1', new: null },
      ],
    } as unknown as Conflict;
    const rows = comparison(conflict).map((r) => [r.name, r.tag, r.differs]);
    expect(rows.slice(0, 2)).toEqual([
      ['Patient name', '(0010,0010)', true],
      ['Private', '(0009,1001)', true],
    ]);
    expect(rows).toContainEqual(['Sex', '(0010,0040)', false]);
  });
});

describe('words', () => {
  it('name gaps in the numbers of images', () => {
    expect([gapText([14, 14]), gapText([14, 18])]).toEqual(['14', '14–18']);
  });

  it('say when what is in the trash will be gone', () => {
    const now = Date.parse('2026-11-24T12:00:00Z');
    expect(purgeText(null, now)).toBe('never by itself');
    expect(purgeText('2026-11-24T11:00:00Z', now)).toBe('soon');
    expect(purgeText('2026-12-24T12:00:00Z', now)).toBe('24 Dec 2026, in 30 d');
  });

  it('say when the disk will be full, from whole months only', () => {
    const month = (name: string, bytes: number) => ({ month: name, bytes, instances: 1 });
    const by_month = [month('2026-09', 100), month('2026-10', 100), month('2026-11', 5)];
    expect(fullIn({ disk: { total: 2000, free: 800 }, by_month })).toBe(' · full in about 8 months');
    expect(fullIn({ disk: null, by_month })).toBe('');
  });
});
