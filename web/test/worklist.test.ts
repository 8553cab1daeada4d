import { describe, expect, it } from 'vitest';
import type { Row, Standing } from '../src/api';
import { figureOf } from '../src/features/worklist/row-priors';
import { join, modalitiesOf, settle, stand } from '../src/features/worklist/store';

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

const standing = (uid: string, state: Standing['state'], fetched = 1, wanted = 3, open = 0): Standing => ({
  study_uid: uid,
  state,
  fetched,
  wanted,
  open,
  text: state,
});

describe('the marks of priors held elsewhere', () => {
  it('stay the same objects while nothing new is told, and go when there is nothing to tell', () => {
    const old = stand(new Map(), ['a', 'b'], [standing('a', 'fetching'), standing('b', 'doubtful')]);

    expect(stand(old, ['a', 'b'], [standing('a', 'fetching'), standing('b', 'doubtful')])).toBe(old);
    const next = stand(old, ['a', 'b'], [standing('b', 'doubtful')]);
    expect([...next.keys()]).toEqual(['b']);
    expect(next.get('b')).toBe(old.get('b'));
  });

  it('keep those of studies that were not asked for', () => {
    const old = stand(new Map(), ['a'], [standing('a', 'arrived')]);
    expect([...stand(old, ['b'], [standing('b', 'asking')]).keys()]).toEqual(['a', 'b']);
  });

  it('say how many of how many come, how many are here, and how many wait for a person', () => {
    const states = ['fetching', 'arrived', 'doubtful', 'failed', 'asking'] as const;
    expect(states.map((state) => figureOf(standing('a', state, 1, 3, 2)))).toEqual(['1/3', '1', '2', '', '']);
  });
});
