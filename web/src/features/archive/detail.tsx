/** What is known of the selected study: whether it is whole, where it came from, what was corrected. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Completeness, Correction, HeldSeries, StudyDetail, StudyRow } from '../../api/archive';
import { pathTo } from '../../app/router';
import { can } from '../../app/session';
import { sizeText } from '../../ui/amounts';
import { count, day, moment, timeOfDay } from '../../ui/format';
import { Icon } from '../../ui/icons';
import { personName } from '../../ui/names';
import { Button, Notice, SimulatedTag, Skeleton } from '../../ui/primitives';
import type { Acts } from './acts';
import { type ArchiveStore, completenessOf, examOf } from './store';
import { syntaxName } from './syntaxes';

export function Detail({ store, acts }: { store: ArchiveStore; acts: Acts }) {
  const detail = store.detail.value;
  const row = detail?.study ?? store.selectedRow;
  return (
    <aside class="detail" aria-label="Selected study">
      {row ? (
        <Known key={row.uid} row={row} detail={detail} store={store} acts={acts} />
      ) : store.detailProblem.value ? (
        <Notice tone="error">{store.detailProblem.value}</Notice>
      ) : (
        store.state.value === 'ready' && <p class="muted">Select a study to see what is known about it.</p>
      )}
    </aside>
  );
}

interface KnownProps {
  row: StudyRow;
  detail: StudyDetail | null;
  store: ArchiveStore;
  acts: Acts;
}

function Known({ row, detail, store, acts }: KnownProps) {
  return (
    <>
      <Heading row={row} store={store} />
      <Decisions row={row} acts={acts} />
      {store.detailProblem.value && (
        <Notice tone="warning">
          {store.detailProblem.value}
          <Button onClick={() => void store.loadDetail()}>Try again</Button>
        </Notice>
      )}
      {!detail && !store.detailProblem.value && <Skeleton lines={12} />}
      {detail && (
        <>
          <Whole row={row} series={detail.series} completeness={detail.completeness} />
          <Keeping detail={detail} acts={acts} />
          <SeriesList series={detail.series} />
          <Corrections list={detail.corrections} acts={acts} />
          <Part title="Identifiers">
            <dl class="facts">
              <Fact name="Study UID">
                <code class="uid">{row.uid}</code>
              </Fact>
              <Fact name="Accession">{row.accession || <span class="muted">none</span>}</Fact>
            </dl>
          </Part>
        </>
      )}
    </>
  );
}

function Heading({ row, store }: { row: StudyRow; store: ArchiveStore }) {
  const [noImage, setNoImage] = useState(false);
  const { patient } = row;
  return (
    <header class="heading">
      {!noImage && (
        <img
          src={`/dicom-web/studies/${encodeURIComponent(row.uid)}/thumbnail`}
          alt=""
          loading="lazy"
          onError={() => setNoImage(true)}
        />
      )}
      <div>
        <h2>
          <a href={pathTo.patient(patient.id)}>
            <bdi>{personName(patient.name) || 'No name'}</bdi>
          </a>{' '}
          {row.simulated && <SimulatedTag />}
        </h2>
        <p class="muted">
          {[patient.patient_id, patient.sex, patient.birth_date && `born ${day(patient.birth_date)}`]
            .filter(Boolean)
            .join(' · ')}
        </p>
        <p>
          {examOf(row)} · {day(row.date) || 'no date'}
          {row.time && <span class="muted"> {timeOfDay(row.time)}</span>}
        </p>
      </div>
      <span class="narrow-only">
        <Button
          kind="quiet"
          icon="cross"
          label="Close"
          onClick={() => {
            store.panel.value = false;
          }}
        />
      </span>
    </header>
  );
}

function Decisions({ row, acts }: { row: StudyRow; acts: Acts }) {
  const correct = can('archive.correct');
  return (
    <div class="acts">
      <div class="decisions">
        <a class="button primary" href={pathTo.study(row.uid)}>
          Open
        </a>
        {correct && (
          <Button keys="e" onClick={() => acts.ask('edit')}>
            Correct
          </Button>
        )}
        {can('archive.export') && (
          <>
            <Button keys="s" onClick={() => acts.ask('send')}>
              Send
            </Button>
            <Button keys="d" onClick={() => acts.ask('download')}>
              Download
            </Button>
          </>
        )}
      </div>
      {/* Where there is room it stands open. */}
      <details open={matchMedia('(min-width: 1101px) and (min-height: 900px)').matches}>
        <summary class="muted">More to do with it</summary>
        <div class="decisions">
          {correct && (
            <>
              <Button keys="m" onClick={() => acts.ask('move')}>
                Move
              </Button>
              <Button keys="g" onClick={() => acts.ask('merge')}>
                Merge patient
              </Button>
              <Button keys="p" onClick={() => acts.ask('split')}>
                Split
              </Button>
              <Button keys="k" onClick={() => void acts.complete()}>
                Complete
              </Button>
            </>
          )}
          {can('archive.hold') && (
            <Button keys="h" onClick={() => acts.ask('hold')}>
              {row.on_hold ? 'Lift hold' : 'Hold'}
            </Button>
          )}
          {can('archive.label') && (
            <Button keys="l" onClick={() => acts.ask('label')}>
              Label
            </Button>
          )}
          {can('archive.reject') && (
            <Button keys="r" onClick={() => acts.ask('reject')}>
              Reject
            </Button>
          )}
          {can('archive.delete') && (
            <Button keys="Delete" onClick={() => acts.ask('trash')}>
              Trash
            </Button>
          )}
        </div>
      </details>
    </div>
  );
}

const ORIGINS: Readonly<Record<string, string>> = {
  mpps: 'modality’s report (MPPS)',
  ian: 'availability notice (IAN)',
  commitment: 'commitment request',
  sender: 'sender',
};

interface WholeProps {
  row: StudyRow;
  series: readonly HeldSeries[];
  completeness: Completeness;
}

function Whole({ row, series, completeness }: WholeProps) {
  const { tone, words } = completenessOf(row);
  const gaps = series.filter((s) => s.gaps.length > 0);
  return (
    <Part title="Is it all here?">
      <p class="verdict">
        <span class={tone}>
          {tone === 'good' ? '✓ ' : tone === 'warning' ? '▲ ' : ''}
          {words}
        </span>{' '}
        · {count(row.instance_count, 'object')}
        {row.expected !== null && <span class="muted"> of {row.expected} announced</span>}
        <span class="muted"> · {sizeText(row.bytes)}</span>
      </p>
      {row.expected !== null && row.instance_count < row.expected && (
        <progress max={row.expected} value={row.instance_count} aria-label={words} />
      )}
      {gaps.length > 0 && (
        <ul>
          {gaps.map((s) => (
            <li key={s.uid} class="warning">
              ▲ Series {s.number ?? '–'}: no image {s.gaps.slice(0, 6).map(gapText).join(', ')}
              {s.gaps.length > 6 && ` and ${s.gaps.length - 6} more`}
            </li>
          ))}
        </ul>
      )}
      <ul class="trail">
        {completeness.received.map((r) => (
          <li key={`${r.source}${r.kind}${r.first_at}`}>
            {count(r.instances, 'object')} from <b>{r.source}</b>
            <span class="muted">
              {' '}
              {r.kind} · {moment(r.first_at)}
              {lastOf(r.first_at, r.last_at)}
            </span>
          </li>
        ))}
        {completeness.expected.map((e) => (
          <li key={`${e.origin}${e.at}`}>
            <span class="muted">announced by {ORIGINS[e.origin] ?? e.origin}:</span>{' '}
            {e.count === null ? 'no count' : count(e.count, 'object')}
            <span class="muted"> · {moment(e.at)}</span>
          </li>
        ))}
        {completeness.refused.map((r, k) => (
          <li key={`${r.at}${k}`} class="urgent">
            ✕ refused {moment(r.at)} from {r.source}: {r.reason} <span class="muted">{r.code}</span>
          </li>
        ))}
      </ul>
      {row.conflicts > 0 && (
        <p>
          <a class="urgent linked" href={pathTo.conflicts}>
            ≠ {count(row.conflicts, 'object')} in conflict: decide
          </a>
        </p>
      )}
    </Part>
  );
}

/** `14` or `14–18`. */
export const gapText = ([from, to]: readonly [number, number]): string =>
  from === to ? String(from) : `${from}–${to}`;

function lastOf(first: string, last: string): string {
  const [a, b] = [moment(first), moment(last)];
  if (a === b) return '';
  const [dayA, dayB] = [a.split(',')[0], b.split(',')[0]];
  return ` – ${dayA === dayB ? b.split(', ')[1] : b}`;
}

function Keeping({ detail, acts }: { detail: StudyDetail; acts: Acts }) {
  const { hold, retention, labels } = detail;
  if (!hold && !retention && labels.length === 0) return null;
  return (
    <Part title="How it is kept">
      {labels.length > 0 && (
        <div class="chips">
          {labels.map((label) => (
            <span key={label} class="chip">
              {label}
              {can('archive.label') && (
                <button
                  type="button"
                  class="chip-remove"
                  aria-label={`Remove the label ${label}`}
                  onClick={() => void acts.unlabel(label)}
                >
                  <Icon name="cross" />
                </button>
              )}
            </span>
          ))}
        </div>
      )}
      {hold && (
        <p>
          <span class="warning">■ On hold</span> since {moment(hold.at)} by {hold.by}: {hold.reason}
        </p>
      )}
      {retention && (
        <p>
          {retention.until ? `Kept until ${day(retention.until)}` : 'Kept for ever'}
          {retention.rule && <span class="muted"> · rule {retention.rule}</span>}
        </p>
      )}
    </Part>
  );
}

function SeriesList({ series }: { series: readonly HeldSeries[] }) {
  return (
    <Part title={`Series ${series.length}`}>
      <ul class="series">
        {series.map((s) => (
          <li key={s.uid}>
            <span class="number muted">{s.number ?? '–'}</span>
            <span>
              {s.modality} {s.description || <span class="muted">no description</span>}
              <small class="muted">
                {[
                  count(s.instance_count, 'object'),
                  s.frame_count > s.instance_count && `${s.frame_count} frames`,
                  sizeText(s.bytes),
                  s.transfer_syntaxes.map(syntaxName).join(', '),
                  s.body_part.toLowerCase(),
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </small>
            </span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

const KINDS: Readonly<Record<string, string>> = {
  merge: 'Patients merged',
  move: 'Moved',
  split: 'Split',
  edit: 'Corrected',
  coerce: 'Changed at the door',
  apart: 'Kept apart',
};

function Corrections({ list, acts }: { list: readonly Correction[]; acts: Acts }) {
  if (list.length === 0) return null;
  return (
    <Part title="Corrections">
      <ol class="corrections">
        {list.toReversed().map((c) => (
          <li key={c.id} class={c.undone_at ? 'undone' : ''}>
            <div>
              <b>{KINDS[c.kind] ?? c.kind}</b> {c.summary}
              <small class="muted">
                {c.author} · {moment(c.at)}
                {c.reason && ` · ${c.reason}`}
                {c.undone_at && ` · undone ${moment(c.undone_at)}`}
              </small>
            </div>
            {!c.undone_at && can('archive.correct') && (
              <Button kind="quiet" label={`Undo: ${c.summary}`} onClick={() => void acts.undoCorrection(c)}>
                Undo
              </Button>
            )}
          </li>
        ))}
      </ol>
    </Part>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h3>{title}</h3>
      <div>{children}</div>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
