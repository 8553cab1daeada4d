/** A whole slide: its tissue to move and enlarge, its label and overview beside it. */
import type { RefObject } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Button, Dialog, Notice } from '../../ui/primitives';
import { Nothing } from '../../ui/states';
import type { ViewProps } from '.';
import { addresses } from './addresses';
import {
  chooseLevel,
  fitted,
  kept,
  type Level,
  magnification,
  type Picture,
  readSlide,
  type Slide,
  scaleBar,
  type View,
} from './pyramid';
import { useSize } from './size';
import { drawMap, drawTissue, type Looking, tilesOf, wantedTiles } from './slide-drawing';
import { usePointers } from './slide-pointers';
import { TileStore } from './tiles';

const STEP = 1.5;
const MAP_PX = 140;

/** Where a tile is fetched: as it is stored where it is plain, else rendered. */
type TileAddress = (sopUid: string, frame: number, plain?: boolean) => string;

export function SlideView({ instances, studyUid, seriesUid }: ViewProps) {
  const slide = useMemo(() => readSlide(instances), [instances]);
  const address: TileAddress = (sopUid, frame, plain) =>
    (plain ? addresses.frame : addresses.rendered)({ studyUid, seriesUid, sopUid }, frame);
  const [base] = slide.levels;
  if (base) return <Tissue slide={slide} base={base} address={address} />;
  if (!slide.pictures.length) return <Nothing title={slide.problem} />;
  return (
    <div class="document-whole">
      <div class="document-head">
        <Pictures pictures={slide.pictures} address={address} />
      </div>
      <div class="document-body">
        <Notice tone="warning">{slide.problem}</Notice>
      </div>
    </div>
  );
}

function Tissue({ slide, base, address }: { slide: Slide; base: Level; address: TileAddress }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const map = useRef<HTMLCanvasElement>(null);
  const size = useSize(canvas);
  const [view, setView] = useState<View | null>(null);
  const [plane, setPlane] = useState(Math.floor((slide.planes - 1) / 2));
  const [path, setPath] = useState(0);
  const store = useTiles();
  const shown = size.width ? kept(view ?? fitted(base, size), base, size) : null;
  const level = shown ? chooseLevel(slide.levels, shown.zoom * (window.devicePixelRatio || 1)) : 0;
  const looking: Looking | null = shown &&
    store.current && { slide, view: shown, size, level, plane, path, store: store.current };
  useEffect(() => {
    if (!looking || !canvas.current || !map.current) return;
    const wanted = wantedTiles(looking);
    looking.store.want(
      wanted.map(({ key, tile: t }) => ({ key, address: address(t.sopUid, t.frame, t.plain) })),
    );
    drawTissue(canvas.current, looking);
    drawMap(map.current, looking);
  });
  const look = (next: View) => setView(kept(next, base, size));
  const focus = (to: number) => setPlane(Math.max(0, Math.min(slide.planes - 1, to)));
  const acts = actsOf(shown, size, look, () => setView(null));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys: Record<string, (far: number) => void> = {
      ...acts,
      '[': () => focus(plane - 1),
      ']': () => focus(plane + 1),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act(event.shiftKey ? 5 : 1);
  };
  return (
    <div class="document-whole">
      <div class="document-head" role="toolbar" aria-label="Slide">
        <Button kind="quiet" icon="minus" label="Smaller" keys="-" onClick={acts['-']} />
        <Button kind="quiet" icon="plus" label="Larger" keys="+" onClick={acts['+']} />
        <Button kind="quiet" icon="fit" label="The whole slide" keys="0" onClick={acts['0']} />
        <Button label="One pixel of the slide to one of the screen" keys="1" onClick={acts['1']}>
          1:1
        </Button>
        {slide.planes > 1 && <Focus plane={plane} planes={slide.planes} focus={focus} />}
        {slide.paths.length > 1 && <Paths paths={slide.paths} path={path} choose={setPath} />}
        <span class="spacer" />
        <Pictures pictures={slide.pictures} address={address} />
      </div>
      <div class="slide-stage">
        <div
          class="document-canvas"
          role="application"
          aria-label={`Slide, ${base.columns} by ${base.rows} pixels. Arrow keys move, plus and minus enlarge, 0 shows the whole`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the slide is a widget of its own, and takes its keys.
          tabIndex={0}
          onKeyDown={onKeyDown}
          {...usePointers(canvas, shown, look)}
        >
          <canvas ref={canvas} />
        </div>
        <Overview canvas={map} base={base} onLook={(x, y) => shown && look({ ...shown, x, y })} />
        {looking && <Corners looking={looking} />}
      </div>
    </div>
  );
}

/** A store of tiles as long as the slide is shown; the slide is drawn anew when one has come. */
function useTiles(): RefObject<TileStore | null> {
  const [, redraw] = useState(0);
  const store = useRef<TileStore | null>(null);
  useEffect(() => {
    let asked = 0;
    const made = new TileStore(() => {
      cancelAnimationFrame(asked);
      asked = requestAnimationFrame(() => redraw((n) => n + 1));
    });
    store.current = made;
    redraw((n) => n + 1);
    return () => {
      cancelAnimationFrame(asked);
      made.close();
    };
  }, []);
  return store;
}

/** What keys and buttons do; arrows go further with a greater `far`. */
function actsOf(
  shown: View | null,
  size: { width: number; height: number },
  look: (view: View) => void,
  whole: () => void,
) {
  const move = (x: number, y: number) => (far: number) =>
    shown &&
    look({
      ...shown,
      x: shown.x + (x * far * 0.15 * size.width) / shown.zoom,
      y: shown.y + (y * far * 0.15 * size.height) / shown.zoom,
    });
  const zoomTo = (zoom: (now: number) => number) => () => shown && look({ ...shown, zoom: zoom(shown.zoom) });
  return {
    ArrowLeft: move(-1, 0),
    ArrowRight: move(1, 0),
    ArrowUp: move(0, -1),
    ArrowDown: move(0, 1),
    '+': zoomTo((now) => now * STEP),
    '=': zoomTo((now) => now * STEP),
    '-': zoomTo((now) => now / STEP),
    '0': whole,
    '1': zoomTo(() => 1),
  };
}

/** The whole slide in small; a click goes there. Keys move the slide itself. */
function Overview(props: {
  canvas: RefObject<HTMLCanvasElement | null>;
  base: Level;
  onLook: (x: number, y: number) => void;
}) {
  const { base } = props;
  return (
    <canvas
      ref={props.canvas}
      class="slide-map"
      width={MAP_PX}
      height={Math.max(8, Math.min(2 * MAP_PX, Math.round((MAP_PX * base.rows) / base.columns)))}
      aria-label="The whole slide, and what of it is seen"
      onPointerDown={(event) => {
        const scale = base.columns / event.currentTarget.clientWidth;
        props.onLook(event.offsetX * scale, event.offsetY * scale);
      }}
    />
  );
}

function Corners({ looking }: { looking: Looking }) {
  const { slide, view, store } = looking;
  const bar = slide.spacing && scaleBar(slide.spacing[0] / view.zoom);
  const { waiting, failed } = store.standing;
  const tooMuch = tilesOf(looking, looking.level).length === 0;
  return (
    <>
      <div class="slide-corner left">
        <span>{magnification(slide, view.zoom)}</span>
        {slide.stain && <span class="muted">{slide.stain}</span>}
        {!slide.spacing && (
          <span class="warning" title={slide.doubt}>
            not calibrated
          </span>
        )}
        {bar && (
          <span class="scale" style={{ width: `${bar.pixels}px` }}>
            {bar.label}
          </span>
        )}
      </div>
      <div class="slide-corner right">
        {tooMuch && <span class="warning">Nothing of the slide can be drawn here; enlarge or move.</span>}
        {waiting > 0 && <span class="muted">{waiting} tiles to come</span>}
        {failed > 0 && <Button onClick={() => store.retry()}>{failed} tiles missing; try again</Button>}
        <span class="muted">Not for diagnosis on this display</span>
      </div>
    </>
  );
}

function Focus(props: { plane: number; planes: number; focus: (plane: number) => void }) {
  const { plane, planes, focus } = props;
  return (
    <span class="document-choice">
      <Button kind="quiet" label="Focal plane before" keys="[" onClick={() => focus(plane - 1)}>
        −
      </Button>
      focus {plane + 1}/{planes}
      <Button kind="quiet" label="Focal plane after" keys="]" onClick={() => focus(plane + 1)}>
        +
      </Button>
    </span>
  );
}

function Paths(props: { paths: readonly string[]; path: number; choose: (path: number) => void }) {
  return (
    <label class="document-choice">
      <span class="sr-only">Optical path</span>
      <select
        class="field"
        value={props.path}
        onChange={(event) => props.choose(Number(event.currentTarget.value))}
      >
        {props.paths.map((name, at) => (
          <option key={name} value={at}>
            path {name}
          </option>
        ))}
      </select>
    </label>
  );
}

const PICTURES = {
  label: ['Label', 'Label of the slide'],
  overview: ['Overview', 'Overview of the slide'],
} as const;

/** Label and overview, each opened in a dialog: they may name the patient. */
function Pictures({ pictures, address }: { pictures: readonly Picture[]; address: TileAddress }) {
  const [opened, open] = useState<Picture | null>(null);
  return (
    <>
      {pictures.map((one) => (
        <Button key={one.sopUid} onClick={() => open(one)}>
          {PICTURES[one.kind][0]}
        </Button>
      ))}
      {opened && (
        <Dialog title={PICTURES[opened.kind][1]} onClose={() => open(null)} wide>
          <img class="slide-picture" src={address(opened.sopUid, 1)} alt={PICTURES[opened.kind][1]} />
        </Dialog>
      )}
    </>
  );
}
