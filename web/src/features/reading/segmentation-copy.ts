/**
 * The working copy of a segmentation in the browser, so that a crash or a closed window loses nothing.
 *
 * One a person and study. It holds no name: labels, and the words and colours of the segments. What is older than two
 * weeks is thrown away.
 */
import type { Segment } from '../../viewer/labels/segments';

export interface WorkingCopy {
  key: string;
  keptAt: number;
  seriesUid: string;
  /** The first slice of the phase that was painted on. */
  first: number;
  uid: string;
  ours: boolean;
  label: string;
  segments: Segment[];
  /** Pairs of layer and slice, and their labels, gzipped. */
  at: number[];
  body: Blob;
}

const NAME = 'sightline-segmentations';
const STORE = 'copies';
const KEPT_MS = 14 * 24 * 3600 * 1000;

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The browser keeps no working copies.'));
  });

async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: 'key' });
  const database = await done(opening);
  const transaction = database.transaction(STORE, mode);
  transaction.oncomplete = () => database.close();
  return transaction.objectStore(STORE);
}

export async function putCopy(copy: WorkingCopy): Promise<void> {
  await done((await store('readwrite')).put(copy));
}

export async function takeCopy(key: string): Promise<WorkingCopy | null> {
  await dropOld();
  return ((await done((await store('readonly')).get(key))) as WorkingCopy | undefined) ?? null;
}

export async function dropCopy(key: string): Promise<void> {
  await done((await store('readwrite')).delete(key));
}

async function dropOld(): Promise<void> {
  const all = await store('readwrite');
  const copies = (await done(all.getAll())) as WorkingCopy[];
  for (const copy of copies) if (Date.now() - copy.keptAt > KEPT_MS) all.delete(copy.key);
}
