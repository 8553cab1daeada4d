/**
 * What can be done with studies. Each act is a fact with an author that can be taken back; what leaves the house
 * or ends in deletion says beforehand what will happen.
 */
import { signal } from '@preact/signals';
import { download, post, put, remove } from '../../api';
import { archive, type Correction, type CorrectionBody, type StudyRow } from '../../api/archive';
import { can } from '../../app/session';
import { count } from '../../ui/format';
import { perform, tell, tellError } from '../../ui/toasts';
import { EditDialog, MergeDialog, MoveDialog, RejectDialog, SplitDialog } from './correcting';
import { DownloadDialog, HoldDialog, LabelDialog, SendDialog, TrashDialog } from './dialogs';
import type { ArchiveStore } from './store';

export type Asking =
  | 'edit'
  | 'move'
  | 'merge'
  | 'split'
  | 'reject'
  | 'trash'
  | 'label'
  | 'hold'
  | 'send'
  | 'download';

/** What is done to the selected study alone; marks on others would say something else. */
const OF_ONE: ReadonlySet<Asking> = new Set<Asking>(['edit', 'move', 'split', 'reject', 'download']);

/** A download up to this size goes through the page, which can tell what went wrong; a larger one cannot. */
const THROUGH_PAGE = 256e6;

export class Acts {
  readonly store: ArchiveStore;
  readonly asking = signal<Asking | null>(null);

  constructor(store: ArchiveStore) {
    this.store = store;
  }

  ask(asking: Asking): void {
    const { chosen } = this.store;
    if (chosen.length === 0) return;
    const marksOthers = chosen.some((row) => row.uid !== this.store.selectedRow?.uid);
    if (OF_ONE.has(asking) && marksOthers) {
      tell('This is done to one study, the selected one: unmark the others first.', 'error');
      return;
    }
    if (asking === 'hold' && chosen.every((row) => row.on_hold)) void this.release(chosen);
    else this.asking.value = asking;
  }

  close = (): void => {
    this.asking.value = null;
  };

  /** The dialog that is open, if any. */
  Dialogs = () => {
    const asking = this.asking.value;
    const rows = this.store.chosen;
    const row = this.store.selectedRow ?? rows[0];
    if (!asking || !row) return null;
    const one = { acts: this, row, detail: this.store.detail.value };
    const some = { acts: this, rows };
    if (asking === 'edit') return <EditDialog {...one} />;
    if (asking === 'move') return <MoveDialog {...one} />;
    if (asking === 'merge') return <MergeDialog {...one} />;
    if (asking === 'split') return <SplitDialog {...one} />;
    if (asking === 'reject') return <RejectDialog {...one} />;
    if (asking === 'download') return <DownloadDialog {...one} />;
    if (asking === 'trash') return <TrashDialog {...some} />;
    if (asking === 'label') return <LabelDialog {...some} />;
    if (asking === 'hold') return <HoldDialog {...some} />;
    return <SendDialog {...some} />;
  };

  get lastCorrection(): Correction | null {
    return this.store.detail.value?.corrections.findLast((c) => !c.undone_at) ?? null;
  }

  async correct(row: StudyRow, body: CorrectionBody, words: string): Promise<void> {
    await this.#corrected(words, () => post<Correction>(archive.corrections(row.uid), body));
  }

  async merge(from: string, into: string, reason: string, words: string): Promise<void> {
    await this.#corrected(words, () => post<Correction>(archive.merge, { from, into, reason }));
  }

  async undoCorrection(correction: Correction): Promise<void> {
    try {
      await post(archive.undoCorrection(correction.id));
      tell(`Undone: ${correction.summary}`);
      await this.store.refresh();
    } catch (error) {
      tellError(error);
    }
  }

  async undoLastCorrection(): Promise<void> {
    if (this.lastCorrection) await this.undoCorrection(this.lastCorrection);
  }

  async reject(row: StudyRow, body: { code: string; note: string; series: string[] }): Promise<void> {
    const whole = body.series.length === 0;
    const words = whole ? 'Study rejected' : `${count(body.series.length, 'series', 'series')} rejected`;
    await this.#done(
      words,
      () => post(archive.reject(row.uid), body),
      () => post(archive.restore(row.uid), { kind: 'rejected' }),
      whole ? [row] : [],
    );
  }

  async trash(rows: readonly StudyRow[], reason: string): Promise<void> {
    await this.#done(
      `${count(rows.length, 'study', 'studies')} put into the trash`,
      () => each(rows, (row) => post(archive.trash(row.uid), { reason })),
      () => each(rows, (row) => post(archive.restore(row.uid), { kind: 'trashed' })),
      rows,
    );
  }

  async label(rows: readonly StudyRow[], label: string): Promise<void> {
    const without = rows.filter((row) => !row.labels.includes(label));
    await this.#done(
      `${count(rows.length, 'study', 'studies')} labelled ${label}`,
      () => each(without, (row) => put(archive.label(row.uid, label))),
      () => each(without, (row) => remove(archive.label(row.uid, label))),
    );
  }

  async unlabel(label: string): Promise<void> {
    const row = this.store.selectedRow;
    if (!row) return;
    await this.#done(
      `Label ${label} removed`,
      () => remove(archive.label(row.uid, label)),
      () => put(archive.label(row.uid, label)),
    ).catch(tellError);
  }

  async hold(rows: readonly StudyRow[], reason: string): Promise<void> {
    const free = rows.filter((row) => !row.on_hold);
    await this.#done(
      `${count(free.length, 'study', 'studies')} put on hold`,
      () => each(free, (row) => put(archive.hold(row.uid), { reason })),
      () => each(free, (row) => remove(archive.hold(row.uid))),
    );
  }

  async release(rows: readonly StudyRow[]): Promise<void> {
    const reason = this.store.detail.value?.hold?.reason ?? 'held before';
    await this.#done(
      `Hold of ${count(rows.length, 'study', 'studies')} lifted`,
      () => each(rows, (row) => remove(archive.hold(row.uid))),
      () => each(rows, (row) => put(archive.hold(row.uid), { reason })),
    ).catch(tellError);
  }

  /** Nothing to take back: what was sent has left the house. */
  async send(rows: readonly StudyRow[], destinations: readonly string[]): Promise<void> {
    const studies = rows.map((row) => row.uid);
    await Promise.all(destinations.map((peer) => post(archive.newTransfer, { kind: 'send', peer, studies })));
    this.store.unmark();
    tell(`Sending ${count(rows.length, 'study', 'studies')} to ${destinations.join(', ')}. See Transfers.`);
  }

  async download(row: StudyRow, form: 'zip' | 'dicomdir' | 'nifti'): Promise<void> {
    const address = archive.download(row.uid, form);
    const name = `study-${form}.zip`;
    if (row.bytes <= THROUGH_PAGE) return download(address, 'application/zip', name);
    Object.assign(document.createElement('a'), { href: address, download: name }).click();
    tell('The browser is saving the study.');
  }

  async complete(): Promise<void> {
    const row = this.store.selectedRow;
    if (!row || !can('archive.correct')) return;
    try {
      await post(archive.complete(row.uid));
      tell('Marked as complete: nothing more is waited for.');
      await this.store.refresh();
    } catch (error) {
      tellError(error);
    }
  }

  async #corrected(words: string, act: () => Promise<Correction>): Promise<void> {
    let made: Correction | null = null;
    await this.#done(
      words,
      async () => {
        made = await act();
      },
      async () => {
        if (made) await post(archive.undoCorrection(made.id));
      },
    );
  }

  /** Do it, offer to take it back, and show how things stand; the first refusal goes to whoever asked. */
  async #done(
    words: string,
    act: () => Promise<unknown>,
    undo: () => Promise<unknown>,
    leaving: readonly StudyRow[] = [],
  ): Promise<void> {
    const uids = new Set(leaving.map((row) => row.uid));
    const after = async (gone: boolean) => {
      this.store.unmark();
      if (gone) this.store.leave(uids);
      await this.store.refresh();
    };
    await act();
    let first = true;
    await perform(
      words,
      async () => {
        if (!first) await act();
        first = false;
        await after(true);
      },
      async () => {
        await undo();
        await after(false);
      },
    );
  }
}

/** One after the other: a refusal stops before more is done. */
async function each(rows: readonly StudyRow[], act: (row: StudyRow) => Promise<unknown>): Promise<void> {
  for (const row of rows) await act(row);
}
