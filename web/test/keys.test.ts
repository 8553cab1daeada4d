import { describe, expect, it } from 'vitest';
import { type Action, findAction, keyLabel, keyName } from '../src/ui/keys';

const press = (key: string, more = {}) =>
  keyName({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

const action = (id: string, keys: string[], more: Partial<Action> = {}): Action => ({
  id,
  label: id,
  keys,
  group: 'test',
  run: () => {},
  ...more,
});

const free = { inField: false, letters: true };

describe('the name of a key', () => {
  it('keeps the case of a letter, which already tells of Shift', () => {
    expect(press('n')).toBe('n');
    expect(press('N', { shiftKey: true })).toBe('N');
    expect(press('?', { shiftKey: true })).toBe('?');
  });

  it('is the same for Control and Command', () => {
    expect(press('k', { ctrlKey: true })).toBe('Ctrl-k');
    expect(press('K', { metaKey: true })).toBe('Ctrl-k');
    expect(press('Z', { ctrlKey: true, shiftKey: true })).toBe('Ctrl-Shift-z');
  });

  it('calls the space bar Space', () => {
    expect(press(' ')).toBe('Space');
  });
});

describe('the label of a key', () => {
  it.each([
    ['ArrowUp', '↑'],
    ['Ctrl-k', 'Ctrl K'],
    ['Ctrl-Shift-z', 'Ctrl Shift Z'],
    ['n', 'n'],
    ['-', '-'],
  ])('%s is written %s', (key, label) => {
    expect(keyLabel(key)).toBe(label);
  });
});

describe('finding an action', () => {
  const list = [action('accept', ['a']), action('palette', ['Ctrl-k'], { inFields: true })];

  it('lets single letters act only outside text fields', () => {
    expect(findAction(list, 'a', free)?.id).toBe('accept');
    expect(findAction(list, 'a', { ...free, inField: true })).toBeNull();
    expect(findAction(list, 'Ctrl-k', { ...free, inField: true })?.id).toBe('palette');
  });

  it('lets single letters be switched off', () => {
    expect(findAction(list, 'a', { ...free, letters: false })).toBeNull();
    expect(findAction(list, 'Ctrl-k', { ...free, letters: false })?.id).toBe('palette');
  });

  it('passes over an action that is not offered now', () => {
    const hidden = [action('sign', ['s'], { when: () => false }), action('search', ['s'])];
    expect(findAction(hidden, 's', free)?.id).toBe('search');
  });
});
