/** The panel of the segmentation: its segments, what the chosen tool does, and what there is to open. */
import { can } from '../../app/session';
import { figure } from '../../ui/format';
import { Button } from '../../ui/primitives';
import { extentOf, KINDS, type Segment } from '../../viewer/labels/segments';
import { TOOLS } from '../../viewer/tool-list';
import type { Strokes } from './segment-strokes';
import type { ReadingStore } from './store';

const STATE_WORDS = {
  saved: 'saved',
  changed: 'keeping …',
  kept: 'kept in this browser, not saved yet',
  saving: 'saving …',
  failed: 'not saved, and not kept',
} as const;

export function Segmentation({ store }: { store: ReadingStore }) {
  const { segmentation, strokes } = store;
  const opened = segmentation.opened.value;
  if (!opened && !strokes.tool && !segmentation.waiting.value) return null;
  const started = opened && segmentation.segments.value.length > 0;
  const state = segmentation.state.value;
  return (
    <section class="segmentation" aria-labelledby="segmentation-title">
      <header class="panel-head">
        <h2 id="segmentation-title">
          Segmentation <span class="muted">{opened?.label}</span>
        </h2>
        {opened && (
          <span class={state === 'failed' ? 'error' : 'muted'} role="status">
            {segmentation.busy.value || STATE_WORDS[state]}
          </span>
        )}
      </header>
      <Waiting store={store} />
      {started && (
        <ul class="segments">
          {segmentation.segments.value.map((segment) => (
            <Row key={segment.id} segment={segment} store={store} />
          ))}
        </ul>
      )}
      {strokes.tool && <ToolSettings strokes={strokes} />}
      {opened ? <Acts store={store} /> : <Openable store={store} />}
    </section>
  );
}

function Waiting({ store }: { store: ReadingStore }) {
  const { segmentation, panes } = store;
  const copy = segmentation.waiting.value;
  if (!copy || segmentation.opened.value) return null;
  const pane = panes.slots.value.find((s) => panes.view(s.id).value.series?.uid === copy.seriesUid);
  const goOn = async () => {
    if (!pane) await store.showSeries(copy.seriesUid);
    const series = panes.slots.value
      .map((s) => panes.view(s.id).value.series)
      .find((s) => s?.uid === copy.seriesUid);
    if (series) await segmentation.goOn(series);
  };
  const when = new Date(copy.keptAt);
  return (
    <div class="segment-note">
      <p>
        Unsaved segmentation of{' '}
        {when.toLocaleString([], { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })}:{' '}
        {copy.segments.map((s) => s.label).join(', ')}
      </p>
      <div class="decisions">
        <Button kind="primary" onClick={() => void goOn()}>
          Go on with it
        </Button>
        <Button onClick={() => void segmentation.discard()}>Throw away</Button>
      </div>
    </div>
  );
}

function Row({ segment, store }: { segment: Segment; store: ReadingStore }) {
  const { segmentation } = store;
  const { id } = segment;
  const active = segmentation.active.value === id;
  const kind = KINDS.findIndex((k) => k.type[0] === segment.type[0]);
  return (
    <li class={active ? 'active' : ''}>
      <div class="segment-row">
        <input
          type="radio"
          name="active-segment"
          checked={active}
          aria-label={`Paint ${segment.label}`}
          onChange={() => {
            segmentation.active.value = id;
          }}
        />
        <input
          type="color"
          value={segment.colour}
          aria-label={`Colour of ${segment.label}`}
          onChange={(e) => segmentation.change(id, { colour: e.currentTarget.value }, 'Colour of a segment')}
        />
        <input
          class="segment-name"
          value={segment.label}
          maxLength={64}
          aria-label="Name of the segment"
          onFocus={() => {
            segmentation.active.value = id;
          }}
          onChange={(e) =>
            segmentation.change(
              id,
              { label: e.currentTarget.value.trim() || `Segment ${id}` },
              'Name of a segment',
            )
          }
        />
        <Button
          kind="quiet"
          icon={segment.visible ? 'eye' : 'hidden'}
          label={segment.visible ? `Hide ${segment.label}` : `Show ${segment.label}`}
          pressed={!segment.visible}
          onClick={() => segmentation.change(id, { visible: !segment.visible }, 'Segment shown or hidden')}
        />
        <Button
          kind="quiet"
          icon={segment.locked ? 'locked' : 'open'}
          label={segment.locked ? `Unlock ${segment.label}` : `Lock ${segment.label}`}
          pressed={segment.locked}
          onClick={() => segmentation.change(id, { locked: !segment.locked }, 'Segment locked or unlocked')}
        />
        <Button
          kind="quiet"
          icon="cross"
          label={`Remove ${segment.label}`}
          onClick={() => segmentation.remove(id)}
        />
      </div>
      <div class="segment-row facts">
        <select
          class="field"
          aria-label={`What ${segment.label} is`}
          value={String(kind)}
          onChange={(e) => {
            const chosen = KINDS[Number(e.currentTarget.value)];
            if (chosen) segmentation.setKind(id, chosen.words, chosen);
          }}
        >
          {kind < 0 && <option value="-1">{segment.type[2]}</option>}
          {KINDS.map(({ words }, k) => (
            <option key={words} value={String(k)}>
              {words}
            </option>
          ))}
        </select>
        <Facts id={id} store={store} />
      </div>
    </li>
  );
}

/** How large a segment is, and the mean of the values under it. */
function Facts({ id, store }: { id: number; store: ReadingStore }) {
  const { segmentation } = store;
  const opened = segmentation.opened.value;
  segmentation.revision.value; // anew with every change
  if (!opened?.grid.total(id)) return <span class="muted">empty</span>;
  const { value, unit } = extentOf(id, opened.grid, opened.series, opened.slices);
  const mean = segmentation.means.value.get(id);
  return (
    <span class="numbers">
      {unit === 'ml' && value < 1 ? value.toFixed(3) : figure(value)} <span class="unit">{unit}</span>
      {mean && (
        <span title={`Standard deviation ${figure(mean.sd)} ${mean.unit}`}>
          {' '}
          · {figure(mean.mean)} <span class="unit">{mean.unit}</span>
        </span>
      )}
    </span>
  );
}

function ToolSettings({ strokes }: { strokes: Strokes }) {
  const { tool } = strokes;
  if (!tool) return null;
  const shapes = /^(scissors|outline)/.test(tool);
  const ranged = tool === 'brush-threshold' || (shapes && strokes.insideRange.value);
  return (
    <fieldset class="segment-tool">
      <legend>{TOOLS.find((t) => t.name === tool)?.words}</legend>
      {tool.startsWith('brush') && (
        <label>
          Radius
          <input
            type="range"
            min="-7"
            max="41"
            value={Math.round(Math.log(strokes.radiusMm.value) * 10)}
            aria-valuetext={`${strokes.radiusMm.value} mm`}
            onInput={(e) =>
              strokes.resize(Math.exp(Number(e.currentTarget.value) / 10) / strokes.radiusMm.value)
            }
          />
          <output>{strokes.radiusMm.value} mm</output>
        </label>
      )}
      {(shapes || tool === 'fill') && (
        <label>
          <input
            type="checkbox"
            checked={strokes.cutting.value}
            onChange={(e) => {
              strokes.cutting.value = e.currentTarget.checked;
            }}
          />
          Cut out instead of fill
        </label>
      )}
      {shapes && (
        <label>
          <input
            type="checkbox"
            checked={strokes.insideRange.value}
            onChange={(e) => {
              strokes.insideRange.value = e.currentTarget.checked;
            }}
          />
          Only values in a range
        </label>
      )}
      {ranged && <Range strokes={strokes} />}
      {tool === 'grow' && (
        <label>
          Tolerance ±
          <input
            type="number"
            class="field"
            min="0"
            step="any"
            value={strokes.tolerance.value}
            onChange={(e) => {
              strokes.tolerance.value = Math.max(Number(e.currentTarget.value) || 0, 0);
            }}
          />
        </label>
      )}
    </fieldset>
  );
}

function Range({ strokes }: { strokes: Strokes }) {
  const [low, high] = strokes.range.value;
  const set = (next: readonly [number, number]) => {
    if (next.every(Number.isFinite)) strokes.range.value = next;
  };
  return (
    <label>
      Values from
      <input
        type="number"
        class="field"
        step="any"
        value={low}
        aria-label="Lowest value"
        onChange={(e) => set([Number(e.currentTarget.value), high])}
      />
      to
      <input
        type="number"
        class="field"
        step="any"
        value={high}
        aria-label="Highest value"
        onChange={(e) => set([low, Number(e.currentTarget.value)])}
      />
    </label>
  );
}

/** What can be done with the open segmentation. */
function Acts({ store }: { store: ReadingStore }) {
  const { segmentation, strokes } = store;
  return (
    <>
      <div class="decisions">
        <Button onClick={() => segmentation.add()}>Add a segment</Button>
        <Button popovertarget="segment-acts">The whole segment …</Button>
        <div class="popover segment-acts" popover="auto" id="segment-acts">
          <Button kind="quiet" onClick={() => done(strokes.interpolate())}>
            Interpolate between its slices
          </Button>
          <Button kind="quiet" onClick={() => done(strokes.margin(1))}>
            Margin of 1 mm
          </Button>
          <Button kind="quiet" onClick={() => done(strokes.margin(-1))}>
            Shrink by 1 mm
          </Button>
          <Range strokes={strokes} />
          <Button kind="quiet" onClick={() => done(strokes.threshold())}>
            All values in this range
          </Button>
        </div>
      </div>
      <label class="segment-tool">
        Opacity
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={segmentation.opacity.value}
          onInput={(e) => {
            segmentation.opacity.value = Number(e.currentTarget.value);
          }}
        />
      </label>
      <div class="decisions">
        {can('archive.store') && (
          <Button
            kind="primary"
            disabled={segmentation.state.value === 'saved' || segmentation.state.value === 'saving'}
            onClick={() => void segmentation.save()}
          >
            Save in the study
          </Button>
        )}
        <Button onClick={() => void segmentation.put()}>Close</Button>
      </div>
    </>
  );
}

function done(work: Promise<void>): void {
  document.getElementById('segment-acts')?.hidePopover();
  void work;
}

/** Segmentations that lie over the series with the keys, to be edited. */
function Openable({ store }: { store: ReadingStore }) {
  const { panes, laidOver, segmentation } = store;
  const { series } = panes.shown;
  const found = editable(store);
  return (
    <>
      {found.map((overlay) => (
        <button
          type="button"
          key={overlay.uid}
          class="drawn-row"
          disabled={segmentation.busy.value !== ''}
          onClick={() => series && void segmentation.edit(overlay, series)}
        >
          <span>{overlay.label || 'Segmentation'}</span> <span class="muted">edit</span>
        </button>
      ))}
      <p class="segment-note muted">
        {segmentation.busy.value ||
          (laidOver.lists.value.get(series?.uid ?? '') === null
            ? 'Looking for segmentations …'
            : 'Draw on the image to begin a new one.')}
      </p>
    </>
  );
}

/** The segmentations over the series with the keys. */
export function editable(store: ReadingStore) {
  const uid = store.panes.shown.series?.uid ?? '';
  const list = store.laidOver.lists.value.get(uid) ?? [];
  return list.filter((o) => o.kind === 'labelmap' && o.description_url);
}
