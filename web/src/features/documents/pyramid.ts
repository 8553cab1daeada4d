/**
 * A slide as a pyramid of tiled levels (PS3.3 C.8.12.4, C.7.6.17.3): which frame of which object lies where.
 *
 * Positions are pixels of the finest level, from its top-left corner. Levels are told apart by the size of their
 * matrix; label, overview and localizer pictures are kept apart from the tissue.
 */
import type { DicomJson } from '../../viewer/series';
import { first, items, meaning, number, numbers, sopUid, text } from './attributes';

/** What a whole slide can be; a pixel spacing that makes it larger is no spacing of a slide. */
const WIDEST_MM = 200;
const MOST_FRAMES = 4_000_000;
/** More than this at once is no picture of a screen: the reader has to enlarge first. */
const MOST_CELLS = 10_000;

export interface Tile {
  sopUid: string;
  frame: number;
  /** Place and size in pixels of its own level. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** A browser reads the frame as it is stored, so nothing has to be made of it. */
  plain: boolean;
}

export interface Level {
  columns: number;
  rows: number;
  tileColumns: number;
  tileRows: number;
  /** Pixels of the finest level to a pixel of this one. */
  scale: number;
  /** The tiles in a rectangle of this level's own pixels, of one focal plane and path; none if far too many. */
  tiles: (box: Box, plane: number, path: number) => Tile[];
}

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Picture {
  kind: 'label' | 'overview';
  sopUid: string;
  columns: number;
  rows: number;
}

export interface Slide {
  /** Finest first. */
  levels: Level[];
  pictures: Picture[];
  /** mm from one pixel of the finest level to the next: across, down; null when not stated or not credible. */
  spacing: readonly [number, number] | null;
  /** What the spacing states where it is not credible. */
  doubt: string;
  objectivePower: number | null;
  planes: number;
  paths: string[];
  stain: string;
  /** Why there is nothing to show; empty when there is. */
  problem: string;
}

const flavour = (instance: DicomJson): string => text(instance, '00080008', 2).toUpperCase();
const PICTURES: Record<string, Picture['kind']> = {
  LABEL: 'label',
  OVERVIEW: 'overview',
  LOCALIZER: 'overview',
};

export function readSlide(instances: readonly DicomJson[]): Slide {
  const pictures = instances.flatMap((one) => picture(one) ?? []);
  const tissue = instances.filter((one) => !PICTURES[flavour(one)] && matrix(one));
  const bySize = new Map<string, DicomJson[]>();
  for (const one of tissue) {
    const [columns, rows] = matrix(one) ?? [0, 0];
    const key = `${columns} ${rows}`;
    bySize.set(key, [...(bySize.get(key) ?? []), one]);
  }
  const groups = [...bySize.values()].sort((a, b) => (matrix(b[0])?.[0] ?? 0) - (matrix(a[0])?.[0] ?? 0));
  const base = groups[0]?.[0];
  const [columns, rows] = matrix(base) ?? [0, 0];
  const { spacing, doubt } = spacingOf(base, columns);
  const paths = items(base, '00480105').map((path, at) => text(path, '00480106') || `${at + 1}`);
  return {
    levels: groups.map((group) => readLevel(group, columns)).filter((l) => sameShape(l, columns, rows)),
    pictures,
    spacing,
    doubt,
    objectivePower: number(first(base, '00480105'), '00480112'),
    planes: Math.max(1, number(base, '00480303') ?? 1),
    paths: paths.length ? paths : [''],
    stain: stainOf(base),
    problem: groups.length ? '' : 'This series holds no picture of tissue.',
  };
}

/** A level that is not the same picture made smaller is left out; half a tile of rounding is allowed. */
const sameShape = (level: Level, columns: number, rows: number): boolean =>
  Math.abs(level.rows * level.scale - rows) <= Math.max(0.02 * rows, level.scale * 2) && columns > 0;

function matrix(instance: DicomJson | undefined): [number, number] | null {
  const columns = number(instance, '00480006') ?? number(instance, '00280011');
  const rows = number(instance, '00480007') ?? number(instance, '00280010');
  return columns && rows && columns > 0 && rows > 0 ? [columns, rows] : null;
}

function picture(instance: DicomJson): Picture | null {
  const kind = PICTURES[flavour(instance)];
  const [columns, rows] = matrix(instance) ?? [0, 0];
  return kind && columns ? { kind, sopUid: sopUid(instance), columns, rows } : null;
}

function spacingOf(base: DicomJson | undefined, columns: number): Pick<Slide, 'spacing' | 'doubt'> {
  const measures = first(first(base, '52009229'), '00289110');
  const stated = [numbers(measures, '00280030'), numbers(base, '00280030')].find((s) => s.length === 2);
  const [down = 0, across = 0] = stated ?? [];
  if (!(down > 0 && across > 0)) return { spacing: null, doubt: '' };
  if (across * columns > WIDEST_MM)
    return { spacing: null, doubt: `the object states ${across} mm per pixel, more than a slide can have` };
  return { spacing: [across, down], doubt: '' };
}

function stainOf(base: DicomJson | undefined): string {
  const steps = items(first(base, '00400560'), '00400610');
  const found = steps
    .flatMap((step) => items(step, '00400612'))
    .filter((item) => text(first(item, '0040A043'), '00080100') === '424361007')
    .map((item) => meaning(first(item, '0040A168')));
  return [...new Set(found)].filter(Boolean).join(', ');
}

function readLevel(group: DicomJson[], baseColumns: number): Level {
  const [columns, rows] = matrix(group[0]) ?? [1, 1];
  const tileColumns = Math.max(1, number(group[0], '00280011') ?? columns);
  const tileRows = Math.max(1, number(group[0], '00280010') ?? rows);
  const shape = { columns, rows, tileColumns, tileRows, scale: baseColumns / columns };
  const parts = group.map((one) => ({
    one,
    sparse: text(one, '00209311') === 'TILED_SPARSE' || placed(one),
    count: number(one, '00280008') ?? 1,
    offset: number(one, '00209228') ?? 0,
  }));
  const sparse = parts.some((part) => part.sparse) ? scattered(parts, shape) : null;
  return { ...shape, tiles: sparse ?? regular(parts, shape, Math.max(1, number(group[0], '00480303') ?? 1)) };
}

type Shape = Pick<Level, 'columns' | 'rows' | 'tileColumns' | 'tileRows'>;
interface Part {
  one: DicomJson;
  count: number;
  offset: number;
}

/** Some scanners state the place of each tile and not how they are organised. */
const placed = (instance: DicomJson): boolean =>
  text(instance, '00209311') !== 'TILED_FULL' && items(items(instance, '52009230')[0], '0048021A').length > 0;

/** TILED_FULL: along a row, then down; then the focal planes, then the optical paths. */
function regular(parts: readonly Part[], shape: Shape, planes: number): Level['tiles'] {
  const across = Math.ceil(shape.columns / shape.tileColumns);
  const down = Math.ceil(shape.rows / shape.tileRows);
  return (box, plane, path) => {
    const found: Tile[] = [];
    const [left, right] = cells(box.left, box.right, shape.tileColumns, across);
    const [top, bottom] = cells(box.top, box.bottom, shape.tileRows, down);
    if ((right - left) * (bottom - top) > MOST_CELLS) return found;
    for (let row = top; row < bottom; row++)
      for (let column = left; column < right; column++) {
        const at = ((path * planes + plane) * down + row) * across + column;
        const part = parts.find((p) => at >= p.offset && at < p.offset + p.count);
        if (part)
          found.push(
            tile(part.one, at - part.offset + 1, column * shape.tileColumns, row * shape.tileRows, shape),
          );
      }
    return found;
  };
}

function cells(from: number, to: number, size: number, count: number): [number, number] {
  return [Math.max(0, Math.floor(from / size)), Math.min(count, Math.ceil(to / size))];
}

/** At the edge of the matrix a tile holds more pixels than the picture; they are not part of it. */
function tile(one: DicomJson, frame: number, x: number, y: number, shape: Shape): Tile {
  const size = { width: shape.tileColumns, height: shape.tileRows };
  return { sopUid: sopUid(one), frame, x, y, ...size, plain: isPlain(one) };
}

/** Baseline JPEG in the colours that a browser takes it to be in. */
const isPlain = (one: DicomJson): boolean =>
  text(one, '00083002') === '1.2.840.10008.1.2.4.50' && text(one, '00280004').startsWith('YBR_FULL');

/** TILED_SPARSE: each frame says where it lies, in which plane and of which path. */
function scattered(parts: readonly Part[], shape: Shape): Level['tiles'] {
  const buckets = new Map<string, Tile[]>();
  const heights = new Set<number>();
  const all: { tile: Tile; z: number; path: string }[] = [];
  for (const { one } of parts) {
    items(one, '52009230')
      .slice(0, MOST_FRAMES)
      .forEach((frame, at) => {
        const place = first(frame, '0048021A');
        const x = number(place, '0048021E');
        const y = number(place, '0048021F');
        if (x === null || y === null) return;
        const z = number(place, '0040074A') ?? 0;
        heights.add(z);
        const path = text(first(frame, '00480207'), '00480106');
        all.push({ tile: tile(one, at + 1, x - 1, y - 1, shape), z, path });
      });
  }
  const planes = [...heights].sort((a, b) => a - b);
  const paths = items(parts[0]?.one, '00480105').map((path) => text(path, '00480106'));
  const key = (column: number, row: number, plane: number, path: number) =>
    `${column} ${row} ${plane} ${path}`;
  for (const { tile: one, z, path } of all) {
    const [column, row] = [Math.floor(one.x / shape.tileColumns), Math.floor(one.y / shape.tileRows)];
    const name = key(column, row, planes.indexOf(z), Math.max(0, paths.indexOf(path)));
    buckets.set(name, [...(buckets.get(name) ?? []), one]);
  }
  return (box, plane, path) => {
    const found: Tile[] = [];
    // A tile that is not on the grid reaches into the cell after its own.
    const [left, right] = cells(box.left - shape.tileColumns, box.right, shape.tileColumns, 1e6);
    const [top, bottom] = cells(box.top - shape.tileRows, box.bottom, shape.tileRows, 1e6);
    if ((right - left) * (bottom - top) > MOST_CELLS) return found;
    for (let row = top; row < bottom; row++)
      for (let column = left; column < right; column++)
        for (const one of buckets.get(key(column, row, plane, path)) ?? [])
          if (
            one.x < box.right &&
            one.x + one.width > box.left &&
            one.y < box.bottom &&
            one.y + one.height > box.top
          )
            found.push(one);
    return found;
  };
}

/** The level to draw with: the coarsest that has a pixel for each of the screen's. `zoom` is screen pixels to a
 * pixel of the finest level. */
export function chooseLevel(levels: readonly Level[], zoom: number): number {
  for (let at = levels.length - 1; at > 0; at--) if ((levels[at]?.scale ?? 1) * zoom <= 1.05) return at;
  return 0;
}

/** `x`, `y`: the point of the finest level at the middle of the pane. */
export interface View {
  x: number;
  y: number;
  zoom: number;
}

export function seen(view: View, size: { width: number; height: number }): Box {
  const [w, h] = [size.width / view.zoom / 2, size.height / view.zoom / 2];
  return { left: view.x - w, right: view.x + w, top: view.y - h, bottom: view.y + h };
}

/** The same rectangle in pixels of a level. */
export const inLevel = (box: Box, scale: number): Box => ({
  left: box.left / scale,
  right: box.right / scale,
  top: box.top / scale,
  bottom: box.bottom / scale,
});

export function fitted(base: Level, size: { width: number; height: number }): View {
  const zoom = Math.min(size.width / base.columns, size.height / base.rows) * 0.98;
  return { x: base.columns / 2, y: base.rows / 2, zoom };
}

/** Keep the middle on the slide, and the enlargement between half of the whole and eight screen pixels a pixel. */
export function kept(view: View, base: Level, size: { width: number; height: number }): View {
  const least = Math.min(fitted(base, size).zoom / 2, 1);
  return {
    x: Math.min(base.columns, Math.max(0, view.x)),
    y: Math.min(base.rows, Math.max(0, view.y)),
    zoom: Math.min(8, Math.max(least, view.zoom)),
  };
}

/** Enlarge so that the point under the pointer stays where it is; `at` is from the middle of the pane. */
export function zoomedAt(view: View, factor: number, at: { x: number; y: number }): View {
  const zoom = view.zoom * factor;
  return {
    x: view.x + at.x / view.zoom - at.x / zoom,
    y: view.y + at.y / view.zoom - at.y / zoom,
    zoom,
  };
}

/** A bar of a round length, about 120 pixels: its pixels and its words. */
export function scaleBar(mmPerPixel: number): { pixels: number; label: string } | null {
  if (!(mmPerPixel > 0) || !Number.isFinite(mmPerPixel)) return null;
  const most = mmPerPixel * 140;
  const power = 10 ** Math.floor(Math.log10(most));
  const mm = [5, 2, 1].map((n) => n * power).find((n) => n <= most) ?? power;
  const µm = mm * 1000;
  const label = mm >= 1 ? `${tidy(mm)} mm` : µm >= 1 ? `${tidy(µm)} µm` : `${tidy(µm * 1000)} nm`;
  return { pixels: mm / mmPerPixel, label };
}

const tidy = (n: number): string => String(Number(n.toPrecision(3)));

/** `20×`: of the objective where it is stated, else as 10 µm/pixel divided by the spacing, which is nominal. */
export function magnification(slide: Slide, zoom: number): string {
  const nominal = slide.spacing ? 0.01 / slide.spacing[0] : null;
  const power = slide.objectivePower ?? nominal;
  if (power === null) return `${tidy(zoom * 100)} %`;
  const now = power * zoom;
  const shown = now >= 10 ? now.toFixed(0) : now >= 1 ? now.toFixed(1) : now.toFixed(2);
  return `${shown}×${slide.objectivePower === null ? ' nominal' : ''}`;
}
