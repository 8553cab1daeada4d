/** Enter a treatment or a laboratory value by hand, and look at one entry of the chart. */
import type { ChartEvent, EventBody } from '../../api';
import { can } from '../../app/session';
import { Choice, Field, FormDialog, type Values } from '../../ui/form';
import { moment } from '../../ui/format';
import { Button, Dialog } from '../../ui/primitives';
import { codeName, sourceOf } from './curves';
import type { TimelineStore } from './store';
import { spanText } from './treatments';

const LOINC = 'http://loinc.org';
const CATEGORIES = [
  ['medication', 'medication'],
  ['radiotherapy', 'radiotherapy'],
  ['surgery', 'surgery'],
  ['procedure', 'other procedure'],
] as const;
const UNITS = ['g/dL', 'mg/dL', 'mmol/L', 'umol/L', 'U/L', 'ng/mL', 'ug/L', 'mg/L', '10*3/uL', '%', '1'];

interface EnterProps {
  store: TimelineStore;
  onClose: () => void;
}

export function EnterTreatment({ store, onClose }: EnterProps) {
  return (
    <FormDialog
      title="Enter a treatment"
      act="Enter"
      onClose={onClose}
      onSubmit={(values) => store.enter(treatmentOf(values))}
    >
      <Field label="What was given or done" name="name" required maxLength={200} />
      <div class="form-grid">
        <Choice label="Kind" name="category" options={CATEGORIES} />
        <Field label="Start" name="start" type="date" required />
        <Field label="End" name="stop" type="date" hint="Empty: it goes on." />
      </div>
    </FormDialog>
  );
}

export function EnterLab({ store, onClose }: EnterProps) {
  return (
    <FormDialog
      title="Enter a laboratory value"
      act="Enter"
      onClose={onClose}
      onSubmit={(values) => store.enter(labOf(values))}
    >
      <div class="form-grid">
        <Field
          label="Test"
          name="name"
          required
          maxLength={200}
          suggestions={[...new Set(store.labs.value.map((curve) => curve.label))]}
        />
        <Field label="LOINC code" name="loinc" maxLength={16} pattern="\d{1,7}-\d" placeholder="2532-0" />
        <Field label="Date" name="start" type="date" required />
        <Field label="Value" name="value" type="number" step="any" required />
        <Field label="Unit (UCUM; 1 for none)" name="unit" required maxLength={32} suggestions={UNITS} />
        <Field label="Reference range from" name="low" type="number" step="any" />
        <Field label="Reference range to" name="high" type="number" step="any" />
      </div>
    </FormDialog>
  );
}

export function treatmentOf(values: Values): EventBody {
  const { name = '', category = '', start = '', stop } = values;
  return {
    kind: 'treatment',
    name,
    category,
    start,
    stop: stop || null,
    status: stop ? 'completed' : 'active',
  };
}

export function labOf(values: Values): EventBody {
  const { name = '', start = '', unit = '', loinc } = values;
  const number = (text: string | undefined) => (text ? Number(text) : null);
  return {
    kind: 'lab',
    name,
    start,
    unit,
    value: number(values.value),
    low: number(values.low),
    high: number(values.high),
    code: loinc ? { system: LOINC, value: loinc, meaning: name } : null,
  };
}

interface EntryProps extends EnterProps {
  event: ChartEvent;
}

/** One entry: what, when, where it is from; who may can take it away, and back. */
export function Entry({ store, event, onClose }: EntryProps) {
  const facts: [string, string][] = [
    ['When', event.kind === 'lab' ? event.start : spanText(event)],
    ['Kind', event.category ?? ''],
    ['State', event.status ?? ''],
    ['Code', codeName(event)],
    ['Source', sourceOf(event)],
    ['Entered', moment(event.entered_at)],
  ];
  return (
    <Dialog title={event.name} onClose={onClose}>
      <dl class="facts">
        {facts
          .filter(([, words]) => words)
          .map(([name, words]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{words}</dd>
            </div>
          ))}
      </dl>
      {can('chart.edit') && (
        <div class="decisions end">
          <Button
            onClick={() => {
              onClose();
              void store.remove(event);
            }}
          >
            Remove
          </Button>
        </div>
      )}
    </Dialog>
  );
}
