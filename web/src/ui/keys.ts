/**
 * Actions and their keys. Every action a page offers is registered here; the palette and the key list are
 * made from the same registry, so neither can miss one.
 *
 * Invariants: a single letter acts only when no text field has the focus; nothing acts under an open dialog;
 * single letters can be switched off (WCAG 2.1.4).
 */
import { computed, signal } from '@preact/signals';

export interface Action {
  id: string;
  label: string;
  /** Such as `ArrowDown`, `?`, `N`, `Ctrl-k`; capitals mean Shift. Empty for the palette only. */
  keys: readonly string[];
  group: string;
  run: () => void;
  /** Not offered while this is false. */
  when?: () => boolean;
  /** Also acts while a text field has the focus. */
  inFields?: boolean;
}

const LETTERS_KEY = 'sightline.single-letters';
const scopes = signal<ReadonlyMap<string, readonly Action[]>>(new Map());

/** All actions of the present page, later scopes first. */
export const actions = computed(() => [...scopes.value.values()].reverse().flat());

export const singleLetters = signal(stored(LETTERS_KEY) !== 'off');

export function setSingleLetters(on: boolean): void {
  singleLetters.value = on;
  try {
    localStorage.setItem(LETTERS_KEY, on ? 'on' : 'off');
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
}

/** Offer actions; returns how to withdraw them. */
export function offer(scope: string, list: readonly Action[]): () => void {
  scopes.value = new Map(scopes.value).set(scope, list);
  return () => {
    const rest = new Map(scopes.value);
    if (rest.get(scope) === list) rest.delete(scope);
    scopes.value = rest;
  };
}

/** The name of a pressed key in our notation. */
export function keyName(
  event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>,
): string {
  const key = event.key === ' ' ? 'Space' : event.key;
  const control = event.ctrlKey || event.metaKey;
  const shift = event.shiftKey && (control || key.length > 1);
  const plain = control && key.length === 1 ? key.toLowerCase() : key;
  return `${control ? 'Ctrl-' : ''}${event.altKey ? 'Alt-' : ''}${shift ? 'Shift-' : ''}${plain}`;
}

/** How a key is written for people. */
export function keyLabel(key: string): string {
  const words: Record<string, string> = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→' };
  return key
    .split(/-(?=.)/)
    .map((part) => words[part] ?? (part.length === 1 && key.includes('-') ? part.toUpperCase() : part))
    .join(' ');
}

/** The action a key stands for, or null. */
export function findAction(
  list: readonly Action[],
  name: string,
  state: { inField: boolean; letters: boolean },
): Action | null {
  const single = [...name].length === 1;
  if (single && !state.letters) return null;
  const found = list.find((a) => a.keys.includes(name) && (a.when?.() ?? true));
  if (!found) return null;
  return state.inField && !found.inFields ? null : found;
}

/** `busy` says that something over the page takes the keys, or is about to. */
export function startKeys(busy: () => boolean): void {
  document.addEventListener('keydown', (event) => {
    if (busy() || event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]'))
      return;
    const target = event.target instanceof Element ? event.target : null;
    const action = findAction(actions.value, keyName(event), {
      inField: isTextField(target),
      letters: singleLetters.value,
    });
    if (!action || pressesButton(event, target)) return;
    event.preventDefault();
    action.run();
  });
}

function isTextField(element: Element | null): boolean {
  if (!element) return false;
  if (element instanceof HTMLInputElement)
    return !/^(checkbox|radio|button|submit|range)$/.test(element.type);
  return (
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLSelectElement ||
    (element as HTMLElement).isContentEditable
  );
}

/** Enter and Space belong to a focused button, link or summary. */
function pressesButton(event: KeyboardEvent, target: Element | null): boolean {
  return (event.key === 'Enter' || event.key === ' ') && !!target?.closest('button, a[href], summary, input');
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
