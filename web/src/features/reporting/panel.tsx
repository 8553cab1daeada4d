/** The report beside the images: sentences to edit, where each came from, what is wrong, and the signature. */
import { Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { download, type Report, type StoredObject } from '../../api';
import { count, moment } from '../../ui/format';
import { Button, Dialog, Notice, Skeleton } from '../../ui/primitives';
import { tellError } from '../../ui/toasts';
import type { DraftSection, DraftSentence, ReportStore, SaveState } from './store';

interface PanelProps {
  store: ReportStore;
  onFinding: (id: string) => void;
}

const SAVE_WORDS: Record<SaveState, string> = {
  saved: 'saved',
  unsaved: 'not saved yet',
  saving: 'saving',
  failed: 'could not be saved, trying again',
};

export function ReportPanel({ store, onFinding }: PanelProps) {
  const report = store.report.value;
  return (
    <section class="report" aria-labelledby="report-title">
      <header class="panel-head">
        <h2 id="report-title">Report</h2>
        <span
          class={`muted ${store.saveState.value === 'failed' ? 'error' : ''}`}
          role="status"
          title={report ? headWords(report, store.saveState.value) : undefined}
        >
          {report && headWords(report, store.saveState.value)}
        </span>
      </header>
      {store.problem.value && (
        <Notice tone="error" title="The report cannot be shown.">
          <p>{store.problem.value}</p>
          <Button onClick={() => void store.load()}>Try again</Button>
        </Notice>
      )}
      {!report && !store.problem.value && <Skeleton lines={5} />}
      {report && (
        <>
          <div class="report-text">
            {store.sections.value.map((section) => (
              <ReportSection
                key={section.name}
                section={section}
                store={store}
                signed={report.state === 'signed'}
              />
            ))}
          </div>
          <Sources store={store} onFinding={onFinding} />
          <Foot store={store} report={report} />
        </>
      )}
      {store.signing.value && report && <SignDialog store={store} report={report} />}
    </section>
  );
}

function headWords(report: Report, state: SaveState): string {
  if (report.state === 'signed') return `signed by ${report.signed_by ?? ''}, ${moment(report.signed_at)}`;
  const { accepted, proposed } = report.based_on;
  const from = `from ${accepted} accepted${proposed ? `, ${proposed} open` : ''}`;
  return `${from} · v${report.version} ${SAVE_WORDS[state]}`;
}

function ReportSection({
  section,
  store,
  signed,
}: {
  section: DraftSection;
  store: ReportStore;
  signed: boolean;
}) {
  return (
    <section class="report-section" data-section={section.name}>
      <h3>{section.name}</h3>
      <div class="prose">
        {section.sentences.map((s) => (
          <Fragment key={s.key}>
            <Sentence sentence={s} section={section.name} store={store} signed={signed} />{' '}
          </Fragment>
        ))}
        {section.sentences.length === 0 && signed && <span class="muted">–</span>}
        {!signed && (
          <button
            type="button"
            class="add-sentence"
            aria-label={`Add a sentence to ${section.name}`}
            title="Add a sentence"
            onClick={() => focusSentence(store.insertAfter(section.name, null))}
          >
            +
          </button>
        )}
      </div>
    </section>
  );
}

interface SentenceProps {
  sentence: DraftSentence;
  section: string;
  store: ReportStore;
  signed: boolean;
}

/** Text the person may edit in place; the DOM holds it while it has the focus. */
function Sentence({ sentence, section, store, signed }: SentenceProps) {
  const element = useRef<HTMLSpanElement>(null);
  const { key, text, edited, sources } = sentence;
  useEffect(() => {
    const held = element.current;
    // While the person types, the element is ahead of the state: to write into it would move the cursor.
    if (held && held !== document.activeElement && held.textContent !== text) held.textContent = text;
  }, [text]);
  const byMachine =
    !signed && !edited && sources.some((s) => s.kind === 'finding' || s.kind === 'comparison');
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      focusSentence(store.insertAfter(section, key));
    } else if (event.key === 'Escape') {
      element.current?.blur();
    } else if (event.key === 'Backspace' && element.current?.textContent === '') {
      event.preventDefault();
      focusNeighbour(element.current);
      store.remove(key);
    }
  };
  return (
    <span
      ref={element}
      id={`sentence-${key}`}
      class={`sentence ${byMachine ? 'drafted' : ''} ${store.active.value === key ? 'active' : ''}`}
      role="textbox"
      tabIndex={0}
      aria-label={`${section}, sentence`}
      aria-readonly={signed}
      contentEditable={signed ? false : ('plaintext-only' as unknown as boolean)}
      spellcheck={true}
      onInput={(e) => store.type(key, e.currentTarget.textContent ?? '')}
      onKeyDown={onKeyDown}
      onFocus={() => activate(store, key)}
      onPointerEnter={() => activate(store, key)}
      onBlur={() => {
        if (element.current?.textContent?.trim() === '' && !signed) store.remove(key);
      }}
    />
  );
}

function activate(store: ReportStore, key: string): void {
  store.active.value = key;
}

function focusSentence(key: string): void {
  requestAnimationFrame(() => document.getElementById(`sentence-${key}`)?.focus());
}

function focusNeighbour(element: HTMLElement): void {
  const before = element.previousElementSibling;
  if (!(before instanceof HTMLElement)) return;
  before.focus();
  getSelection()?.selectAllChildren(before);
  getSelection()?.collapseToEnd();
}

/** Where the sentence under the pointer or the cursor comes from; stays until another is touched. */
function Sources({ store, onFinding }: PanelProps) {
  const sentence = store.sections.value.flatMap((s) => s.sentences).find((s) => s.key === store.active.value);
  return (
    <div class="sources" aria-live="polite">
      {!sentence && <span class="muted">Point at a sentence to see where it comes from.</span>}
      {sentence?.edited && <span class="muted">Worded by a person.</span>}
      {sentence?.sources.map((source) =>
        source.kind === 'finding' ? (
          <button type="button" key={source.id} class="chip" onClick={() => onFinding(source.id)}>
            {source.text}
          </button>
        ) : (
          <span key={`${source.kind} ${source.id}`} class="chip">
            {source.text}
          </span>
        ),
      )}
      {sentence && !sentence.edited && sentence.sources.length === 0 && (
        <span class="muted">From the template.</span>
      )}
    </div>
  );
}

function Foot({ store, report }: { store: ReportStore; report: Report }) {
  if (report.state === 'signed') return <Objects report={report} />;
  return (
    <footer class="report-foot">
      <details class="checks">
        <summary>
          <ChecksLine report={report} />
        </summary>
        <ul>
          {report.checks.map((check) => (
            <li key={check.id} class={check.severity}>
              <strong>{check.severity}</strong> {check.message}
            </li>
          ))}
          {report.checks.length === 0 && <li>All {report.passed} checks passed.</li>}
        </ul>
      </details>
      <Button kind="primary" keys="s" onClick={() => void store.prepareSigning()}>
        Sign
      </Button>
    </footer>
  );
}

function ChecksLine({ report }: { report: Report }) {
  const by = (severity: string) => report.checks.filter((c) => c.severity === severity);
  const [errors, warnings, notes] = [by('error'), by('warning'), by('note')];
  return (
    <>
      <span class="good">✓ {count(report.passed, 'check')}</span>
      {errors.length > 0 && <span class="error">✕ {count(errors.length, 'error')}</span>}
      {warnings.length > 0 && <span class="warning">▲ {count(warnings.length, 'warning')}</span>}
      {notes.length > 0 && <span class="muted">{count(notes.length, 'note')}</span>}
    </>
  );
}

function Objects({ report }: { report: Report }) {
  const words: Record<string, string> = {
    none: '',
    writing: 'The objects are being written.',
    stored: 'Stored in the archive:',
    failed: 'The objects could not be written; the signature stands. Tell your administrator.',
  };
  return (
    <footer class="report-objects">
      <span class={report.objects_state === 'failed' ? 'error' : 'muted'} role="status">
        {words[report.objects_state] ?? report.objects_state}
      </span>
      {report.objects.map((o) => (
        <ObjectLink key={o.kind + o.url} object={o} />
      ))}
    </footer>
  );
}

/** The PDF and the FHIR resource open beside; DICOM objects are downloaded as files. */
function ObjectLink({ object }: { object: StoredObject }) {
  const words = (
    <>
      {object.kind} <span class="muted">{object.label}</span>
    </>
  );
  if (object.kind === 'SR' || object.kind === 'SEG') {
    const save = () => void download(object.url, 'application/dicom', `${object.kind}.dcm`).catch(tellError);
    return (
      <button type="button" class="chip" title={`Download: ${object.label}`} onClick={save}>
        {words}
      </button>
    );
  }
  const address = object.kind === 'PDF' ? `${object.url}/rendered` : object.url;
  return (
    <a class="chip" href={address} target="_blank" rel="noopener noreferrer" title={`Open: ${object.label}`}>
      {words}
    </a>
  );
}

/** A signature leaves the house: say what will happen, then Enter. */
function SignDialog({ store, report }: { store: ReportStore; report: Report }) {
  const close = () => {
    store.signing.value = false;
  };
  const errors = report.checks.filter((c) => c.severity === 'error');
  const { accepted, proposed, rejected } = report.based_on;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void store.sign();
  };
  return (
    <Dialog title="Sign this report?" onClose={close}>
      <form onSubmit={submit} class="sign-form">
        <p>
          The report with {count(accepted, 'accepted finding')} will be signed in your name and can then only
          be added to, not changed.
        </p>
        <ul>
          {proposed > 0 && (
            <li class="warning">{count(proposed, 'finding')} still proposed will be left out.</li>
          )}
          {rejected > 0 && <li>{count(rejected, 'rejected finding')} will be left out.</li>}
          <li>
            Measurements are stored as a DICOM structured report, outlines as a segmentation, the text as PDF.
          </li>
          <li>The report is given out as a FHIR DiagnosticReport.</li>
        </ul>
        {report.checks.map((check) => (
          <p key={check.id} class={check.severity}>
            {check.message}
          </p>
        ))}
        {errors.length > 0 && (
          <Notice tone="error">Errors must be corrected before the report can be signed.</Notice>
        )}
        <div class="decisions end">
          <Button onClick={close}>Cancel</Button>
          <button type="submit" class="button primary" disabled={errors.length > 0} autofocus>
            Sign <kbd class="kbd">Enter</kbd>
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Put the cursor into the report: at the first sentence of the impression, else the first at all. */
export function focusReport(): void {
  const wanted =
    document.querySelector<HTMLElement>('[data-section="Impression"] .sentence') ??
    document.querySelector<HTMLElement>('.report .sentence, .report .add-sentence');
  wanted?.focus();
}
