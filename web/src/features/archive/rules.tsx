/** The rules of the archive: what is set right in what comes in, and how long studies are kept. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { get, put } from '../../api';
import { type ArchiveRules, archive, type CoercionRule, type RetentionRule } from '../../api/archive';
import { Frame } from '../../app/frame';
import { can } from '../../app/session';
import { Choice, Field, FormDialog, Tick, type Values } from '../../ui/form';
import { count } from '../../ui/format';
import { useLoaded } from '../../ui/load';
import { Button } from '../../ui/primitives';
import { RuleTable } from '../../ui/rules';
import { Nothing, Whole } from '../../ui/states';
import { perform } from '../../ui/toasts';
import './archive.css';

type Kind = keyof ArchiveRules;
type RuleOf<K extends Kind> = ArchiveRules[K][number];
type Save = <K extends Kind>(kind: K, rules: readonly RuleOf<K>[]) => Promise<void>;

export function ArchiveRulesPage() {
  const loaded = useLoaded((signal) => get<ArchiveRules>(archive.rules, signal), 'rules');
  const may = can('archive.correct') && can('archive.delete');
  const rules = loaded.data;
  const save: Save = async (kind, list) => {
    await put(archive.rules, { ...rules, [kind]: list });
    await loaded.reload();
  };
  return (
    <Frame title="Rules" foot={rules ? count(rules.coercion.length + rules.retention.length, 'rule') : null}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <main class="sheet" tabIndex={0}>
        <Whole loaded={loaded} what="rules">
          {({ coercion, retention }) => (
            <>
              <Section
                kind="coercion"
                title="At the door"
                about="What a rule sets right is what lists, viewers and receivers see. The bytes stay as they came, and each change stands in the study’s corrections."
                empty="Everything is shown as it comes."
                when={coercionWhen}
                what={coercionWhat}
                Dialog={CoercionDialog}
                list={coercion}
                may={may}
                save={save}
              />
              <Section
                kind="retention"
                title="How long studies are kept"
                about="The first rule that is about a study decides. Where none is, it is kept for ever; so is what is on hold."
                empty="Everything is kept for ever."
                when={retentionWhen}
                what={retentionWhat}
                Dialog={RetentionDialog}
                list={retention}
                may={may}
                save={save}
              />
            </>
          )}
        </Whole>
      </main>
    </Frame>
  );
}

interface SectionProps<K extends Kind> {
  kind: K;
  title: string;
  about: string;
  empty: string;
  when: (rule: RuleOf<K>) => string;
  what: (rule: RuleOf<K>) => string;
  Dialog: (props: DialogProps<RuleOf<K>>) => JSX.Element;
  list: readonly RuleOf<K>[];
  may: boolean;
  save: Save;
}

function Section<K extends Kind>({ kind, title, about, empty, ...rest }: SectionProps<K>) {
  const { when, what, Dialog, list, may, save } = rest;
  const [editing, edit] = useState<RuleOf<K> | 'new' | null>(null);
  const change = (words: string, wanted: readonly RuleOf<K>[]) =>
    perform(
      words,
      () => save(kind, wanted),
      () => save(kind, list),
    );
  return (
    <section>
      <h2>{title}</h2>
      <p class="muted">{about}</p>
      {list.length === 0 ? (
        <Nothing title={empty} />
      ) : (
        <RuleTable
          rules={list}
          columns={[
            ['For', when],
            ['What it does', what],
          ]}
          may={may}
          edit={edit}
          toggle={(rule) =>
            change(
              `Rule ${rule.name} ${rule.enabled ? 'switched off' : 'switched on'}`,
              placed(list, rule, { ...rule, enabled: !rule.enabled }),
            )
          }
          forget={(rule) =>
            change(
              `Rule ${rule.name} removed`,
              list.filter((one) => one.name !== rule.name),
            )
          }
        />
      )}
      {may && (
        <div class="decisions">
          <Button icon="plus" label={`Add a rule: ${kind}`} onClick={() => edit('new')}>
            Add a rule
          </Button>
        </div>
      )}
      {editing && (
        <Dialog
          rule={editing === 'new' ? null : editing}
          onClose={() => edit(null)}
          save={(rule) => save(kind, placed(list, editing, rule))}
        />
      )}
    </section>
  );
}

/** A list with a rule in the place of the one that was changed, or behind all others. */
export function placed<R extends { name: string }>(list: readonly R[], editing: R | 'new', rule: R): R[] {
  return editing === 'new' ? [...list, rule] : list.map((one) => (one.name === editing.name ? rule : one));
}

const WAYS: readonly (readonly [string, string])[] = [
  ['', 'any way'],
  ['dimse', 'DICOM'],
  ['stow', 'DICOMweb'],
  ['import', 'import'],
];

/** `CT, from CT1, by DICOM`; everything where nothing is asked. */
export function coercionWhen({ modality, source, kind }: CoercionRule): string {
  const way = WAYS.find(([value]) => value === kind)?.[1];
  const parts = [modality, source && `from ${source}`, kind && `by ${way ?? kind}`].filter(Boolean);
  return parts.length > 0 ? parts.join(', ') : 'everything';
}

export function coercionWhat(rule: CoercionRule): string {
  const fixed = Object.entries(rule.fixed ?? {});
  return [
    rule.character_set && `texts are in ${rule.character_set} where nothing else is said`,
    rule.patient_id_prefix && `patient IDs begin with ${rule.patient_id_prefix}`,
    rule.issuer && `patient IDs are of ${rule.issuer}`,
    rule.remove_private && 'private attributes are left out',
    ...fixed.map(([name, value]) => (value === null ? `no ${name}` : `${name} is ${value}`)),
  ]
    .filter(Boolean)
    .join('; ');
}

const BASES: readonly (readonly [string, string])[] = [
  ['received', 'when it was received'],
  ['used', 'when it was last used'],
  ['study-date', 'the study’s date'],
];

export function retentionWhen({ modality, label }: RetentionRule): string {
  const parts = [modality, label && `labelled ${label}`].filter(Boolean);
  return parts.length > 0 ? parts.join(', ') : 'every study';
}

export function retentionWhat({ keep_days, basis, action }: RetentionRule): string {
  const from = BASES.find(([value]) => value === (basis ?? 'received'))?.[1] ?? basis;
  const then = action === 'trash' ? 'then into the trash' : 'then proposed for deletion';
  return `kept ${count(keep_days, 'day')} from ${from}, ${then}`;
}

/** `Name = value` in each line; a name alone takes the attribute out. */
export function readFixed(text: string): Record<string, string | null> {
  const fixed: Record<string, string | null> = {};
  for (const line of text.split('\n')) {
    const [name = '', ...rest] = line.split('=');
    if (name.trim()) fixed[name.trim()] = rest.length > 0 ? rest.join('=').trim() : null;
  }
  return fixed;
}

const writeFixed = (fixed: Readonly<Record<string, string | null>>): string =>
  Object.entries(fixed)
    .map(([name, value]) => (value === null ? name : `${name} = ${value}`))
    .join('\n');

interface DialogProps<R> {
  rule: R | null;
  save: (rule: R) => Promise<void>;
  onClose: () => void;
}

function CoercionDialog({ rule, save, onClose }: DialogProps<CoercionRule>) {
  const [bare, setBare] = useState(rule?.remove_private ?? false);
  const submit = (values: Values) => {
    const { name = '', modality = '', source = '', kind = '', fixed = '' } = values;
    const { character_set = '', patient_id_prefix = '', issuer = '' } = values;
    const changes = {
      character_set,
      patient_id_prefix,
      issuer,
      fixed: readFixed(fixed),
      remove_private: bare,
    };
    return save({ name, enabled: rule?.enabled ?? true, modality, source, kind, ...changes });
  };
  return (
    <FormDialog
      title={rule ? `Change ${rule.name}` : 'Add a rule for what comes in'}
      act="Save"
      onClose={onClose}
      onSubmit={submit}
      wide
    >
      <Field label="Name" name="name" required maxLength={64} defaultValue={rule?.name ?? ''} />
      <div class="form-grid">
        <Field label="Modality" name="modality" defaultValue={rule?.modality ?? ''} placeholder="any" />
        <Field
          label="Received from"
          name="source"
          defaultValue={rule?.source ?? ''}
          placeholder="any; * stands for anything"
        />
        <Choice label="By" name="kind" options={WAYS} value={rule?.kind ?? ''} />
        <Field
          label="Character set where none is said"
          name="character_set"
          defaultValue={rule?.character_set ?? ''}
          placeholder="ISO_IR 100"
        />
        <Field
          label="Prefix of patient IDs"
          name="patient_id_prefix"
          maxLength={32}
          defaultValue={rule?.patient_id_prefix ?? ''}
        />
        <Field
          label="Issuer of patient IDs where none is said"
          name="issuer"
          maxLength={64}
          defaultValue={rule?.issuer ?? ''}
        />
      </div>
      <label class="form-field">
        <span>Attributes that are always so</span>
        <textarea class="field" name="fixed" rows={3} defaultValue={writeFixed(rule?.fixed ?? {})} />
        <small class="muted">One in a line: InstitutionName = St. Mary; a name alone takes it out.</small>
      </label>
      <Tick label="Leave private attributes out" checked={bare} onChange={setBare} />
    </FormDialog>
  );
}

function RetentionDialog({ rule, save, onClose }: DialogProps<RetentionRule>) {
  const submit = (values: Values) => {
    const { name = '', modality = '', label = '', keep_days = '' } = values;
    return save({
      name,
      enabled: rule?.enabled ?? true,
      modality,
      label,
      keep_days: Number(keep_days),
      basis: values.basis as RetentionRule['basis'],
      action: values.action as RetentionRule['action'],
    });
  };
  return (
    <FormDialog
      title={rule ? `Change ${rule.name}` : 'Add a rule of how long studies are kept'}
      act="Save"
      onClose={onClose}
      onSubmit={submit}
    >
      <Field label="Name" name="name" required maxLength={64} defaultValue={rule?.name ?? ''} />
      <div class="form-grid">
        <Field label="Modality" name="modality" defaultValue={rule?.modality ?? ''} placeholder="any" />
        <Field label="Label" name="label" defaultValue={rule?.label ?? ''} placeholder="any" />
        <Field
          label="Days"
          name="keep_days"
          type="number"
          min={1}
          max={100_000}
          required
          defaultValue={rule ? String(rule.keep_days) : ''}
        />
        <Choice label="Counted from" name="basis" options={BASES} value={rule?.basis ?? 'received'} />
        <Choice
          label="Then"
          name="action"
          value={rule?.action ?? 'propose'}
          options={[
            ['propose', 'propose it for deletion'],
            ['trash', 'put it into the trash'],
          ]}
        />
      </div>
    </FormDialog>
  );
}
