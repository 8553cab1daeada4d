/** Sizes, rates and what is left, as a person who keeps an archive wants them. */
import { span } from './format';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

export interface Size {
  value: string;
  unit: string;
}

/** `512 B`, `4.2 MB`, `1.31 TB`: decimal units, three figures. */
export function size(bytes: number): Size {
  let n = Math.max(0, bytes);
  let step = 0;
  while (n >= 999.5 && step < UNITS.length - 1) {
    n /= 1000;
    step++;
  }
  const digits = step === 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
  return { value: n.toFixed(digits), unit: UNITS[step] ?? 'B' };
}

export function sizeText(bytes: number): string {
  const { value, unit } = size(bytes);
  return `${value}\u202f${unit}`;
}

/** `1 204 312`. */
export function grouped(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** `40 s`, `3 min`, `1 h 20`: how long something will still take; empty where nobody can tell. */
export function left(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '';
  return seconds < 60 ? `${Math.max(1, Math.round(seconds))} s` : span(seconds / 60);
}

/** `now`, `12 min ago`, `3 d ago`. */
export function ago(at: string, now = Date.now()): string {
  const minutes = (now - Date.parse(at)) / 60_000;
  if (Number.isNaN(minutes)) return at;
  return minutes < 1 ? 'now' : `${span(minutes)} ago`;
}

/** A share of a whole in whole per cent; never 100 before it is all. */
export function percent(part: number, whole: number): number {
  if (whole <= 0) return 0;
  return part >= whole ? 100 : Math.min(99, Math.floor((100 * part) / whole));
}

/** Amounts over the last seconds, for a rate that follows what is and does not flicker. */
export class Rate {
  readonly #window_ms: number;
  #marks: { at: number; total: number }[] = [];
  #total = 0;

  constructor(window_ms = 8000) {
    this.#window_ms = window_ms;
  }

  add(amount: number, now: number): void {
    if (this.#marks.length === 0) this.#marks.push({ at: now, total: this.#total });
    this.#total += amount;
    this.#marks.push({ at: now, total: this.#total });
    while (this.#marks.length > 2 && now - (this.#marks[1]?.at ?? now) > this.#window_ms) this.#marks.shift();
  }

  /** Per second over the window; 0 when nothing has moved in it. */
  perSecond(now: number): number {
    const first = this.#marks.find((mark) => now - mark.at <= this.#window_ms);
    if (!first) return 0;
    return (this.#total - first.total) / Math.max((now - first.at) / 1000, 0.5);
  }

  /** Begin anew, as after a pause. */
  reset(): void {
    this.#marks = [];
  }
}
