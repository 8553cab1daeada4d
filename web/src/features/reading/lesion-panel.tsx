/** What a click cut out, before it is kept: how large, how sure, what speaks against it. */

import type { Action } from '../../ui/keys';
import { Amount, Button, Kbd, Notice } from '../../ui/primitives';
import type { PaneId } from '../../viewer';
import type { ClickMode } from './lesion-click';
import { usePanePointer } from './pane-pointer';
import type { ReadingStore } from './store';

export const KINDS = [
  ['lung-nodule', 'Lung nodule'],
  ['lymph-node', 'Lymph node'],
  ['liver-lesion', 'Liver lesion'],
  ['brain-metastasis', 'Brain metastasis'],
  ['pet-focus', 'Focus of uptake'],
  ['lesion', 'Other lesion'],
] as const;

const ROWS = [
  ['long_axis', 'long axis'],
  ['short_axis', 'short axis'],
  ['volume', 'volume'],
  ['mean_hu', 'mean'],
  ['mean', 'mean'],
  ['peak', 'peak of 1 ml'],
] as const;

/** What the next click or stroke does; the key held does the same for one stroke. */
const MODES: readonly (readonly [ClickMode, string, string])[] = [
  ['new', 'New', ''],
  ['add', 'Add', 'Shift'],
  ['remove', 'Take away', 'Alt'],
];

export function LesionPanel({ store }: { store: ReadingStore }) {
  const { clicks } = store;
  if (!clicks.open.value) return null;
  const clicked = clicks.clicked.value;
  return (
    <section class="lesion-draft" aria-labelledby="lesion-title" aria-busy={clicks.busy.value}>
      <header class="panel-head">
        <h2 id="lesion-title">Lesion at the click</h2>
        <span class="muted">{clicks.busy.value ? 'outlining …' : clicked ? 'not kept yet' : ''}</span>
      </header>
      {clicks.refusal.value && (
        <Notice tone="warning" title={clicked ? 'Not corrected' : 'Nothing outlined'}>
          {clicks.refusal.value}
        </Notice>
      )}
      {clicked && <Values store={store} />}
      <div class="decisions">
        {clicked && (
          <Button kind="primary" keys="Enter" onClick={() => void clicks.keep()}>
            Keep
          </Button>
        )}
        {(clicks.asked.value?.corrections?.length ?? 0) > 0 && (
          <Button keys="Backspace" onClick={() => clicks.stepBack()}>
            Last correction back
          </Button>
        )}
        <Button keys="Escape" onClick={() => clicks.discard()}>
          {clicked ? 'Discard' : 'Close'}
        </Button>
      </div>
    </section>
  );
}

function Values({ store }: { store: ReadingStore }) {
  const { clicks } = store;
  const clicked = clicks.clicked.value;
  if (!clicked) return null;
  return (
    <div class="lesion-values">
      <label>
        <span class="muted">kind</span>
        <select class="field" value={clicked.kind} onChange={(e) => clicks.setKind(e.currentTarget.value)}>
          {KINDS.map(([kind, words]) => (
            <option key={kind} value={kind}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <dl>
        {ROWS.map(([name, words]) => {
          const value = clicked.values[name];
          return (
            value && (
              <div key={name}>
                <dt>{words}</dt>
                <dd>
                  <Amount quantity={value} />
                </dd>
              </div>
            )
          );
        })}
      </dl>
      <p class="why">
        95 % interval of this one outline · {clicked.method}. An unedited click alone proves no growth.
      </p>
      {clicked.notes.map((note) => (
        <p class="why warning" key={note}>
          ▲ {note}
        </p>
      ))}
      <div class="decisions" role="group" aria-label="What the next click or stroke does">
        {MODES.map(([mode, words, held]) => (
          <Button
            key={mode}
            kind="quiet"
            pressed={clicks.mode.value === mode}
            onClick={() => {
              clicks.mode.value = mode;
              store.panes.chooseTool('lesion');
            }}
          >
            {words} {held && <Kbd keys={held} />}
          </Button>
        ))}
      </div>
    </div>
  );
}

/** The stroke while it is drawn over one pane. */
export function LesionStroke({ id, store }: { id: PaneId; store: ReadingStore }) {
  usePanePointer(id, store.panes, store.clicks);
  const drawing = store.clicks.drawing.value;
  if (drawing?.pane !== id || drawing.points.length < 2) return null;
  const straight = drawing.mode === 'new';
  const points = straight ? [drawing.points[0], drawing.points.at(-1)] : drawing.points;
  return (
    <svg class={`marks lesion-stroke ${drawing.mode}`} aria-hidden="true">
      <polyline points={points.map((p) => (p ?? [0, 0]).map((v) => v.toFixed(1)).join(',')).join(' ')} />
    </svg>
  );
}

/** Their keys act only while something is cut out, and then before all others. */
export function lesionActions(store: ReadingStore): Action[] {
  const { clicks } = store;
  const act = (id: string, label: string, keys: string[], run: () => void, when: () => boolean): Action => ({
    id: `lesion-${id}`,
    label,
    keys,
    group: 'Findings',
    run,
    when,
  });
  return [
    act(
      'click',
      'Outline the lesion under the pointer',
      ['m'],
      () => void clicks.underPointer(),
      () => !store.locked.value,
    ),
    act(
      'keep',
      'Keep the outlined lesion',
      ['Enter'],
      () => void clicks.keep(),
      () => clicks.correctable.value,
    ),
    act(
      'back',
      'Take the last correction of the outline back',
      ['Backspace'],
      () => clicks.stepBack(),
      () => clicks.correctable.value,
    ),
    act(
      'leave',
      'Leave the outlined lesion',
      ['Escape'],
      () => clicks.discard(),
      () => clicks.open.value,
    ),
  ];
}
