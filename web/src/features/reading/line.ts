/** How fast the line to the server is, as measured on what was fetched from it. */

/** Below this many bytes a second, reading in full costs more than a third of a second an image. */
const SLOW = 1_500_000;
const LEAST_BYTES = 8000;
const KEPT = 9;
const rates: number[] = [];

function note(entries: readonly PerformanceEntry[]): void {
  for (const entry of entries as PerformanceResourceTiming[]) {
    const ms = entry.responseEnd - entry.responseStart;
    if (entry.transferSize < LEAST_BYTES || ms <= 0) continue;
    rates.push((1000 * entry.transferSize) / ms);
    if (rates.length > KEPT) rates.shift();
  }
}

if (typeof PerformanceObserver !== 'undefined')
  new PerformanceObserver((list) => note(list.getEntries())).observe({ type: 'resource', buffered: true });

/** Bytes a second, the median of the last answers of some size; null before there are any. */
export function bytesPerSecond(): number | null {
  const sorted = [...rates].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

export function isSlow(): boolean {
  const rate = bytesPerSecond();
  return rate !== null && rate < SLOW;
}
