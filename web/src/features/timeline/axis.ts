/** The time axis shared by all rows. */

export interface TimeAxis {
  from: number;
  to: number;
  /** Where a date lies, in the units of the drawing. */
  x: (date: string) => number;
}

const DAY_MS = 86_400_000;

/** An axis that holds all dates with a little room at both ends. */
export function timeAxis(dates: readonly string[], range: { from: number; to: number }): TimeAxis {
  const times = dates.map((d) => Date.parse(d)).filter(Number.isFinite);
  const first = Math.min(...times);
  const last = Math.max(...times);
  const room = Math.max((last - first) * 0.06, 30 * DAY_MS);
  const [from, to] = [first - room, last + room];
  return {
    from,
    to,
    x: (date) => range.from + ((Date.parse(date) - from) / (to - from)) * (range.to - range.from),
  };
}

/** The turns of the year on an axis; months when there are fewer than two. */
export function axisYears(axis: TimeAxis): { x: number; label: string }[] {
  const ticks: { x: number; label: string }[] = [];
  const start = new Date(axis.from);
  for (let year = start.getUTCFullYear(); Date.UTC(year) <= axis.to; year++) {
    if (Date.UTC(year) >= axis.from) ticks.push({ x: axis.x(`${year}-01-01`), label: String(year) });
  }
  return ticks;
}
