import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refused } from '../src/api';
import type { UploadResult, UploadView } from '../src/api/archive';
import {
  leftSeconds,
  needsLook,
  outcome,
  Uploads,
  type Wire,
  worthSending,
} from '../src/features/archive/uploads';

const MIB = 1 << 20;
const stored: UploadResult = { name: '', status: 'stored', reason: '1 objects', study_uid: '1.2' };

/** A server that keeps what it is sent, and can be made to fail. */
class Server implements Wire {
  readonly uploads = new Map<string, UploadView>();
  readonly pieces: [id: string, offset: number, size: number][] = [];
  failing: Refused | null = null;

  begin = async (name: string, size: number): Promise<UploadView> => {
    this.#fail();
    const upload: UploadView = {
      id: `u${this.uploads.size}`,
      name,
      size,
      offset: 0,
      state: 'receiving',
      results: [],
    };
    this.uploads.set(upload.id, upload);
    return { ...upload };
  };

  send = async (id: string, piece: Blob, offset: number): Promise<UploadView> => {
    this.#fail();
    const upload = this.#get(id);
    if (offset !== upload.offset) throw refusal(409);
    this.pieces.push([id, offset, piece.size]);
    upload.offset += piece.size;
    if (upload.offset === upload.size) Object.assign(upload, { state: 'done', results: [stored] });
    return { ...upload };
  };

  ask = async (id: string): Promise<UploadView> => {
    this.#fail();
    return { ...this.#get(id) };
  };

  #get(id: string): UploadView {
    const upload = this.uploads.get(id);
    if (!upload) throw refusal(404);
    return upload;
  }

  #fail(): void {
    if (this.failing) throw this.failing;
  }
}

const refusal = (status: number): Refused =>
  new Refused({ title: 'No', status, detail: 'The server said no.', code: 'no' });

const file = (size: number, path = 'a/1.dcm') => ({ file: new File([new Uint8Array(size)], path), path });

describe('the queue of uploads', () => {
  let server: Server;
  let uploads: Uploads;

  beforeEach(() => {
    vi.useFakeTimers();
    server = new Server();
    uploads = new Uploads(server);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const settle = (ms = 1000) => vi.advanceTimersByTimeAsync(ms);

  it('brings every file over, large ones in pieces from where the server stands', async () => {
    uploads.add([file(9 * MIB), file(10, 'b.dcm')]);
    await settle();
    expect(uploads.state.value).toBe('idle');
    expect(uploads.progress.value).toMatchObject({ files: 2, done: 2, failed: 0, sent: 9 * MIB + 10 });
    expect(server.pieces.filter(([id]) => id === 'u0').map(([, offset, size]) => [offset, size])).toEqual([
      [0, 4 * MIB],
      [4 * MIB, 4 * MIB],
      [8 * MIB, MIB],
    ]);
  });

  it('waits while the network is away and goes on by itself without sending anything twice', async () => {
    const send = server.send;
    server.send = async (...piece) => {
      const upload = await send(...piece);
      if (server.pieces.length === 1) {
        server.failing = refusal(0);
        throw refusal(0); // the piece was kept; its answer is lost
      }
      return upload;
    };
    uploads.add([file(6 * MIB)]);
    await settle(300);
    expect(uploads.state.value).toBe('offline');
    server.failing = null;
    await settle(3000);
    expect(uploads.items[0]?.state).toBe('done');
    expect(server.pieces.map(([, offset]) => offset)).toEqual([0, 4 * MIB]);
  });

  it('begins anew where the server no longer knows an upload', async () => {
    server.failing = refusal(503);
    uploads.add([file(10)]);
    await settle(300);
    const item = uploads.items[0];
    if (item) item.upload = 'forgotten';
    server.failing = null;
    await settle(3000);
    expect(item?.state).toBe('done');
  });

  it('keeps what is refused for the person to see, and tries it again when asked', async () => {
    server.failing = refusal(422);
    uploads.add([file(10)]);
    await settle();
    expect(uploads.progress.value.failed).toBe(1);
    expect(uploads.items[0]?.problem).toBe('The server said no.');
    server.failing = null;
    uploads.retry();
    await settle();
    expect(uploads.progress.value).toMatchObject({ done: 1, failed: 0 });
  });

  it('sends nothing while it is paused', async () => {
    uploads.add([file(10)]);
    uploads.pause();
    uploads.add([file(10, 'b.dcm')]);
    await settle();
    expect(uploads.items.at(-1)?.state).toBe('queued');
    uploads.resume();
    await settle(2000);
    expect(uploads.progress.value.done).toBe(2);
  });

  it('shows itself a few times a second, however many files there are', async () => {
    uploads.add(Array.from({ length: 2000 }, (_, k) => file(10, `${k}.dcm`)));
    await settle(1000);
    expect(uploads.progress.value.done).toBe(2000);
    expect(uploads.version.value).toBeLessThan(8);
  });
});

it('reckons what is left by bytes and by files, whichever is slower', () => {
  expect(leftSeconds(100, 10, 1, 5)).toBe(10);
  expect(leftSeconds(100, 10, 200, 5)).toBe(40);
  expect(leftSeconds(100, 0, 1, 0)).toBeNull();
});

describe('files', () => {
  it.each([
    ['study/IM0001', 10, true],
    ['study/DICOMDIR', 10, false],
    ['study/.DS_Store', 10, false],
    ['__MACOSX/IM0001', 10, false],
    ['study/empty', 0, false],
  ])('%s', (path, size, worth) => {
    expect(worthSending(path, size)).toBe(worth);
  });
});

describe('what became of a file', () => {
  const refused: UploadResult = { name: 'x', status: 'refused', reason: 'not DICOM', study_uid: null };

  it('is said in one line', () => {
    expect(outcome([stored])).toBe('taken in');
    expect(outcome([])).toBe('held already');
    expect(outcome([refused])).toBe('refused: not DICOM');
    expect(outcome([refused, stored, stored])).toBe('2 studies taken in · 1 not taken: not DICOM');
  });

  it('needs a look only where something was not taken in', () => {
    expect([needsLook([stored]), needsLook([stored, refused])]).toEqual([false, true]);
  });
});
