/** One image pane: the canvas, what is written at its corners, the marks. */
import { useEffect, useRef } from 'preact/hooks';
import type { Study } from '../../api';
import { day, figure } from '../../ui/format';
import { Kbd, SimulatedTag } from '../../ui/primitives';
import type { PaneId, PaneView } from '../../viewer';
import { geometryNote } from '../../viewer/geometry';
import { calibrationOf } from '../../viewer/lookup';
import { scaleBar } from '../../viewer/overlay';
import { presetName, type Window } from '../../viewer/presets';
import { lossyMark, phaseOf, slicesPerPhase, viewWords } from '../../viewer/series';
import { isSegmentTool } from '../../viewer/tool-list';
import { scalingOf } from '../../viewer/units';
import { DocumentPane } from '../documents';
import { ChangedPlaces } from './change-map-image';
import { CineBar } from './cine-bar';
import { KeyboardCross, pointWith } from './keyboard-pointer';
import { LaidOverImage } from './laid-over-image';
import { LesionStroke } from './lesion-panel';
import { PaneMenu } from './pane-menu';
import type { LinkKind, Slot } from './panes';
import { PreviewImage } from './preview';
import { PriorOverImage } from './prior-over-image';
import { SegmentLayer } from './segment-layer';
import type { ReadingStore } from './store';

interface PaneProps {
  slot: Slot;
  store: ReadingStore;
}

/** Tools of ours that draw nothing by the library. */
const AIMING: ReadonlySet<string> = new Set(['crosshair', 'lesion']);
const WHEEL_STEP = 30;
const NOTCH = 60;
const TOUCH_STEP = 9;
/** What is dragged from the strip of series. */
export const DRAGGED = 'application/x-sightline-series';

export function Pane({ slot, store }: PaneProps) {
  const { id } = slot;
  const { panes } = store;
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (element.current) panes.attach(id, element.current);
    return () => panes.detach(id);
  }, [id, panes]);
  const view = panes.view(id).value;
  const name = nameOf(slot, store);
  const handlers = useHandlers(store, id);
  return (
    <section
      class={`pane ${panes.focused.value === id ? 'focused' : ''} ${panes.maximised.value === id ? 'maximised' : ''}`}
      aria-label={`${name}: ${slot.reason || describe(view)}${slot.seriesUid ? '' : ` (${id})`}`}
      data-pane={id}
      onPointerDownCapture={() => panes.lead(id)}
      onFocusCapture={() => panes.lead(id)}
      onDragOver={(e) => {
        if (e.dataTransfer?.types.includes(DRAGGED)) e.preventDefault();
      }}
      onDrop={(e) => {
        e.preventDefault();
        const uid = e.dataTransfer?.getData(DRAGGED);
        if (uid) void store.showSeries(uid, id);
      }}
    >
      <div
        class={`canvas ${AIMING.has(panes.tool.value) || isSegmentTool(panes.tool.value) ? 'aiming' : ''}`}
        role="application"
        aria-label={`${name} image; up and down scroll`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an image pane is a widget of its own, and takes the scroll keys.
        tabIndex={0}
        {...handlers}
        onKeyDown={(e) => pointWith(e, panes)}
      >
        <div class="stack" ref={element} />
        {id === 'current' && panes.preview.value && view.state !== 'shown' && view.state !== 'failed' && (
          <PreviewImage {...panes.preview.value} />
        )}
      </div>
      <KeyboardCross pane={id} />
      {slot.document ? (
        <Document slot={slot} document={slot.document} store={store} />
      ) : (
        <OverImage slot={slot} view={view} store={store} />
      )}
    </section>
  );
}

/** All that lies over an image. */
function OverImage({ slot, view, store }: PaneProps & { view: PaneView }) {
  const { id } = slot;
  const { panes } = store;
  const name = nameOf(slot, store);
  return (
    <>
      <PriorOverImage view={view} store={store} />
      <LaidOverImage view={view} store={store} />
      <ChangedPlaces view={view} store={store} />
      <SegmentLayer id={id} view={view} store={store} />
      <LesionStroke id={id} store={store} />
      <Marks view={view} store={store} />
      <TopLeft slot={slot} view={view} store={store} />
      {!slot.reason && <TopRight view={view} />}
      <BottomLeft view={view} name={name} />
      <div class="corner bottom-right">
        <Scale mmPerPixel={view.mmPerPixel} />
        <span class="line muted">
          Not for diagnosis<span class="least"> on this display</span>
        </span>
      </div>
      {view.letters && (
        <div class="letters" aria-hidden="true">
          <i class="t">{view.letters.top}</i>
          <i class="r">{view.letters.right}</i>
          <i class="b">{view.letters.bottom}</i>
          <i class="l">{view.letters.left}</i>
        </div>
      )}
      {(view.state === 'failed' || slot.reason) && (
        <div class="pane-reason" role="status">
          <p>{slot.reason || view.reason}</p>
        </div>
      )}
      <CineBar view={view} store={store} id={id} />
      <PaneMenu slot={slot} view={view} store={store} />
      {id === 'prior' && panes.blink.value && view.state === 'shown' && (
        <div class="blink-note">
          Prior <Kbd keys="Space" />
        </div>
      )}
    </>
  );
}

/** A report, a tracing, a film or a slide, with whose it is above it. */
function Document({ slot, document, store }: PaneProps & { document: NonNullable<Slot['document']> }) {
  const { study, seriesUid } = slot;
  if (!study || !seriesUid) return null;
  return (
    <div class="pane-document">
      <p class="document-head">
        <strong>{nameOf(slot, store).toUpperCase()}</strong> {study.exam} · {day(study.date)} ·{' '}
        <bdi>{study.patient.name}</bdi> <span class="muted">{study.patient.patient_id}</span>{' '}
        {study.simulated && <SimulatedTag />}
      </p>
      <div class="document-body">
        <DocumentPane
          kind={document.kind}
          studyUid={study.uid}
          seriesUid={seriesUid}
          instances={document.instances}
          onImage={(at) => void store.showImage(at)}
        />
      </div>
    </div>
  );
}

/** Which study a pane shows, in a word. */
function nameOf(slot: Slot, store: ReadingStore): string {
  const { study } = slot;
  if (!study) return slot.id === 'prior' ? 'Prior' : slot.id === 'current' ? 'Current' : 'Empty';
  return study.uid === store.uid ? 'Current' : 'Prior';
}

/** Wheel, touch, crosshair and drag of one pane. */
function useHandlers(store: ReadingStore, id: PaneId) {
  const { panes } = store;
  const rolled = useRef(0);
  const touched = useRef<number | null>(null);
  const aimed = useRef<{ x: number; y: number } | null>(null);
  const aim = (event: PointerEvent) => {
    event.stopPropagation();
    if (event.altKey && aimed.current) {
      panes.controller?.turn(id, (event.clientX - aimed.current.x) / 2, 'vertical');
      panes.controller?.turn(id, (event.clientY - aimed.current.y) / 2, 'horizontal');
    } else void panes.controller?.pointOut(id, event.clientX, event.clientY);
    aimed.current = { x: event.clientX, y: event.clientY };
  };
  const aiming = (event: PointerEvent) => panes.tool.value === 'crosshair' && event.button <= 0;
  const oneFinger = (event: TouchEvent) => event.touches.length === 1 && panes.tool.value === 'window';
  return {
    onWheel: (event: WheelEvent) => {
      event.preventDefault();
      // A mouse wheel moves by notches of 100 or more, or by lines; a touchpad by little and little.
      const notch = event.deltaMode !== 0 || Math.abs(event.deltaY) >= NOTCH;
      rolled.current = notch ? 0 : rolled.current + event.deltaY;
      const steps = notch
        ? Math.sign(event.deltaY) * Math.max(1, Math.round(Math.abs(event.deltaY) / 120))
        : Math.trunc(rolled.current / WHEEL_STEP);
      if (!steps) return;
      if (!notch) rolled.current -= steps * WHEEL_STEP;
      panes.lead(id);
      panes.scroll(Math.max(-8, Math.min(8, steps)), id);
    },
    onPointerDownCapture: (event: PointerEvent) => {
      if (!aiming(event)) return;
      aimed.current = { x: event.clientX, y: event.clientY };
      aim(event);
    },
    onMouseDownCapture: (event: MouseEvent) => {
      if (panes.tool.value === 'crosshair' && event.button === 0) event.stopPropagation();
    },
    onPointerMove: (event: PointerEvent) => {
      panes.pointer = { pane: id, x: event.clientX, y: event.clientY };
      if (aimed.current && event.buttons === 1) aim(event);
    },
    onPointerUp: () => {
      aimed.current = null;
    },
    onPointerLeave: () => {
      panes.pointer = null;
    },
    onDblClick: () => panes.maximise(id),
    onContextMenu: (event: MouseEvent) => event.preventDefault(),
    // One finger scrolls, as long as no other tool than the window was chosen; the tool library then hears nothing.
    onTouchStartCapture: (event: TouchEvent) => {
      touched.current = oneFinger(event) ? (event.touches[0]?.clientY ?? null) : null;
      if (touched.current === null) return;
      event.stopPropagation();
      panes.lead(id);
    },
    onTouchMoveCapture: (event: TouchEvent) => {
      const y = event.touches[0]?.clientY;
      if (touched.current === null || y === undefined || !oneFinger(event)) return;
      event.stopPropagation();
      const steps = Math.trunc((y - touched.current) / TOUCH_STEP);
      if (!steps) return;
      touched.current += steps * TOUCH_STEP;
      panes.scroll(steps, id);
    },
  };
}

function TopLeft({ slot, view, store }: { slot: Slot; view: PaneView; store: ReadingStore }) {
  const { study } = slot;
  const name = nameOf(slot, store);
  const prior = name === 'Prior' && view.state === 'shown';
  const why = prior ? whyPrior(study, store) : '';
  return (
    <div class="corner top-left">
      <span class="line" title={study?.exam}>
        <strong>{name.toUpperCase()}</strong> {study?.exam}
      </span>
      {study?.date && <span class="line study-date">{day(study.date)}</span>}
      {study && (
        <span class="line identity">
          <bdi>{study.patient.name}</bdi> <span class="muted">{study.patient.patient_id}</span>
        </span>
      )}
      {why && <span class="line muted least">{why}</span>}
      {prior && <span class="line muted link">{linkWords(slot, store)}</span>}
      {store.annotations.isKeyImage(view) && <span class="line key-image">★ key image</span>}
      {study && otherPatient(study, store) && (
        <span class="line error">✕ another patient than the study being read</span>
      )}
      {study?.simulated && <SimulatedTag />}
    </div>
  );
}

const otherPatient = (study: Study, store: ReadingStore): boolean =>
  study.patient.id !== store.reading.value?.study.patient.id;

const KIND_WORDS = { axial: 'axial plane', sagittal: 'sagittal plane', coronal: 'coronal plane' } as const;

function TopRight({ view }: { view: PaneView }) {
  const { series, state } = view;
  if (state === 'loading' || state === 'empty')
    return (
      <div class="corner top-right">
        <span class="line muted">
          {state === 'loading' || !series ? 'Loading images' : ''}
          {view.loaded !== null && view.kind !== 'stack' && ` ${view.loaded} %`}
        </span>
      </div>
    );
  if (!series || (state !== 'shown' && state !== 'preview')) return null;
  const count = view.kind === 'stack' ? slicesPerPhase(series) : view.count;
  const note = view.kind === 'stack' ? geometryNote(series) : null;
  const instance = series.instances[series.slices[view.index]?.instance ?? 0] ?? {};
  const lossy = view.kind === 'stack' ? lossyMark([instance]) : series.lossy;
  return (
    <div class="corner top-right">
      <span class="line place">
        Se {series.number}
        {view.count > 0 && ` · Im ${(view.index % Math.max(count, 1)) + 1}/${count}`}
      </span>
      {viewWords(instance) && <strong class="line">{viewWords(instance)}</strong>}
      <span class="line less">{series.description}</span>
      {series.phases.count > 1 && view.kind === 'stack' && (
        <span class="line">{series.phases.names[phaseOf(series, view.index)]}</span>
      )}
      {view.kind !== 'stack' && (
        <span class="line">
          {view.kind === 'volume' ? 'volume' : (KIND_WORDS[view.kind as 'axial'] ?? 'oblique plane')}
          {view.slab && ` · ${view.slab.mm} mm ${SLAB_WORDS[view.slab.projection]}`}
        </span>
      )}
      {view.fused && <span class="line">+ {view.fused}</span>}
      <span class={view.mmPerPixel === null ? 'line' : 'line less'}>{lengthWords(view)}</span>
      {view.mmPerPixel !== null && view.kind === 'stack' && !view.positionLpsMm && (
        <span class="line muted least">mm {calibrationOf(instance)}</span>
      )}
      {lossy && <span class="line warning">{lossy}</span>}
      {note && <span class="line warning">{note}</span>}
      {view.loaded !== null && (
        <span class="line warning">
          {view.kind === 'stack' ? 'coarse: the full image is on its way' : `loading ${view.loaded} %`}
        </span>
      )}
    </div>
  );
}

/** How thick a slice is, and whether lengths on it can be trusted. */
function lengthWords({ kind, series, mmPerPixel }: PaneView): string {
  const thick = kind === 'stack' ? (series?.thicknessMm ?? null) : null;
  return [
    thick !== null && `${figure(thick)} mm`,
    mmPerPixel === null && kind !== 'volume' && 'not calibrated',
  ]
    .filter(Boolean)
    .join(' · ');
}

const SLAB_WORDS = { max: 'MIP', min: 'MinIP', average: 'average' } as const;

function BottomLeft({ view, name }: { view: PaneView; name: string }) {
  const { presentation: p, series } = view;
  const turned = [
    p.flipHorizontal && 'flipped left-right',
    p.flipVertical && 'flipped up-down',
    p.rotation !== 0 && `rotated ${Math.round(p.rotation)}°`,
    p.invert && 'inverted',
  ].filter(Boolean);
  const instance = series?.instances[0];
  const scaling = instance && series?.modality === 'PT' ? scalingOf(instance, 'PT') : null;
  return (
    <div class="corner bottom-left">
      {turned.length > 0 && <span class="line warning">{turned.join(' · ')}</span>}
      {p.window && !inColour(view) && (view.state === 'shown' || view.state === 'preview') && (
        <span class="line">
          W {shortFigure(p.window.width)} L {shortFigure(p.window.center)}
          {series?.modality === 'CT' && presetName(p.window) && (
            <span class="muted least"> {presetName(p.window)}</span>
          )}
          {scaling && <span class="muted"> {scaling.unit}</span>}
        </span>
      )}
      {scaling?.reason && <span class="line muted least">{scaling.reason}</span>}
      {view.positionLpsMm && view.state === 'shown' && <span class="line muted">{placeWords(view)}</span>}
      {view.beyond && (
        <span class="line warning">This level lies outside the {name === 'Prior' ? 'prior' : 'current'}</span>
      )}
    </div>
  );
}

/** Colour has no window that would mean anything to a reader. */
const inColour = ({ series }: PaneView): boolean =>
  !!series?.instances[0] &&
  !/^MONOCHROME|^PALETTE/.test(String(series.instances[0]['00280004']?.Value?.[0] ?? 'MONOCHROME2'));

/** Where a plane lies along the axis it cuts: x to the left, y to the back, z to the head. */
function placeWords({ kind, positionLpsMm }: PaneView): string {
  const axis = kind === 'sagittal' ? 0 : kind === 'coronal' ? 1 : 2;
  return `${'xyz'[axis]} ${(positionLpsMm?.[axis] ?? 0).toFixed(1)} mm`;
}

const shortFigure = (value: Window['width']): string =>
  Math.abs(value) >= 20 ? String(Math.round(value)) : String(Math.round(value * 100) / 100);

function Marks({ view, store }: { view: PaneView; store: ReadingStore }) {
  if (view.state !== 'shown') return null;
  return (
    <svg class="marks" aria-hidden="true">
      {view.lines.map((l) => (
        <line key={`${l.x1} ${l.y1}`} class="reference" {...l} />
      ))}
      {view.marks.map((m) => (
        <g
          key={m.id}
          class={`mark ${m.tone} ${m.selected ? 'selected' : ''}`}
          onPointerDown={() => m.tone === 'draft' || store.findings.select(m.id)}
        >
          {m.path && <path d={m.path} />}
          {m.circle && <circle cx={m.circle.x} cy={m.circle.y} r={m.circle.r} />}
          {m.axes.map((a) => (
            <line key={`${a.x1} ${a.y1}`} class="axis" {...a} />
          ))}
          <text x={m.labelAt.x} y={m.labelAt.y}>
            {m.label}
          </text>
        </g>
      ))}
    </svg>
  );
}

function Scale({ mmPerPixel }: { mmPerPixel: number | null }) {
  const bar = mmPerPixel === null ? null : scaleBar(mmPerPixel);
  if (!bar) return null;
  return (
    <span class="scale" style={{ width: `${bar.pixels}px` }}>
      {bar.label}
    </span>
  );
}

const LINK_WORDS: Record<LinkKind, string> = {
  same: 'in the same space',
  aligned: 'linked by alignment',
  position: 'linked by position, not aligned',
  none: 'not linked',
};

function whyPrior(study: Study | null, store: ReadingStore): string {
  return store.reading.value?.priors.find((p) => p.study_uid === study?.uid)?.why ?? '';
}

const linkWords = (slot: Slot, store: ReadingStore): string =>
  store.panes.linked.value ? LINK_WORDS[slot.link] : 'not linked';

function describe(view: PaneView): string {
  if (view.state === 'failed') return view.reason;
  if (view.state !== 'shown' || !view.series) return 'loading';
  if (view.kind === 'volume') return 'volume';
  return `image ${view.index + 1} of ${view.count}`;
}
