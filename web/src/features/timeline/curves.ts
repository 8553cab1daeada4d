/**
 * From what the server says of lesions and laboratory values to curves: which quantity, in which unit, of which
 * lesions.
 *
 * Invariants: a curve has one unit; nothing is converted but mm³ to ml; a point without the quantity is not drawn.
 */
import type { ChartEvent, PatientTimeline } from '../../api';
import { day, figure, signed, spread, unit as unitText } from '../../ui/format';
import { timeOf } from './axis';

export type Lesion = PatientTimeline['lesions'][number];
export type StudyMark = PatientTimeline['studies'][number];
export type Change = Lesion['changes'][number];

export interface CurvePoint {
  at: number;
  date: string;
  value: number;
  low: number | null;
  high: number | null;
  method: string;
  /** Words before the number, as `<`. */
  prefix: string;
  proposed: boolean;
  source: string;
  /** Where it opens; none for what has no images. */
  study: string | null;
  finding: string | null;
  change: Change | null;
}

export interface Curve {
  key: string;
  label: string;
  quantity: string;
  unit: string;
  /** How its numbers are written. */
  show: (value: number) => string;
  points: readonly CurvePoint[];
  /** The reference range, of laboratory values only. */
  range: { low: number | null; high: number | null } | null;
}

const NAMES: Readonly<Record<string, string>> = {
  volume: 'Volume',
  long_axis: 'Long axis',
  short_axis: 'Short axis',
  area: 'Area',
  mean_hu: 'Mean attenuation',
  suv_max: 'SUV max',
  suv_peak: 'SUV peak',
  suv_mean: 'SUV mean',
  mtv: 'Metabolic volume',
  tlg: 'Total lesion glycolysis',
};
const ORDER = Object.keys(NAMES);

/** A quantity in words; one that no table knows keeps its name. */
export const quantityName = (name: string): string =>
  NAMES[name] ?? name.replaceAll('_', ' ').replace(/^./, (c) => c.toUpperCase());

/** The quantities that any lesion was measured by, the usual ones first. */
export function quantitiesOf(lesions: readonly Lesion[]): string[] {
  const held = new Set(lesions.flatMap((l) => l.points.flatMap((p) => Object.keys(p.values))));
  const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return [...held].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** The curve of one lesion by a quantity. */
export function lesionCurve(lesion: Lesion, quantity: string): Curve {
  const measured = lesion.points.filter((p) => p.values[quantity] && Number.isFinite(timeOf(p.date)));
  const given = measured.at(-1)?.values[quantity]?.unit ?? '';
  const same = measured.filter((p) => p.values[quantity]?.unit === given);
  const top = Math.max(...same.map((p) => p.values[quantity]?.high ?? p.values[quantity]?.value ?? 0));
  const inMl = given === 'mm3' && top >= 1000;
  const scale = inMl ? 1000 : 1;
  return {
    key: lesion.tracking_uid,
    label: lesion.label,
    quantity: quantityName(quantity),
    unit: inMl ? 'ml' : unitText(given).replace("[hnsf'U]", 'HU').replace('mm2', 'mm²'),
    show: figure,
    range: null,
    points: same.map((p) => {
      const value = p.values[quantity];
      const scaled = (n: number | null | undefined) => (n === null || n === undefined ? null : n / scale);
      return {
        at: timeOf(p.date),
        date: p.date,
        value: (value?.value ?? 0) / scale,
        low: scaled(value?.low),
        high: scaled(value?.high),
        method: value?.method ?? '',
        prefix: '',
        proposed: p.state === 'proposed',
        source: p.source,
        study: p.study_uid,
        finding: p.finding_id,
        change: lesion.changes.find((c) => c.study_uid === p.study_uid) ?? null,
      };
    }),
  };
}

/** One curve for each laboratory test and unit, by name. */
export function labCurves(events: readonly ChartEvent[]): Curve[] {
  const groups = new Map<string, ChartEvent[]>();
  for (const event of events) {
    if (event.kind !== 'lab' || event.value === null || event.value === undefined) continue;
    if (!Number.isFinite(timeOf(event.start))) continue;
    const key = `${event.code ? `${event.code.system}|${event.code.value}` : event.name} ${event.unit}`;
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return [...groups]
    .map(([key, found]) => labCurve(key, found))
    .sort((a, b) => a.label.localeCompare(b.label));
}

function labCurve(key: string, found: readonly ChartEvent[]): Curve {
  const ordered = [...found].sort((a, b) => timeOf(a.start) - timeOf(b.start));
  const ranged = [...ordered].reverse().find((e) => isNumber(e.low) || isNumber(e.high));
  return {
    key: `lab ${key}`,
    label: ordered.at(-1)?.name ?? '',
    quantity: ordered.at(-1)?.code ? `${codeName(ordered.at(-1))}` : 'entered by hand',
    unit: unitText(ordered.at(-1)?.unit ?? ''),
    show: threeFigures,
    range: ranged ? { low: ranged.low ?? null, high: ranged.high ?? null } : null,
    points: ordered.map((event) => ({
      at: timeOf(event.start),
      date: event.start.slice(0, 10),
      value: event.value ?? 0,
      low: null,
      high: null,
      method: '',
      prefix: event.comparator ?? '',
      proposed: false,
      source: sourceOf(event),
      study: null,
      finding: event.id,
      change: null,
    })),
  };
}

/** `1.34`, `140`, `0.082`: laboratory values are told apart by their third figure. */
export const threeFigures = (value: number): string => String(Number(value.toPrecision(3))).replace('-', '−');

const isNumber = (n: number | null | undefined): n is number => n !== null && n !== undefined;

/** `LOINC 2532-0`, or the code with the end of its system's address. */
export function codeName(event: ChartEvent | undefined): string {
  if (!event?.code) return '';
  const { system, value } = event.code;
  const known: Record<string, string> = {
    'http://loinc.org': 'LOINC',
    'http://snomed.info/sct': 'SNOMED CT',
    'http://www.nlm.nih.gov/research/umls/rxnorm': 'RxNorm',
  };
  return `${known[system] ?? system.split('/').at(-1) ?? system} ${value}`;
}

/** Where an entry of the chart is from, in words. */
export const sourceOf = (event: ChartEvent): string =>
  event.origin === 'fhir'
    ? `FHIR ${event.reference.split(' ').at(-1)?.split('/')[0] ?? ''}, brought by ${event.entered_by}`
    : `entered by ${event.entered_by}`;

/** `1.24 ml (1.1 to 1.4)`: value, unit, 95 % interval. */
export function pointText(curve: Curve, point: CurvePoint): string {
  const interval = spread(point.value, point.low, point.high, curve.show);
  return `${point.prefix}${curve.show(point.value)} ${curve.unit}${interval}`.trim();
}

/** `+74 % (30 to 120) in 182 d`: a change with its interval and the time between. */
export function changeText(change: Change): string {
  if (change.percent === null) return `${change.kind} after ${change.days} d`;
  const interval = spread(change.percent, change.low, change.high, (n) => `${signed(n)}`);
  return `${signed(change.percent)} %${interval} in ${change.days} d`;
}

/** All that is known of a point, line by line. */
export function pointLines(curve: Curve, point: CurvePoint): string[] {
  const outside =
    curve.range &&
    ((curve.range.low !== null && point.value < curve.range.low) ||
      (curve.range.high !== null && point.value > curve.range.high));
  return [
    `${day(point.date)}: ${pointText(curve, point)}${point.low !== null && point.high !== null ? ', 95 % interval' : ''}`,
    curve.range ? `reference range ${rangeText(curve)}${outside ? ', outside' : ', within'}` : '',
    point.change ? changeText(point.change) : '',
    point.method,
    `${point.proposed ? '◆ proposed by ' : ''}${point.source}`,
  ].filter(Boolean);
}

/** `up to 250 U/L`, `3.5 to 5.1 mmol/L`. */
export function rangeText({ range, unit, show }: Curve): string {
  if (!range) return '';
  const { low, high } = range;
  if (low !== null && high !== null) return `${show(low)} to ${show(high)} ${unit}`;
  return high !== null ? `up to ${show(high)} ${unit}` : `from ${show(low ?? 0)} ${unit}`;
}

/** The point nearest to a moment, within a reach in ms; −1 when none is. */
export function nearestPoint(points: readonly CurvePoint[], at: number, reach: number): number {
  let best = -1;
  points.forEach((p, k) => {
    const distance = Math.abs(p.at - at);
    if (distance <= reach && distance < Math.abs((points[best]?.at ?? Number.POSITIVE_INFINITY) - at))
      best = k;
  });
  return best;
}

/** The ends of the value axis: from zero for sizes, close about the values else; with room for the intervals. */
export function valueSpan(curve: Curve, log: boolean): [number, number] {
  const values = curve.points.flatMap((p) => [p.value, p.low ?? p.value, p.high ?? p.value]);
  if (curve.range) values.push(...[curve.range.low, curve.range.high].filter(isNumber));
  if (log) {
    const positive = values.filter((v) => v > 0);
    if (positive.length === 0) return [1, 10];
    return [Math.min(...positive) / 1.3, Math.max(...positive) * 1.3];
  }
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (!curve.key.startsWith('lab ') && least >= 0) return [0, Math.max(most, 1e-9) * 1.15];
  const room = Math.max((most - least) * 0.15, Math.abs(most) * 0.02, 1e-9);
  return [least - room, most + room];
}
