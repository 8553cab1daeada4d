/** Choose a patient who is already in the archive, by typing. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { post } from '../../api';
import { archive, type HeldPatient, type StudyPage, type StudyRow } from '../../api/archive';
import { day } from '../../ui/format';
import { personName } from '../../ui/names';

const TYPING_MS = 160;

export function PatientPicker({
  label,
  not,
  onPick,
}: {
  label: string;
  /** The patient that cannot be chosen. */
  not: string;
  onPick: (patient: HeldPatient) => void;
}) {
  const [text, setText] = useState('');
  const [found, setFound] = useState<HeldPatient[] | null>(null);
  const [at, setAt] = useState(0);
  const asking = useRef<AbortController | null>(null);
  useEffect(() => {
    asking.current?.abort();
    if (!text.trim()) return setFound(null);
    const mine = new AbortController();
    asking.current = mine;
    const timer = setTimeout(async () => {
      try {
        const page = await post<StudyPage>(
          archive.search,
          {
            text: text.trim(),
            modality: '',
            since: '',
            until: '',
            label: '',
            state: '',
            limit: 50,
            after: '',
          },
          mine.signal,
        );
        setFound(patientsOf(page.items, not).slice(0, 8));
        setAt(0);
      } catch {
        if (!mine.signal.aborted) setFound([]);
      }
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      mine.abort();
    };
  }, [text, not]);
  const pick = (patient: HeldPatient | undefined) => {
    if (!patient) return;
    onPick(patient);
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && found?.length) {
      event.preventDefault();
      setAt((at + by + found.length) % found.length);
    } else if (event.key === 'Enter' && text.trim()) {
      event.preventDefault();
      pick(found?.[at]);
    }
  };
  return (
    <div class="form-field picker">
      <label for="patient-picker">{label}</label>
      <input
        id="patient-picker"
        class="field"
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        placeholder="Name or patient ID"
        aria-expanded={Boolean(found?.length)}
        aria-controls="patient-list"
        aria-activedescendant={found?.[at] ? `patient-${at}` : undefined}
        value={text}
        onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div id="patient-list" class="palette" role="listbox" aria-label="Patients found">
        {found?.map((patient, k) => (
          <div
            key={patient.id}
            id={`patient-${k}`}
            role="option"
            tabIndex={-1}
            aria-selected={k === at}
            onPointerDown={(e) => {
              e.preventDefault();
              pick(patient);
            }}
          >
            <bdi>{personName(patient.name) || 'No name'}</bdi>
            <span class="muted">{patient.patient_id}</span>
            <span class="muted">{day(patient.birth_date)}</span>
          </div>
        ))}
      </div>
      <small class="muted" role="status">
        {found?.length === 0 ? 'Nobody else in the archive is called that.' : ''}
      </small>
    </div>
  );
}

/** Each patient of some studies once, in their order. */
export function patientsOf(rows: readonly StudyRow[], not: string): HeldPatient[] {
  const byId = new Map(rows.map((row) => [row.patient.id, row.patient]));
  byId.delete(not);
  return [...byId.values()];
}
