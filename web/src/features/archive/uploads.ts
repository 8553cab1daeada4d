/**
 * The queue of files on their way into the archive.
 *
 * Invariants: a file counts as done only by the server's word; a piece is sent from where the server says that the
 * upload stands, so nothing is sent twice and nothing is left out; while the network is away the queue waits and
 * goes on by itself. What is shown changes at most a few times a second, however many files there are.
 */
import { signal } from '@preact/signals';
import { get, patchPiece, post, Refused } from '../../api';
import { archive, type UploadResult, type UploadView } from '../../api/archive';
import { Rate } from '../../ui/amounts';

export type ItemState = 'queued' | 'sending' | 'checking' | 'done' | 'failed';

export interface Item {
  readonly key: number;
  readonly name: string;
  readonly file: File;
  state: ItemState;
  sent: number;
  upload: string | null;
  results: readonly UploadResult[];
  problem: string | null;
}

export interface Progress {
  files: number;
  done: number;
  failed: number;
  /** Done, but something of it was not taken in. */
  look: number;
  bytes: number;
  sent: number;
  active: number;
  rate: number;
  left_s: number | null;
}

export type QueueState = 'idle' | 'running' | 'paused' | 'offline';

/** How the server is asked; the tests answer themselves. */
export interface Wire {
  begin: (name: string, size: number) => Promise<UploadView>;
  send: (id: string, piece: Blob, offset: number, signal: AbortSignal) => Promise<UploadView>;
  ask: (id: string) => Promise<UploadView>;
}

const SERVER: Wire = {
  begin: (name, size) => post<UploadView>(archive.uploads, { name, size }),
  send: (id, piece, offset, signal) => patchPiece<UploadView>(archive.upload(id), piece, offset, signal),
  ask: (id) => get<UploadView>(archive.upload(id)),
};

const AT_ONCE = 4;
const PIECE = 4 << 20;
const SHOW_MS = 250;
const ASK_MS = 700;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 20_000;

export class Uploads {
  readonly state = signal<QueueState>('idle');
  readonly progress = signal<Progress>(NOTHING);
  /** Grows whenever an item changed; items themselves are plain, since there may be a hundred thousand. */
  readonly version = signal(0);
  /** Folders are still being read. */
  readonly reading = signal(0);
  readonly waitingFor = signal<string | null>(null);
  readonly items: Item[] = [];

  readonly #wire: Wire;
  readonly #rate = new Rate();
  readonly #fileRate = new Rate();
  #running = 0;
  #cursor = 0;
  #keys = 0;
  #stop = new AbortController();
  #shown: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #wait_ms = FIRST_WAIT_MS;
  #onDone: (() => void) | null = null;
  #counts = { done: 0, failed: 0, look: 0, bytes: 0, sent: 0 };

  constructor(wire: Wire = SERVER) {
    this.#wire = wire;
  }

  /** Say what happens when files were taken in; at most a few times a second. */
  onDone(listener: (() => void) | null): void {
    this.#onDone = listener;
  }

  add(files: readonly { file: File; path: string }[]): void {
    for (const { file, path } of files) {
      if (!worthSending(path, file.size)) continue;
      this.items.push({
        key: ++this.#keys,
        name: path,
        file,
        state: 'queued',
        sent: 0,
        upload: null,
        results: [],
        problem: null,
      });
      this.#counts.bytes += file.size;
    }
    this.#changed();
    if (this.state.value === 'idle' && this.items.length > 0) this.state.value = 'running';
    this.#fill();
  }

  pause(): void {
    if (this.state.value !== 'running' && this.state.value !== 'offline') return;
    clearTimeout(this.#again);
    this.state.value = 'paused';
    this.waitingFor.value = null;
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#rate.reset();
    this.#fileRate.reset();
    this.#changed();
  }

  resume(): void {
    if (this.state.value !== 'paused' && this.state.value !== 'offline') return;
    clearTimeout(this.#again);
    this.state.value = 'running';
    this.waitingFor.value = null;
    this.#cursor = 0;
    this.#fill();
    this.#changed();
  }

  retry(): void {
    for (const item of this.items) if (item.state === 'failed') this.#requeue(item);
    this.#cursor = 0;
    if (this.state.value === 'idle') this.state.value = 'running';
    this.#fill();
    this.#changed();
  }

  /** Forget what is finished; what is under way stays. */
  clear(): void {
    const stay = this.items.filter((item) => item.state !== 'done' && item.state !== 'failed');
    this.items.splice(0, this.items.length, ...stay);
    this.#cursor = 0;
    this.#counts = { done: 0, failed: 0, look: 0, bytes: 0, sent: 0 };
    for (const item of stay) {
      this.#counts.bytes += item.file.size;
      this.#counts.sent += item.sent;
    }
    if (stay.length === 0) this.state.value = 'idle';
    this.#changed();
  }

  get busy(): boolean {
    return this.items.length > this.#counts.done + this.#counts.failed;
  }

  #requeue(item: Item): void {
    if (item.state === 'failed') this.#counts.failed--;
    item.state = 'queued';
    item.problem = null;
    item.upload = null;
    this.#move(item, 0);
  }

  #fill(): void {
    while (this.state.value === 'running' && this.#running < AT_ONCE) {
      const item = this.#take();
      if (!item) break;
      item.state = 'sending';
      this.#running++;
      void this.#carry(item).finally(() => {
        this.#running--;
        this.#fill();
        if (this.#running === 0 && !this.busy && this.state.value === 'running') this.state.value = 'idle';
        this.#changed();
      });
    }
  }

  #take(): Item | null {
    while (this.#cursor < this.items.length) {
      const item = this.items[this.#cursor++];
      if (item?.state === 'queued') return item;
    }
    return null;
  }

  /** Bring one file over, or put it back where it can go on. */
  async #carry(item: Item): Promise<void> {
    const stop = this.#stop.signal;
    try {
      let upload = await this.#stand(item);
      while (upload.state === 'receiving' && upload.offset < item.file.size) {
        if (stop.aborted) throw new DOMException('Stopped', 'AbortError');
        const piece = item.file.slice(upload.offset, upload.offset + PIECE);
        const before = upload.offset;
        upload = await this.#wire.send(upload.id, piece, before, stop);
        this.#rate.add(upload.offset - before, performance.now());
        this.#move(item, upload.offset);
        this.#wait_ms = FIRST_WAIT_MS;
      }
      await this.#finish(item, upload, stop);
    } catch (error) {
      this.#stumble(item, error);
    }
  }

  /** Where the upload stands by the server's word; begun anew where it does not know it. */
  async #stand(item: Item): Promise<UploadView> {
    if (item.upload) {
      try {
        const known = await this.#wire.ask(item.upload);
        this.#move(item, known.offset);
        return known;
      } catch (error) {
        if (!(error instanceof Refused && error.status === 404)) throw error;
      }
    }
    const begun = await this.#wire.begin(item.name, item.file.size);
    item.upload = begun.id;
    this.#move(item, begun.offset);
    return { ...begun, state: begun.state ?? 'receiving', results: begun.results ?? [] };
  }

  async #finish(item: Item, last: UploadView, stop: AbortSignal): Promise<void> {
    let upload = last;
    item.state = 'checking';
    this.#changed();
    while (upload.state !== 'done' && upload.state !== 'failed') {
      await pause(ASK_MS, stop);
      upload = await this.#wire.ask(upload.id);
    }
    this.#fileRate.add(1, performance.now());
    item.results = upload.results;
    item.state = upload.state;
    if (upload.state === 'failed') {
      item.problem = upload.results[0]?.reason ?? 'The server could not take it in.';
      this.#counts.failed++;
    } else {
      this.#counts.done++;
      if (needsLook(upload.results)) this.#counts.look++;
    }
  }

  #stumble(item: Item, error: unknown): void {
    if (error instanceof DOMException && error.name === 'AbortError') {
      item.state = 'queued';
      this.#cursor = 0;
      return;
    }
    const refused = error instanceof Refused ? error : null;
    // 409: the server stands elsewhere than we thought; asking it tells where.
    const passing =
      refused !== null && (refused.status === 0 || refused.status >= 500 || refused.status === 429);
    if (passing || refused?.status === 401 || (refused?.status === 409 && item.upload)) {
      item.state = 'queued';
      this.#cursor = 0;
      this.#waitFor(
        refused?.status === 0 ? 'The network is away.' : refused?.message || 'The server is busy.',
      );
      return;
    }
    item.state = 'failed';
    item.problem = error instanceof Error ? error.message : String(error);
    this.#counts.failed++;
  }

  /** Go on by itself after a while, longer each time. */
  #waitFor(why: string): void {
    if (this.state.value !== 'running') return;
    this.state.value = 'offline';
    this.waitingFor.value = why;
    this.#rate.reset();
    this.#fileRate.reset();
    this.#again = setTimeout(() => this.resume(), this.#wait_ms);
    this.#wait_ms = Math.min(this.#wait_ms * 2, LONGEST_WAIT_MS);
  }

  #move(item: Item, to: number): void {
    this.#counts.sent += to - item.sent;
    item.sent = to;
    this.#changed();
  }

  #changed(): void {
    this.#shown ??= setTimeout(() => {
      this.#shown = undefined;
      this.#show();
    }, SHOW_MS);
  }

  #show(): void {
    const before = this.progress.value.done;
    const { bytes, sent, ...counts } = this.#counts;
    const running = this.state.value === 'running';
    const rate = running ? this.#rate.perSecond(performance.now()) : 0;
    const fileRate = running ? this.#fileRate.perSecond(performance.now()) : 0;
    const ahead = this.items.length - counts.done - counts.failed;
    this.progress.value = {
      ...counts,
      files: this.items.length,
      bytes,
      sent,
      active: this.#running,
      rate,
      left_s: leftSeconds(bytes - sent, rate, ahead, fileRate),
    };
    this.version.value++;
    if (counts.done > before) this.#onDone?.();
    if (this.#running > 0) this.#changed();
  }
}

const NOTHING: Progress = {
  files: 0,
  done: 0,
  failed: 0,
  look: 0,
  bytes: 0,
  sent: 0,
  active: 0,
  rate: 0,
  left_s: null,
};

/** Large files are held up by the wire, many small ones by the asking: the slower of the two counts. */
export function leftSeconds(
  bytes: number,
  perSecond: number,
  files: number,
  filesPerSecond: number,
): number | null {
  if (files === 0 || (perSecond <= 0 && filesPerSecond <= 0)) return null;
  const byBytes = perSecond > 0 ? bytes / perSecond : 0;
  const byFiles = filesPerSecond > 0 && files > AT_ONCE ? files / filesPerSecond : 0;
  return Math.max(byBytes, byFiles);
}

/** One queue for the whole application: it goes on while the person looks at other pages. */
export const uploads = new Uploads();

/** Files that systems leave in folders, and empty ones, never hold images. */
export function worthSending(path: string, size: number): boolean {
  const name = path.split('/').pop() ?? '';
  return size > 0 && !/^(\.|Thumbs\.db$|desktop\.ini$|DICOMDIR$)/i.test(name) && !path.includes('__MACOSX/');
}

/** Whether something of a file was not taken in as it was meant. */
export const needsLook = (results: readonly UploadResult[]): boolean =>
  results.some((r) => r.status !== 'stored' && r.status !== 'held');

/** One line that says what became of a file. */
export function outcome(results: readonly UploadResult[]): string {
  const first = results.find((r) => r.status !== 'stored' && r.status !== 'held');
  const off = results.filter((r) => r.status !== 'stored' && r.status !== 'held').length;
  if (first && results.length === 1) return `${first.status}: ${first.reason}`;
  const stored = results.filter((r) => r.status === 'stored');
  const held = results.filter((r) => r.status === 'held').length;
  const parts = [
    stored.length > 1 ? `${stored.length} studies taken in` : stored.length === 1 ? 'taken in' : '',
    held ? 'held already' : '',
    first ? `${off} not taken: ${first.reason}` : '',
  ].filter(Boolean);
  return parts.join(' · ') || 'held already';
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(new DOMException('Stopped', 'AbortError'));
    };
    const timer = setTimeout(() => {
      stop.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    stop.addEventListener('abort', onAbort, { once: true });
  });
}
