/** Enter an order: whom it is for, what is wanted, and when and where it is done. */
import { post } from '../../api';
import { archive, type Order, type OrderEntry } from '../../api/archive';
import { Choice, Field, FormDialog, type Values } from '../../ui/form';
import { dicomDate } from '../../ui/format';
import { joinName } from '../../ui/names';
import { tell } from '../../ui/toasts';

const MODALITIES = ['CT', 'MR', 'DX', 'CR', 'US', 'MG', 'PT', 'NM', 'XA', 'RF'] as const;

const PRIORITIES = [
  ['routine', 'routine'],
  ['high', 'high'],
  ['stat', 'at once'],
  ['medium', 'medium'],
  ['low', 'low'],
] as const;

interface OrderDialogProps {
  onClose: () => void;
  onEntered: (id: string) => Promise<void>;
}

export function OrderDialog({ onClose, onEntered }: OrderDialogProps) {
  const submit = async (values: Values) => {
    const order = await post<Order>(archive.orders, entryOf(values));
    tell(`Entered under accession number ${order.accession}.`);
    await onEntered(order.id);
  };
  return (
    <FormDialog title="Enter an order" act="Enter" onClose={onClose} onSubmit={submit} wide>
      <fieldset class="ticks">
        <legend>Patient</legend>
        <div class="form-grid three">
          <Field label="Patient ID" name="patient_id" required maxLength={64} />
          <Field label="Family name" name="family" required maxLength={64} />
          <Field label="Given name" name="given" maxLength={64} />
          <Field label="Birth date" name="birth_date" type="date" />
          <Choice
            label="Sex"
            name="sex"
            options={[
              ['', 'not given'],
              ['F', 'female'],
              ['M', 'male'],
              ['O', 'other'],
            ]}
          />
          <Field label="Issuer of the ID" name="issuer" maxLength={64} hint="Empty: the house’s own." />
        </div>
      </fieldset>
      <fieldset class="ticks">
        <legend>What is wanted</legend>
        <div class="form-grid three">
          <Field label="Procedure" name="procedure" required maxLength={64} placeholder="CT chest" />
          <Choice label="Priority" name="priority" options={PRIORITIES} />
          <Field label="Referring physician" name="referring" maxLength={64} placeholder="Family^Given" />
        </div>
        <Field label="Indication" name="indication" maxLength={1000} />
      </fieldset>
      <fieldset class="ticks">
        <legend>When and where</legend>
        <div class="form-grid three">
          <Field
            label="Scheduled"
            name="scheduled_at"
            type="datetime-local"
            required
            defaultValue={nextQuarter(new Date())}
          />
          <Field
            label="Modality"
            name="modality"
            required
            maxLength={16}
            pattern="[A-Z0-9_]+"
            suggestions={MODALITIES}
          />
          <Field label="Station, AE title" name="station_ae" maxLength={16} hint="Empty: offered to all." />
        </div>
      </fieldset>
      <p class="muted small">The accession number and the study UID are given by the archive.</p>
    </FormDialog>
  );
}

/** What the server is told. */
export function entryOf(values: Values): OrderEntry {
  const text = (name: string) => values[name] ?? '';
  return {
    patient: {
      patient_id: text('patient_id'),
      issuer: text('issuer'),
      name: joinName(text('family'), text('given')),
      birth_date: dicomDate(text('birth_date')),
      sex: text('sex'),
    },
    requested_procedure: { description: text('procedure') },
    priority: (text('priority') || 'routine') as NonNullable<OrderEntry['priority']>,
    referring: text('referring'),
    indication: text('indication'),
    steps: [
      {
        modality: text('modality'),
        station_ae: text('station_ae'),
        description: text('procedure'),
        scheduled_at: text('scheduled_at'),
      },
    ],
  };
}

/** The next full quarter of an hour, as a date-time field has it. */
export function nextQuarter(now: Date): string {
  const at = new Date(now);
  at.setMinutes(Math.ceil((at.getMinutes() + 1) / 15) * 15, 0, 0);
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
