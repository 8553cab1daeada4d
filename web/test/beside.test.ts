import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Reading, Study } from '../src/api';
import { Beside } from '../src/features/reading/beside';
import { ReadingStore } from '../src/features/reading/store';

const PRIOR = { uid: 'P1', date: '2025-01-03' } as Study;
const REASON = 'A single slice does not make a volume; at least 3 are needed, choose another series.';
const read = (analysis: string, more: Partial<Reading> = {}) =>
  ({
    study: { uid: '1' },
    prior: { study: PRIOR },
    priors: [],
    comparison: null,
    state: 'open',
    analysis: { state: analysis },
    findings: [],
    vanished: [],
    ...more,
  }) as unknown as Reading;

let asked: string[];
let answers: Record<string, () => Response>;
const refused = () =>
  Response.json({
    status: 'done',
    text: REASON,
    alignment: { prior_uid: 'P1', verdict: 'failed', reason: REASON },
  });

beforeEach(() => {
  asked = [];
  answers = { 'POST /api/studies/1/priors/P1/alignment': refused };
  vi.stubGlobal('fetch', async (path: string, { method }: RequestInit) => {
    asked.push(`${method} ${path}`);
    return answers[`${method} ${path}`]?.() ?? Response.json({}, { status: 404 });
  });
});
afterEach(() => vi.unstubAllGlobals());

describe('the study beside, where no comparison comes', () => {
  const beside = (reading: Reading) => new Beside(signal(reading), signal(null), {} as never);

  it('is aligned at once, and where the two cannot be, the server says why', async () => {
    const two = beside(read('done'));
    const settled = two.settle();
    expect(two.words.value).toBe('aligning …');
    await settled;
    expect(two.alignment.value).toMatchObject({ verdict: 'failed', reason: REASON });
  });

  it('says in the words of the server that the pair was refused before anything was aligned', async () => {
    const detail = 'The prior holds no images to compare; send them, or name another study.';
    answers = { 'POST /api/studies/1/priors/P1/alignment': () => Response.json({ detail }, { status: 422 }) };
    const two = beside(read('none'));
    await two.settle();
    expect(two.alignment.value).toMatchObject({ verdict: 'failed', reason: detail });
  });

  it('is asked for once', async () => {
    const two = beside(read('done'));
    await two.settle();
    await two.settle();
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['while the study is analysed, after which it is compared', read('running'), 'not aligned yet'],
    ['while it arrives', read('none', { state: 'arriving' }), 'not aligned yet'],
    ['without a prior', read('done', { prior: null }), 'no prior'],
  ])('is not asked for %s', async (_, reading, words) => {
    const two = beside(reading);
    await two.settle();
    expect(asked).toEqual([]);
    expect(two.words.value).toBe(words);
  });

  it('is not asked for where the two were compared', async () => {
    const comparison = { id: 'c', prior_uid: 'P1', verdict: 'failed', reason: 'Not to be used.' };
    const two = beside(read('done', { comparison } as never));
    await two.settle();
    expect(asked).toEqual([]);
  });
});

it('an analysis that ends without a comparison leaves no "yet" behind', async () => {
  const store = new ReadingStore('1');
  store.reading.value = read('running');
  expect(store.beside.words.value).toBe('not aligned yet');
  answers['GET /api/studies/1/reading'] = () => Response.json(read('done'));
  await store.refresh();
  await vi.waitFor(() => expect(store.beside.alignment.value?.reason).toBe(REASON));
  store.close();
});
