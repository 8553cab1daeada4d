/** The time axis shared by all rows: which span is in sight, where a date lies, and what is written along it. */

export const DAY_MS = 86_400_000;
const SHORTEST_MS = 7 * DAY_MS;

/** The span of time in sight, in ms since 1970. */
export interface Span {
  from: number;
  to: number;
}

/** The moment of a date of any precision, NaN when it is none: a year means its first day. */
export const timeOf = (date: string): number => (date ? Date.parse(date) : Number.NaN);

/** A span that holds all dates with a little room at both ends. */
export function spanOf(times: readonly number[]): Span {
  const known = times.filter(Number.isFinite);
  const [first, last] = [Math.min(...known), Math.max(...known)];
  if (known.length === 0) return { from: Date.UTC(2000), to: Date.UTC(2001) };
  const room = Math.max((last - first) * 0.06, 30 * DAY_MS);
  return { from: first - room, to: last + room };
}

/** Where a moment lies, in px from the left edge of the drawing. */
export const xOf = (at: number, span: Span, width: number): number =>
  ((at - span.from) / (span.to - span.from)) * width;

/** The span after zooming by a factor (below 1: closer) about a moment, never beyond the whole. */
export function zoomed(span: Span, factor: number, about: number, whole: Span): Span {
  const length = Math.min(Math.max((span.to - span.from) * factor, SHORTEST_MS), whole.to - whole.from);
  const share = Math.min(Math.max((about - span.from) / (span.to - span.from), 0), 1);
  return within({ from: about - share * length, to: about + (1 - share) * length }, whole);
}

/** The span moved by a share of its length, never beyond the whole. */
export function panned(span: Span, share: number, whole: Span): Span {
  const by = (span.to - span.from) * share;
  return within({ from: span.from + by, to: span.to + by }, whole);
}

function within(span: Span, whole: Span): Span {
  const length = span.to - span.from;
  if (length >= whole.to - whole.from) return whole;
  const from = Math.min(Math.max(span.from, whole.from), whole.to - length);
  return { from, to: from + length };
}

export interface Tick {
  at: number;
  label: string;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Steps in months, finest first; below a month the ticks are days. */
const STEPS = [1, 3, 6, 12, 24, 60, 120, 240] as const;
const DAYS = [1, 2, 7, 14] as const;

/** Round dates about 90 px apart: years, else months, else days. */
export function ticks(span: Span, width: number, apart = 90): Tick[] {
  const most = Math.max(Math.floor(width / apart), 2);
  const length = (span.to - span.from) / DAY_MS;
  const days = DAYS.find((step) => length / step <= most);
  if (days) return dayTicks(span, days);
  const months = STEPS.find((step) => length / 30.44 / step <= most) ?? 240;
  const found: Tick[] = [];
  const start = new Date(span.from).getUTCFullYear();
  const years = Math.max(months / 12, 1);
  for (let month = (start - (start % years)) * 12; ; month += months) {
    const [year, m] = [Math.floor(month / 12), month % 12];
    const at = Date.UTC(year, m);
    if (at > span.to) return found;
    if (at >= span.from) found.push({ at, label: m === 0 ? String(year) : `${MONTHS[m]} ${year}` });
  }
}

function dayTicks(span: Span, step: number): Tick[] {
  const found: Tick[] = [];
  const first = Math.ceil(span.from / DAY_MS / step) * step;
  for (let day = first; day * DAY_MS <= span.to; day += step) {
    const date = new Date(day * DAY_MS);
    found.push({ at: day * DAY_MS, label: `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}` });
  }
  return found;
}

export interface Cluster<T> {
  x: number;
  items: T[];
}

/** Marks that would lie on each other, taken together; in the order of time. */
export function clusters<T>(items: readonly T[], x: (item: T) => number, gap: number): Cluster<T>[] {
  const found: Cluster<T>[] = [];
  for (const item of [...items].sort((a, b) => x(a) - x(b))) {
    const last = found.at(-1);
    const first = last?.items[0];
    if (last && first !== undefined && x(item) - x(first) < gap) last.items.push(item);
    else found.push({ x: x(item), items: [item] });
  }
  for (const cluster of found)
    cluster.x = cluster.items.reduce((sum, item) => sum + x(item), 0) / cluster.items.length;
  return found;
}
