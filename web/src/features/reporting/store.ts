/**
 * The report being written: saved by itself, never lost, signed once.
 *
 * Invariants: what the person typed wins over what the machine drafts; a save carries the version it was made
 * from, and a conflict is resolved by putting the person's sentences into the newer version.
 */
import { computed, signal } from '@preact/signals';
import { api, get, post, put, Refused, type Report, type Sentence } from '../../api';
import { tell, tellError } from '../../ui/toasts';

export interface DraftSentence {
  /** Stays the same while the server gives the sentence its id. */
  key: string;
  id: string | null;
  text: string;
  edited: boolean;
  sources: Sentence['sources'];
}

export interface DraftSection {
  name: string;
  sentences: DraftSentence[];
}

export type SaveState = 'saved' | 'unsaved' | 'saving' | 'failed';

const SAVE_AFTER_MS = 900;
const RETRY_MS = 5000;
const OBJECTS_POLL_MS = 1500;
const COMPARED_MS = 4000;
let lastKey = 0;

export class ReportStore {
  readonly report = signal<Report | null>(null);
  readonly sections = signal<readonly DraftSection[]>([]);
  readonly saveState = signal<SaveState>('saved');
  readonly problem = signal<string | null>(null);
  /** The sentence whose sources are shown. */
  readonly active = signal<string | null>(null);
  readonly signing = signal(false);
  readonly errors = computed(
    () => (this.report.value?.checks ?? []).filter((c) => c.severity === 'error').length,
  );

  #timer: ReturnType<typeof setTimeout> | undefined;
  #objects: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  /** Counts the person's changes, to know whether an answer is still the last word. */
  #changes = 0;
  #saving: Promise<void> | null = null;
  #closed = false;

  constructor(readonly study: string) {}

  async load(): Promise<void> {
    try {
      const before = this.#changes;
      const report = await get<Report>(api.report(this.study));
      if (this.#closed) return;
      this.problem.value = null;
      if (before === this.#changes && this.saveState.value === 'saved') this.#adopt(report);
      else this.#adopt(report, this.sections.value);
      this.#watchObjects();
    } catch (error) {
      if (!this.#closed) this.problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  /** After a decision on a finding: now, and again once the comparison has been made anew. */
  async follow(): Promise<void> {
    await this.load();
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.load(), COMPARED_MS);
  }

  close(): void {
    void this.flush();
    clearTimeout(this.#again);
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#objects);
  }

  type(key: string, text: string): void {
    const sentence = this.#find(key);
    if (!sentence || sentence.text === text) return;
    this.#change((s) => (s.key === key ? [{ ...s, text, edited: true }] : [s]));
  }

  /** Begin a sentence after another, or at the end of a section; returns its key. */
  insertAfter(section: string, key: string | null): string {
    const fresh: DraftSentence = { key: nextKey(), id: null, text: '', edited: true, sources: [] };
    this.sections.value = this.sections.value.map((s) => {
      if (s.name !== section) return s;
      const at = key === null ? s.sentences.length : s.sentences.findIndex((x) => x.key === key) + 1;
      return { ...s, sentences: s.sentences.toSpliced(at, 0, fresh) };
    });
    return fresh.key;
  }

  remove(key: string): void {
    this.#change((s) => (s.key === key ? [] : [s]));
  }

  /** Save now what is not saved yet. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.saveState.value === 'unsaved' || this.#saving) {
      await (this.#saving ?? this.#save());
      if (this.saveState.value === 'failed') return;
    }
  }

  /** Ask for the signature, over the report as it is now: drafts follow their findings. */
  async prepareSigning(): Promise<void> {
    await this.flush();
    if (this.saveState.value === 'failed')
      return tell('The report could not be saved, so it cannot be signed yet.', 'error');
    await this.load();
    this.signing.value = this.report.value?.state === 'draft';
  }

  async sign(): Promise<void> {
    const report = this.report.value;
    if (!report) return;
    try {
      const { version, digest } = report;
      this.#adopt(await post<Report>(api.signature(this.study), { version, digest }));
      this.signing.value = false;
      tell('Report signed.');
      this.#watchObjects();
    } catch (error) {
      tellError(error);
      await this.load();
    }
  }

  #change(each: (sentence: DraftSentence) => DraftSentence[]): void {
    if (this.report.value?.state === 'signed') return;
    this.sections.value = this.sections.value.map((s) => ({ ...s, sentences: s.sentences.flatMap(each) }));
    this.#changes += 1;
    this.saveState.value = 'unsaved';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#save(), SAVE_AFTER_MS);
  }

  #find(key: string): DraftSentence | undefined {
    return this.sections.value.flatMap((s) => s.sentences).find((s) => s.key === key);
  }

  #save(): Promise<void> {
    this.#saving ??= this.#send().finally(() => {
      this.#saving = null;
    });
    return this.#saving;
  }

  async #send(mayMerge = true): Promise<void> {
    const report = this.report.value;
    if (!report || report.state === 'signed') return;
    const before = this.#changes;
    this.saveState.value = 'saving';
    try {
      const saved = await put<Report>(api.report(this.study), {
        version: report.version,
        digest: report.digest,
        sections: forSaving(this.sections.value),
      });
      if (before === this.#changes) {
        this.sections.value = identify(this.sections.value, saved);
        this.#adopt(saved);
        this.saveState.value = 'saved';
      } else {
        this.report.value = saved;
        this.sections.value = identify(this.sections.value, saved);
        this.saveState.value = 'unsaved';
        this.#timer = setTimeout(() => void this.#save(), SAVE_AFTER_MS);
      }
    } catch (error) {
      if (error instanceof Refused && error.status === 409 && mayMerge) return this.#merge();
      this.saveState.value = 'failed';
      if (error instanceof Refused && error.status === 0 && !this.#closed) {
        this.#timer = setTimeout(() => void this.#save(), RETRY_MS);
      } else {
        tellError(error);
      }
    }
  }

  /** Somebody else saved first: take the newer version, put the person's sentences into it, save again. */
  async #merge(): Promise<void> {
    const fresh = await get<Report>(api.report(this.study));
    this.#adopt(fresh, this.sections.value);
    if (fresh.state === 'signed') {
      tell('The report was signed meanwhile; your last words were not saved.', 'error');
      this.saveState.value = 'saved';
      return;
    }
    tell('The report was changed elsewhere. Your sentences were kept.');
    await this.#send(false);
  }

  #adopt(report: Report, mine?: readonly DraftSection[]): void {
    this.report.value = report;
    const keys = keysById(this.sections.value);
    const theirs = report.sections.map((section) => ({
      name: section.name,
      sentences: section.sentences.map((s) => ({ ...s, key: keys.get(s.id) ?? nextKey() })),
    }));
    this.sections.value = mine && report.state === 'draft' ? merge(theirs, mine) : theirs;
  }

  /** After signing, the objects are written by a job: look until they are there. */
  #watchObjects(): void {
    clearTimeout(this.#objects);
    if (this.report.value?.objects_state !== 'writing' || this.#closed) return;
    this.#objects = setTimeout(() => void this.load(), OBJECTS_POLL_MS);
  }
}

/** Put the person's own sentences into the server's sections. */
export function merge(theirs: readonly DraftSection[], mine: readonly DraftSection[]): DraftSection[] {
  return theirs.map((section) => {
    const own = mine.find((s) => s.name === section.name)?.sentences ?? [];
    const byId = new Map(own.filter((s) => s.id && s.edited).map((s) => [s.id, s]));
    const kept = section.sentences.map((s) => {
      const edited = byId.get(s.id);
      return edited ? { ...s, key: edited.key, text: edited.text, edited: true } : s;
    });
    const known = new Set(section.sentences.map((s) => s.text.trim()));
    const begun = own.filter((s) => s.id === null && !known.has(s.text.trim()));
    return { name: section.name, sentences: [...kept, ...begun] };
  });
}

/** Give sentences the ids the server gave them: same section, same text. */
function identify(mine: readonly DraftSection[], saved: Report): DraftSection[] {
  return mine.map((section) => {
    const theirs = saved.sections.find((s) => s.name === section.name)?.sentences ?? [];
    const used = new Set(section.sentences.map((s) => s.id));
    return {
      ...section,
      sentences: section.sentences.map((s) => {
        const match = s.id ? null : theirs.find((t) => !used.has(t.id) && t.text === s.text);
        if (match) used.add(match.id);
        return match ? { ...s, id: match.id } : s;
      }),
    };
  });
}

/** What is sent: no empty sentences. */
export function forSaving(sections: readonly DraftSection[]) {
  return sections.map(({ name, sentences }) => ({
    name,
    sentences: sentences
      .filter((s) => s.text.trim())
      .map(({ id, text }) => ({ id, text: text.replace(/\s+/g, ' ').trim() })),
  }));
}

const nextKey = () => `s${++lastKey}`;

const keysById = (sections: readonly DraftSection[]) =>
  new Map(sections.flatMap((s) => s.sentences).flatMap((s) => (s.id ? [[s.id, s.key] as const] : [])));
