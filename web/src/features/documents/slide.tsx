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
  inLevel,
  kept,
  type Level,
  magnification,
  type Picture,
  readSlide,
  type Slide,
  scaleBar,
  seen,
  type Tile,
  type View,
  zoomedAt,
} from './pyramid';
import { type Size, useSize } from './size';
import { TileStore, type Wanted } from './tiles';

const STEP = 1.5;
const MAP_PX = 140;

export function SlideView({ instances, studyUid, seriesUid }: ViewProps) {
  const slide = useMemo(() => readSlide(instances), [instances]);
  if (slide.problem && slide.pictures.length === 0) return <Nothing title={slide.problem} />;
  const tile = (sop: string, frame: number, plain = false) =>
    (plain ? addresses.frame : addresses.rendered)({ studyUid, seriesUid, sopUid: sop }, frame);
  return <Tissue slide={slide} tile={tile} />;
}

interface TissueProps {
  slide: Slide;
  /** Where a tile is fetched: as it is stored where it is plain, else rendered. */
  tile: (sopUid: string, frame: number, plain?: boolean) => string;
}

function Tissue({ slide, tile }: TissueProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const map = useRef<HTMLCanvasElement>(null);
  const size = useSize(canvas);
  const base = slide.levels[0];
  const [view, setView] = useState<View | null>(null);
  const [plane, setPlane] = useState(Math.floor((slide.planes - 1) / 2));
  const [path, setPath] = useState(0);
  const [picture, open] = useState<Picture | null>(null);
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

  const shown = base && size.width ? kept(view ?? fitted(base, size), base, size) : null;
  const level = shown ? chooseLevel(slide.levels, shown.zoom * (window.devicePixelRatio || 1)) : 0;
  useEffect(() => {
    if (!shown || !store.current || !canvas.current) return;
    const looking = { slide, view: shown, size, level, plane, path, store: store.current };
    store.current.want(
      wantedTiles(looking).map(({ key, tile: one }) => ({
        key,
        address: tile(one.sopUid, one.frame, one.plain),
      })),
    );
    drawTissue(canvas.current, looking);
    if (map.current) drawMap(map.current, looking);
  });
  const look = (next: View) => base && setView(kept(next, base, size));
  const pointers = usePointers(canvas, shown, look);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!shown || !base || event.ctrlKey || event.metaKey || event.altKey) return;
    const far = (event.shiftKey ? 0.8 : 0.15) / shown.zoom;
    const acts: Record<string, () => void> = {
      ArrowLeft: () => look({ ...shown, x: shown.x - far * size.width }),
      ArrowRight: () => look({ ...shown, x: shown.x + far * size.width }),
      ArrowUp: () => look({ ...shown, y: shown.y - far * size.height }),
      ArrowDown: () => look({ ...shown, y: shown.y + far * size.height }),
      '+': () => look({ ...shown, zoom: shown.zoom * STEP }),
      '=': () => look({ ...shown, zoom: shown.zoom * STEP }),
      '-': () => look({ ...shown, zoom: shown.zoom / STEP }),
      '0': () => setView(null),
      '1': () => look({ ...shown, zoom: 1 }),
      '[': () => setPlane(Math.max(0, plane - 1)),
      ']': () => setPlane(Math.min(slide.planes - 1, plane + 1)),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const bar = shown && slide.spacing ? scaleBar(slide.spacing[0] / shown.zoom) : null;
  const standing = store.current?.standing;
  return (
    <div class="document-whole">
      <div class="document-head" role="toolbar" aria-label="Slide">
        <Button
          kind="quiet"
          icon="minus"
          label="Smaller"
          keys="-"
          onClick={() => shown && look({ ...shown, zoom: shown.zoom / STEP })}
        />
        <Button
          kind="quiet"
          icon="plus"
          label="Larger"
          keys="+"
          onClick={() => shown && look({ ...shown, zoom: shown.zoom * STEP })}
        />
        <Button kind="quiet" icon="fit" label="The whole slide" keys="0" onClick={() => setView(null)} />
        <Button
          label="One pixel of the slide to one of the screen"
          keys="1"
          onClick={() => shown && look({ ...shown, zoom: 1 })}
        >
          1:1
        </Button>
        {slide.planes > 1 && (
          <span class="document-choice">
            <Button
              kind="quiet"
              label="Focal plane before"
              keys="["
              onClick={() => setPlane(Math.max(0, plane - 1))}
            >
              −
            </Button>
            focus {plane + 1}/{slide.planes}
            <Button
              kind="quiet"
              label="Focal plane after"
              keys="]"
              onClick={() => setPlane(Math.min(slide.planes - 1, plane + 1))}
            >
              +
            </Button>
          </span>
        )}
        {slide.paths.length > 1 && (
          <label class="document-choice">
            <span class="sr-only">Optical path</span>
            <select
              class="field"
              value={path}
              onChange={(event) => setPath(Number(event.currentTarget.value))}
            >
              {slide.paths.map((name, at) => (
                <option key={name} value={at}>
                  path {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <span class="spacer" />
        {slide.pictures.map((one) => (
          <Button key={one.sopUid} onClick={() => open(one)}>
            {one.kind === 'label' ? 'Label' : 'Overview'}
          </Button>
        ))}
      </div>
      <div class="slide-stage">
        <div
          class="document-canvas"
          role="application"
          aria-label={`Slide, ${base?.columns ?? 0} by ${base?.rows ?? 0} pixels. Arrow keys move, plus and minus enlarge, 0 shows the whole`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the slide is a widget of its own, and takes its keys.
          tabIndex={0}
          onKeyDown={onKeyDown}
          {...pointers}
        >
          <canvas ref={canvas} />
        </div>
        {slide.problem && (
          <div class="document-body">
            <Notice tone="warning">{slide.problem}</Notice>
          </div>
        )}
        {shown && base && (
          <>
            <canvas
              ref={map}
              class="slide-map"
              width={MAP_PX}
              height={Math.round((MAP_PX * base.rows) / base.columns)}
              aria-label="The whole slide, and what of it is seen"
              onPointerDown={(event) => {
                const scale = base.columns / event.currentTarget.clientWidth;
                look({ ...shown, x: event.offsetX * scale, y: event.offsetY * scale });
              }}
            />
            <div class="slide-corner left">
              <span>{magnification(slide, shown.zoom)}</span>
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
              <output class="muted" aria-live="off">
                {standing && standing.waiting > 0 ? `${standing.waiting} tiles to come` : ''}
              </output>
              {!!standing?.failed && (
                <Button onClick={() => store.current?.retry()}>
                  {standing.failed} tiles missing; try again
                </Button>
              )}
              <span class="muted">Not for diagnosis on this display</span>
            </div>
          </>
        )}
      </div>
      {picture && (
        <Dialog
          title={picture.kind === 'label' ? 'Label of the slide' : 'Overview of the slide'}
          onClose={() => open(null)}
          wide
        >
          <img
            class="slide-picture"
            src={tile(picture.sopUid, 1)}
            alt={picture.kind === 'label' ? 'Label' : 'Overview'}
          />
        </Dialog>
      )}
    </div>
  );
}

interface Looking {
  slide: Slide;
  view: View;
  size: Size;
  level: number;
  plane: number;
  path: number;
  store: TileStore;
}

interface Placed {
  key: string;
  tile: Tile;
  level: Level;
}

function tilesOf({ slide, view, size, plane, path }: Looking, at: number): Placed[] {
  const level = slide.levels[at];
  if (!level) return [];
  const box = inLevel(seen(view, size), level.scale);
  return level.tiles(box, plane, path).map((tile) => ({ key: `${tile.sopUid} ${tile.frame}`, tile, level }));
}

/** Most levels have thousands of tiles; the coarsest may have so many only where a slide has no pyramid. */
const MOST_WANTED = 400;

/** What is to be fetched: the coarsest level first, since it fills the whole; then what is seen, from the middle out. */
function wantedTiles(looking: Looking): (Wanted & Placed)[] {
  const { view, slide, level } = looking;
  const away = ({ tile, level: l }: Placed) =>
    Math.hypot((tile.x + tile.width / 2) * l.scale - view.x, (tile.y + tile.height / 2) * l.scale - view.y);
  const coarsest = slide.levels.length - 1;
  const ground = coarsest === level ? [] : tilesOf(looking, coarsest).slice(0, 16);
  const wanted = [...ground, ...tilesOf(looking, level).sort((a, b) => away(a) - away(b))];
  return wanted.slice(0, MOST_WANTED).map((one) => ({ ...one, address: '' }));
}

function drawTissue(canvas: HTMLCanvasElement, looking: Looking): void {
  const { view, size, slide, level } = looking;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(size.width * ratio);
  canvas.height = Math.round(size.height * ratio);
  const pen = canvas.getContext('2d');
  if (!pen) return;
  const zoom = view.zoom * ratio;
  pen.fillStyle = '#000';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.translate(canvas.width / 2 - view.x * zoom, canvas.height / 2 - view.y * zoom);
  pen.beginPath();
  pen.rect(0, 0, (slide.levels[0]?.columns ?? 0) * zoom, (slide.levels[0]?.rows ?? 0) * zoom);
  pen.clip(); // what a tile holds beyond the matrix is not part of the picture
  // Coarse levels first: what has not come yet is seen through them.
  for (let at = slide.levels.length - 1; at >= level; at--) drawLevel(pen, looking, at, zoom);
}

function drawLevel(pen: CanvasRenderingContext2D, looking: Looking, at: number, zoom: number): void {
  for (const { key, tile, level } of tilesOf(looking, at)) {
    const picture = looking.store.get(key);
    if (!picture) continue;
    const scale = level.scale * zoom;
    // Whole device pixels, so that no seam shows between neighbours; a tile at the edge may be smaller than stated.
    const [left, top] = [Math.round(tile.x * scale), Math.round(tile.y * scale)];
    const [right, bottom] = [
      Math.round((tile.x + picture.width) * scale),
      Math.round((tile.y + picture.height) * scale),
    ];
    pen.imageSmoothingEnabled = scale < 2;
    pen.drawImage(picture, left, top, right - left, bottom - top);
  }
}

function drawMap(canvas: HTMLCanvasElement, looking: Looking): void {
  const { slide, view, size, store } = looking;
  const base = slide.levels[0];
  const pen = canvas.getContext('2d');
  if (!base || !pen) return;
  const scale = canvas.width / base.columns;
  pen.fillStyle = '#14181d';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const whole = { ...looking, view: { x: base.columns / 2, y: base.rows / 2, zoom: 1 } };
  const all = { ...whole, size: { width: base.columns, height: base.rows } };
  const coarsest = slide.levels.length - 1;
  for (const { key, tile, level } of tilesOf(all, coarsest).slice(0, MOST_WANTED)) {
    const picture = store.get(key);
    const s = level.scale * scale;
    if (picture) pen.drawImage(picture, tile.x * s, tile.y * s, picture.width * s, picture.height * s);
  }
  const box = seen(view, size);
  pen.strokeStyle = '#4aa3ff';
  pen.lineWidth = 2;
  pen.strokeRect(
    box.left * scale,
    box.top * scale,
    (box.right - box.left) * scale,
    (box.bottom - box.top) * scale,
  );
}

/** One pointer drags, two enlarge, the wheel enlarges about the pointer. */
function usePointers(
  canvas: RefObject<HTMLCanvasElement | null>,
  shown: View | null,
  look: (view: View) => void,
) {
  const down = useRef(new Map<number, { x: number; y: number }>());
  const middle = (event: { offsetX: number; offsetY: number }) => ({
    x: event.offsetX - (canvas.current?.clientWidth ?? 0) / 2,
    y: event.offsetY - (canvas.current?.clientHeight ?? 0) / 2,
  });
  const end = (event: PointerEvent) => void down.current.delete(event.pointerId);
  return {
    onPointerDown: (event: PointerEvent) => {
      canvas.current?.setPointerCapture(event.pointerId);
      down.current.set(event.pointerId, middle(event));
    },
    onPointerMove: (event: PointerEvent) => {
      const before = down.current.get(event.pointerId);
      if (!before || !shown) return;
      const now = middle(event);
      const other = [...down.current.entries()].find(([id]) => id !== event.pointerId)?.[1];
      down.current.set(event.pointerId, now);
      if (!other) {
        look({
          ...shown,
          x: shown.x - (now.x - before.x) / shown.zoom,
          y: shown.y - (now.y - before.y) / shown.zoom,
        });
        return;
      }
      const apart = (p: { x: number; y: number }) => Math.max(8, Math.hypot(p.x - other.x, p.y - other.y));
      const about = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      look(zoomedAt(shown, apart(now) / apart(before), about));
    },
    onPointerUp: end,
    onPointerCancel: end,
    onWheel: (event: WheelEvent) => {
      event.preventDefault();
      if (!shown) return;
      const lines = event.deltaMode === 0 ? event.deltaY : event.deltaY * 40;
      look(zoomedAt(shown, 2 ** (-Math.max(-300, Math.min(300, lines)) / 300), middle(event)));
    },
    onDblClick: (event: MouseEvent) => shown && look(zoomedAt(shown, 2, middle(event))),
  };
}
