import { describe, expect, it } from 'vitest';
import { type DraftSection, type DraftSentence, forSaving, merge } from '../src/features/reporting/store';

const sentence = (id: string | null, text: string, edited = false): DraftSentence => ({
  key: `k-${id ?? text}`,
  id,
  text,
  edited,
  sources: [],
});
const section = (...sentences: DraftSentence[]): DraftSection[] => [{ name: 'Impression', sentences }];
const texts = (sections: readonly DraftSection[]) => sections[0]?.sentences.map((s) => s.text);

describe('two versions of a report', () => {
  it('keep the words of the person and take the new words of the machine', () => {
    const theirs = section(sentence('1', 'Nodule grown.'), sentence('2', 'No effusion.'));
    const mine = section(sentence('1', 'Nodule clearly grown.', true), sentence('2', 'Old draft.'));
    expect(texts(merge(theirs, mine))).toEqual(['Nodule clearly grown.', 'No effusion.']);
  });

  it('keep a sentence the person has just begun', () => {
    const mine = section(sentence('1', 'A.'), sentence(null, 'Follow-up in 3 months.', true));
    expect(texts(merge(section(sentence('1', 'A.')), mine))).toEqual(['A.', 'Follow-up in 3 months.']);
  });

  it('do not double a sentence that was saved meanwhile', () => {
    const mine = section(sentence(null, 'Follow-up.', true));
    expect(texts(merge(section(sentence('9', 'Follow-up.')), mine))).toEqual(['Follow-up.']);
  });

  it('drop a sentence whose finding was rejected', () => {
    expect(texts(merge(section(), section(sentence('1', 'Nodule.'))))).toEqual([]);
  });
});

describe('saving', () => {
  it('sends no empty sentences and no stray spaces', () => {
    const sections = section(sentence('1', '  Two\u00a0 spaces \n'), sentence(null, ' '));
    expect(forSaving(sections)).toEqual([
      { name: 'Impression', sentences: [{ id: '1', text: 'Two spaces' }] },
    ]);
  });
});
