/** Dialogs in which a person says what holds of a time point, and of the whole course. */
import type { PlannedPoint } from '../../api';
import { Choice, Field, FormDialog, Tick, type Values } from '../../ui/form';
import { day } from '../../ui/format';
import { type Editing, number, optional, UNSAID, word } from './editing';
import { idOf, pointsOf, withPoint, withStudies } from './plan';

type Pairs = readonly (readonly [string, string])[];
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
const REFERENCE = [
  ['liver_mean', 'Liver SUL, mean, g/ml'],
  ['liver_sd', 'Liver SUL, SD, g/ml'],
  ['aorta_mean', 'Aorta SUL, mean, g/ml'],
  ['aorta_sd', 'Aorta SUL, SD, g/ml'],
] as const;

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
    const chosen = shown.studies.filter(
      (study) => values[`study ${study.uid}`] === 'on' || study.uid === values.baseline,
    );
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
                required
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
