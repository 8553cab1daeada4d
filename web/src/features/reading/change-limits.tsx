/** Whether a change is more than what repeat measurements vary by, and whose figure says so. */
import type { FindingChange } from '../../api';
import { figure, signed } from '../../ui/format';

export function ChangeLimits({ change }: { change: FindingChange }) {
  const { limits } = change;
  if (!limits) return null;
  return (
    <details class="limits">
      <summary>{limitsWords(change)}</summary>
      <dl>
        <dt>limits</dt>
        <dd>
          {signed(limits.low)} to {signed(limits.high)} <span class="unit">%</span> of {limits.quantity}, 95 %
        </dd>
        <dt>holds for</dt>
        <dd>
          {sizeWords(limits.size_low_mm, limits.size_high_mm)}, slices up to {limits.max_slice_mm}{' '}
          <span class="unit">mm</span>
        </dd>
        <dt>slices here</dt>
        <dd>
          {Number(limits.slice_mm.toFixed(2))} <span class="unit">mm</span>
        </dd>
        {limits.added.map((words) => (
          <>
            <dt>widened</dt>
            <dd>{words}</dd>
          </>
        ))}
        <dt>source</dt>
        <dd>{limits.source}</dd>
      </dl>
    </details>
  );
}

/** `grew 15 %: within what repeats vary by (−32 to +48 %)`. */
export function limitsWords(change: Pick<FindingChange, 'kind' | 'percent' | 'limits'>): string {
  const { limits, percent, kind } = change;
  if (!limits) return '';
  const range = `${signed(limits.low)} to ${signed(limits.high)} %`;
  const beyond = kind === 'grown' || kind === 'shrunk';
  const verb = beyond ? 'more than repeats vary by' : 'within what repeats vary by';
  const by =
    percent === null || limits.quantity !== 'volume'
      ? ''
      : `${percent < 0 ? 'shrank' : 'grew'} ${figure(Math.abs(percent))} %: `;
  return `${by}${verb} (${range}${limits.quantity === 'volume' ? '' : ` of ${limits.quantity}`})`;
}

const sizeWords = (low: number, high: number | null): string =>
  high === null ? `lesions from ${figure(low)} mm` : `lesions of ${figure(low)} to ${figure(high)} mm`;
