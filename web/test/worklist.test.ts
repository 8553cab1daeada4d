import { describe, expect, it } from 'vitest';
import type { Row } from '../src/api';
import { join, modalitiesOf, settle } from '../src/features/worklist/store';

const row = (uid: string, reason = 'routine') => ({ study_uid: uid, reason }) as Row;

describe('the worklist', () => {
  it('holds each study once when pages overlap', () => {
    const joined = join([row('a'), row('b')], [row('b'), row('c')]);
    expect(joined.map((r) => r.study_uid)).toEqual(['a', 'b', 'c']);
  });

  it('does not change when a poll brings nothing new', () => {
    const old = [row('a'), row('b')];
    expect(settle(old, [row('a'), row('b')])).toBe(old);
  });

  it('keeps the rows that did not change and takes the others', () => {
    const old = [row('a'), row('b')];
    const fresh = settle(old, [row('b', 'grew'), row('a')]);
    expect(fresh[1]).toBe(old[0]);
    expect(fresh[0]?.reason).toBe('grew');
  });

  it('offers a PET/CT under either modality, the most frequent first', () => {
    const rows = ['CT', 'CT/PT', 'MR', '', 'CT/PT'].map((modality) => ({ modality }));
    expect(modalitiesOf(rows)).toEqual(['CT', 'PT', 'MR']);
  });
});
