/**
 * A structured report as a tree of statements (PS3.3 C.17.3), ready to be set in type.
 *
 * Invariants: no deeper and no longer than is shown, and it says how much was left out; every value is text.
 */
import { day, timeOfDay } from '../../ui/format';
import type { DicomJson } from '../../viewer/series';
import { first, items, meaning, numbers, person, text } from './attributes';

export const MOST_DEPTH = 24;
export const MOST_STATEMENTS = 8000;
export const MOST_CHARACTERS = 20_000;
const MOST_REFERENCES = 200;

export interface Reference {
  sopUid: string;
  frames: number[];
  segments: number[];
  /** `CT image`, `segmentation`, … */
  what: string;
  isImage: boolean;
}

export interface Statement {
  /** Place in the tree as the standard counts it: `1.2.1`. */
  id: string;
  relationship: string;
  kind: string;
  /** The code of its name. */
  code: string;
  name: string;
  /** The words; empty for containers and references. */
  value: string;
  unit: string;
  unitMeaning: string;
  references: Reference[];
  /** The place of another statement that stands here by reference. */
  see: string;
  children: Statement[];
}

export interface Report {
  title: string;
  completion: string;
  completionReason: string;
  verification: string;
  verifiers: string[];
  authors: string[];
  /** Persons and devices that observed, as the content names them. */
  observers: string[];
  written: string;
  patient: string;
  patientId: string;
  preliminary: boolean;
  replaces: number;
  statements: Statement[];
  count: number;
  leftOut: number;
}

export function readReport(instance: DicomJson): Report {
  const budget = { count: 0, leftOut: 0 };
  const statements = readItems(instance, '1', 0, budget);
  return {
    title: meaning(first(instance, '0040A043')) || 'Report',
    completion: text(instance, '0040A491'),
    completionReason: text(instance, '0040A492'),
    verification: text(instance, '0040A493'),
    verifiers: items(instance, '0040A073').slice(0, 20).map(verifier),
    observers: observersOf(statements),
    authors: items(instance, '0040A078').slice(0, 20).map(author).filter(Boolean),
    written: moment(text(instance, '00080023'), text(instance, '00080033')),
    patient: person(instance, '00100010'),
    patientId: text(instance, '00100020'),
    preliminary: text(instance, '0040A496') === 'PRELIMINARY',
    replaces: items(instance, '0040A360').length,
    statements,
    ...budget,
  };
}

const moment = (date: string, time: string): string =>
  [day(date), timeOfDay(time)].filter(Boolean).join(', ');

function verifier(from: DicomJson): string {
  const at = text(from, '0040A030');
  const when = at && moment(at.slice(0, 8), at.slice(8));
  return [person(from, '0040A075'), text(from, '0040A027'), when].filter(Boolean).join(' · ');
}

const author = (from: DicomJson): string =>
  [person(from, '0040A123') || text(from, '00081010') || text(from, '00080070'), text(from, '00080080')]
    .filter(Boolean)
    .join(' · ');

function readItems(
  from: DicomJson,
  path: string,
  depth: number,
  budget: { count: number; leftOut: number },
): Statement[] {
  const found: Statement[] = [];
  items(from, '0040A730').forEach((item, at) => {
    if (depth >= MOST_DEPTH || budget.count >= MOST_STATEMENTS) {
      budget.leftOut += 1;
      return;
    }
    budget.count += 1;
    const id = `${path}.${at + 1}`;
    found.push({ ...readStatement(item, id), children: readItems(item, id, depth + 1, budget) });
  });
  return found;
}

function readStatement(item: DicomJson, id: string): Omit<Statement, 'children'> {
  const kind = text(item, '0040A040');
  const measured = first(item, '0040A300');
  const unit = kind === 'NUM' ? first(measured, '004008EA') : {};
  return {
    id,
    relationship: text(item, '0040A010'),
    kind,
    code: text(first(item, '0040A043'), '00080100'),
    name: raised(meaning(first(item, '0040A043'))),
    value: clipped(wordsOf(item, kind, measured)),
    unit: text(unit, '00080100'),
    unitMeaning: text(unit, '00080104'),
    references: REFERRING.has(kind) ? referencesOf(item) : [],
    see: numbers(item, '0040DB73').join('.'),
  };
}

const REFERRING = new Set(['IMAGE', 'COMPOSITE', 'WAVEFORM']);

function clipped(value: string): string {
  return value.length > MOST_CHARACTERS ? `${value.slice(0, MOST_CHARACTERS)} …` : value;
}

function wordsOf(item: DicomJson, kind: string, measured: DicomJson): string {
  switch (kind) {
    case 'TEXT':
      return text(item, '0040A160');
    case 'CODE':
      return raised(meaning(first(item, '0040A168')));
    case 'NUM':
      return text(measured, '0040A30A') || meaning(first(item, '0040A301')) || 'no value';
    case 'PNAME':
      return person(item, '0040A123');
    case 'DATE':
      return day(text(item, '0040A121'));
    case 'TIME':
      return timeOfDay(text(item, '0040A122'));
    case 'DATETIME': {
      const at = text(item, '0040A120');
      return moment(at.slice(0, 8), at.slice(8));
    }
    case 'UIDREF':
      return text(item, '0040A124');
    case 'SCOORD':
    case 'SCOORD3D': {
      const points = numbers(item, '00700022').length / (kind === 'SCOORD' ? 2 : 3);
      const shape = text(item, '00700023').toLowerCase();
      return [shape, points > 1 && shape !== 'circle' ? `of ${Math.floor(points)} points` : '']
        .join(' ')
        .trim();
    }
    case 'TCOORD':
      return text(item, '0040A130').toLowerCase();
    default:
      return '';
  }
}

function referencesOf(item: DicomJson): Reference[] {
  return items(item, '00081199')
    .slice(0, MOST_REFERENCES)
    .map((reference) => {
      const what = classOf(text(reference, '00081150'));
      return {
        sopUid: text(reference, '00081155'),
        frames: numbers(reference, '00081160').slice(0, MOST_REFERENCES),
        segments: numbers(reference, '0062000B').slice(0, MOST_REFERENCES),
        what: what ?? (text(item, '0040A040') === 'IMAGE' ? 'image' : 'object'),
        isImage: text(item, '0040A040') === 'IMAGE' && what !== 'segmentation',
      };
    })
    .filter((reference) => reference.sopUid);
}

const CLASSES: readonly (readonly [string, string])[] = [
  ['66.4', 'segmentation'],
  ['66.7', 'segmentation'],
  ['67', 'real-world value map'],
  ['2', 'CT image'],
  ['4', 'MR image'],
  ['128', 'PET image'],
  ['1', 'X-ray image'],
  ['6', 'ultrasound image'],
  ['3', 'ultrasound image'],
  ['12', 'X-ray image'],
  ['20', 'nuclear medicine image'],
  ['7', 'captured image'],
  ['77', 'photograph'],
  ['88', 'report'],
  ['9', 'waveform'],
  ['11', 'presentation'],
];

function classOf(sopClass: string): string | null {
  const rest = sopClass.replace('1.2.840.10008.5.1.4.1.1.', '');
  return CLASSES.find(([start]) => rest === start || rest.startsWith(`${start}.`))?.[1] ?? null;
}

const UNITS: Record<string, string> = {
  '1': '',
  '{no units}': '',
  "[hnsf'U]": 'HU',
  um: 'µm',
  um2: 'µm²',
  uGy: 'µGy',
  uA: 'µA',
  uV: 'µV',
  ug: 'µg',
  us: 'µs',
  cm2: 'cm²',
  mm2: 'mm²',
  m2: 'm²',
  mm3: 'mm³',
  cm3: 'cm³',
  Cel: '°C',
  deg: '°',
  'dGy.cm2': 'dGy·cm²',
  'Gy.m2': 'Gy·m²',
  'uGy.m2': 'µGy·m²',
  'mGy.cm': 'mGy·cm',
  'mA.s': 'mA·s',
  '{ratio}': '',
  'mm[Hg]': 'mmHg',
  '[ppm]': 'ppm',
  '{pulse}/s': 'pulses/s',
  '{H.B.}/min': '/min',
};

/** `¹⁸F` from `^18^F`, as DICOM writes what stands above the line. */
export const raised = (words: string): string =>
  words.replace(/\^(\d{1,4})\^/g, (_, digits: string) =>
    [...digits].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join(''),
  );

/** TID 1003 and 1004: names of persons, and of devices their name or model. */
const OBSERVERS = new Set(['121008', '121013', '121015']);

const observersOf = (statements: readonly Statement[]): string[] => [
  ...new Set(statements.filter((s) => OBSERVERS.has(s.code) && s.value).map((s) => s.value)),
];

/** Who observed what and of whom, beside what was observed. */
export function splitContext(statements: readonly Statement[]): {
  context: Statement[];
  content: Statement[];
} {
  const isContext = (s: Statement) => s.relationship === 'HAS OBS CONTEXT' && s.kind !== 'CONTAINER';
  return { context: statements.filter(isContext), content: statements.filter((s) => !isContext(s)) };
}

/** Statements that follow each other and are no containers, taken together; images that follow each other as one. */
export function runs(list: readonly Statement[]): (Statement | Statement[])[] {
  const found: (Statement | Statement[])[] = [];
  for (const statement of list) {
    const last = found.at(-1);
    if (statement.kind === 'CONTAINER') found.push(statement);
    else if (!Array.isArray(last)) found.push([statement]);
    else {
      const before = last.at(-1);
      if (before && joins(before, statement))
        last[last.length - 1] = { ...before, references: [...before.references, ...statement.references] };
      else last.push(statement);
    }
  }
  return found;
}

const joins = (a: Statement, b: Statement): boolean =>
  a.kind === 'IMAGE' &&
  b.kind === 'IMAGE' &&
  a.name === b.name &&
  a.relationship === b.relationship &&
  !a.see &&
  !b.see &&
  a.children.length + b.children.length === 0;

/** A UCUM unit as it is set in type; annotations of UCUM are for machines. */
export function unitText(code: string): string {
  const known = UNITS[code];
  if (known !== undefined) return known;
  const notes = [...code.matchAll(/\{([^}]*)\}/g)].map((found) => found[1]);
  return [code.replace(/\{[^}]*\}/g, '').replaceAll('.', '·'), ...notes].filter(Boolean).join(' ');
}

/** A number as it was written, with a true minus. */
export const numberText = (value: string): string => value.replace(/^-/, '−');

/** Statements that change a name and say how, beside those that stand on their own. */
export function split(children: readonly Statement[]): { modifiers: Statement[]; rest: Statement[] } {
  const modifies = (s: Statement) =>
    s.relationship === 'HAS CONCEPT MOD' && s.kind === 'CODE' && !s.children.length;
  return { modifiers: children.filter(modifies), rest: children.filter((s) => !modifies(s)) };
}

/** TID 1600: a list of the images that were looked at, which few read. */
const IMAGE_LIBRARY = '111028';

/** Whether a container begins open: all of a short report, the upper levels of a long one. */
export const beginsOpen = (part: Statement, depth: number, count: number): boolean =>
  part.code !== IMAGE_LIBRARY && (count <= 400 || depth < 1);
