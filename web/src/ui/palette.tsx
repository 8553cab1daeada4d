/** The palette and the list of keys; loaded when the page has come to rest, since nobody begins with them. */
import { useMemo, useState } from 'preact/hooks';
import { type Action, actions, setSingleLetters, singleLetters } from './keys';
import { keysOpen, paletteOpen } from './overlays';
import { Dialog, Kbd } from './primitives';

const offered = (): Action[] => actions.value.filter((a) => a.when?.() ?? true);

/** Actions whose label or group holds all the words typed. */
export function matching(list: readonly Action[], query: string): Action[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return list.filter((a) => words.every((w) => `${a.group} ${a.label}`.toLowerCase().includes(w)));
}

export function Palette() {
  const [query, setQuery] = useState('');
  const [chosen, choose] = useState(0);
  const all = useMemo(offered, []);
  const list = matching(all, query);
  const close = () => {
    paletteOpen.value = false;
  };
  const run = (action: Action | undefined) => {
    close();
    if (action) setTimeout(action.run);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      choose((list.length + chosen + step) % Math.max(list.length, 1));
    }
    if (event.key === 'Enter') {
      event.preventDefault();
      run(list[chosen]);
    }
  };
  return (
    <Dialog title="What do you want to do?" onClose={close}>
      <input
        class="field"
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={list[chosen] ? `palette-${list[chosen]?.id}` : undefined}
        aria-label="Search actions"
        placeholder="Search actions"
        value={query}
        autofocus
        onInput={(e) => {
          setQuery(e.currentTarget.value);
          choose(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div class="palette" id="palette-list" role="listbox" aria-label="Actions">
        {list.map((action, k) => (
          <div
            key={action.id}
            id={`palette-${action.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={k === chosen}
            ref={k === chosen ? (e) => e?.scrollIntoView({ block: 'nearest' }) : null}
            onPointerDown={(e) => {
              e.preventDefault();
              run(action);
            }}
          >
            <span>{action.label}</span>
            <span class="muted">{action.group}</span>
            <span>{action.keys[0] && <Kbd keys={action.keys[0]} />}</span>
          </div>
        ))}
        {list.length === 0 && <p class="muted">Nothing is called that.</p>}
      </div>
    </Dialog>
  );
}

export function KeyList() {
  const groups = new Map<string, Action[]>();
  for (const action of offered()) {
    if (action.keys.length) groups.set(action.group, [...(groups.get(action.group) ?? []), action]);
  }
  return (
    <Dialog
      title="Keys"
      wide
      onClose={() => {
        keysOpen.value = false;
      }}
    >
      <div class="keylist">
        {[...groups].map(([group, list]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {list.map((a) => (
                <div key={a.id}>
                  <dt>{a.label}</dt>
                  <dd>
                    {a.keys.map((k) => (
                      <Kbd key={k} keys={k} />
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={singleLetters.value}
          onChange={(e) => setSingleLetters(e.currentTarget.checked)}
        />
        Single keys act without Ctrl (never while you are typing)
      </label>
    </Dialog>
  );
}
