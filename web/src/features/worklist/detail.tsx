/** What is known about the selected study, before it is opened. */

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Row } from '../../api';
import { pathTo } from '../../app/router';
import { count, day } from '../../ui/format';
import { Button, ChangeBadge, SimulatedTag } from '../../ui/primitives';
import { RowPriors } from './row-priors';
import { DEFER_MIN, type WorklistStore } from './store';

export function Detail({ store }: { store: WorklistStore }) {
  const row = store.selectedRow;
  return (
    <aside class="detail" aria-label="Selected study">
      {row ? (
        <RowDetail key={row.study_uid} row={row} store={store} />
      ) : (
        <p class="muted">Select a study to see what is known about it.</p>
      )}
    </aside>
  );
}

function RowDetail({ row, store }: { row: Row; store: WorklistStore }) {
  const [noImage, setNoImage] = useState(false);
  return (
    <>
      <div class="thumbnail">
        {row.thumbnail_url && !noImage ? (
          <img src={row.thumbnail_url} alt="" onError={() => setNoImage(true)} />
        ) : (
          <span class="muted">No image to show</span>
        )}
      </div>
      <p>
        <strong>{row.exam}</strong> · {day(row.study_date)} · {arrival(row)}{' '}
        {row.simulated && <SimulatedTag />}
      </p>
      <Part title="Indication">{row.indication || <span class="muted">Not given.</span>}</Part>
      {row.prior_count > 0 && (
        <Part title={row.prior_date ? `What has changed since ${day(row.prior_date)}` : 'What has changed'}>
          {row.changes.length === 0 && <span class="muted">{noChange(row)}</span>}
          <ul>
            {row.changes.map((c) => (
              <li key={c.text}>
                <ChangeBadge change={{ kind: c.kind }} /> {c.text}
              </li>
            ))}
          </ul>
        </Part>
      )}
      <RowPriors row={row} store={store} />
      {row.last_impression && <Part title="Last impression">{row.last_impression}</Part>}
      <Part title="Analysis">{row.analysis.text || row.analysis.state}</Part>
      <div id="place">
        <Part title="Place in the list">
          <ul>
            {row.place.map((p) => (
              <li key={p.text}>
                {p.text} {p.weight && <span class="muted">{p.weight}</span>}
              </li>
            ))}
          </ul>
        </Part>
      </div>
      <div class="decisions">
        <a class="button primary" href={pathTo.study(row.study_uid)}>
          Open
        </a>
        <Button keys="c" onClick={() => void store.claim(row)} disabled={row.reader !== null}>
          Claim
        </Button>
        <Button keys="d" onClick={() => void store.defer(row)}>
          Defer by {DEFER_MIN} min
        </Button>
        <a class="button" href={pathTo.patient(row.patient.id)}>
          Timeline
        </a>
        <span class="narrow-only">
          <Button
            onClick={() => {
              store.detail.value = false;
            }}
          >
            Close
          </Button>
        </span>
      </div>
    </>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h2>{title}</h2>
      <div>{children}</div>
    </section>
  );
}

function arrival(row: Row): string {
  const { received, expected, gaps } = row.images;
  const lacking = gaps > 0 ? `; ▲ ${count(gaps, 'image number')} missing in between` : '';
  if (expected === null) return `${received ? count(received, 'image') : 'no images'}${lacking}`;
  return received >= expected
    ? `complete, ${count(received, 'image')}${lacking}`
    : `arriving, ${received} of ${expected} images`;
}

function noChange(row: Row): string {
  const waiting = row.analysis.state === 'waiting' || row.analysis.state === 'running';
  return waiting ? 'The comparison is being made.' : 'No change was measured.';
}
