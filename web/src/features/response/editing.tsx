/** Dialogs in which a person says what a lesion is and what was seen of it; each returns a new plan to keep. */
import type { Judgement, Plan, PlannedLesion, ResponseView } from '../../api';
import { Choice, Field, FormDialog, Tick, type Values } from '../../ui/form';
import { day } from '../../ui/format';
import { Button } from '../../ui/primitives';
import {
  lesionsOf,
  newUid,
  ROLES,
  type Role,
  STATES,
  withJudgement,
  withLesion,
  withNewLesion,
  withoutLesion,
} from './plan';

export interface Editing {
  shown: ResponseView;
  onClose: () => void;
  /** Resolves once it is kept; says in words what was done. */
  onKeep: (plan: Plan, done: string) => Promise<void>;
}

const ORGANS = [
  'lung',
  'lymph node',
  'liver',
  'brain',
  'bone',
  'adrenal gland',
  'kidney',
  'pleura',
  'peritoneum',
  'spleen',
  'pancreas',
  'skin',
  'muscle',
  'breast',
  'thyroid',
];

export const UNSAID = ['', 'not said'] as const;
const NUMBERS: Record<string, string> = {
  long_axis_mm: 'Long axis, mm',
  short_axis_mm: 'Short axis, mm',
  viable_mm: 'Viable long axis, mm',
  volume_mm3: 'Volume, mm³',
  density_hu: 'Density, HU',
  sul_peak: 'SULpeak, g/ml',
  tlg_g: 'Total lesion glycolysis, g',
};
export const number = (text: string | undefined): number | null => (text ? Number(text) : null);
export const word = <T extends string>(text: string | undefined): T | null => (text ? (text as T) : null);

/** One lesion at one time point. */
export function CellDialog({ shown, lesion, at, onClose, onKeep }: Editing & { lesion: string; at: string }) {
  const planned = lesionsOf(shown.plan).find((one) => one.tracking_uid === lesion);
  const row = shown.lesions.find((one) => one.tracking_uid === lesion);
  const point = shown.points.find((one) => one.study_uid === at);
  if (!planned || !row || !point) return null;
  const said: Judgement = planned.judgements?.[at] ?? {};
  const cell = row.cells.find((one) => one.study_uid === at);
  const asks = new Set(shown.criterion.asks_of_lesions);
  const others = shown.lesions.filter((one) => one.tracking_uid !== lesion);
  const keep = async (values: Values) => {
    const into = values.into ? [values.into, values.into2 ?? ''].filter(Boolean) : [];
    const next: Judgement = {
      ...said,
      state: word(values.state),
      into,
      ...(asks.has('grew') && { grew: values.grew === '' ? null : values.grew === 'yes' }),
      ...(asks.has('new_nodule') && { new_nodule: values.new_nodule === 'on' }),
      ...Object.fromEntries(shown.criterion.values.map((name) => [name, number(values[name])])),
    };
    const silent = Object.values(next).every(
      (v) => v === null || v === false || (Array.isArray(v) && !v.length),
    );
    await onKeep(
      withJudgement(shown.plan, lesion, at, silent ? null : next),
      `${row.code}, ${day(point.date)}`,
    );
  };
  return (
    <FormDialog
      ready
      title={`${row.code} ${row.label}, ${day(point.date)}`}
      act="Keep"
      onClose={onClose}
      onSubmit={keep}
    >
      <Choice label="What is seen" name="state" value={said.state ?? ''} options={STATES} />
      <div class="form-grid">
        {shown.criterion.values.map((name) => (
          <Field
            key={name}
            label={NUMBERS[name] ?? name}
            name={name}
            type="number"
            step="any"
            min={name === 'density_hu' ? -2000 : 0}
            {...optional('defaultValue', said[name as keyof Judgement] as number | null)}
            hint={hint(cell?.values ?? [], name)}
          />
        ))}
      </div>
      {asks.has('grew') && (
        <Choice
          label="Larger than at the time point before"
          name="grew"
          value={said.grew === true ? 'yes' : said.grew === false ? 'no' : ''}
          options={[UNSAID, ['yes', 'yes'], ['no', 'no']]}
        />
      )}
      {asks.has('new_nodule') && (
        <Tick
          label="A nodule appeared or grew inside it"
          name="new_nodule"
          checked={said.new_nodule ?? false}
        />
      )}
      <details open={(said.into ?? []).length > 0}>
        <summary>Split or merged</summary>
        {['into', 'into2'].map((name, k) => (
          <Choice
            key={name}
            label={k === 0 ? 'Into' : 'And into'}
            name={name}
            value={said.into?.[k] ?? ''}
            options={[['', 'none'], ...others.map((o) => [o.tracking_uid, `${o.code} ${o.label}`] as const)]}
          />
        ))}
      </details>
      {cell?.finding_id && (
        <p class="small muted">
          The finding is measured and corrected where it is read: <a href={`/study/${at}`}>open the study</a>.
        </p>
      )}
    </FormDialog>
  );
}

function hint(values: ResponseView['lesions'][number]['cells'][number]['values'], name: string): string {
  const quantity: Record<string, string> = {
    long_axis_mm: 'long-axis',
    short_axis_mm: 'short-axis',
    viable_mm: 'viable-long-axis',
    volume_mm3: 'volume',
    density_hu: 'density',
    sul_peak: 'sul-peak',
    tlg_g: 'tlg',
  };
  const found = values.find((value) => value.quantity === quantity[name]);
  return found ? `now ${Number(found.value.toFixed(2))}; ${found.method}` : 'not measured';
}

/** A property only where there is something to say. */
export const optional = (name: string, value: number | string | null | undefined) =>
  value === null || value === undefined ? {} : { [name]: value };

/** What a lesion is: role, organ, and what the criterion asks. Without one: a lesion that no finding stands for. */
export function LesionDialog({ shown, lesion, onClose, onKeep }: Editing & { lesion: string | null }) {
  const planned = lesionsOf(shown.plan).find((one) => one.tracking_uid === lesion);
  const asks = new Set(shown.criterion.asks_of_lesions);
  const keep = async (values: Values) => {
    const change = {
      label: values.label || 'lesion',
      organ: values.organ ?? '',
      role: values.role as Role,
      is_node: values.is_node === 'on',
      ...(asks.has('pattern') && { pattern: word<'typical' | 'atypical'>(values.pattern) }),
      ...(asks.has('component') && {
        component: values.component as NonNullable<PlannedLesion['component']>,
      }),
      ...(asks.has('out_of_field') && { out_of_field: values.out_of_field === 'on' }),
    };
    const uid = lesion ?? (values.known || newUid());
    const plan = planned
      ? withLesion(shown.plan, uid, change)
      : withNewLesion(shown.plan, { tracking_uid: uid, ...change });
    await onKeep(plan, planned ? `${change.label} changed` : `${change.label} added`);
  };
  const title = planned ? `${planned.label}` : 'Add a lesion';
  return (
    <FormDialog ready title={title} act="Keep" onClose={onClose} onSubmit={keep}>
      {!planned && shown.left_out.length > 0 && (
        <Choice
          label="A lesion that was found"
          name="known"
          options={[
            ['', 'none: seen, not measured'],
            ...shown.left_out.map((o) => [o.uid, o.label] as const),
          ]}
        />
      )}
      <Field label="Name" name="label" required maxLength={120} defaultValue={planned?.label ?? ''} />
      <div class="form-grid">
        <Choice
          label="Part in the evaluation"
          name="role"
          value={planned?.role ?? 'non-target'}
          options={ROLES.map(([role, , one]) => [role, one] as const)}
        />
        <Field
          label="Organ"
          name="organ"
          maxLength={120}
          defaultValue={planned?.organ ?? ''}
          suggestions={ORGANS}
          hint="Targets are limited in each organ"
        />
      </div>
      <Tick label="A lymph node: its short axis counts" name="is_node" checked={planned?.is_node ?? false} />
      {asks.has('pattern') && (
        <Choice
          label="Looks"
          name="pattern"
          value={planned?.pattern ?? ''}
          options={[UNSAID, ['typical', 'typical of the disease'], ['atypical', 'not typical']]}
        />
      )}
      {asks.has('component') && (
        <Choice
          label="Part of the tumour"
          name="component"
          value={planned?.component ?? 'enhancing'}
          options={[
            ['enhancing', 'enhancing'],
            ['non-enhancing', 'non-enhancing'],
          ]}
        />
      )}
      {asks.has('out_of_field') && (
        <Tick
          label="Clearly outside the irradiated field"
          name="out_of_field"
          checked={planned?.out_of_field ?? false}
        />
      )}
      {planned && lesion && (
        <Button
          onClick={() =>
            void onKeep(withoutLesion(shown.plan, lesion), `${planned.label} left out`).then(
              onClose,
              () => {},
            )
          }
        >
          Leave it out
        </Button>
      )}
    </FormDialog>
  );
}
