/** What was just done, and how to take it back: undo instead of "are you sure". */
import { signal } from '@preact/signals';

export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'error';
  undo: (() => void) | null;
}

interface Step {
  label: string;
  undo: () => Promise<void>;
  redo: () => Promise<void>;
}

const SHOWN_MS = 8000;
let last = 0;
const done: Step[] = [];
const undone: Step[] = [];

export const toasts = signal<readonly Toast[]>([]);

export function tell(text: string, tone: Toast['tone'] = 'plain', undo: (() => void) | null = null): void {
  const toast = { id: ++last, text, tone, undo };
  // One at a time: only the last step can be taken back by its button.
  toasts.value = [toast];
  setTimeout(() => dismiss(toast.id), SHOWN_MS);
}

/** Tell of a failure in the server's own words. */
export function tellError(error: unknown): void {
  tell(error instanceof Error ? error.message : String(error), 'error');
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((t) => t.id !== id);
}

/** Remember something that was done already and can be taken back, without a word; returns how to forget it. */
export function remember(step: { label: string; undo: () => void; redo: () => void }): () => void {
  const remembered = {
    label: step.label,
    undo: async () => step.undo(),
    redo: async () => step.redo(),
  };
  done.push(remembered);
  undone.length = 0;
  return () => {
    const at = done.indexOf(remembered);
    if (at >= 0) done.splice(at, 1);
  };
}

/** Do something that can be taken back, and say so. */
export async function perform(
  label: string,
  act: () => Promise<void>,
  undo: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    tellError(error);
    return;
  }
  done.push({ label, undo, redo: act });
  undone.length = 0;
  tell(label, 'plain', () => void undoLast());
}

export async function undoLast(): Promise<void> {
  const step = done.pop();
  if (!step) return tell('There is nothing to undo.');
  try {
    await step.undo();
    undone.push(step);
    tell(`Undone: ${step.label}`);
  } catch (error) {
    tellError(error);
  }
}

export async function redoLast(): Promise<void> {
  const step = undone.pop();
  if (!step) return tell('There is nothing to redo.');
  try {
    await step.redo();
    done.push(step);
    tell(step.label, 'plain', () => void undoLast());
  } catch (error) {
    tellError(error);
  }
}

/** Another study is another history. */
export function forgetSteps(): void {
  done.length = 0;
  undone.length = 0;
  toasts.value = [];
}
