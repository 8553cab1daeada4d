/** What the tools that segment do with the pointer, and what is done to whole segments. */
import { signal } from '@preact/signals';
import { tell } from '../../ui/toasts';
import type { PaneId, PaneView } from '../../viewer';
import { between, reach } from '../../viewer/labels/between';
import { type Face, gridAt, mmPerPixel, type Point, underShape, voxelAt } from '../../viewer/labels/face';
import type { LabelGrid, Voxel } from '../../viewer/labels/grid';
import { wire } from '../../viewer/labels/livewire';
import {
  ball,
  circle,
  enclosed,
  grown,
  polygon,
  rectangle,
  type Shape,
  stroke,
} from '../../viewer/labels/shapes';
import { isSegmentTool, type SegmentToolName } from '../../viewer/tool-list';
import type { PointerTool } from './pane-pointer';
import type { PanesStore } from './panes';
import type { Opened, SegmentationStore } from './segmentation';

/** How near to its beginning a click closes an outline, in pixels of the screen. */
const NEAR = 9;
const MOST_GROWN = 20_000_000;
const RADII_MM: readonly [number, number] = [0.5, 60];

/** A shape while it is being drawn, in pixels of its pane. */
export interface Drawing {
  pane: PaneId;
  tool: SegmentToolName;
  points: readonly Point[];
}

export class Strokes implements PointerTool {
  readonly radiusMm = signal(6);
  /** Between which values the brush with a range and the threshold paint. */
  readonly range = signal<readonly [number, number]>([-50, 150]);
  /** How far values may lie from those clicked on, for growing. */
  readonly tolerance = signal(60);
  readonly insideRange = signal(false);
  /** Scissors and outlines cut instead of fill. */
  readonly cutting = signal(false);
  readonly drawing = signal<Drawing | null>(null);
  /** Where the pointer is, for the ring that shows the size of the brush. */
  readonly pointer = signal<{ pane: PaneId; at: Point } | null>(null);
  #pressed: { pane: PaneId; face: Face; last: Point } | null = null;
  /** Pixels of the image that an outline along edges was led through. */
  #anchors: Point[] = [];
  #way: Point[] = [];

  constructor(
    private readonly store: SegmentationStore,
    private readonly panes: PanesStore,
  ) {}

  get tool(): SegmentToolName | null {
    const tool = this.panes.tool.value;
    return isSegmentTool(tool) ? tool : null;
  }

  get takes(): boolean {
    return this.tool !== null;
  }

  /** Make the brushes larger or smaller. */
  resize(factor: number): void {
    const [least, most] = RADII_MM;
    const next = Math.min(Math.max(this.radiusMm.value * factor, least), most);
    this.radiusMm.value = Math.round(next * 10) / 10;
  }

  /** The button went down; says whether a tool took it. */
  press(pane: PaneId, view: PaneView, at: Point): boolean {
    const { tool, store } = this;
    if (!tool || store.busy.value) return false;
    if (!store.opened.value) this.#useWindow(view);
    if (!store.begin(view)) return false;
    const face = store.faceOf(pane, view);
    if (!face) return false;
    if (tool === 'outline-live') return this.#anchor(pane, view, face, at);
    this.cancel();
    store.opened.value?.grid.begin();
    if (tool === 'fill') this.#fill(face, at);
    else if (tool === 'grow') void this.#grow(face, at);
    else this.#pressed = { pane, face, last: at };
    if (isBrush(tool)) this.#brush(face, at, at);
    else if (this.#pressed) this.drawing.value = { pane, tool, points: [at] };
    return true;
  }

  /** The pointer moved, with the button down or not. */
  move(pane: PaneId, view: PaneView, at: Point): void {
    if (this.tool) this.pointer.value = { pane, at };
    if (this.tool === 'outline-live') return void this.#lead(pane, view, at);
    const pressed = this.#pressed;
    if (!pressed || pressed.pane !== pane || !this.tool) return;
    if (isBrush(this.tool)) this.#brush(pressed.face, pressed.last, at);
    const { drawing } = this;
    if (drawing.value)
      drawing.value = {
        ...drawing.value,
        points:
          drawing.value.tool === 'outline'
            ? [...drawing.value.points, at]
            : [drawing.value.points[0] ?? at, at],
      };
    this.#pressed = { ...pressed, last: at };
  }

  /** The button went up. */
  release(): void {
    const pressed = this.#pressed;
    const drawing = this.drawing.value;
    this.#pressed = null;
    if (!pressed || !this.tool) return;
    if (isBrush(this.tool)) this.store.commit(this.tool === 'brush-erase' ? 'Erased' : 'Painted');
    if (!drawing || drawing.tool === 'outline-live') return;
    this.drawing.value = null;
    this.#apply(pressed.face, drawing);
  }

  /** Leave what is being drawn. */
  cancel(): void {
    this.drawing.value = null;
    this.#pressed = null;
    this.#anchors = [];
    this.#way = [];
  }

  /** A second finger came: this was no stroke, and what it painted is taken back. */
  abort(): void {
    if (this.#pressed) this.store.revert();
    this.cancel();
  }

  leave(): void {
    this.pointer.value = null;
  }

  #brush(face: Face, from: Point, to: Point): void {
    const erase = this.tool === 'brush-erase';
    const paint = this.#painter(erase, this.tool === 'brush-threshold');
    if (!paint) return;
    this.#cover(face, stroke(from, to, this.radiusMm.value / mmPerPixel(face)), paint);
    this.store.redraw();
  }

  #apply(face: Face, { tool, points }: Drawing): void {
    const [one, two] = [points[0], points.at(-1)];
    const paint = this.#painter(this.cutting.value, this.insideRange.value);
    if (!paint || !one || !two) return;
    if (tool === 'scissors-sphere') this.#ball(face, one, two, paint);
    else if (tool === 'scissors-circle') this.#cover(face, circle(one, two), paint);
    else if (tool === 'scissors-rectangle') this.#cover(face, rectangle(one, two), paint);
    else this.#cover(face, polygon(points), paint);
    this.store.commit(this.cutting.value ? 'Cut out' : 'Filled');
  }

  #cover(face: Face, shape: Shape, paint: (voxel: Voxel) => void): void {
    const { grid } = this.store.opened.value as Opened;
    underShape(face, grid, shape.box, shape.inside, paint);
  }

  #ball(face: Face, centre: Point, edge: Point, paint: (voxel: Voxel) => void): void {
    const { grid } = this.store.opened.value as Opened;
    const radius = Math.hypot(edge[0] - centre[0], edge[1] - centre[1]) * mmPerPixel(face);
    ball(grid, gridAt(face, centre), radius, face.size, paint);
  }

  #fill(face: Face, at: Point): void {
    const opened = this.store.opened.value;
    const paint = this.store.painter(this.cutting.value);
    const layer = this.store.activeSegment.value?.layer ?? 0;
    if (!opened || !paint) return;
    const found = enclosed(face, opened.grid, layer, at);
    if (typeof found === 'string') return void tell(found);
    found.forEach(paint);
    this.store.commit('Filled');
  }

  async #grow(face: Face, at: Point): Promise<void> {
    const opened = this.store.opened.value;
    const seed = voxelAt(face, at);
    if (!opened?.grid.holds(seed)) return;
    await this.#work('Growing …', async (paint) => {
      const values = await this.#values(opened, seed[2]);
      if (!values) return tell('This image has no values to grow by.');
      const middle = around(values, seed, opened.grid);
      const [low, high] = [middle - this.tolerance.value, middle + this.tolerance.value];
      const { columns } = opened.grid;
      const guarded = this.store.guarded();
      const layer = this.store.activeSegment.value?.layer ?? 0;
      const visit = (slice: number, pixel: number): boolean => {
        if (guarded.has(opened.grid.slice(layer, slice)?.[pixel] ?? 0)) return false;
        paint([pixel % columns, Math.floor(pixel / columns), slice]);
        return true;
      };
      const of = (slice: number) => this.#values(opened, slice);
      const found = await grown(opened.grid, seed, [low, high], of, visit, MOST_GROWN);
      if (found >= MOST_GROWN)
        tell('The region ran out everywhere: undo, and grow with a smaller tolerance.');
    });
  }

  /** Give every voxel within the range the active segment. */
  async threshold(): Promise<void> {
    const opened = this.store.opened.value;
    if (!opened) return;
    const [low, high] = this.range.value;
    await this.#work('Thresholding …', async (paint) => {
      const { columns } = opened.grid;
      const layer = this.store.activeSegment.value?.layer ?? 0;
      for (let slice = 0; slice < opened.slices.length; slice++) {
        this.store.busy.value = `Thresholding ${slice + 1} of ${opened.slices.length} …`;
        const values = await this.#values(opened, slice);
        const labels = opened.grid.slice(layer, slice); // what another segment holds stays with it
        for (let pixel = 0; pixel < (values?.length ?? 0); pixel++) {
          const value = values?.[pixel] ?? Number.NaN;
          if (value >= low && value <= high && !labels?.[pixel])
            paint([pixel % columns, Math.floor(pixel / columns), slice]);
        }
      }
    });
  }

  /** Paint the slices between those the active segment is painted on. */
  async interpolate(): Promise<void> {
    const opened = this.store.opened.value;
    const segment = this.store.activeSegment.value;
    if (!opened || !segment) return;
    const { grid } = opened;
    const on = grid.slicesOf(segment.id);
    const gaps = on.slice(1).flatMap((to, k) => (to - (on[k] ?? to) > 1 ? [[on[k] ?? 0, to] as const] : []));
    if (!gaps.length)
      return tell('Paint the segment on two slices with some between them, then interpolate.');
    await this.#work('Interpolating …', async (paint) => {
      for (const [from, to] of gaps) {
        const box = boxOf(grid, segment.layer, segment.id, [from, to]);
        const parts = Array.from({ length: to - from - 1 }, (_, k) => (k + 1) / (to - from));
        const [one, two] = [from, to].map((slice) => maskOf(grid, segment.layer, segment.id, slice, box));
        if (!one || !two) continue;
        between(one, two, parts, opened.slices[from]?.spacing ?? undefined).forEach((inside, k) => {
          inside.forEach((is, at) => {
            if (!is) return;
            const voxel: Voxel = [
              box.column + (at % box.columns),
              box.row + Math.floor(at / box.columns),
              from + 1 + k,
            ];
            if (!grid.at(segment.layer, voxel)) paint(voxel);
          });
        });
        await breath();
      }
    });
  }

  /** Make the active segment larger (or smaller, below 0) by a distance in mm, in all directions. */
  async margin(mm: number): Promise<void> {
    const opened = this.store.opened.value;
    const segment = this.store.activeSegment.value;
    if (!opened || !segment) return;
    const { grid, slices, stepMm } = opened;
    const [rowMm, columnMm] = slices[0]?.spacing ?? [1, 1];
    const offsets = reach(Math.abs(mm), [columnMm, rowMm, stepMm]);
    if (offsets.length < 2) return tell('The margin is smaller than a pixel.');
    const { layer, id } = segment;
    await this.#work(
      mm > 0 ? 'Growing the margin …' : 'Shrinking the margin …',
      async (paint) => {
        for (const voxel of borderOf(grid, layer, id, mm > 0))
          for (const [dc, dr, ds] of offsets) {
            const to: Voxel = [voxel[0] + dc, voxel[1] + dr, voxel[2] + ds];
            // Only free room is taken, and only what belongs to the segment is given back.
            if (grid.holds(to) && grid.at(layer, to) === (mm > 0 ? 0 : id)) paint(to);
          }
      },
      mm < 0,
    );
  }

  /** Something that takes its time, as one step that can be taken back. */
  async #work(
    words: string,
    act: (paint: (voxel: Voxel) => void) => Promise<void> | void,
    erase = false,
  ): Promise<void> {
    const { store } = this;
    const opened = store.opened.value;
    if (!opened || store.busy.value) return;
    opened.grid.begin();
    const paint = store.painter(erase);
    if (!paint) return;
    store.busy.value = words;
    try {
      await breath();
      await act(paint);
      if (store.opened.value?.grid === opened.grid && !store.commit(words.replace(/ …$/, ''), true))
        tell('Nothing changed.');
    } finally {
      store.busy.value = '';
    }
  }

  #painter(erase: boolean, ranged: boolean): ((voxel: Voxel) => void) | null {
    const opened = this.store.opened.value;
    const paint = this.store.painter(erase);
    if (!paint || !opened || !ranged || erase) return paint;
    const [low, high] = this.range.value;
    const held = new Map<number, ArrayLike<number> | null>();
    return (voxel) => {
      const [column, row, slice] = voxel;
      if (!held.has(slice))
        held.set(slice, this.panes.controller?.values.here(opened.slices[slice]?.imageId ?? '') ?? null);
      const value = held.get(slice)?.[row * opened.grid.columns + column] ?? Number.NaN;
      if (value >= low && value <= high) paint(voxel);
    };
  }

  async #values(opened: Opened, slice: number): Promise<ArrayLike<number> | null> {
    return (await this.panes.controller?.values.of(opened.slices[slice]?.imageId ?? '')) ?? null;
  }

  /** Start with the values that the window shows. */
  #useWindow(view: PaneView): void {
    const { window } = view.presentation;
    if (!window) return;
    const half = window.width / 2;
    this.range.value = [Math.round(window.center - half), Math.round(window.center + half)];
    this.tolerance.value = Math.max(Math.round(window.width / 16), 1);
  }

  /** A click of the outline along edges: its beginning, a point of it, or its end where it began. */
  #anchor(pane: PaneId, view: PaneView, face: Face, at: Point): boolean {
    if (view.kind !== 'stack') {
      tell('This outline follows edges on the slices as they were taken, not on planes.');
      return true;
    }
    const drawing = this.drawing.value;
    const start = drawing?.pane === pane ? drawing.points[0] : undefined;
    if (start && this.#anchors.length > 2 && Math.hypot(at[0] - start[0], at[1] - start[1]) < NEAR) {
      const outline = [...this.#way, ...this.#wire(face, this.#anchors.at(-1), this.#anchors[0])];
      const points = outline.map((p) => toCanvas(face, p));
      this.cancel();
      this.store.opened.value?.grid.begin();
      this.#apply(face, { pane, tool: 'outline', points });
      return true;
    }
    if (!start) this.cancel();
    const [column, row] = voxelAt(face, at);
    this.#way.push(...this.#wire(face, this.#anchors.at(-1), [column, row]));
    this.#anchors.push([column, row]);
    this.#lead(pane, view, at);
    return true;
  }

  /** Draw the outline as far as it goes, and on to the pointer. */
  #lead(pane: PaneId, view: PaneView, at: Point): void {
    const face = this.#anchors.length ? this.store.faceOf(pane, view) : null;
    if (!face) return;
    const [column, row] = voxelAt(face, at);
    const next = this.#wire(face, this.#anchors.at(-1), [column, row]);
    this.drawing.value = {
      pane,
      tool: 'outline-live',
      points: [...this.#way, ...next].map((p) => toCanvas(face, p)),
    };
  }

  #wire(face: Face, from: Point | undefined, to: Point | undefined): Point[] {
    const opened = this.store.opened.value;
    if (!opened || !to) return [];
    const values = this.panes.controller?.values.here(
      opened.slices[Math.floor(face.origin[2])]?.imageId ?? '',
    );
    const { columns, rows } = opened.grid;
    return from && values ? wire({ columns, rows, values }, from, to).slice(1) : [to];
  }
}

const isBrush = (tool: SegmentToolName): boolean => tool.startsWith('brush');

/** Let the page draw and hear, between pieces of work. */
const breath = (): Promise<void> => new Promise((done) => setTimeout(done));

/** Where the centre of a pixel of a slice is on its pane. */
function toCanvas(face: Face, [column, row]: Point): Point {
  const [a, b, c, d] = [face.right[0], face.down[0], face.right[1], face.down[1]];
  const [x, y] = [column + 0.5 - face.origin[0], row + 0.5 - face.origin[1]];
  const area = a * d - b * c || 1e-9;
  return [(d * x - b * y) / area, (a * y - c * x) / area];
}

/** The mean of the nine values around a voxel, which noise shakes less than one. */
function around(values: ArrayLike<number>, [column, row]: Voxel, { columns, rows }: LabelGrid): number {
  let [n, sum] = [0, 0];
  for (let r = Math.max(row - 1, 0); r <= Math.min(row + 1, rows - 1); r++)
    for (let c = Math.max(column - 1, 0); c <= Math.min(column + 1, columns - 1); c++) {
      n += 1;
      sum += values[r * columns + c] ?? 0;
    }
  return sum / Math.max(n, 1);
}

interface PixelBox {
  column: number;
  row: number;
  columns: number;
  rows: number;
}

/** What holds a segment on the given slices, with a pixel to spare. */
function boxOf(grid: LabelGrid, layer: number, id: number, slices: readonly number[]): PixelBox {
  let [left, top, right, bottom] = [grid.columns, grid.rows, 0, 0];
  for (const slice of slices)
    grid.slice(layer, slice)?.forEach((label, pixel) => {
      if (label !== id) return;
      const [c, r] = [pixel % grid.columns, Math.floor(pixel / grid.columns)];
      [left, top, right, bottom] = [
        Math.min(left, c),
        Math.min(top, r),
        Math.max(right, c),
        Math.max(bottom, r),
      ];
    });
  [left, top] = [Math.max(left - 1, 0), Math.max(top - 1, 0)];
  [right, bottom] = [Math.min(right + 1, grid.columns - 1), Math.min(bottom + 1, grid.rows - 1)];
  return { column: left, row: top, columns: right - left + 1, rows: bottom - top + 1 };
}

function maskOf(grid: LabelGrid, layer: number, id: number, slice: number, box: PixelBox) {
  const { columns, rows } = box;
  const labels = grid.slice(layer, slice);
  const inside = Uint8Array.from({ length: columns * rows }, (_, k) => {
    const pixel = (box.row + Math.floor(k / columns)) * grid.columns + box.column + (k % columns);
    return labels?.[pixel] === id ? 1 : 0;
  });
  return { columns, rows, inside };
}

/** The voxels of a segment that touch others, or the others that touch it. */
function borderOf(grid: LabelGrid, layer: number, id: number, own: boolean): Voxel[] {
  const found = new Map<number, Voxel>();
  const steps = [
    [1, 0, 0],
    [-1, 0, 0],
    [0, 1, 0],
    [0, -1, 0],
    [0, 0, 1],
    [0, 0, -1],
  ] as const;
  for (const slice of grid.slicesOf(id))
    grid.slice(layer, slice)?.forEach((label, pixel) => {
      if (label !== id) return;
      const here: Voxel = [pixel % grid.columns, Math.floor(pixel / grid.columns), slice];
      for (const [dc, dr, ds] of steps) {
        const next: Voxel = [here[0] + dc, here[1] + dr, here[2] + ds];
        if (!grid.holds(next) || grid.at(layer, next) === id) continue;
        const border = own ? here : next;
        found.set((border[2] * grid.rows + border[1]) * grid.columns + border[0], border);
      }
    });
  return [...found.values()];
}
