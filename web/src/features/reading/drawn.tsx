/** What was drawn on this study: measurements, key images, presentations; and whether it is saved. */
import { useEffect, useRef } from 'preact/hooks';
import { figure } from '../../ui/format';
import { Button } from '../../ui/primitives';
import type { Measurement } from '../../viewer/measurements';
import { Curve } from './curves';
import type { ReadingStore } from './store';

const KIND_WORDS: Record<Measurement['kind'], string> = {
  length: 'Length',
  'calibrated-length': 'Known length',
  bidirectional: 'Two axes',
  angle: 'Angle',
  cobb: 'Cobb angle',
  ellipse: 'Ellipse',
  rectangle: 'Rectangle',
  freehand: 'Freehand',
  spline: 'Spline',
  probe: 'Probe',
  arrow: 'Arrow',
  text: 'Text',
};
const STATE_WORDS = {
  saved: 'saved',
  changed: 'keeping …',
  kept: 'kept for you, not saved yet',
  failed: 'could not be kept',
} as const;
const UNITS: Record<string, string> = {
  '1': 'stored value',
  mm2: 'mm²',
  px2: 'px²',
  deg: '°',
  "[hnsf'U]": 'HU',
  'g/ml{SUVbw}': 'SUVbw',
};
/** Of each kind the values that say most; the others are on the image. */
const SHOWN = new Set(['length', 'long_axis', 'short_axis', 'angle', 'area', 'mean', 'value']);

export function Drawn({ store }: { store: ReadingStore }) {
  const { annotations } = store;
  const { measurements, keyImages, presentations, state } = annotations;
  if (!measurements.value.length && !keyImages.value.length && !presentations.value.length) return null;
  return (
    <section class={`drawn ${annotations.chosen.value ? 'open' : ''}`} aria-labelledby="drawn-title">
      <header class="panel-head">
        <h2 id="drawn-title">
          Drawn <span class="muted">{annotations.count.value}</span>
        </h2>
        <span class={state.value === 'failed' ? 'error' : 'muted'}>{STATE_WORDS[state.value]}</span>
      </header>
      <ul>
        {measurements.value.map((m) => (
          <Row key={m.uid} measurement={m} store={store} />
        ))}
        {keyImages.value.map((k) => (
          <li key={`${k.sop_uid} ${k.frame}`}>
            <button type="button" class="drawn-row" onClick={() => void store.showImage(placeOf(k))}>
              <span class="key-image">★ key image</span> <span class="muted">{k.note}</span>
            </button>
          </li>
        ))}
        {presentations.value.map((p) => (
          <li key={p.uid}>
            <button type="button" class="drawn-row" onClick={() => void store.showPresentation(p)}>
              <span>As shown: {p.label}</span>
            </button>
          </li>
        ))}
      </ul>
      {annotations.unread.value.length > 0 && (
        <p class="muted">{annotations.unread.value.map((u) => u.reason).join(' ')}</p>
      )}
      {state.value !== 'saved' && (
        <Button keys="Ctrl-s" onClick={() => void annotations.save()}>
          Save in the study
        </Button>
      )}
    </section>
  );
}

function Row({ measurement: m, store }: { measurement: Measurement; store: ReadingStore }) {
  const { chosen } = store.annotations;
  const open = chosen.value === m.uid;
  const row = useRef<HTMLLIElement>(null);
  // The curve under the row is part of it: what was opened is seen whole.
  useEffect(() => {
    if (open) row.current?.scrollIntoView({ block: 'nearest' });
  }, [open]);
  const pixels = open ? store.panes.controller?.pixelsOf(m.sop_uid, m.frame) : null;
  return (
    <li ref={row}>
      <button
        type="button"
        class="drawn-row"
        aria-expanded={open}
        onClick={() => {
          chosen.value = open ? null : m.uid;
          if (!open) void store.showImage(placeOf(m));
        }}
      >
        <span title={m.label || undefined}>{m.label || KIND_WORDS[m.kind] || m.kind}</span> <Values of={m} />
      </button>
      {pixels && <Curve measurement={m} pixels={pixels} unit={store.panes.unitOf(m.series_uid)} />}
      {open && m.calibration && <p class="calibration muted">Millimetres rest on: {m.calibration}</p>}
    </li>
  );
}

const placeOf = (of: { sop_uid: string; frame: number }) => ({ sopUid: of.sop_uid, frame: of.frame });

function Values({ of }: { of: Measurement }) {
  const shown = of.values.filter((v) => SHOWN.has(v.name));
  return (
    <span class="numbers">
      {shown.map((v, k) => {
        const times = v.name === 'long_axis' && isShortAxis(shown[k + 1], v.unit);
        return (
          <span key={v.name} title={`${v.name.replace('_', ' ')}${v.method && `, ${v.method}`}`}>
            {figure(v.value)} <span class="unit">{times ? '×' : (UNITS[v.unit] ?? v.unit)}</span>{' '}
          </span>
        );
      })}
    </span>
  );
}

/** The two axes of a lesion are said in one: `90.5 × 60.3 mm`. */
const isShortAxis = (next: Measurement['values'][number] | undefined, unit: string): boolean =>
  next?.name === 'short_axis' && next.unit === unit;
