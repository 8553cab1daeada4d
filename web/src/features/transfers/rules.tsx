/** Rules that send studies by themselves, and the DICOMweb servers they can go to. */
import { useState } from 'preact/hooks';
import { get, put, remove } from '../../api';
import { archive, type Page, type Peer, type TransferRule, type TransferServer } from '../../api/archive';
import { can } from '../../app/session';
import { Choice, Field, FormDialog, Tick, type Values } from '../../ui/form';
import { useLoaded } from '../../ui/load';
import { Button } from '../../ui/primitives';
import { RuleTable } from '../../ui/rules';
import { Nothing, Whole } from '../../ui/states';
import { perform, tell, tellError } from '../../ui/toasts';

export function Rules() {
  const loaded = useLoaded(async (signal) => {
    const [rules, peers, servers] = await Promise.all([
      get<Page<TransferRule>>(archive.transferRules, signal),
      get<Page<Peer>>(archive.peers, signal),
      get<Page<TransferServer>>(archive.servers, signal),
    ]);
    const destinations = [
      ...peers.items.filter((p) => p.host).map((p) => p.title),
      ...servers.items.map((s) => s.name),
    ];
    return { rules: rules.items, destinations };
  }, 'rules');
  const [editing, edit] = useState<TransferRule | 'new' | null>(null);
  const may = can('peer.manage');
  const save = async ({ name, ...rest }: TransferRule) => {
    await put(archive.transferRule(name), rest);
    await loaded.reload();
  };
  const forget = (rule: TransferRule) =>
    perform(
      `Rule ${rule.name} removed`,
      async () => {
        await remove(archive.transferRule(rule.name));
        await loaded.reload();
      },
      () => save(rule),
    );
  return (
    <Whole loaded={loaded} what="rules">
      {({ rules, destinations }) => (
        <>
          {may && (
            <div class="decisions">
              <Button kind="primary" icon="plus" onClick={() => edit('new')}>
                Add a rule
              </Button>
            </div>
          )}
          {rules.length === 0 && (
            <Nothing title="No rules yet.">
              <p>A rule sends each study that matches it, when the study is complete.</p>
            </Nothing>
          )}
          {rules.length > 0 && (
            <RuleTable
              rules={rules}
              columns={[
                ['When', (rule) => whenText(rule.when)],
                ['To', (rule) => rule.to.join(', ')],
              ]}
              may={may}
              edit={edit}
              forget={forget}
              toggle={(rule) =>
                perform(
                  `Rule ${rule.name} ${rule.enabled ? 'switched off' : 'switched on'}`,
                  () => save({ ...rule, enabled: !rule.enabled }),
                  () => save(rule),
                )
              }
            />
          )}
          {editing && (
            <RuleDialog
              rule={editing === 'new' ? null : editing}
              destinations={destinations}
              save={save}
              onClose={() => edit(null)}
            />
          )}
        </>
      )}
    </Whole>
  );
}

/** `CT, from CT1, described as *chest*`; every study where nothing is asked. */
export function whenText(when: TransferRule['when']): string {
  const { modality, source, label, description } = when;
  const parts = [
    modality,
    source && `from ${source}`,
    label && `labelled ${label}`,
    description && `described as ${description}`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(', ') : 'every study';
}

interface RuleDialogProps {
  rule: TransferRule | null;
  destinations: readonly string[];
  save: (rule: TransferRule) => Promise<void>;
  onClose: () => void;
}

function RuleDialog({ rule, destinations, save, onClose }: RuleDialogProps) {
  const [to, setTo] = useState<ReadonlySet<string>>(new Set(rule?.to ?? []));
  const names = [...new Set([...destinations, ...(rule?.to ?? [])])];
  const submit = (values: Values) => {
    if (to.size === 0) throw new Error('Choose where it sends to.');
    const { name = '', enabled } = values;
    const { modality = '', source = '', label = '', description = '' } = values;
    const when = { modality, source, label, description };
    return save({ name: rule?.name ?? name, when, to: [...to], enabled: enabled === 'on' });
  };
  return (
    <FormDialog
      title={rule ? `Change ${rule.name}` : 'Add a rule'}
      act="Save"
      onClose={onClose}
      onSubmit={submit}
    >
      {!rule && <Field label="Name" name="name" required maxLength={64} pattern="[^\/]+" />}
      <div class="form-grid">
        <Field label="Modality" name="modality" defaultValue={rule?.when.modality ?? ''} placeholder="any" />
        <Field label="Received from" name="source" defaultValue={rule?.when.source ?? ''} placeholder="any" />
        <Field label="Label" name="label" defaultValue={rule?.when.label ?? ''} placeholder="any" />
        <Field
          label="Description"
          name="description"
          defaultValue={rule?.when.description ?? ''}
          placeholder="any; * stands for anything"
        />
      </div>
      <fieldset class="ticks">
        <legend>Send to</legend>
        {names.length === 0 && <p class="muted">Add a peer with an address, or a DICOMweb server, first.</p>}
        {names.map((name) => (
          <Tick
            key={name}
            label={name}
            checked={to.has(name)}
            onChange={(on) => {
              const chosen = new Set(to);
              if (on) chosen.add(name);
              else chosen.delete(name);
              setTo(chosen);
            }}
          />
        ))}
      </fieldset>
      <OnOff enabled={rule?.enabled ?? true} />
    </FormDialog>
  );
}

function OnOff({ enabled }: { enabled: boolean }) {
  const [on, setOn] = useState(enabled);
  return <Tick name="enabled" label="The rule is on" checked={on} onChange={setOn} />;
}

export function Servers() {
  const loaded = useLoaded((signal) => get<Page<TransferServer>>(archive.servers, signal), 'servers');
  const [editing, edit] = useState<TransferServer | 'new' | null>(null);
  const may = can('peer.manage');
  // A secret that is gone cannot come back, so there is nothing to undo where there was one.
  const forget = async (server: TransferServer) => {
    try {
      await remove(archive.server(server.name));
      tell(`Server ${server.name} removed.`);
      await loaded.reload();
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <Whole loaded={loaded} what="servers">
      {(data) => {
        const servers = data.items;
        return (
          <>
            {may && (
              <div class="decisions">
                <Button kind="primary" icon="plus" onClick={() => edit('new')}>
                  Add a server
                </Button>
              </div>
            )}
            {servers.length === 0 && (
              <Nothing title="No DICOMweb servers yet.">
                <p>Studies can be sent to a server by STOW-RS as well as to a peer by C-STORE.</p>
              </Nothing>
            )}
            {servers.length > 0 && (
              <table class="plain wide">
                <thead>
                  <tr>
                    <th scope="col">Server</th>
                    <th scope="col">Address</th>
                    <th scope="col">Signs in with</th>
                    <th scope="col">
                      <span class="sr-only">What to do</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {servers.map((server) => (
                    <tr key={server.name}>
                      <th scope="row">{server.name}</th>
                      <td>
                        {server.url} {server.priors && <span class="label">priors</span>}
                      </td>
                      <td>{AUTH.find(([kind]) => kind === server.auth_kind)?.[1] ?? server.auth_kind}</td>
                      <td class="end">
                        {may && (
                          <>
                            <Button kind="quiet" label={`Change ${server.name}`} onClick={() => edit(server)}>
                              Change
                            </Button>
                            <Button
                              kind="quiet"
                              label={`Remove ${server.name}`}
                              onClick={() => void forget(server)}
                            >
                              Remove
                            </Button>
                          </>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
            {editing && (
              <ServerDialog
                server={editing === 'new' ? null : editing}
                reload={loaded.reload}
                onClose={() => edit(null)}
              />
            )}
          </>
        );
      }}
    </Whole>
  );
}

const AUTH = [
  ['none', 'nothing'],
  ['basic', 'name and password'],
  ['bearer', 'token'],
] as const;

interface ServerDialogProps {
  server: TransferServer | null;
  reload: () => Promise<void>;
  onClose: () => void;
}

function ServerDialog({ server, reload, onClose }: ServerDialogProps) {
  const [kind, setKind] = useState<string>(server?.auth_kind ?? 'none');
  const [priors, setPriors] = useState(server?.priors ?? false);
  const submit = async ({ name = '', url = '', auth_kind = 'none', secret = '' }: Values) => {
    await put(archive.server(server?.name ?? name), { url, auth_kind, secret: secret || null, priors });
    await reload();
  };
  return (
    <FormDialog
      title={server ? `Change ${server.name}` : 'Add a DICOMweb server'}
      act="Save"
      onClose={onClose}
      onSubmit={submit}
    >
      {!server && <Field label="Name" name="name" required maxLength={64} pattern="[^\/]+" />}
      <Field
        label="Address"
        name="url"
        type="url"
        required
        placeholder="https://pacs.example/dicom-web"
        defaultValue={server?.url ?? ''}
      />
      <Tick label="Asked for the earlier studies of patients" checked={priors} onChange={setPriors} />
      <Choice label="Signs in with" name="auth_kind" value={kind} options={AUTH} onChange={setKind} />
      {kind !== 'none' && (
        <Field
          label={kind === 'basic' ? 'Name and password, as name:password' : 'Token'}
          name="secret"
          type="password"
          autocomplete="new-password"
          hint={
            server ? 'Empty keeps the one that is stored; it is never shown.' : 'It is never shown again.'
          }
        />
      )}
    </FormDialog>
  );
}
