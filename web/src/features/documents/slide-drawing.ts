/** Draws a slide and its map from the tiles that have come. */
import { inLevel, type Level, type Slide, seen, type Tile, type View } from './pyramid';
import type { Size } from './size';
import type { TileStore } from './tiles';

/** What is looked at, and how. */
export interface Looking {
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

export function tilesOf({ slide, view, size, plane, path }: Looking, at: number): Placed[] {
  const level = slide.levels[at];
  if (!level) return [];
  const box = inLevel(seen(view, size), level.scale);
  return level.tiles(box, plane, path).map((tile) => ({ key: `${tile.sopUid} ${tile.frame}`, tile, level }));
}

/** Most levels have thousands of tiles; the coarsest may have so many only where a slide has no pyramid. */
const MOST_WANTED = 400;

/** What is to be fetched: the coarsest level first, since it fills the whole; then what is seen, from the middle out. */
export function wantedTiles(looking: Looking): Placed[] {
  const { view, slide, level } = looking;
  const away = ({ tile, level: l }: Placed) =>
    Math.hypot((tile.x + tile.width / 2) * l.scale - view.x, (tile.y + tile.height / 2) * l.scale - view.y);
  const coarsest = slide.levels.length - 1;
  const ground = coarsest === level ? [] : tilesOf(looking, coarsest).slice(0, 16);
  return [...ground, ...tilesOf(looking, level).sort((a, b) => away(a) - away(b))].slice(0, MOST_WANTED);
}

export function drawTissue(canvas: HTMLCanvasElement, looking: Looking): void {
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

export function drawMap(canvas: HTMLCanvasElement, looking: Looking): void {
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
