/** How a pane shows its series: slices, planes, the volume, a slab, colours, another series laid over. */
import { Button } from '../../ui/primitives';
import type { PaneView } from '../../viewer';
import { volumeProblem } from '../../viewer/geometry';
import { type Crop, PLANES, type Slab, WHOLE } from '../../viewer/view';
import type { Overlay } from './laid-over';
import { COLOUR_NAMES, LOOK_NAMES, PANE_KINDS } from './names';
import type { Slot } from './panes';
import type { ReadingStore } from './store';

const PROJECTIONS: readonly { name: Slab['projection']; words: string }[] = [
  { name: 'max', words: 'MIP' },
  { name: 'min', words: 'MinIP' },
  { name: 'average', words: 'Average' },
];

export function PaneMenu({ slot, view, store }: { slot: Slot; view: PaneView; store: ReadingStore }) {
  if (!slot.seriesUid || !view.series || view.series.notShown) return null;
  const id = `menu-${slot.id}`;
  return (
    <div class="pane-menu">
      <Button icon="more" label="How this pane is shown" kind="quiet" popovertarget={id} />
      <div class="popover beside" popover="auto" id={id}>
        <Menu slot={slot} view={view} store={store} />
      </div>
    </div>
  );
}

function Menu({ slot, view, store }: { slot: Slot; view: PaneView; store: ReadingStore }) {
  const { panes } = store;
  const problem = view.series ? volumeProblem(view.series) : null;
  const planar = PLANES.includes(slot.kind);
  const colours = slot.kind === 'volume' ? LOOK_NAMES : COLOUR_NAMES;
  return (
    <>
      <Choice
        title="Shown as"
        chosen={slot.kind}
        options={PANE_KINDS.map((k) => ({
          value: k.kind,
          words: k.words,
          off: k.kind !== 'stack' && !!problem,
        }))}
        choose={(kind) => void panes.show(slot.id, { kind })}
      />
      {problem && <p class="muted">No planes or volume: {problem}</p>}
      {planar && <SlabChoice slot={slot} store={store} />}
      {slot.kind === 'volume' && <CropChoice slot={slot} store={store} />}
      <Choice
        title={slot.kind === 'volume' ? 'Look' : 'Colours'}
        chosen={view.presentation.colourMap ?? ''}
        options={colours}
        choose={(name) => {
          panes.lead(slot.id);
          panes.setColourMap(name || null);
        }}
      />
      {!problem && <FusionChoice slot={slot} store={store} />}
      <OverlayChoice slot={slot} store={store} />
    </>
  );
}

const SIDES = [
  { end: 'low', axis: 0, words: 'Right' },
  { end: 'high', axis: 0, words: 'Left' },
  { end: 'low', axis: 1, words: 'Front' },
  { end: 'high', axis: 1, words: 'Back' },
  { end: 'low', axis: 2, words: 'Feet' },
  { end: 'high', axis: 2, words: 'Head' },
] as const;

/** How much of a volume is cut away from each side, and from where one looks. */
function CropChoice({ slot, store }: { slot: Slot; store: ReadingStore }) {
  const { panes } = store;
  const { crop } = slot;
  const set = (change: Partial<Crop>) => panes.setCrop(slot.id, { ...crop, ...change });
  const from = (end: 'low' | 'high', axis: number, value: number) =>
    set({ [end]: crop[end].map((v, k) => (k === axis ? value : v)) });
  const facing = (depth: number) => {
    const ahead = crop.facing?.ahead ?? panes.controller?.ahead(slot.id);
    set({ facing: ahead && depth > 0 ? { ahead, depth } : null });
  };
  return (
    <fieldset class="crop">
      <legend>Cut away</legend>
      {SIDES.map(({ end, axis, words }) => (
        <Share key={words} words={words} value={crop[end][axis]} set={(v) => from(end, axis, v)} />
      ))}
      <Share words="Facing you" value={crop.facing?.depth ?? 0} set={facing} />
      <Button kind="quiet" disabled={crop === WHOLE} onClick={() => panes.setCrop(slot.id, WHOLE)}>
        Show all of it
      </Button>
    </fieldset>
  );
}

function Share({ words, value, set }: { words: string; value: number; set: (value: number) => void }) {
  const percent = Math.round(value * 100);
  return (
    <label>
      <span>{words}</span>
      <input
        type="range"
        min={0}
        max={95}
        value={percent}
        aria-valuetext={`${percent} % cut away`}
        onInput={(e) => set(Number(e.currentTarget.value) / 100)}
      />
      <span class="figure">{percent} %</span>
    </label>
  );
}

function SlabChoice({ slot, store }: { slot: Slot; store: ReadingStore }) {
  const { slab } = slot;
  const set = (change: Partial<Slab>) => {
    const next = { mm: slab?.mm ?? 10, projection: slab?.projection ?? ('max' as const), ...change };
    store.panes.setSlab(slot.id, next.mm > 0 ? next : null);
  };
  return (
    <fieldset>
      <legend>Slab</legend>
      <label>
        Thickness{' '}
        <input
          type="range"
          min={0}
          max={100}
          step={1}
          value={slab?.mm ?? 0}
          aria-valuetext={slab ? `${slab.mm} mm` : 'thin'}
          onInput={(e) => set({ mm: Number(e.currentTarget.value) })}
        />{' '}
        <span>{slab ? `${slab.mm} mm` : 'thin'}</span>
      </label>
      {PROJECTIONS.map((p) => (
        <label key={p.name}>
          <input
            type="radio"
            name={`projection-${slot.id}`}
            checked={slab?.projection === p.name}
            onChange={() => set({ projection: p.name })}
          />{' '}
          {p.words}
        </label>
      ))}
    </fieldset>
  );
}

/** Another series of the same frame of reference, laid over in colour; the pane itself refuses what does not fit. */
function FusionChoice({ slot, store }: { slot: Slot; store: ReadingStore }) {
  const others = slot.study?.series.filter(
    (s) => s.uid !== slot.seriesUid && /^(PT|NM|MR|CT)$/.test(s.modality),
  );
  if (!others?.length) return null;
  const laidOver = others.find((s) => s.uid === slot.fusionUid);
  return (
    <>
      <label class="fusion">
        Lay over{' '}
        <select
          class="field"
          value={slot.fusionUid ?? ''}
          onChange={(e) => void store.panes.show(slot.id, { fusionUid: e.currentTarget.value || null })}
        >
          <option value="">nothing</option>
          {others.map((s) => (
            <option key={s.uid} value={s.uid}>
              {s.number} {s.modality} {s.description}
            </option>
          ))}
        </select>
      </label>
      {laidOver && <FusionLooks slot={slot} store={store} modality={laidOver.modality} />}
    </>
  );
}

/** How strongly a series is laid over another, and for PET up to which SUV its colours run. */
function FusionLooks({ slot, store, modality }: { slot: Slot; store: ReadingStore; modality: string }) {
  const { strength, upper } = slot.fusionLook;
  const set = (change: Partial<Slot['fusionLook']>) =>
    store.panes.setFusionLook(slot.id, { ...slot.fusionLook, ...change });
  return (
    <>
      <label class="fusion">
        Strength{' '}
        <input
          type="range"
          min={0}
          max={1}
          step={0.05}
          value={strength}
          aria-valuetext={`${Math.round(100 * strength)} %`}
          onInput={(e) => set({ strength: Number(e.currentTarget.value) })}
        />
      </label>
      {modality === 'PT' && (
        <label class="fusion">
          Colours up to{' '}
          <input
            type="range"
            min={1}
            max={25}
            step={0.5}
            value={upper ?? 5}
            aria-valuetext={`SUV ${upper ?? 5}`}
            onInput={(e) => set({ upper: Number(e.currentTarget.value) })}
          />{' '}
          <span>SUV {upper ?? 5}</span>
        </label>
      )}
    </>
  );
}

/** Segmentations are told apart by what they segment. */
const labelOf = (o: Overlay): string =>
  [o.label, ...(o.segments ?? []).slice(0, 3).map((s) => s.label)].filter(Boolean).join(' · ');

/** Segmentations, structures, dose and maps of this study, each switched on by itself. */
function OverlayChoice({ slot, store }: { slot: Slot; store: ReadingStore }) {
  const uid = slot.seriesUid ?? '';
  const { laidOver } = store;
  const list = laidOver.lists.value.get(uid);
  if (!list?.length || slot.kind !== 'stack') return null;
  const on = new Set(laidOver.chosen(uid).map((o) => o.uid));
  return (
    <fieldset class="overlays">
      <legend>Over the image</legend>
      {list.map((o) => (
        <label key={o.uid} title={o.reason ?? undefined}>
          <input
            type="checkbox"
            checked={on.has(o.uid)}
            disabled={!o.description_url}
            onChange={() => laidOver.toggle(uid, o.uid)}
          />{' '}
          {o.modality} {labelOf(o)} {o.reason && <span class="muted">{o.reason}</span>}
        </label>
      ))}
      <label>
        Strength{' '}
        <input
          type="range"
          min={0}
          max={100}
          value={Math.round(laidOver.opacity.value * 100)}
          onInput={(e) => {
            laidOver.opacity.value = Number(e.currentTarget.value) / 100;
            laidOver.mapOpacity.value = laidOver.opacity.value;
          }}
        />
      </label>
    </fieldset>
  );
}

interface ChoiceProps<T extends string> {
  title: string;
  chosen: T;
  options: readonly { value: T; words: string; off?: boolean }[];
  choose: (value: T) => void;
}

function Choice<T extends string>({ title, chosen, options, choose }: ChoiceProps<T>) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {options.map((o) => (
        <Button
          key={o.value}
          kind="quiet"
          pressed={chosen === o.value}
          disabled={o.off ?? false}
          onClick={() => choose(o.value)}
        >
          {o.words}
        </Button>
      ))}
    </fieldset>
  );
}
