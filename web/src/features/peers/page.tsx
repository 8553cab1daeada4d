/** Who may talk to the archive by DICOM, and what each of them may do. */
import { useEffect, useState } from 'preact/hooks';
import { get, post, put, remove } from '../../api';
import { archive, type EchoResult, type Page, type Peer } from '../../api/archive';
import { Frame } from '../../app/frame';
import { can } from '../../app/session';
import { Choice, Field, FormDialog, Tick, type Values } from '../../ui/form';
import { count } from '../../ui/format';
import { offer } from '../../ui/keys';
import { useLoaded } from '../../ui/load';
import { Button } from '../../ui/primitives';
import { Nothing, Whole } from '../../ui/states';
import { perform } from '../../ui/toasts';
import '../archive/archive.css';

const RIGHTS = [
  ['echo', 'Echo', 'may ask whether we are there'],
  ['store', 'Store', 'may send images'],
  ['find', 'Find', 'may search'],
  ['retrieve', 'Retrieve', 'may fetch images'],
  ['worklist', 'Worklist', 'may ask for scheduled work'],
  ['mpps', 'MPPS', 'may report what was performed'],
  ['commit', 'Commit', 'may ask for storage commitment'],
] as const;

const WAYS = [
  ['get', 'on our association (C-GET)'],
  ['move', 'by one that it opens to us (C-MOVE)'],
] as const;

const FRESH: Peer = {
  title: '',
  host: '',
  port: 104,
  description: '',
  tls: false,
  certificate_sha256: null,
  rights: ['echo', 'store'],
  max_pdu: 1 << 20,
  max_associations: 16,
  rate_per_s: null,
  acse_timeout_s: 30,
  dimse_timeout_s: 60,
  network_timeout_s: 300,
  enabled: true,
  retrieve_by: 'get',
  priors: false,
};

type Echo = EchoResult | 'asking';

export function PeersPage() {
  const loaded = useLoaded((signal) => get<Page<Peer>>(archive.peers, signal), 'peers');
  const [editing, edit] = useState<Peer | null>(null);
  const [echoes, setEchoes] = useState<Record<string, Echo>>({});
  const may = can('peer.manage');
  const save = async ({ title, ...body }: Peer) => {
    await put(archive.peer(title), body);
    await loaded.reload();
  };
  const echo = async ({ title }: Peer) => {
    setEchoes((all) => ({ ...all, [title]: 'asking' }));
    let result: EchoResult;
    try {
      result = await post<EchoResult>(archive.echo(title));
    } catch (error) {
      result = { ok: false, ms: null, message: error instanceof Error ? error.message : String(error) };
    }
    setEchoes((all) => ({ ...all, [title]: result }));
  };
  const forget = (peer: Peer) =>
    perform(
      `Peer ${peer.title} removed`,
      async () => {
        await remove(archive.peer(peer.title));
        await loaded.reload();
      },
      () => save(peer),
    );
  const change = (peer: Peer, part: Partial<Peer>, words: string) =>
    perform(
      words,
      () => save({ ...peer, ...part }),
      () => save(peer),
    );
  const peers = loaded.data?.items ?? [];
  const echoAll = () => void Promise.all(peers.filter((p) => p.host).map(echo));
  useEffect(() =>
    offer('peers', [
      {
        id: 'peer-add',
        label: 'Add a peer',
        keys: ['n'],
        group: 'Peers',
        when: () => may,
        run: () => edit(FRESH),
      },
      { id: 'peer-echo', label: 'Echo all peers', keys: ['e'], group: 'Peers', run: echoAll },
    ]),
  );
  return (
    <Frame
      title="Peers"
      hints={[
        ['n', 'add'],
        ['e', 'echo all'],
      ]}
      foot={loaded.data ? count(peers.length, 'peer') : null}
      tools={
        <>
          {peers.some((p) => p.host) && (
            <Button keys="e" onClick={echoAll}>
              Echo all
            </Button>
          )}
          {may && (
            <Button kind="primary" keys="n" onClick={() => edit(FRESH)}>
              Add a peer
            </Button>
          )}
        </>
      }
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <main class="sheet" tabIndex={0}>
        <Whole loaded={loaded} what="peers">
          {() =>
            peers.length === 0 ? (
              <Nothing title="No peers yet.">
                <p>Whoever is not listed may only send an echo, and from this machine everything.</p>
              </Nothing>
            ) : (
              <table class="plain wide peers">
                <thead>
                  <tr>
                    <th scope="col">AE title</th>
                    <th scope="col">Address</th>
                    <th scope="col">Answers</th>
                    {RIGHTS.map(([right, words, hint]) => (
                      <th scope="col" key={right} class="tick" title={hint}>
                        {words}
                      </th>
                    ))}
                    <th scope="col" class="tick" title="is asked for earlier studies">
                      Priors
                    </th>
                    <th scope="col" class="tick">
                      On
                    </th>
                    <th scope="col">
                      <span class="sr-only">What to do</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {peers.map((peer) => (
                    <PeerRow
                      key={peer.title}
                      peer={peer}
                      echo={echoes[peer.title] ?? null}
                      may={may}
                      onEcho={() => void echo(peer)}
                      onEdit={() => edit(peer)}
                      onForget={() => void forget(peer)}
                      onChange={(part, words) => void change(peer, part, words)}
                    />
                  ))}
                </tbody>
              </table>
            )
          }
        </Whole>
      </main>
      {editing && <PeerDialog peer={editing} save={save} onClose={() => edit(null)} />}
    </Frame>
  );
}

interface RowProps {
  peer: Peer;
  echo: Echo | null;
  may: boolean;
  onEcho: () => void;
  onEdit: () => void;
  onForget: () => void;
  onChange: (part: Partial<Peer>, words: string) => void;
}

function PeerRow({ peer, echo, may, onEcho, onEdit, onForget, onChange }: RowProps) {
  const { title, rights } = peer;
  const toggle = (right: string, words: string, on: boolean) =>
    onChange(
      { rights: on ? [...rights, right] : rights.filter((r) => r !== right) },
      `${title}: ${words} ${on ? 'allowed' : 'no longer allowed'}`,
    );
  return (
    <tr class={peer.enabled ? '' : 'off'}>
      <th scope="row">
        <b>{title}</b> <span class="muted">{peer.description}</span>
      </th>
      <td>
        {peer.host ? (
          <>
            {peer.host}
            <span class="muted">:{peer.port}</span>
          </>
        ) : (
          <span class="muted">calls from anywhere</span>
        )}{' '}
        {peer.tls && <span class="label">TLS</span>}
        {peer.certificate_sha256 && (
          <span class="label" title={`Certificate ${peer.certificate_sha256}`}>
            certificate
          </span>
        )}
      </td>
      <td class="echo">
        {peer.host && (
          <Button kind="quiet" label={`Echo ${title}`} disabled={echo === 'asking'} onClick={onEcho}>
            Echo
          </Button>
        )}
        <span role="status">
          <EchoWord echo={echo} />
        </span>
      </td>
      {RIGHTS.map(([right, words]) => (
        <td key={right} class="tick" data-label={words}>
          <input
            type="checkbox"
            checked={rights.includes(right)}
            disabled={!may}
            aria-label={`${title}: ${words}`}
            onChange={(e) => toggle(right, words, e.currentTarget.checked)}
          />
        </td>
      ))}
      <td class="tick" data-label="Priors">
        <input
          type="checkbox"
          checked={peer.priors}
          disabled={!may || !peer.host}
          aria-label={`${title} is asked for earlier studies`}
          onChange={() =>
            onChange(
              { priors: !peer.priors },
              `${title} ${peer.priors ? 'no longer' : 'now'} asked for priors`,
            )
          }
        />
      </td>
      <td class="tick" data-label="On">
        <input
          type="checkbox"
          checked={peer.enabled}
          disabled={!may}
          aria-label={`${title} is on`}
          onChange={() =>
            onChange({ enabled: !peer.enabled }, `${title} switched ${peer.enabled ? 'off' : 'on'}`)
          }
        />
      </td>
      <td class="end">
        {may && (
          <>
            <Button kind="quiet" label={`Change ${title}`} onClick={onEdit}>
              Change
            </Button>
            <Button kind="quiet" label={`Remove ${title}`} onClick={onForget}>
              Remove
            </Button>
          </>
        )}
      </td>
    </tr>
  );
}

function EchoWord({ echo }: { echo: Echo | null }) {
  if (echo === null) return null;
  if (echo === 'asking') return <span class="muted">asking</span>;
  if (echo.ok) {
    return (
      <span class="good">
        ✓ {echo.ms === null ? '' : Math.round(echo.ms)} <span class="unit">ms</span>
      </span>
    );
  }
  return <span class="urgent">✕ {echo.message}</span>;
}

const LIMITS = [
  ['max_pdu', 'Largest PDU, bytes', 16384, 16777216],
  ['max_associations', 'Associations at once', 1, 1024],
  ['acse_timeout_s', 'Wait for an association, s', 1, 86400],
  ['dimse_timeout_s', 'Wait for an answer, s', 1, 86400],
  ['network_timeout_s', 'Wait for anything, s', 1, 86400],
] as const;

interface PeerDialogProps {
  peer: Peer;
  save: (peer: Peer) => Promise<void>;
  onClose: () => void;
}

function PeerDialog({ peer, save, onClose }: PeerDialogProps) {
  const [rights, setRights] = useState<ReadonlySet<string>>(new Set(peer.rights));
  const [tls, setTls] = useState(peer.tls);
  const [priors, setPriors] = useState(peer.priors);
  const fresh = peer.title === '';
  const submit = async (values: Values) => {
    const limits = Object.fromEntries(LIMITS.map(([name]) => [name, Number(values[name])]));
    await save({
      ...peer,
      ...limits,
      title: fresh ? (values.title ?? '') : peer.title,
      host: values.host ?? '',
      port: Number(values.port),
      description: values.description ?? '',
      certificate_sha256: values.certificate_sha256 || null,
      rate_per_s: values.rate_per_s ? Number(values.rate_per_s) : null,
      tls,
      priors,
      retrieve_by: values.retrieve_by === 'move' ? 'move' : 'get',
      rights: [...rights],
    });
  };
  return (
    <FormDialog
      title={fresh ? 'Add a peer' : `Change ${peer.title}`}
      act="Save"
      onClose={onClose}
      onSubmit={submit}
    >
      <div class="form-grid">
        {fresh && <Field label="AE title" name="title" required maxLength={16} />}
        <Field label="Description" name="description" maxLength={200} defaultValue={peer.description} />
        <Field
          label="Address"
          name="host"
          defaultValue={peer.host}
          placeholder="ct1.example or 10.0.0.7"
          hint="Empty: never called, may call from anywhere."
        />
        <Field label="Port" name="port" type="number" required min={1} max={65535} defaultValue={peer.port} />
      </div>
      <fieldset class="ticks">
        <legend>Rights</legend>
        {RIGHTS.map(([right, words, hint]) => (
          <Tick
            key={right}
            checked={rights.has(right)}
            label={
              <>
                {words} <span class="muted">{hint}</span>
              </>
            }
            onChange={(on) => {
              const chosen = new Set(rights);
              if (on) chosen.add(right);
              else chosen.delete(right);
              setRights(chosen);
            }}
          />
        ))}
      </fieldset>
      <Choice
        label="Studies are retrieved from it"
        name="retrieve_by"
        value={peer.retrieve_by}
        options={WAYS}
      />
      <Tick label="Asked for the earlier studies of patients" checked={priors} onChange={setPriors} />
      <Tick label="Speaks TLS" checked={tls} onChange={setTls} />
      <Field
        label="Certificate, SHA-256"
        name="certificate_sha256"
        defaultValue={peer.certificate_sha256 ?? ''}
        pattern="([0-9A-Fa-f]{2}:?){32}"
        hint="64 hexadecimal digits; it then counts instead of the address."
      />
      <details>
        <summary class="muted">Limits</summary>
        <div class="form-grid">
          {LIMITS.map(([name, label, min, max]) => (
            <Field
              key={name}
              label={label}
              name={name}
              type="number"
              required
              min={min}
              max={max}
              defaultValue={peer[name]}
            />
          ))}
          <Field
            label="Messages per second"
            name="rate_per_s"
            type="number"
            min={0.1}
            step="any"
            defaultValue={peer.rate_per_s ?? ''}
            hint="Empty: no limit."
          />
        </div>
      </details>
    </FormDialog>
  );
}
