/** Dialogs that ask for something: fields with names, one thing to do, and the server's words when it refuses. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Button, Dialog, Notice } from './primitives';

export type Values = Record<string, string>;

interface FormProps {
  title: string;
  /** What the button says it does. */
  act: string;
  onClose: () => void;
  /** Resolves when it is done, and the dialog closes; its error is shown in the dialog. */
  onSubmit: (values: Values) => Promise<void> | void;
  children: ComponentChildren;
  wide?: boolean;
  disabled?: boolean;
  /** What to choose from has come; the focus goes there. */
  ready?: boolean;
}

export function FormDialog({ title, act, onClose, onSubmit, children, wide, disabled, ready }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    // The dialog opens after this and puts the focus where it is asked to.
    firstField(form.current)?.setAttribute('autofocus', '');
  }, []);
  useEffect(() => {
    const at = document.activeElement;
    const typed = at instanceof HTMLInputElement && at.matches('.form .field') && at.value !== '';
    if (ready && !typed) firstField(form.current)?.focus();
  }, [ready]);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const values = read(new FormData(event.currentTarget as HTMLFormElement));
    setBusy(true);
    setProblem(null);
    try {
      await onSubmit(values);
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose} wide={wide ?? false}>
      <form class="form" ref={form} onSubmit={(e) => void submit(e)}>
        {children}
        {problem && <Notice tone="error">{problem}</Notice>}
        <div class="decisions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={busy || (disabled ?? false)}>
            {busy ? 'One moment' : act}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const firstField = (form: HTMLFormElement | null): HTMLElement | undefined =>
  [...(form?.querySelectorAll<HTMLElement>('input, select, textarea') ?? [])].find(
    (field) => !field.closest('details:not([open])'),
  );

function read(data: FormData): Values {
  const values: Values = {};
  for (const [name, value] of data) if (typeof value === 'string') values[name] = value.trim();
  return values;
}

interface InputProps {
  label: string;
  name: string;
  hint?: ComponentChildren;
  suggestions?: readonly string[];
  type?: 'text' | 'date' | 'datetime-local' | 'number' | 'password' | 'url';
  defaultValue?: string | number;
  placeholder?: string;
  required?: boolean;
  maxLength?: number;
  pattern?: string;
  min?: number;
  max?: number;
  step?: number | 'any';
  autocomplete?: 'off' | 'new-password';
}

export function Field({ label, hint, suggestions, type = 'text', ...rest }: InputProps) {
  const id = useId();
  // A list goes with every kind of field in HTML, but not in the types of JSX.
  const list = suggestions ? { list: `${id}-list` } : {};
  return (
    <div class="form-field">
      <label for={id}>{label}</label>
      <input
        class="field"
        id={id}
        autocomplete="off"
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...({ type, ...rest, ...list } as object)}
      />
      {suggestions && (
        <datalist id={`${id}-list`}>
          {suggestions.map((s) => (
            <option key={s} value={s} />
          ))}
        </datalist>
      )}
      {hint && (
        <small class="muted" id={`${id}-hint`}>
          {hint}
        </small>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  name: string;
  value?: string;
  options: readonly (readonly [value: string, words: string])[];
  onChange?: (value: string) => void;
}

export function Choice({ label, name, options, value, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div class="form-field">
      <label for={id}>{label}</label>
      <select class="field" id={id} name={name} onChange={(e) => onChange?.(e.currentTarget.value)}>
        {options.map(([option, words]) => (
          <option key={option} value={option} selected={option === value}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A box to tick. */
export function Tick({
  label,
  name,
  checked,
  onChange,
}: {
  label: ComponentChildren;
  name?: string;
  checked?: boolean;
  onChange?: (on: boolean) => void;
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        name={name}
        value="on"
        checked={checked}
        onChange={(e) => onChange?.(e.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}
