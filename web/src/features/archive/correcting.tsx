/** Dialogs that put right what is wrong: attributes, patient, series, quality. */
import { useState } from 'preact/hooks';
import { get } from '../../api';
import {
  archive,
  type HeldPatient,
  type HeldSeries,
  type RejectionReason,
  type StudyDetail,
  type StudyRow,
} from '../../api/archive';
import { Choice, Field, FormDialog, Tick, type Values } from '../../ui/form';
import { count, day, dicomDate, isoDate } from '../../ui/format';
import { useLoaded } from '../../ui/load';
import { personName } from '../../ui/names';
import { Button, Notice, Skeleton } from '../../ui/primitives';
import type { Acts } from './acts';
import { PatientPicker } from './picking';
import { examOf } from './store';

interface OneProps {
  acts: Acts;
  row: StudyRow;
  detail: StudyDetail | null;
}

export function Reason({ hint }: { hint?: string }) {
  return (
    <Field
      label="Reason"
      name="reason"
      required
      maxLength={500}
      hint={hint ?? 'Kept with your name in the history of the study.'}
    />
  );
}

interface Editable {
  keyword: string;
  label: string;
  value: string;
  type?: 'date' | 'number' | 'sex';
}

/** What can be corrected of a study. */
export function studyFields(row: StudyRow): Editable[] {
  return [
    { keyword: 'StudyDescription', label: 'Description', value: row.description },
    { keyword: 'AccessionNumber', label: 'Accession number', value: row.accession },
    { keyword: 'StudyDate', label: 'Study date', value: row.date, type: 'date' },
  ];
}

function patientFields({ patient }: StudyRow): Editable[] {
  return [
    { keyword: 'PatientName', label: 'Name, as Family^Given', value: patient.name },
    { keyword: 'PatientBirthDate', label: 'Birth date', value: patient.birth_date, type: 'date' },
    { keyword: 'PatientSex', label: 'Sex', value: patient.sex, type: 'sex' },
  ];
}

function seriesFields(series: HeldSeries): Editable[] {
  return [
    { keyword: 'SeriesDescription', label: 'Description', value: series.description },
    { keyword: 'SeriesNumber', label: 'Number', value: String(series.number ?? ''), type: 'number' },
    { keyword: 'BodyPartExamined', label: 'Body part', value: series.body_part },
  ];
}

/** Further attributes by keyword (PS3.6) that may be set, without those that have a field. */
const FURTHER = {
  study: [
    'StudyTime',
    'StudyID',
    'ReferringPhysicianName',
    'NameOfPhysiciansReadingStudy',
    'RequestingService',
    'AdmissionID',
    'PatientAge',
    'PatientSize',
    'PatientWeight',
    'PatientComments',
    'AdditionalPatientHistory',
  ],
  series: [
    'Modality',
    'Laterality',
    'ProtocolName',
    'SeriesDate',
    'SeriesTime',
    'StationName',
    'InstitutionName',
    'InstitutionalDepartmentName',
    'PerformingPhysicianName',
    'OperatorsName',
    'Manufacturer',
    'ManufacturerModelName',
  ],
} as const;

/** Only what a person changed; an emptied field removes the value. */
export function changesOf(fields: readonly Editable[], values: Values): Record<string, string | null> {
  const changes: Record<string, string | null> = {};
  for (const { keyword, value, type } of fields) {
    const given = values[keyword];
    const now = type === 'date' && given ? dicomDate(given) : given;
    if (now === undefined || now === value) continue;
    changes[keyword] = now || null;
  }
  const other = values.keyword;
  if (other) changes[other] = values.other || null;
  return changes;
}

export function EditDialog({ acts, row, detail }: OneProps) {
  const [level, setLevel] = useState('');
  const series = detail?.series.find((s) => s.uid === level);
  const fields = series ? seriesFields(series) : level === 'patient' ? patientFields(row) : studyFields(row);
  const submit = async (values: Values) => {
    const changes = changesOf(fields, values);
    if (Object.keys(changes).length === 0) throw new Error('Nothing was changed yet.');
    await acts.correct(
      row,
      { kind: 'edit', changes, reason: values.reason ?? '', ...(series && { series: series.uid }) },
      `${count(Object.keys(changes).length, 'attribute')} corrected`,
    );
  };
  return (
    <FormDialog title="Correct" act="Correct" onClose={acts.close} onSubmit={submit}>
      <Choice
        label="What to correct"
        name="level"
        value={level}
        options={[
          ['', 'The study'],
          ['patient', 'The patient, in all their studies'],
          ...(detail?.series ?? []).map(
            (s) => [s.uid, `Series ${s.number ?? '–'}: ${s.modality} ${s.description}`] as const,
          ),
        ]}
        onChange={setLevel}
      />
      <div class="form-grid" key={level}>
        {fields.map((field) =>
          field.type === 'sex' ? (
            <Choice
              key={field.keyword}
              label={field.label}
              name={field.keyword}
              value={field.value}
              options={[
                ['', 'not given'],
                ['F', 'female'],
                ['M', 'male'],
                ['O', 'other'],
              ]}
            />
          ) : (
            <Field
              key={field.keyword}
              label={field.label}
              name={field.keyword}
              type={field.type ?? 'text'}
              defaultValue={field.type === 'date' ? isoDate(field.value) : field.value}
            />
          ),
        )}
      </div>
      {level !== 'patient' && (
        <details>
          <summary class="muted">Another attribute</summary>
          <div class="form-grid">
            <Choice
              label="Attribute"
              name="keyword"
              options={[['', 'choose'], ...FURTHER[series ? 'series' : 'study'].map((k) => [k, k] as const)]}
            />
            <Field label="Value" name="other" hint="Empty takes the value away." />
          </div>
        </details>
      )}
      <Reason />
      <p class="muted small">The files stay as they came; what is shown and given out is corrected.</p>
    </FormDialog>
  );
}

export function MoveDialog({ acts, row }: OneProps) {
  const [to, setTo] = useState<HeldPatient | null>(null);
  const submit = async (values: Values) => {
    const { patient_id = '', issuer = '', name, birth_date, sex, reason = '' } = values;
    await acts.correct(
      row,
      {
        kind: 'move',
        patient_id,
        issuer,
        reason,
        ...(name && { name }),
        ...(birth_date && { birth_date: dicomDate(birth_date) }),
        ...(sex && { sex }),
      },
      'Study moved to another patient',
    );
  };
  return (
    <FormDialog title="Move to another patient" act="Move" onClose={acts.close} onSubmit={submit}>
      <Subject row={row} />
      <PatientPicker label="To a patient of the archive" not={row.patient.id} onPick={setTo} />
      <div class="form-grid" key={to?.id ?? 'new'}>
        <Field
          label="Patient ID"
          name="patient_id"
          required
          maxLength={64}
          defaultValue={to?.patient_id ?? ''}
        />
        <Field
          label="Issuer of the ID"
          name="issuer"
          maxLength={64}
          defaultValue={to?.issuer ?? ''}
          hint="Empty: the house’s own."
        />
        <Field label="Name, as Family^Given" name="name" defaultValue={to?.name ?? ''} maxLength={324} />
        <Field
          label="Birth date"
          name="birth_date"
          type="date"
          defaultValue={isoDate(to?.birth_date ?? '')}
        />
        <Choice
          label="Sex"
          name="sex"
          value={to?.sex ?? ''}
          options={[
            ['', 'not given'],
            ['F', 'female'],
            ['M', 'male'],
            ['O', 'other'],
          ]}
        />
      </div>
      <Reason />
    </FormDialog>
  );
}

export function MergeDialog({ acts, row }: OneProps) {
  const [other, setOther] = useState<HeldPatient | null>(null);
  const [swapped, setSwapped] = useState(false);
  const [from, into] = swapped ? [other, row.patient] : [row.patient, other];
  const submit = async (values: Values) => {
    if (!from || !into) throw new Error('Choose the other patient first.');
    await acts.merge(from.id, into.id, values.reason ?? '', 'Patients merged');
  };
  return (
    <FormDialog title="Merge patients" act="Merge" onClose={acts.close} onSubmit={submit} disabled={!other}>
      <PatientPicker label="The other patient" not={row.patient.id} onPick={setOther} />
      <div class="merge">
        <PatientCard title="Goes into the other" patient={from} />
        <Button
          icon="blink"
          label="Swap which one stays"
          disabled={!other}
          onClick={() => setSwapped(!swapped)}
        />
        <PatientCard title="Stays" patient={into} stays />
      </div>
      {from && into && differ(from, into) && (
        <Notice tone="warning">Birth date or sex differ. Be sure that both are the same person.</Notice>
      )}
      <Reason />
      <p class="muted small">All studies of the one are then shown under the other. It can be undone.</p>
    </FormDialog>
  );
}

const differ = (a: HeldPatient, b: HeldPatient): boolean =>
  Boolean(
    (a.birth_date && b.birth_date && a.birth_date !== b.birth_date) || (a.sex && b.sex && a.sex !== b.sex),
  );

function PatientCard({
  title,
  patient,
  stays,
}: {
  title: string;
  patient: HeldPatient | null;
  stays?: boolean;
}) {
  return (
    <div class={`card ${stays ? 'stays' : ''}`}>
      <small class="muted">{title}</small>
      {patient ? (
        <>
          <b>
            <bdi>{personName(patient.name) || 'No name'}</bdi>
          </b>
          <span class="muted">
            {[patient.patient_id, patient.sex, day(patient.birth_date)].filter(Boolean).join(' · ')}
          </span>
        </>
      ) : (
        <span class="muted">Not chosen yet</span>
      )}
    </div>
  );
}

export function SplitDialog({ acts, row, detail }: OneProps) {
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const series = detail?.series ?? [];
  const submit = async (values: Values) =>
    acts.correct(
      row,
      { kind: 'split', series: [...chosen], reason: values.reason ?? '' },
      `${chosen.size} series split off`,
    );
  const none = chosen.size === 0 || chosen.size === series.length;
  return (
    <FormDialog
      title="Split into a study of their own"
      act="Split"
      onClose={acts.close}
      onSubmit={submit}
      disabled={none}
    >
      <Subject row={row} />
      {detail ? <SeriesTicks detail={detail} chosen={chosen} choose={choose} /> : <Skeleton lines={4} />}
      <p class="muted small" role="status">
        {series.length < 2
          ? 'The study has only one series: there is nothing to split.'
          : chosen.size === series.length
            ? 'At least one series must stay.'
            : 'The series chosen become a new study of the same patient. Later images of them follow.'}
      </p>
      <Reason />
    </FormDialog>
  );
}

function SeriesTicks({
  detail,
  chosen,
  choose,
}: {
  detail: StudyDetail;
  chosen: ReadonlySet<string>;
  choose: (uids: ReadonlySet<string>) => void;
}) {
  return (
    <fieldset class="ticks">
      <legend>Series</legend>
      {detail.series.map((s) => (
        <Tick
          key={s.uid}
          checked={chosen.has(s.uid)}
          label={
            <>
              {s.number ?? '–'} · {s.modality} {s.description || 'no description'}{' '}
              <span class="muted">{count(s.instance_count, 'object')}</span>
            </>
          }
          onChange={(on) => {
            const uids = new Set(chosen);
            if (on) uids.add(s.uid);
            else uids.delete(s.uid);
            choose(uids);
          }}
        />
      ))}
    </fieldset>
  );
}

export function RejectDialog({ acts, row, detail }: OneProps) {
  const reasons = useLoaded((signal) => get<RejectionReason[]>(archive.rejectionReasons, signal), 'reasons');
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const submit = async (values: Values) =>
    acts.reject(row, { code: values.code ?? '', note: values.note ?? '', series: [...chosen] });
  return (
    <FormDialog
      title="Reject"
      act={chosen.size ? `Reject ${count(chosen.size, 'series', 'series')}` : 'Reject the study'}
      onClose={acts.close}
      onSubmit={submit}
      disabled={!reasons.data}
      ready={reasons.data !== null}
    >
      <Subject row={row} />
      {reasons.problem && <Notice tone="error">{reasons.problem}</Notice>}
      {reasons.data ? (
        <fieldset class="ticks">
          <legend>Why</legend>
          {reasons.data.map((r) => (
            <label class="check" key={r.code}>
              <input type="radio" name="code" value={r.code} required />
              <span>{r.meaning}</span>
            </label>
          ))}
        </fieldset>
      ) : (
        <Skeleton lines={4} />
      )}
      {detail && detail.series.length > 1 && (
        <details>
          <summary class="muted">Only some series</summary>
          <SeriesTicks detail={detail} chosen={chosen} choose={choose} />
        </details>
      )}
      <Field label="Note" name="note" maxLength={500} hint="What was wrong, for whoever looks at it later." />
      <p class="muted small">
        Rejected images are no longer shown or given out. They are kept under Rejected and can be restored.
      </p>
    </FormDialog>
  );
}

export function Subject({ row }: { row: StudyRow }) {
  return (
    <p class="subject">
      <b>
        <bdi>{personName(row.patient.name) || 'No name'}</bdi>
      </b>{' '}
      <span class="muted">{row.patient.patient_id}</span> · {examOf(row)} · {day(row.date)}
    </p>
  );
}
