/** Edits of a response plan leave the old one as it was, and categories look like what they are. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../src/api';
import {
  newUid,
  since,
  toneOf,
  withJudgement,
  withNewLesion,
  withoutLesion,
  withoutOffer,
  withStudies,
} from '../src/features/response/plan';

const plan: Plan = {
  criterion: 'recist-1.1',
  points: [{ studies: ['1'] }, { studies: ['2'], slice_mm: 3 }],
  lesions: [
    { tracking_uid: '9.1', label: 'one', role: 'target', judgements: { '2': { state: 'absent' } } },
    { tracking_uid: '9.2', label: 'two', role: 'new' },
  ],
};

describe('a plan', () => {
  it('says something of a lesion, and takes it back', () => {
    const said = withJudgement(plan, '9.2', '2', { state: 'equivocal' });
    expect(said.lesions?.[1]?.judgements).toEqual({ '2': { state: 'equivocal' } });
    expect(withJudgement(said, '9.2', '2', null).lesions?.[1]?.judgements).toEqual({});
    expect(plan.lesions?.[1]?.judgements).toBeUndefined();
  });

  it('leaves a lesion out and takes it in again', () => {
    const out = withoutLesion(plan, '9.2');
    expect([out.lesions?.length, out.left_out]).toEqual([1, ['9.2']]);
    const back = withNewLesion(out, { tracking_uid: '9.2', label: 'two', role: 'non-target' });
    expect([back.lesions?.length, back.left_out]).toEqual([2, []]);
  });

  it('joins studies of one day, keeps what a time point said, and begins at the baseline', () => {
    const studies = [
      { uid: '3', date: '2026-03-01' },
      { uid: '2', date: '2026-02-01' },
      { uid: '4', date: '2026-02-01' },
      { uid: '1', date: '2026-01-01' },
    ];
    const all = withStudies(plan, studies, '1');
    expect(all.points).toEqual([
      { studies: ['1'] },
      { studies: ['2', '4'], slice_mm: 3 },
      { studies: ['3'] },
    ]);
    expect(all.lesions?.[0]?.judgements).toEqual({ '2': { state: 'absent' } });
    const later = withStudies(plan, studies, '3');
    expect(later.points).toEqual([{ studies: ['3'] }]);
    expect(later.lesions?.[0]?.judgements).toEqual({});
  });

  it('sets aside only what was offered and not taken', () => {
    const offered = { ...plan, points: [...(plan.points ?? []), { studies: ['5'] }] };
    expect(withoutOffer(plan, offered).left_out).toEqual(['5']);
  });
});

it('makes UIDs that DICOM takes', () => {
  expect(newUid()).toMatch(/^2\.25\.[1-9]\d{1,38}$/);
});

it('tells how long after the baseline', () => {
  expect([0, 10, 91, -7].map(since)).toEqual(['baseline', 'day 10', 'week 13', 'day -7']);
});

it('gives each category the look of what it amounts to', () => {
  const tones = [
    'CR',
    'iPR',
    'CMR',
    'SD',
    'non-CR/non-PD',
    'PD',
    'iUPD',
    'iCPD',
    'PMD',
    'NE',
    'baseline',
  ].map(toneOf);
  expect(tones).toEqual([
    'good',
    'good',
    'good',
    'plain',
    'plain',
    'urgent',
    'urgent',
    'urgent',
    'urgent',
    'warning',
    'plain',
  ]);
});
