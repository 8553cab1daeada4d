/** The findings of a study: what, how large, how changed, why, and the decision on each. */
import { useState } from 'preact/hooks';
import type { Finding } from '../../api';
import { count, day, figure, moment, signed, spread, volume } from '../../ui/format';
import { Amount, Button, ChangeBadge, Notice, Skeleton, Sparkline, useFirstFocus } from '../../ui/primitives';
import { ChangeLimits } from './change-limits';
import { type Edit, isDecidable, numberOf } from './finding-store';
import { LinkLine } from './lesion-link-panel';
import type { ReadingStore } from './store';

const REJECT_REASONS = ['vessel', 'scar', 'artefact', 'not a lesion'];

export function Findings({ store }: { store: ReadingStore }) {
  const reading = store.reading.value;
  const list = store.findings.list.value;
  const open = list.filter((f) => f.state === 'proposed' && isDecidable(f)).length;
  return (
    <section class="findings" aria-labelledby="findings-title">
      <header class="panel-head">
        <h2 id="findings-title">
          Findings <span class="muted">{reading ? list.length : ''}</span>
        </h2>
        <span class="muted">{open > 0 && `${open} to decide`}</span>
      </header>
      {!reading && <Skeleton lines={6} />}
      {reading && <Analysis store={store} />}
      <ol class="finding-list">
        {list.map((finding) => (
          <FindingItem key={finding.id} finding={finding} store={store} />
        ))}
      </ol>
    </section>
  );
}

function Analysis({ store }: { store: ReadingStore }) {
  const reading = store.reading.value;
  if (!reading) return null;
  const { state, text } = reading.analysis;
  if (state === 'waiting' || state === 'running') {
    return (
      <Notice title={state === 'running' ? 'Analysis is running' : 'Analysis is waiting'}>
        {text || 'You can read on; findings appear here by themselves.'}
      </Notice>
    );
  }
  if (state === 'failed' || state === 'refused') {
    return (
      <Notice tone="warning" title={state === 'failed' ? 'Analysis failed' : 'Not analysed'}>
        <p>{text}</p>
        {state === 'failed' && <Button onClick={() => void store.analyse()}>Run again</Button>}
      </Notice>
    );
  }
  if (store.findings.list.value.length > 0) return null;
  return (
    <div class="empty">
      <p>{text || (state === 'none' ? 'This study has not been analysed.' : 'No findings were proposed.')}</p>
      {state === 'none' && reading.current && <Button onClick={() => void store.analyse()}>Analyse</Button>}
    </div>
  );
}

function FindingItem({ finding, store }: { finding: Finding; store: ReadingStore }) {
  const selected = store.findings.selected.value === finding.id;
  return (
    <li
      class={`finding ${isDecidable(finding) ? `is-${finding.state}` : ''} ${selected ? 'selected' : ''}`}
      aria-current={selected ? 'true' : undefined}
    >
      <button type="button" class="finding-head" onClick={() => store.findings.select(finding.id)}>
        <span class="number">{numberOf(finding)}</span>
        <span class="label">{finding.label}</span>
        <StateBadge finding={finding} />
      </button>
      <div class="finding-sizes">
        <Sizes finding={finding} />
        {finding.change && <ChangeBadge change={finding.change} percent={selected} />}
      </div>
      {selected && <Detail finding={finding} store={store} />}
    </li>
  );
}

function StateBadge({ finding }: { finding: Finding }) {
  if (!isDecidable(finding)) return <span class="state">in the prior</span>;
  const looks = {
    proposed: ['◆', 'proposed'],
    accepted: ['✓', 'accepted'],
    edited: ['✎', 'edited'],
    rejected: ['✕', 'rejected'],
    superseded: ['', 'superseded'],
  } as const;
  const [glyph, word] = looks[finding.state];
  return (
    <span class={`state is-${finding.state}`}>
      <span aria-hidden="true">{glyph}</span> {word}
    </span>
  );
}

function Sizes({ finding }: { finding: Finding }) {
  const now = finding.current?.long_axis;
  const before = finding.prior?.long_axis;
  return (
    <span class="sizes">
      {before && (
        <>
          {figure(before.value)} <span class="unit">→</span>{' '}
        </>
      )}
      {now ? <Amount quantity={now} plain /> : <span class="muted">not seen now</span>}
    </span>
  );
}

function Detail({ finding, store }: { finding: Finding; store: ReadingStore }) {
  const editing = store.findings.editing.value === finding.id;
  if (editing) return <EditForm finding={finding} store={store} />;
  return (
    <div class="finding-detail">
      <VolumeLine finding={finding} />
      {finding.change && <DoublingLine change={finding.change} />}
      {finding.change && <ChangeLimits change={finding.change} />}
      {finding.change?.reason && !finding.change.limits && <p class="why">{finding.change.reason}</p>}
      <LinkLine finding={finding} store={store} />
      <Sparkline
        label={curveLabel(finding)}
        points={finding.curve.map((p) => ({
          at: Date.parse(p.date),
          value: p.volume_mm3,
          low: p.low,
          high: p.high,
        }))}
      />
      {finding.why && (
        <p class="why">
          <span class="muted">{sourceOf(finding)}</span> · {finding.why}
        </p>
      )}
      {finding.note && <p class="why">Note: {finding.note}</p>}
      {finding.decided_by && (
        <p class="why">
          {finding.state} by {finding.decided_by}
          {finding.decided_at && `, ${moment(finding.decided_at)}`}
        </p>
      )}
      {!store.locked.value && isDecidable(finding) && <Decisions finding={finding} store={store} />}
    </div>
  );
}

const sourceOf = (f: Finding): string =>
  f.source.kind === 'model' ? `◆ ${f.source.name} ${f.source.version ?? ''}`.trim() : f.source.name;

function VolumeLine({ finding }: { finding: Finding }) {
  const now = finding.current?.volume;
  const before = finding.prior?.volume;
  if (!now && !before) return null;
  const change = finding.change;
  const show = (v: number) => {
    const { value, unit } = volume(v, Math.max(now?.value ?? 0, before?.value ?? 0));
    return (
      <>
        {value} <span class="unit">{unit}</span>
      </>
    );
  };
  return (
    <p class="numbers">
      <span class="muted">volume</span> {before && <>{show(before.value)} → </>}
      {now && show(now.value)}
      {change?.percent !== null && change?.percent !== undefined && (
        <>
          {' '}
          {signed(change.percent)}{' '}
          <span class="unit">%{spread(change.percent, change.low, change.high, signed)}</span>
        </>
      )}
    </p>
  );
}

function DoublingLine({ change }: { change: NonNullable<Finding['change']> }) {
  if (change.doubling_days === null) return null;
  return (
    <p class="numbers">
      <span class="muted">{change.doubling_days < 0 ? 'halving time' : 'doubling time'}</span>{' '}
      {Math.abs(Math.round(change.doubling_days))} <span class="unit">d</span>
      {change.doubling_low !== null && change.doubling_high !== null && (
        <span class="unit">
          {' '}
          ({Math.round(change.doubling_low)}–{Math.round(change.doubling_high)})
        </span>
      )}
    </p>
  );
}

function curveLabel(finding: Finding): string {
  const points = finding.curve.map((p) => {
    const { value, unit } = volume(p.volume_mm3);
    return `${day(p.date)}: ${value} ${unit}`;
  });
  return `Volume over time. ${points.join('; ')}`;
}

function Decisions({ finding, store }: { finding: Finding; store: ReadingStore }) {
  const decided = finding.state !== 'proposed';
  return (
    <div class="decisions">
      {finding.state !== 'accepted' && finding.state !== 'edited' && (
        <Button keys="a" onClick={() => void store.findings.decide(finding, 'accept')}>
          Accept
        </Button>
      )}
      <Button
        keys="e"
        onClick={() => {
          store.findings.editing.value = finding.id;
        }}
      >
        Edit
      </Button>
      {finding.state !== 'rejected' && (
        <Button keys="r" onClick={() => void store.findings.decide(finding, 'reject')}>
          Reject
        </Button>
      )}
      {finding.state === 'rejected' &&
        !finding.note &&
        REJECT_REASONS.map((reason) => (
          <Button
            key={reason}
            kind="quiet"
            onClick={() => void store.findings.decide(finding, 'reject', reason)}
          >
            {reason}
          </Button>
        ))}
      {decided && <span class="sr-only">{count(1, 'decision')} made</span>}
    </div>
  );
}

function EditForm({ finding, store }: { finding: Finding; store: ReadingStore }) {
  const place = finding.current;
  const first = useFirstFocus();
  const [label, setLabel] = useState(finding.label);
  const [long, setLong] = useState(place?.long_axis ? String(place.long_axis.value) : '');
  const [short, setShort] = useState(place?.short_axis ? String(place.short_axis.value) : '');
  const [note, setNote] = useState(finding.note ?? '');
  const [problem, setProblem] = useState<string | null>(null);
  const close = () => {
    store.findings.editing.value = null;
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const change = changeOf(finding, { label, long, short, note });
    if (typeof change === 'string') return setProblem(change);
    if (Object.keys(change).length === 0) return close();
    void store.findings.edit(finding, change);
  };
  return (
    <form
      class="edit-form"
      onSubmit={submit}
      onKeyDown={(e) => {
        if (e.key === 'Escape') close();
      }}
    >
      <label>
        Name
        <input class="field" value={label} ref={first} onInput={(e) => setLabel(e.currentTarget.value)} />
      </label>
      <div class="pair">
        <label>
          Long axis, mm
          <input
            class="field"
            inputMode="decimal"
            value={long}
            onInput={(e) => setLong(e.currentTarget.value)}
          />
        </label>
        <label>
          Short axis, mm
          <input
            class="field"
            inputMode="decimal"
            value={short}
            onInput={(e) => setShort(e.currentTarget.value)}
          />
        </label>
      </div>
      <label>
        Note
        <input class="field" value={note} onInput={(e) => setNote(e.currentTarget.value)} />
      </label>
      {problem && <Notice tone="error">{problem}</Notice>}
      <div class="decisions">
        <Button type="submit" kind="primary" keys="Enter">
          Save
        </Button>
        <Button keys="Escape" onClick={close}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** What differs from the finding, or what is wrong with the numbers. */
export function changeOf(
  finding: Pick<Finding, 'label' | 'note' | 'current'>,
  typed: { label: string; long: string; short: string; note: string },
): Edit | string {
  const change: Edit = {};
  const label = typed.label.trim();
  if (!label) return 'A finding needs a name.';
  if (label !== finding.label) change.label = label;
  if (typed.note.trim() !== (finding.note ?? '')) change.note = typed.note.trim();
  for (const [field, text, now] of [
    ['long_axis_mm', typed.long, finding.current?.long_axis?.value],
    ['short_axis_mm', typed.short, finding.current?.short_axis?.value],
  ] as const) {
    if (!text.trim()) continue;
    const mm = Number(text.replace(',', '.'));
    if (!(mm > 0 && mm < 1000)) return `“${text}” is not a length in mm.`;
    if (mm !== now) change[field] = mm;
  }
  const long = change.long_axis_mm ?? finding.current?.long_axis?.value;
  const short = change.short_axis_mm ?? finding.current?.short_axis?.value;
  if (long !== undefined && short !== undefined && short > long) {
    return 'The short axis cannot be longer than the long axis.';
  }
  return change;
}

/** A decision by key, on the selected finding. */
export function decideSelected(store: ReadingStore, decision: 'accept' | 'reject'): void {
  const finding = store.findings.chosen;
  if (finding && isDecidable(finding) && !store.locked.value) void store.findings.decide(finding, decision);
}
