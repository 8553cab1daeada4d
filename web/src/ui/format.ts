/** Dates, waits and numbers as a reader wants them. */

const MINUTE = 60_000;

/** `24 Nov 2026` from `2026-11-24`; what cannot be read is given back as it is. */
export function day(date: string | null | undefined): string {
  if (!date) return '';
  const match = /^(\d{4})-?(\d{2})-?(\d{2})/.exec(date);
  if (!match) return date;
  const at = new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])));
  return at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
}

/** `2026-11-24`, as a date field has it, from `20261124`, as DICOM has it. */
export const isoDate = (date: string): string => date.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3');

/** `20261124`, as DICOM has it, from what a date field gives. */
export const dicomDate = (date: string): string => date.replaceAll('-', '');

/** `09:41` from a time of DICOM, `094100.5`. */
export const timeOfDay = (time: string): string => time.replace(/^(\d{2}):?(\d{2}).*$/, '$1:$2');

/** `24 Nov 2026, 09:41` in the reader's own time zone. */
export function moment(at: string | null | undefined): string {
  if (!at) return '';
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })}, ${time}`;
}

/** `12 min`, `1 h 20`, `3 d`. */
export function span(minutes: number): string {
  const m = Math.max(0, Math.round(minutes));
  if (m < 60) return `${m} min`;
  if (m < 24 * 60) return m % 60 && m < 600 ? `${Math.floor(m / 60)} h ${m % 60}` : `${Math.round(m / 60)} h`;
  return `${Math.round(m / 1440)} d`;
}

/** How long ago something was, or how long until it is. */
export function wait(at: string, now: number): string {
  return span((now - Date.parse(at)) / MINUTE);
}

export interface Due {
  text: string;
  late: boolean;
  near: boolean;
}

export function due(at: string | null, now: number): Due {
  if (!at) return { text: '', late: false, near: false };
  const minutes = (Date.parse(at) - now) / MINUTE;
  if (minutes < 0) return { text: `late ${span(-minutes)}`, late: true, near: true };
  return { text: span(minutes), late: false, near: minutes < 20 };
}

/** Three significant figures at most, without noise: 8.4, 10.1, 174, 1 240. */
export function figure(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 1 ? 1 : 2;
  const text = value.toFixed(digits).replace('-', '−');
  return size >= 10_000 ? text.replace(/\B(?=(\d{3})+$)/g, '\u202f') : text;
}

/** A size in mm³ or, from 1 ml on, in ml; `beside` is another size that must be in the same unit. */
export function volume(mm3: number, beside = mm3): { value: string; unit: string } {
  return Math.max(mm3, beside) >= 1000
    ? { value: figure(mm3 / 1000), unit: 'ml' }
    : { value: figure(mm3), unit: 'mm³' };
}

const UNITS: Record<string, string> = { "[hnsf'U]": 'HU', 'g/ml{SUVbw}': 'SUVbw', 'g/ml{SUVlbm}': 'SUVlbm' };

export function unit(code: string): string {
  return UNITS[code] ?? code.replace('mm3', 'mm³').replace('mm^3', 'mm³').replace(/^1$/, '');
}

/**
 * A 95 % interval beside its value: ` ± 31` where both sides are alike, else its two ends, since an interval
 * of a ratio leans to one side; empty where an end is missing.
 */
export function spread(
  value: number,
  low: number | null | undefined,
  high: number | null | undefined,
  show: (n: number) => string,
): string {
  if (low === null || low === undefined || high === null || high === undefined) return '';
  const half = (high - low) / 2;
  const leans = Math.abs(high + low - 2 * value) > 0.2 * half;
  return leans ? ` (${show(low)} to ${show(high)})` : ` ± ${show(half).replace('+', '')}`;
}

/** `+174`, `−12`, `0`: always with its sign. */
export function signed(value: number): string {
  const rounded = Math.round(value);
  if (rounded === 0) return '0';
  return rounded > 0 ? `+${rounded}` : `−${-rounded}`;
}

/** `F 61 y`. */
export function sexAge(patient: { sex: string; age_years: number | null }): string {
  return [patient.sex, patient.age_years === null ? '' : `${patient.age_years} y`].filter(Boolean).join(' ');
}

/** `1 finding`, `3 findings`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
