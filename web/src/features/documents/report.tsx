/** A structured report as a page. */
import { useMemo, useRef, useState } from 'preact/hooks';
import { Button } from '../../ui/primitives';
import { Nothing } from '../../ui/states';
import type { ImageReference, ViewProps } from '.';
import {
  beginsOpen,
  numberText,
  type Reference,
  type Report,
  readReport,
  runs,
  type Statement,
  split,
  splitContext,
  unitText,
} from './report-tree';

interface Reading {
  report: Report;
  onImage: ((reference: ImageReference) => void) | undefined;
  onSee: (id: string) => void;
}

export function ReportView({ instance, onImage }: ViewProps) {
  const report = useMemo(() => readReport(instance), [instance]);
  const page = useRef<HTMLDivElement>(null);
  const setAll = (open: boolean) => {
    for (const part of page.current?.querySelectorAll('details') ?? []) part.open = open;
  };
  const onSee = (id: string) => {
    const target = page.current?.querySelector<HTMLElement>(`[data-statement="${CSS.escape(id)}"]`);
    for (let at: HTMLElement | null = target ?? null; at; at = at.parentElement)
      if (at instanceof HTMLDetailsElement) at.open = true;
    target?.scrollIntoView({ block: 'center' });
    target?.focus();
  };
  const { context, content } = splitContext(report.statements);
  const reading = { report, onImage, onSee };
  const hasParts = report.statements.some((s) => s.kind === 'CONTAINER');
  return (
    <div class="document-body report-page" ref={page}>
      <header>
        <h2>{report.title}</h2>
        <Standing report={report} />
        {hasParts && (
          <div class="document-tools">
            <Button kind="quiet" onClick={() => setAll(true)}>
              Open all
            </Button>
            <Button kind="quiet" onClick={() => setAll(false)}>
              Close all
            </Button>
          </div>
        )}
      </header>
      {report.statements.length === 0 && <Nothing title="This report has no content." />}
      <Statements list={content} depth={0} reading={reading} />
      {context.length > 0 && (
        <details class="report-part">
          <summary class="muted">Observation context ({context.length})</summary>
          <Statements list={context} depth={1} reading={reading} />
        </details>
      )}
      {report.leftOut > 0 && (
        <p class="warning">
          {report.leftOut} parts of this report are not shown: it is longer or deeper than a page can hold.
          Download the object to read all of it.
        </p>
      )}
    </div>
  );
}

/** Whether the report is finished and who answers for it. */
function Standing({ report }: { report: Report }) {
  const verified = report.verification === 'VERIFIED';
  return (
    <dl class="report-standing">
      <Fact name="Patient" value={[report.patient, report.patientId].filter(Boolean).join(' · ')} />
      <Fact name="Written" value={report.written} />
      <div>
        <dt>Completion</dt>
        <dd class={report.completion === 'COMPLETE' ? '' : 'warning'}>
          {COMPLETION[report.completion] ?? 'not stated'}
          {report.completionReason && ` · ${report.completionReason}`}
          {report.preliminary && ' · preliminary'}
        </dd>
      </div>
      <div>
        <dt>Verification</dt>
        <dd class={verified ? 'good' : 'warning'}>
          {verified
            ? `verified${report.verifiers.length ? ` by ${report.verifiers.join('; ')}` : ''}`
            : 'not verified'}
        </dd>
      </div>
      <Fact name="Observer" value={report.observers.join(' · ')} />
      <Fact name="Author" value={report.authors.join('; ')} />
      <Fact
        name="Replaces"
        value={
          report.replaces
            ? `${report.replaces} earlier ${report.replaces === 1 ? 'version' : 'versions'}`
            : ''
        }
      />
    </dl>
  );
}

const COMPLETION: Record<string, string> = { COMPLETE: 'complete', PARTIAL: 'partial' };

function Fact({ name, value }: { name: string; value: string }) {
  if (!value) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Containers as parts that open and close; what lies between them as lists. */
function Statements({ list, depth, reading }: { list: Statement[]; depth: number; reading: Reading }) {
  return (
    <>
      {runs(list).map((run) =>
        Array.isArray(run) ? (
          <dl class="report-list" key={run[0]?.id}>
            {run.map((statement) => (
              <Line key={statement.id} statement={statement} depth={depth} reading={reading} />
            ))}
          </dl>
        ) : (
          <Part key={run.id} statement={run} depth={depth} reading={reading} />
        ),
      )}
    </>
  );
}

function Part({ statement, depth, reading }: { statement: Statement; depth: number; reading: Reading }) {
  const [open] = useState(beginsOpen(statement, depth, reading.report.count));
  const { modifiers, rest } = split(statement.children);
  const Heading = `h${Math.min(6, depth + 3)}` as 'h3';
  return (
    <details class="report-part" open={open} data-statement={statement.id} tabIndex={-1}>
      <summary>
        <Heading>{statement.name || 'Part'}</Heading>
        <Modifiers list={modifiers} />
        {rest.length === 0 && <span class="muted"> empty</span>}
      </summary>
      <Statements list={rest} depth={depth + 1} reading={reading} />
    </details>
  );
}

function Modifiers({ list }: { list: readonly Statement[] }) {
  if (!list.length) return null;
  return (
    <span class="report-modifiers muted">
      {list.map((m) => (m.name ? `${m.name}: ${m.value}` : m.value)).join(' · ')}
    </span>
  );
}

function Line({ statement, depth, reading }: { statement: Statement; depth: number; reading: Reading }) {
  const { modifiers, rest } = split(statement.children);
  return (
    <div class="report-line" data-statement={statement.id} tabIndex={-1}>
      <dt>
        {RELATIONS[statement.relationship] && <i class="muted">{RELATIONS[statement.relationship]} </i>}
        {statement.name || (statement.see ? 'See' : KINDS[statement.kind]) || statement.kind.toLowerCase()}
      </dt>
      <dd>
        <Value statement={statement} reading={reading} />
        <Modifiers list={modifiers} />
        {rest.length > 0 && <Statements list={rest} depth={depth + 1} reading={reading} />}
      </dd>
    </div>
  );
}

const RELATIONS: Record<string, string> = { 'INFERRED FROM': 'inferred from', 'SELECTED FROM': 'on' };
const KINDS: Record<string, string> = {
  IMAGE: 'image',
  COMPOSITE: 'object',
  WAVEFORM: 'waveform',
  SCOORD: 'region',
  SCOORD3D: 'region',
};

function Value({ statement, reading }: { statement: Statement; reading: Reading }) {
  if (statement.see)
    return (
      <button type="button" class="report-link" onClick={() => reading.onSee(statement.see)}>
        another part of this report
      </button>
    );
  if (statement.references.length)
    return (
      <span class="report-references">
        {statement.references.map((reference) => (
          <ReferenceLink
            key={`${reference.sopUid} ${reference.frames}`}
            reference={reference}
            onImage={reading.onImage}
          />
        ))}
      </span>
    );
  if (statement.kind === 'NUM')
    return (
      <span class="amount">
        {numberText(statement.value)}{' '}
        <span class="unit" title={statement.unitMeaning}>
          {unitText(statement.unit)}
        </span>
      </span>
    );
  return <span class={statement.kind === 'TEXT' ? 'report-words' : ''}>{statement.value}</span>;
}

/** One link to an image, or one to each frame of it that is spoken of. */
function ReferenceLink({ reference, onImage }: { reference: Reference; onImage: Reading['onImage'] }) {
  const name = `${reference.what} …${reference.sopUid.slice(-8).replace(/^\.+/, '')}`;
  const segments = reference.segments.length > 0 ? `, segment ${reference.segments.join(', ')}` : '';
  if (!onImage || !reference.isImage) {
    const frames = reference.frames.length > 0 ? `, frame ${reference.frames.join(', ')}` : '';
    return <span title={reference.sopUid}>{`${name}${frames}${segments}`}</span>;
  }
  const frames = reference.frames.length > 0 ? reference.frames : [null];
  return (
    <>
      {frames.map((frame) => (
        <button
          key={frame}
          type="button"
          class="report-link"
          title={`Show ${reference.sopUid}`}
          onClick={() => onImage({ sopUid: reference.sopUid, frame: frame ?? 1 })}
        >
          {frame === null ? name : `${name}, frame ${frame}`}
        </button>
      ))}
    </>
  );
}
