/** How fast the line to the server is, as measured on what was fetched from it. */

/** Below this many bytes a second, reading in full costs more than half a second an image. */
const SLOW = 1_000_000;
/** What is too little to judge by: small answers wait for the server, not for the line. */
const LEAST_BYTES = 8000;
const LEAST_IN_ALL = 400_000;
const KEPT = 24;

export interface Transfer {
  start: number;
  end: number;
  bytes: number;
}

const transfers: Transfer[] = [];

function note(entries: readonly PerformanceEntry[]): void {
  for (const { responseStart, responseEnd, transferSize } of entries as PerformanceResourceTiming[])
    if (transferSize >= LEAST_BYTES && responseEnd > responseStart)
      transfers.push({ start: responseStart, end: responseEnd, bytes: transferSize });
  transfers.splice(0, transfers.length - KEPT);
}

if (typeof PerformanceObserver !== 'undefined')
  new PerformanceObserver((list) => note(list.getEntries())).observe({ type: 'resource', buffered: true });

/** Bytes a second while anything was on its way, since what comes at once shares the line; null where that is little. */
export function rateOf(some: readonly Transfer[]): number | null {
  let [bytes, ms, until] = [0, 0, Number.NEGATIVE_INFINITY];
  for (const { start, end, bytes: more } of [...some].sort((a, b) => a.start - b.start)) {
    bytes += more;
    ms += Math.max(0, end - Math.max(start, until));
    until = Math.max(until, end);
  }
  return bytes >= LEAST_IN_ALL && ms > 0 ? (1000 * bytes) / ms : null;
}

/** What the browser says of the line; not every one does. */
const saysSlow = (): boolean => {
  const { connection } = navigator as { connection?: { effectiveType?: string; saveData?: boolean } };
  return connection?.saveData === true || /2g|3g/.test(connection?.effectiveType ?? '');
};

/** Whether images are better fetched in steps; until enough was fetched to know, as the browser says. */
export function isSlow(): boolean {
  const rate = rateOf(transfers);
  return rate === null ? saysSlow() : rate < SLOW;
}
