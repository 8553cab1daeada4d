import { describe, expect, it } from 'vitest';
import {
  MOST_DEPTH,
  MOST_STATEMENTS,
  raised,
  readReport,
  runs,
  split,
  splitContext,
  unitText,
} from '../src/features/documents/report-tree';
import type { DicomJson } from '../src/viewer/series';

type Item = Record<string, unknown>;

const of = (...values: unknown[]) => ({ Value: values });
const code = (value: string, meaning: string): Item => ({ '00080100': of(value), '00080104': of(meaning) });
const item = (kind: string, name: string, more: Item = {}, children: Item[] = []): Item => ({
  '0040A040': of(kind),
  '0040A010': of('CONTAINS'),
  '0040A043': of(code('1', name)),
  '0040A730': of(...children),
  ...more,
});
const num = (name: string, value: string, unit: string, children: Item[] = []): Item =>
  item(
    'NUM',
    name,
    { '0040A300': of({ '0040A30A': of(value), '004008EA': of(code(unit, 'unit')) }) },
    children,
  );
const image = (sop: string, frames: number[] = [], sopClass = '1.2.840.10008.5.1.4.1.1.2'): Item =>
  item('IMAGE', '', {
    '00081199': of({ '00081155': of(sop), '00081150': of(sopClass), '00081160': of(...frames) }),
    '0040A043': undefined,
  });
const report = (...children: Item[]): DicomJson =>
  ({
    '0040A043': of(code('126000', 'Imaging Measurement Report')),
    '0040A491': of('COMPLETE'),
    '0040A493': of('VERIFIED'),
    '0040A073': of({ '0040A075': of({ Alphabetic: 'Adams^Ada' }), '0040A030': of('20250103101500') }),
    '0040A730': of(...children),
  }) as unknown as DicomJson;

describe('a report', () => {
  it('says who answers for it', () => {
    const read = readReport(report());
    expect(read.title).toBe('Imaging Measurement Report');
    expect([read.completion, read.verification]).toEqual(['COMPLETE', 'VERIFIED']);
    expect(read.verifiers).toEqual(['Adams, Ada · 3 Jan 2025, 10:15']);
  });

  it('is a tree of names, values and units, counted as the standard counts', () => {
    const [group] = readReport(
      report(item('CONTAINER', 'Measurement Group', {}, [num('Volume', '33.58', 'ml'), image('1.2.3', [4])])),
    ).statements;
    const [volume, picture] = group?.children ?? [];
    expect([group?.id, volume?.id]).toEqual(['1.1', '1.1.1']);
    expect([volume?.name, volume?.value, volume?.unit]).toEqual(['Volume', '33.58', 'ml']);
    expect(picture?.references[0]).toMatchObject({
      sopUid: '1.2.3',
      frames: [4],
      what: 'CT image',
      isImage: true,
    });
  });

  it('does not take a segmentation for an image to show', () => {
    const [found] = readReport(report(image('1.2.3', [], '1.2.840.10008.5.1.4.1.1.66.4'))).statements;
    expect(found?.references[0]).toMatchObject({ what: 'segmentation', isImage: false });
  });

  it('says why a number has no value', () => {
    const empty = item('NUM', 'Volume', { '0040A301': of(code('114000', 'Not a number')) });
    expect(readReport(report(empty)).statements[0]?.value).toBe('Not a number');
  });

  it('points to another part of itself', () => {
    const see = { '0040DB73': of(1, 2, 1), '0040A010': of('SELECTED FROM') };
    expect(readReport(report(see)).statements[0]?.see).toBe('1.2.1');
  });

  it('ends where it is too deep or too long, and says so', () => {
    let deep = item('TEXT', 'end');
    for (let k = 0; k < 500; k++) deep = item('CONTAINER', 'deep', {}, [deep]);
    const read = readReport(report(deep));
    expect(read.count).toBe(MOST_DEPTH);
    expect(read.leftOut).toBe(1);
    const long = readReport(report(...Array.from({ length: MOST_STATEMENTS + 5 }, () => item('TEXT', 'x'))));
    expect([long.count, long.leftOut]).toEqual([MOST_STATEMENTS, 5]);
  });

  it.each([
    null,
    {},
    { '0040A730': { Value: 'x' } },
    { '0040A730': of(null, 'x', 7, { '0040A040': of(null) }) },
    { '0040A730': of({ '0040A040': of('NUM'), '0040A300': of('x') }) },
    { '0040A730': of({ '0040A040': of('IMAGE'), '00081199': of(null, { '00081155': of({}) }) }) },
  ])('survives nonsense: %j', (nonsense) => {
    expect(readReport((nonsense ?? {}) as DicomJson).title).toBe('Report');
  });
});

describe('how it is set', () => {
  it('keeps what changes a name beside it', () => {
    const modifier = item('CODE', 'Derivation', {
      '0040A010': of('HAS CONCEPT MOD'),
      '0040A168': of(code('1', 'Mean')),
    });
    const [number] = readReport(report(num('SUV', '5', 'g/ml{SUVbw}', [modifier, image('1')]))).statements;
    const { modifiers, rest } = split(number?.children ?? []);
    expect(modifiers.map((m) => m.value)).toEqual(['Mean']);
    expect(rest).toHaveLength(1);
  });

  it('takes lines together between containers, and images that follow each other as one', () => {
    const { statements } = readReport(
      report(item('TEXT', 'a'), image('1'), image('2'), item('CONTAINER', 'c'), item('TEXT', 'b')),
    );
    const found = runs(statements);
    expect(found.map((run) => (Array.isArray(run) ? run.length : run.name))).toEqual([2, 'c', 1]);
    expect(Array.isArray(found[0]) && found[0][1]?.references.map((r) => r.sopUid)).toEqual(['1', '2']);
  });

  it('keeps who observed apart from what was seen', () => {
    const context = { '0040A010': of('HAS OBS CONTEXT') };
    const name = item('PNAME', '', { ...context, '0040A043': of(code('121008', 'Person Observer Name')) });
    const who = { ...name, '0040A123': of({ Alphabetic: 'Adams^Ada' }) };
    const read = readReport(report(who, item('TEXT', 'seen')));
    expect(read.observers).toEqual(['Adams, Ada']);
    expect(splitContext(read.statements).content.map((s) => s.name)).toEqual(['seen']);
  });

  it.each([
    ['{SUVbw}g/ml', 'g/ml SUVbw'],
    ['1', ''],
    ["[hnsf'U]", 'HU'],
    ['mGy.cm', 'mGy·cm'],
    ['{pixels}', 'pixels'],
    ['mm3', 'mm³'],
  ])('writes %s as %s', (ucum, words) => {
    expect(unitText(ucum)).toBe(words);
  });

  it('raises what stands above the line', () => {
    expect(raised('^18^Fluorine and ^x^')).toBe('¹⁸Fluorine and ^x^');
  });
});
