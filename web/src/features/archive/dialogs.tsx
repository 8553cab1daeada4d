/** Dialogs for what is done with whole studies: trash, labels, holds, sending, downloads. */
import { useState } from 'preact/hooks';
import { get } from '../../api';
import {
  archive,
  type Page,
  type Peer,
  type StudyDetail,
  type StudyRow,
  type TransferServer,
} from '../../api/archive';
import { grouped, sizeText } from '../../ui/amounts';
import { Field, FormDialog, Tick, type Values } from '../../ui/form';
import { count } from '../../ui/format';
import { useLoaded } from '../../ui/load';
import { Notice, Skeleton } from '../../ui/primitives';
import type { Acts } from './acts';
import { Reason, Subject } from './correcting';

interface SomeProps {
  acts: Acts;
  rows: readonly StudyRow[];
}

function sum(rows: readonly StudyRow[]): string {
  const objects = rows.reduce((n, row) => n + row.instance_count, 0);
  const bytes = rows.reduce((n, row) => n + row.bytes, 0);
  return `${count(rows.length, 'study', 'studies')}, ${grouped(objects)} objects, ${sizeText(bytes)}`;
}

function Subjects({ rows }: { rows: readonly StudyRow[] }) {
  return (
    <div class="subjects">
      {rows.slice(0, 3).map((row) => (
        <Subject key={row.uid} row={row} />
      ))}
      {rows.length > 3 && <p class="muted">and {rows.length - 3} more</p>}
    </div>
  );
}

export function TrashDialog({ acts, rows }: SomeProps) {
  const free = rows.filter((row) => !row.on_hold);
  const held = rows.length - free.length;
  return (
    <FormDialog
      title="Put into the trash"
      act={free.length > 0 ? `Trash ${count(free.length, 'study', 'studies')}` : 'Trash'}
      onClose={acts.close}
      onSubmit={(values: Values) => acts.trash(free, values.reason ?? '')}
      disabled={free.length === 0}
    >
      <Subjects rows={rows} />
      <ul class="will">
        {free.length > 0 && (
          <>
            <li>
              <b>{sum(free)}</b> disappear from lists and viewers at once.
            </li>
            <li>Nobody is told: peers that have copies keep them.</li>
            <li>They stay in the trash for a time, and can be restored until then. Then they are deleted.</li>
          </>
        )}
        {free.some((row) => !row.settled) && (
          <li class="warning">▲ Images are still arriving. Whatever comes later brings the study back.</li>
        )}
        {held > 0 && (
          <li class="warning">
            ■ {count(held, 'study is on hold and stays', 'studies are on hold and stay')} in the archive.
          </li>
        )}
      </ul>
      {free.length > 0 && <Reason />}
    </FormDialog>
  );
}

export function LabelDialog({ acts, rows }: SomeProps) {
  return (
    <FormDialog
      title={`Label ${count(rows.length, 'study', 'studies')}`}
      act="Label"
      onClose={acts.close}
      onSubmit={(values: Values) => acts.label(rows, values.label ?? '')}
    >
      <Subjects rows={rows} />
      <Field
        label="Label"
        name="label"
        required
        maxLength={64}
        suggestions={acts.store.labels.value}
        hint="Labels are seen by everybody who sees the study; they say nothing about the patient’s health."
      />
    </FormDialog>
  );
}

export function HoldDialog({ acts, rows }: SomeProps) {
  return (
    <FormDialog
      title={`Put ${count(rows.length, 'study', 'studies')} on hold`}
      act="Hold"
      onClose={acts.close}
      onSubmit={(values: Values) => acts.hold(rows, values.reason ?? '')}
    >
      <Subjects rows={rows} />
      <p class="muted">What is on hold can be neither trashed nor deleted, whatever the rules say.</p>
      <Reason />
    </FormDialog>
  );
}

export function SendDialog({ acts, rows }: SomeProps) {
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const destinations = useLoaded(async (signal) => {
    const [peers, servers] = await Promise.all([
      get<Page<Peer>>(archive.peers, signal),
      get<Page<TransferServer>>(archive.servers, signal).catch(() => ({ items: [], next: null })),
    ]);
    return [
      ...peers.items
        .filter((p) => p.enabled && p.host)
        .map((p) => ({
          name: p.title,
          words: p.description,
          where: `${p.host}:${p.port}${p.tls ? ' TLS' : ''}`,
        })),
      ...servers.items.map((s) => ({ name: s.name, words: 'DICOMweb', where: s.url })),
    ];
  }, 'destinations');
  return (
    <FormDialog
      title="Send"
      act={chosen.size > 0 ? `Send to ${[...chosen].join(', ')}` : 'Send'}
      onClose={acts.close}
      onSubmit={() => acts.send(rows, [...chosen])}
      disabled={chosen.size === 0}
      ready={destinations.data !== null}
    >
      <Subjects rows={rows} />
      {destinations.problem && <Notice tone="error">{destinations.problem}</Notice>}
      {!destinations.data && !destinations.problem && <Skeleton lines={3} />}
      {destinations.data?.length === 0 && (
        <Notice>No peer or server has an address to send to. Add one under Peers or Transfers.</Notice>
      )}
      {destinations.data && destinations.data.length > 0 && (
        <fieldset class="ticks">
          <legend>To</legend>
          {destinations.data.map((d) => (
            <Tick
              key={d.name}
              checked={chosen.has(d.name)}
              label={
                <>
                  <b>{d.name}</b> {d.words} <span class="muted">{d.where}</span>
                </>
              }
              onChange={(on) => {
                const names = new Set(chosen);
                if (on) names.add(d.name);
                else names.delete(d.name);
                choose(names);
              }}
            />
          ))}
        </fieldset>
      )}
      <p>
        <b>{sum(rows)}</b> leave this archive as they are held, with the corrections made to them. It goes on
        in the background.
      </p>
    </FormDialog>
  );
}

const FORMS = [
  ['zip', 'DICOM files in a ZIP', 'As held, with corrections; for another archive or a viewer.'],
  ['dicomdir', 'Medium with DICOMDIR', 'For a CD or a stick that other houses can read.'],
  ['nifti', 'Volumes as NIfTI', 'For research; only geometry and values, names and dates stay here.'],
] as const;

export function DownloadDialog({ acts, row }: { acts: Acts; row: StudyRow; detail: StudyDetail | null }) {
  return (
    <FormDialog
      title="Download"
      act="Download"
      onClose={acts.close}
      onSubmit={(values: Values) => acts.download(row, (values.form ?? 'zip') as (typeof FORMS)[number][0])}
    >
      <Subject row={row} />
      <fieldset class="ticks">
        <legend>As</legend>
        {FORMS.map(([form, words, hint], k) => (
          <label class="check" key={form}>
            <input type="radio" name="form" value={form} defaultChecked={k === 0} />
            <span>
              {words} <small class="muted">{hint}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <p>
        About <b>{sizeText(row.bytes)}</b> leave this archive to your computer; it is written into the audit
        trail.
      </p>
    </FormDialog>
  );
}
