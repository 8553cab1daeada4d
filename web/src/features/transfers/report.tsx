/** What did not go over and why, and how to take over what another archive has. */
import { useState } from 'preact/hooks';
import { get, post } from '../../api';
import {
  archive,
  type MigratedStudy,
  type Page,
  type Peer,
  type Transfer,
  type TransferFailure,
  type TransferServer,
} from '../../api/archive';
import { pathTo } from '../../app/router';
import { grouped } from '../../ui/amounts';
import { Choice, Field, FormDialog, Tick, type Values } from '../../ui/form';
import { count } from '../../ui/format';
import { useLoaded } from '../../ui/load';
import { Dialog } from '../../ui/primitives';
import { Nothing, Whole } from '../../ui/states';
import { tell } from '../../ui/toasts';

export function Failures({ transfer, onClose }: { transfer: Transfer; onClose: () => void }) {
  return (
    <Dialog title={titleOf(transfer)} onClose={onClose} wide>
      {transfer.kind === 'migrate' ? <Migrated transfer={transfer} /> : <Failed transfer={transfer} />}
    </Dialog>
  );
}

const titleOf = ({ kind, peer }: Transfer): string =>
  kind === 'migrate' ? `Report of the migration from ${peer}` : `What did not go over: ${peer}`;

function Failed({ transfer }: { transfer: Transfer }) {
  const loaded = useLoaded(
    (signal) => get<Page<TransferFailure>>(archive.failures(transfer.id), signal),
    transfer.id,
  );
  return (
    <Whole loaded={loaded} what="what failed">
      {({ items }) =>
        items.length === 0 ? (
          <Nothing title="Nothing failed." />
        ) : (
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Object</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {items.map((failure) => (
                <tr key={failure.sop_uid}>
                  <th scope="row">
                    <code class="uid">{failure.sop_uid}</code>
                  </th>
                  <td>{failure.reason}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </Whole>
  );
}

function Migrated({ transfer }: { transfer: Transfer }) {
  const loaded = useLoaded(
    (signal) => get<Page<MigratedStudy>>(archive.migrated(transfer.id), signal),
    transfer.id,
  );
  return (
    <Whole loaded={loaded} what="the report">
      {({ items }) => {
        const odd = items.filter((s) => s.missing + s.extra + s.conflicting > 0 || s.reason);
        if (odd.length === 0) return <Nothing title={allHere(transfer)} />;
        return (
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Study</th>
                <th scope="col" class="number">
                  There
                </th>
                <th scope="col" class="number">
                  Here
                </th>
                <th scope="col">What differs</th>
              </tr>
            </thead>
            <tbody>
              {odd.map((s) => (
                <tr key={s.study_uid}>
                  <th scope="row">
                    <a class="linked" href={pathTo.held(s.study_uid)}>
                      <code class="uid">{s.study_uid}</code>
                    </a>
                  </th>
                  <td class="number">{s.expected}</td>
                  <td class="number">{s.held}</td>
                  <td>
                    {differenceText(s)} <span class="muted">{s.reason}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        );
      }}
    </Whole>
  );
}

/** What a migration without differences has to say. */
const allHere = ({ state, done, total }: Transfer): string =>
  state === 'done' && total > 0
    ? `All ${count(total, 'study', 'studies')} are here with every object.`
    : `No study differs so far: ${grouped(done)} of ${grouped(total)} were compared.`;

/** `3 missing, 1 in conflict`. */
export function differenceText(study: Pick<MigratedStudy, 'missing' | 'extra' | 'conflicting'>): string {
  const { missing, extra, conflicting } = study;
  return [
    missing > 0 && `${missing} missing`,
    extra > 0 && `${extra} only here`,
    conflicting > 0 && `${conflicting} in conflict`,
  ]
    .filter(Boolean)
    .join(', ');
}

interface StartProps {
  onClose: () => void;
  reload: () => Promise<void>;
}

export function StartDialog({ onClose, reload }: StartProps) {
  const [kind, setKind] = useState('migrate');
  const sources = useLoaded(async (signal) => {
    const [peers, servers] = await Promise.all([
      get<Page<Peer>>(archive.peers, signal),
      get<Page<TransferServer>>(archive.servers, signal),
    ]);
    const titles = peers.items.filter((p) => p.enabled && p.host).map((p) => p.title);
    return [...titles, ...servers.items.map((s) => s.name)];
  }, 'sources');
  const submit = async ({ peer = '', studies = '', studies_per_hour = '', verify = '' }: Values) => {
    const uids = kind === 'retrieve' ? studies.split(/[\s,]+/).filter(Boolean) : [];
    const pace = kind === 'migrate' && studies_per_hour ? { studies_per_hour: Number(studies_per_hour) } : {};
    await post<Page<Transfer>>(archive.newTransfer, {
      kind,
      peer,
      studies: uids,
      verify: verify === 'on',
      ...pace,
    });
    tell('It goes on in the background, and goes on by itself after an interruption.');
    await reload();
  };
  return (
    <FormDialog title="Take over from another archive" act="Start" onClose={onClose} onSubmit={submit}>
      <Choice label="From" name="peer" options={(sources.data ?? []).map((name) => [name, name] as const)} />
      {sources.data?.length === 0 && (
        <p class="warning">
          No peer or server has an address. Add one under Peers or DICOMweb servers first.
        </p>
      )}
      <Choice
        label="What"
        name="kind"
        value={kind}
        options={[
          ['migrate', 'Everything it has'],
          ['retrieve', 'Some studies'],
        ]}
        onChange={setKind}
      />
      {kind === 'retrieve' ? (
        <Field label="Study UIDs" name="studies" required hint="Separated by spaces or commas." />
      ) : (
        <Field
          label="Studies per hour at most"
          name="studies_per_hour"
          type="number"
          min={1}
          hint="Empty: as fast as the other side gives them."
        />
      )}
      <Tick name="verify" label="Fetch what is held already too, and compare it byte by byte" />
      <p class="muted small">
        A report says what differs. Without the comparison, an object with other content under the same UID is
        taken for the same.
      </p>
    </FormDialog>
  );
}
