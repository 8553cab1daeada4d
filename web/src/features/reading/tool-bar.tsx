/** The bar under the images: the tools most used, the menu of all, the layouts. */
import { Button, Kbd } from '../../ui/primitives';
import { tellError } from '../../ui/toasts';
import { TOOLS, type ToolRow } from '../../viewer/tool-list';
import { MOST } from './panes';
import type { ReadingStore } from './store';

export function ToolBar({ store }: { store: ReadingStore }) {
  const { panes } = store;
  const tool = panes.tool.value;
  return (
    <div class="tools" role="toolbar" aria-label="Tools" aria-busy={!panes.equipped.value}>
      {TOOLS.map(
        ({ name, words, key, icon }) =>
          icon && (
            <Button
              key={name}
              icon={icon}
              label={words}
              keys={key}
              pressed={tool === name}
              onClick={() => panes.chooseTool(name)}
            />
          ),
      )}
      <Button icon="more" label="All tools" popovertarget="all-tools" />
      <div class="popover tool-menu" popover="auto" id="all-tools">
        <div class="tool-groups">
          {(['Look', 'Measure', 'Mark', 'Segment'] as const).map((group) => (
            <ToolGroup
              key={group}
              title={group}
              rows={TOOLS.filter((t) => t.group === group)}
              store={store}
            />
          ))}
        </div>
      </div>
      <Button icon="fit" label="Fit to pane" keys="0" onClick={() => panes.fit()} />
      <Button icon="grid" label="Layout" popovertarget="layouts" />
      <div class="popover" popover="auto" id="layouts">
        <Layouts store={store} />
      </div>
      <Button
        icon="blink"
        label="Blink prior and current"
        keys="Space"
        pressed={panes.blink.value}
        onClick={() => {
          panes.blink.value = !panes.blink.value;
        }}
      />
      <Button
        icon="panel"
        label="Findings and report"
        keys="f"
        pressed={store.panel.value}
        onClick={() => {
          store.panel.value = !store.panel.value;
        }}
      />
    </div>
  );
}

function ToolGroup({ title, rows, store }: { title: string; rows: readonly ToolRow[]; store: ReadingStore }) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {rows.map(({ name, words, key }) => (
        <button
          type="button"
          key={name}
          class="button quiet"
          aria-pressed={store.panes.tool.value === name}
          onClick={() => {
            store.panes.chooseTool(name);
            document.getElementById('all-tools')?.hidePopover();
          }}
        >
          <span>{words}</span> {key && <Kbd keys={key} />}
        </button>
      ))}
    </fieldset>
  );
}

/** A grid of squares: each arranges the panes up to itself. */
function Layouts({ store }: { store: ReadingStore }) {
  const { rows, columns } = store.panes.arrangement.value;
  const sides = Array.from({ length: MOST }, (_, k) => k + 1);
  const close = () => document.getElementById('layouts')?.hidePopover();
  return (
    <>
      <fieldset class="layouts">
        <legend>
          Panes <span class="muted">{`${rows} × ${columns}`}</span>
        </legend>
        {sides.flatMap((r) =>
          sides.map((c) => (
            <button
              type="button"
              key={`${r} ${c}`}
              class={r <= rows && c <= columns ? 'on' : ''}
              aria-label={`${r} × ${c} panes`}
              title={`${r} × ${c}`}
              onClick={() => {
                store.arrange(r, c);
                close();
              }}
            />
          )),
        )}
      </fieldset>
      <Button
        kind="quiet"
        keys="M"
        onClick={() => {
          close();
          void store.showPlanes();
        }}
      >
        Three planes and volume
      </Button>
      <Protocols store={store} close={close} />
    </>
  );
}

const OWNERS = { mine: 'yours', site: 'this site', 'built-in': 'built in' } as const;

/** The protocol in force with its stages, the others to choose from, and the file they can be taken along in. */
function Protocols({ store, close }: { store: ReadingStore; close: () => void }) {
  const { hanging } = store;
  const now = hanging.hung.value;
  const choice = now?.hung.choice;
  return (
    <fieldset class="protocols">
      <legend>Hanging protocol</legend>
      {now && (
        <p>
          {choice?.protocol.name}{' '}
          <span class="muted">
            stage {now.at + 1} of {now.hung.stages.length}: {now.hung.stages[now.at]?.stage.name} ·{' '}
            {choice?.why}
          </span>
        </p>
      )}
      <select
        class="field"
        aria-label="Hanging protocol"
        value=""
        onChange={(e) => {
          const owned = hanging.known.value.find((p) => p.protocol.id === e.currentTarget.value);
          close();
          if (owned) void hanging.use(owned).catch(tellError);
        }}
      >
        <option value="">Hang by another …</option>
        {hanging.known.value.map((p) => (
          <option key={p.protocol.id} value={p.protocol.id}>
            {p.protocol.name} ({OWNERS[p.owner]})
          </option>
        ))}
      </select>
      <Button
        kind="quiet"
        onClick={() => {
          close();
          void store.keepProtocol();
        }}
      >
        Keep these panes as mine
      </Button>
      <a class="button quiet" href="/api/hanging-protocols/export?owner=mine" download>
        Export mine
      </a>
      <label class="button quiet">
        Import
        <input
          type="file"
          class="sr-only"
          accept="application/json,.json"
          onChange={(e) => {
            const [file] = e.currentTarget.files ?? [];
            if (file) void hanging.take(file).catch(tellError);
            e.currentTarget.value = '';
          }}
        />
      </label>
    </fieldset>
  );
}
