/** Why a category: every rule that was applied, line by line, with its source and whether it was checked there. */
import type { PointColumn, ResponseView } from '../../api';
import { day } from '../../ui/format';
import { toneOf } from './plan';

type Rule = PointColumn['reasons'][number];

export function Reasons({ shown, at }: { shown: ResponseView; at: string | null }) {
  const point = shown.points.find((one) => one.study_uid === at) ?? shown.points.at(-1);
  if (!point || point.category === null) return null;
  return (
    <section class="reasons" aria-live="polite" aria-label="Reasons">
      <h2>
        <span class={`category ${toneOf(point.category)}`}>{point.category}</span> {day(point.date)}
      </h2>
      {point.plausible.length > 1 && (
        <p class="warning">
          Within the 95 % intervals of these measurements: {point.plausible.join(' or ')}. All at their low or
          all at their high end is the extreme case.
        </p>
      )}
      {point.plausible.length === 1 && (
        <p class="muted">No error within the 95 % intervals of these measurements changes it.</p>
      )}
      {point.reasons.length === 0 && <p class="muted">The baseline: what the others are compared with.</p>}
      <Rules rules={point.reasons} />
      {shown.best && (
        <details>
          <summary>
            Best response: <b>{shown.best.category}</b>
          </summary>
          <Rules rules={shown.best.reasons} />
        </details>
      )}
      {shown.warnings.length > 0 && (
        <details open>
          <summary class="warning">About the choice of lesions</summary>
          <Rules rules={shown.warnings} />
        </details>
      )}
      <p class="small muted">
        {shown.criterion.citation}
        {shown.criterion.unconfirmed.length > 0 &&
          ` Not yet checked against it: ${shown.criterion.unconfirmed.join(', ')}.`}
      </p>
    </section>
  );
}

function Rules({ rules }: { rules: readonly Rule[] }) {
  return (
    <ol class="rules">
      {rules.map((rule) => (
        <li key={`${rule.rule} ${rule.compared}`}>
          <span>{rule.compared}</span>
          <b>{rule.outcome}</b>
          <small class="muted">
            {rule.source} {!rule.confirmed && <span class="warning">unconfirmed</span>}
          </small>
        </li>
      ))}
    </ol>
  );
}
