/** The printed timeline says what it is narrowed to, and what the criterion says at each date and why. */
import { type ComponentChildren, h, type VNode } from 'preact';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { PatientTimeline, PointColumn, ResponseView } from '../src/api';
import { Paper } from '../src/features/timeline/paper';
import { EVERYTHING } from '../src/features/timeline/query';
import { TimelineStore } from '../src/features/timeline/store';

const lesion = (uid: string, label: string) => ({
  tracking_uid: uid,
  label,
  kind: 'lung-nodule',
  state: 'accepted',
  regions: ['chest'],
  modalities: ['CT'],
  changes: [],
  points: [],
});
const line = {
  patient: { id: 'p', name: 'Lovelace, Ada', patient_id: '4711', sex: 'F', age_years: 65 },
  simulated: false,
  reports_shown: true,
  studies: [{ study_uid: '1', date: '2025-01-03', exam: 'CT chest', images: 4, regions: ['chest'] }],
  lesions: [lesion('2.25.1', 'right lung nodule'), lesion('2.25.2', 'liver lesion')],
} as unknown as PatientTimeline;

const rule = (compared: string, outcome: string, confirmed = true) => ({
  rule: 'combination',
  compared,
  outcome,
  source: 'RECIST 1.1, tables 1 and 2',
  confirmed,
});
const point = (uid: string, date: string, facts: Partial<PointColumn>) => ({
  study_uid: uid,
  date,
  category: null,
  provisional: false,
  disregarded: false,
  plausible: [],
  reasons: [],
  ...facts,
});
const response = {
  criterion: { name: 'recist-1.1', title: 'RECIST 1.1' },
  kept: true,
  changed_by: 'Dr Ada Adams',
  changed_at: '2025-07-05T09:41:00Z',
  problem: null,
  points: [
    point('1', '2025-01-03', { category: 'baseline' }),
    point('2', '2025-07-04', {
      category: 'PR',
      plausible: ['PR', 'SD'],
      reasons: [
        rule('sum 33 mm vs baseline 50 mm', 'targets PR', false),
        rule('targets PR, new lesion no', 'overall PR'),
      ],
    }),
    point('3', '2026-01-03', {
      category: 'PD',
      provisional: true,
      reasons: [rule('targets PD', 'overall PD')],
    }),
  ],
} as unknown as ResponseView;

/** All words on the paper, as if it were rendered. */
function wordsOf(node: ComponentChildren): string {
  if (Array.isArray(node)) return node.map(wordsOf).join('');
  if (node === null || node === undefined || typeof node === 'boolean') return '';
  if (typeof node !== 'object') return String(node);
  const { type, props } = node as VNode<{ children?: ComponentChildren }>;
  if (typeof type !== 'function') return `${wordsOf(props.children)} `;
  return wordsOf((type as (given: typeof props) => ComponentChildren)(props));
}

describe('the printed timeline', () => {
  let store: TimelineStore;
  const printed = () => wordsOf(h(Paper, { store })).replace(/\s+/g, ' ');

  beforeEach(() => {
    vi.stubGlobal('location', { search: '' });
    store = new TimelineStore('p');
    store.line.value = line;
    store.response.value = response;
  });

  it('names the one lesion that it is narrowed to, and nothing when it is not', () => {
    expect(printed()).not.toContain(' only');

    store.shown.value = { ...EVERYTHING, region: 'chest', lesion: '2.25.2' };

    expect(printed()).toContain(', chest, lesion “liver lesion” only');
    expect(printed()).not.toContain('right lung nodule');
    expect(printed()).toContain('Response by RECIST 1.1, of all its lesions');
  });

  it('says of a lesion that is gone that nothing of it is here', () => {
    store.shown.value = { ...EVERYTHING, lesion: '9.9' };

    expect(printed()).toContain(', a lesion that is not followed here only');
  });

  it('says the category at each date, why, and what is unconfirmed', () => {
    const words = printed();

    expect(words).toContain('Response by RECIST 1.1 · draft, a reader decides · kept by Dr Ada Adams, ');
    expect(words).toMatch(/3 Jan 2025 baseline/);
    expect(words).toContain(
      'PR (may be SD) targets PR, new lesion no: overall PR [RECIST 1.1, tables 1 and 2; unconfirmed]',
    );
    expect(words).toContain('PD (needs another scan) targets PD: overall PD [RECIST 1.1, tables 1 and 2]');
  });

  it('says that nobody kept it, or why there is no category', () => {
    store.response.value = { ...response, kept: false, changed_by: null, changed_at: null };
    expect(printed()).toContain('◆ proposed, kept by nobody yet');

    store.response.value = { ...response, points: [], problem: 'The baseline is gone.' };
    expect(printed()).toContain('cannot be evaluated as it stands. The baseline is gone.');

    store.response.value = { ...response, points: [] };
    expect(printed()).not.toContain('Response by');
  });
});
