/** Dialogs in which a person says what a response is made of; each returns a new plan to keep. */
import type { Judgement, Plan, PlannedLesion, PlannedPoint, ResponseView } from '../../api';
import { Choice, Field, FormDialog, Tick, type Values } from '../../ui/form';
import { day } from '../../ui/format';
import { Button } from '../../ui/primitives';
import {
  idOf,
  lesionsOf,
  newUid,
  pointsOf,
  ROLES,
  type Role,
  STATES,
  withJudgement,
  withLesion,
  withNewLesion,
  withoutLesion,
  withPoint,
  withStudies,
} from './plan';

interface Editing {
  shown: ResponseView;
  onClose: () => void;
  /** Resolves once it is kept; says in words what was done. */
  onKeep: (plan: Plan, done: string) => Promise<void>;
}

const ORGANS = [
  'lung', 'lymph node', 'liver', 'brain', 'bone', 'adrenal gland', 'kidney', 'pleura', 'peritoneum', 'spleen',
  'pancreas', 'skin', 'muscle', 'breast', 'thyroid',
]; // biome-ignore format: a list

type Pairs = readonly (readonly [string, string])[];
const UNSAID = ['', 'not said'] as const;
const ASKED: Record<string, { label: string; options: Pairs }> = {
  clinical: {
    label: 'Clinical state, against the baseline',
    options: [UNSAID, ['improved', 'improved'], ['stable', 'stable'], ['worse', 'worse']],
  },
  steroids: {
    label: 'Steroids, against the baseline',
    options: [UNSAID, ['none', 'none'], ['less', 'less'], ['same', 'same'], ['more', 'more']],
  },
  deauville: {
    label: 'Deauville score',
    options: [UNSAID, ...['1', '2', '3', '4', '5'].map((n) => [n, n] as const)],
  },
  uptake: {
    label: 'Uptake, against the baseline',
    options: [UNSAID, ['less', 'less'], ['same', 'same'], ['more', 'more']],
  },
};
const NUMBERS: Record<string, string> = {
  long_axis_mm: 'Long axis, mm',
  short_axis_mm: 'Short axis, mm',
  viable_mm: 'Viable long axis, mm',
  volume_mm3: 'Volume, mm³',
  density_hu: 'Density, HU',
  sul_peak: 'SULpeak, g/ml',
  tlg_g: 'Total lesion glycolysis, g',
};
const REFERENCE = [
  ['liver_mean', 'Liver SUL, mean, g/ml'],
  ['liver_sd', 'Liver SUL, SD, g/ml'],
  ['aorta_mean', 'Aorta SUL, mean, g/ml'],
  ['aorta_sd', 'Aorta SUL, SD, g/ml'],
] as const;

const number = (text: string | undefined): number | null => (text ? Number(text) : null);
const word = <T extends string>(text: string | undefined): T | null => (text ? (text as T) : null);

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
const optional = (name: string, value: number | string | null | undefined) =>
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

/** What a criterion asks of a time point. */
export function PointDialog({ shown, at, onClose, onKeep }: Editing & { at: string }) {
  const planned = pointsOf(shown.plan).find((one) => idOf(one) === at);
  const point = shown.points.find((one) => one.study_uid === at);
  if (!planned || !point) return null;
  const asks = shown.criterion.asks_of_points;
  const keep = async (values: Values) => {
    const change: Partial<PlannedPoint> = {
      ...(asks.includes('clinical') && { clinical: word(values.clinical) }),
      ...(asks.includes('steroids') && { steroids: word(values.steroids) }),
      ...(asks.includes('uptake') && { uptake: word(values.uptake) }),
      ...(asks.includes('deauville') && { deauville: number(values.deauville) }),
      ...(asks.includes('slice_mm') && { slice_mm: number(values.slice_mm) }),
      ...(asks.includes('spleen_mm') && { spleen_mm: number(values.spleen_mm) }),
      ...(asks.includes('new_symptoms') && { new_symptoms: values.new_symptoms === 'on' }),
      ...(asks.includes('reference') && { reference: referenceOf(values) }),
    };
    await onKeep(withPoint(shown.plan, at, change), `${day(point.date)} changed`);
  };
  return (
    <FormDialog
      ready
      title={`${day(point.date)}, ${point.exams.join(', ')}`}
      act="Keep"
      onClose={onClose}
      onSubmit={keep}
    >
      {asks.length === 0 && <p class="muted">{shown.criterion.title} asks nothing more of a time point.</p>}
      {Object.entries(ASKED).map(
        ([name, { label, options }]) =>
          asks.includes(name) && (
            <Choice
              key={name}
              label={label}
              name={name}
              value={String(planned[name as keyof PlannedPoint] ?? '')}
              options={options}
            />
          ),
      )}
      {asks.includes('slice_mm') && (
        <Field
          label="Slice thickness, mm"
          name="slice_mm"
          type="number"
          step="any"
          min={0.01}
          {...optional('defaultValue', planned.slice_mm)}
          hint="Thick slices raise the size from which a lesion is measurable"
        />
      )}
      {asks.includes('spleen_mm') && (
        <Field
          label="Length of the spleen, mm"
          name="spleen_mm"
          type="number"
          step="any"
          min={1}
          {...optional('defaultValue', planned.spleen_mm)}
        />
      )}
      {asks.includes('new_symptoms') && (
        <Tick
          label="The scan was made for new symptoms"
          name="new_symptoms"
          checked={planned.new_symptoms ?? false}
        />
      )}
      {asks.includes('reference') && (
        <div class="form-grid">
          {REFERENCE.map(([name, label]) => (
            <Field
              key={name}
              label={label}
              name={name}
              type="number"
              step="any"
              min={0}
              {...optional('defaultValue', planned.reference?.[name])}
            />
          ))}
          <Tick
            label="The liver is diseased"
            name="liver_is_diseased"
            checked={planned.reference?.liver_is_diseased ?? false}
          />
        </div>
      )}
    </FormDialog>
  );
}

function referenceOf(values: Values): PlannedPoint['reference'] {
  const read = Object.fromEntries(REFERENCE.map(([name]) => [name, number(values[name])]));
  return { ...read, liver_is_diseased: values.liver_is_diseased === 'on' };
}

/** Treatment, protocol and time points: what holds for the whole course. */
export function CourseDialog({ shown, onClose, onKeep }: Editing) {
  const { plan } = shown;
  const taken = new Set(pointsOf(plan).flatMap((point) => point.studies));
  const baseline = pointsOf(plan)[0];
  const keep = async (values: Values) => {
    const chosen = shown.studies.filter((study) => values[`study ${study.uid}`] === 'on');
    const studies = withStudies(plan, chosen, values.baseline ?? '');
    await onKeep(
      {
        ...studies,
        treatment: values.treatment ?? '',
        treatment_start: values.treatment_start || null,
        treatment_end: values.treatment_end || null,
        radiotherapy_end: values.radiotherapy_end || null,
        protocol: {
          sticky_response: values.sticky_response === 'on',
          confirm_response: values.confirm_response === '' ? null : values.confirm_response === 'yes',
          minimum_stable_days: number(values.minimum_stable_days),
          immunotherapy: values.immunotherapy === 'on',
        },
      },
      'Course changed',
    );
  };
  const protocol = plan.protocol ?? {};
  return (
    <FormDialog
      ready
      title="Treatment, protocol, time points"
      act="Keep"
      wide
      onClose={onClose}
      onSubmit={keep}
    >
      <div class="form-grid">
        <Field label="Treatment" name="treatment" maxLength={120} defaultValue={plan.treatment ?? ''} />
        <Field label="Began" name="treatment_start" type="date" defaultValue={plan.treatment_start ?? ''} />
        <Field label="Ended" name="treatment_end" type="date" defaultValue={plan.treatment_end ?? ''} />
        <Field
          label="Radiotherapy ended"
          name="radiotherapy_end"
          type="date"
          defaultValue={plan.radiotherapy_end ?? ''}
          hint="Asked by RANO"
        />
        <Choice
          label="CR and PR must be confirmed"
          name="confirm_response"
          value={protocol.confirm_response === true ? 'yes' : protocol.confirm_response === false ? 'no' : ''}
          options={[
            ['', 'as the criterion says'],
            ['yes', 'yes'],
            ['no', 'no'],
          ]}
        />
        <Field
          label="Stable disease lasts at least, days"
          name="minimum_stable_days"
          type="number"
          min={0}
          {...optional('defaultValue', protocol.minimum_stable_days)}
        />
      </div>
      <Tick
        label="A response once reached stays until progression"
        name="sticky_response"
        checked={protocol.sticky_response ?? false}
      />
      <Tick
        label="The treatment is an immunotherapy (RANO-BM: new lesions alone are no progression)"
        name="immunotherapy"
        checked={protocol.immunotherapy ?? false}
      />
      <fieldset class="studies">
        <legend>
          Time points; studies of one day are one. The baseline comes first, earlier ones do not count.
        </legend>
        {shown.studies.map((study) => (
          <div key={study.uid}>
            <Tick
              label={`${day(study.date)}  ${study.exam}`}
              name={`study ${study.uid}`}
              checked={taken.has(study.uid)}
            />
            <label class="check">
              <input
                type="radio"
                name="baseline"
                value={study.uid}
                checked={baseline?.studies.includes(study.uid) ?? false}
              />
              baseline
            </label>
          </div>
        ))}
      </fieldset>
    </FormDialog>
  );
}
