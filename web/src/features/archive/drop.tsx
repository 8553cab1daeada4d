/** Files come by dragging them anywhere, or by choosing them; folders are read to the bottom. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { dock } from '../../app/dock';
import { can, me } from '../../app/session';
import { tell } from '../../ui/toasts';
import { UploadDock } from './queue';
import { uploads } from './uploads';

const DEEPEST = 32;

addEventListener('online', () => uploads.resume());
addEventListener('beforeunload', (event) => {
  if (uploads.busy) event.preventDefault();
});
// Whoever signs out must not leave files behind for the next person to send.
me.subscribe((person) => {
  if (person === null) uploads.pause();
});

/** Kept where the browser keeps it: an input that nothing refers to may be gone before a file is chosen. */
const input = Object.assign(document.createElement('input'), { type: 'file', multiple: true, hidden: true });
input.addEventListener('change', () => {
  take([...(input.files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
  // The same files may be chosen again.
  input.value = '';
});

/** Show the queue at the edge of every page, and add to it. */
function take(files: readonly { file: File; path: string }[]): void {
  if (files.length === 0) return;
  dock.value = UploadDock;
  uploads.add(files);
}

export function chooseFiles(what: 'files' | 'folder'): void {
  input.webkitdirectory = what === 'folder';
  if (!input.isConnected) document.body.append(input);
  input.click();
}

export function DropArea({ children }: { children: ComponentChildren }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const onOver = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(false);
      if (!can('archive.store')) return tell('You may not put images into the archive.', 'error');
      void readDropped(event.dataTransfer);
    };
    addEventListener('dragover', onOver);
    addEventListener('dragleave', onLeave);
    addEventListener('drop', onDrop);
    return () => {
      removeEventListener('dragover', onOver);
      removeEventListener('dragleave', onLeave);
      removeEventListener('drop', onDrop);
    };
  }, []);
  return (
    <>
      {children}
      {over && (
        <div class="drop-here" aria-hidden="true">
          <strong>Drop to upload</strong>
          <span>DICOM files, folders and ZIPs</span>
        </div>
      )}
    </>
  );
}

/** Entries must be taken out of the event before it ends; reading them may take long. */
async function readDropped(transfer: DataTransfer | null): Promise<void> {
  const items = [...(transfer?.items ?? [])].filter((item) => item.kind === 'file');
  const entries = items.map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0)
    return take([...(transfer?.files ?? [])].map((file) => ({ file, path: file.name })));
  uploads.reading.value++;
  dock.value = UploadDock;
  try {
    for (const entry of entries) await walk(entry, '', 0);
  } catch {
    tell('A folder could not be read to the end. What was read is being uploaded.', 'error');
  } finally {
    uploads.reading.value--;
    if (uploads.items.length === 0 && uploads.reading.value === 0) {
      dock.value = null;
      tell('There was no file to upload in it.');
    }
  }
}

async function walk(entry: FileSystemEntry, folder: string, depth: number): Promise<void> {
  const path = folder ? `${folder}/${entry.name}` : entry.name;
  if (entry.isFile) return take([{ file: await fileOf(entry as FileSystemFileEntry), path }]);
  if (!entry.isDirectory || depth > DEEPEST) return;
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives a hundred entries at a time, and none at the end.
  for (;;) {
    const some = await entriesOf(reader);
    if (some.length === 0) return;
    const files = some.filter((e) => e.isFile) as FileSystemFileEntry[];
    const read = await Promise.all(
      files.map(async (e) => ({ file: await fileOf(e), path: `${path}/${e.name}` })),
    );
    take(read);
    for (const inner of some) if (inner.isDirectory) await walk(inner, path, depth + 1);
  }
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

const entriesOf = (reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> =>
  new Promise((resolve, reject) => reader.readEntries(resolve, reject));
