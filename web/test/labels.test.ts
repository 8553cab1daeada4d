import { describe, expect, it } from 'vitest';
import { between, reach, signedDistance } from '../src/viewer/labels/between';
import {
  acrossOf,
  type Face,
  faceOfPlane,
  faceOfSlice,
  mmPerPixel,
  underShape,
  voxelAt,
} from '../src/viewer/labels/face';
import { gunzip, gzip, keep, pack, restore, unpack } from '../src/viewer/labels/file';
import { LabelGrid, type Voxel } from '../src/viewer/labels/grid';
import { wire } from '../src/viewer/labels/livewire';
import { labelsUnder, paintFace } from '../src/viewer/labels/picture';
import { depthsMm, extentOf, newSegment, type Segment } from '../src/viewer/labels/segments';
import { ball, circle, enclosed, grown, polygon, rectangle, stroke } from '../src/viewer/labels/shapes';
import type { SeriesToShow, Slice } from '../src/viewer/series';
import type { Vec3 } from '../src/viewer/vectors';

/** Slices seen from the front, one pixel of the pane a pixel of the image. */
const front = (slice: number, size: Vec3 = [1, 1, 1]): Face => ({
  origin: [0, 0, slice + 0.5],
  right: [1, 0, 0],
  down: [0, 1, 0],
  size,
});

const slice = (z: number, more: Partial<Slice> = {}): Slice => ({
  sopUid: `1.2.${z}`,
  frame: 1,
  imageId: `image ${z}`,
  positionLpsMm: [0, 0, -z],
  axes: { row: [1, 0, 0], column: [0, 1, 0] },
  spacing: [0.8, 0.5],
  size: [40, 30],
  instance: 0,
  ...more,
});

const series = (count: number, step: number): SeriesToShow =>
  ({
    slices: Array.from({ length: count }, (_, k) => slice(k * step)),
    phases: { count: 1, names: [] },
    pixelSpacingMm: [0.8, 0.5],
    thicknessMm: 2,
  }) as unknown as SeriesToShow;

const segment = (id: number, more: Partial<Segment> = {}): Segment => ({
  ...newSegment([], '2.25.1'),
  id,
  ...more,
});

describe('labels', () => {
  it('counts what is painted, and takes a stroke back exactly', () => {
    const grid = new LabelGrid(8, 4, 3);
    grid.set(0, 1, 5, 2);
    grid.begin();
    for (const pixel of [4, 5, 6, 20]) grid.set(0, 1, pixel, 1);
    const change = grid.end();
    expect([grid.total(1), grid.total(2), grid.slicesOf(1)]).toEqual([4, 0, [1]]);
    grid.apply(change as Int32Array, 'before');
    expect([grid.total(1), grid.total(2), grid.at(0, [5, 0, 1])]).toEqual([0, 1, 2]);
    grid.apply(change as Int32Array, 'after');
    expect([grid.total(1), grid.total(2)]).toEqual([4, 0]);
  });

  it('has nothing to take back where nothing changed', () => {
    const grid = new LabelGrid(8, 4, 3);
    grid.begin();
    grid.set(0, 0, 1, 1);
    grid.set(0, 0, 1, 0);
    expect(grid.end()).toBeNull();
  });

  it('lets layers overlap', () => {
    const grid = new LabelGrid(4, 4, 1);
    grid.set(0, 0, 3, 1);
    grid.set(1, 0, 3, 2);
    expect([grid.total(1), grid.total(2)]).toEqual([1, 1]);
  });
});

describe('the face of a pane', () => {
  it('finds the pixel under a turned and enlarged slice', () => {
    const face = faceOfSlice([0, 2, -2, 0, 100, 10], slice(0), 4);
    expect(voxelAt(face, [100 - 2 * 7.5, 10 + 2 * 3.5])).toEqual([3, 7, 4]);
  });

  it('finds the voxel under a sagittal plane, in voxels that are no cubes', () => {
    const seen = {
      normal: [1, 0, 0] as Vec3,
      corners: [
        [5, 0, 0],
        [5, 24, 0],
        [5, 24, -16],
        [5, 0, -16],
      ] as never,
    };
    const face = faceOfPlane(seen, series(9, 2), 240, 160) as Face;
    expect(mmPerPixel(face)).toBeCloseTo(0.1);
    expect(acrossOf(face)).toBe(0);
    expect(voxelAt(face, [81, 61])).toEqual([10, 10, 3]);
  });

  it('paints one layer of voxels of a plane that runs exactly between two', () => {
    const grid = new LabelGrid(20, 20, 20);
    const face: Face = { origin: [0, 7, 0], right: [1, 0, 0], down: [0, 0, 1], size: [1, 1, 1] };
    const shape = rectangle([2, 2], [12, 12]);
    const rows = new Set<number>();
    let n = 0;
    underShape(face, grid, shape.box, shape.inside, ([, row]) => {
      rows.add(row);
      n += 1;
    });
    expect([n, rows.size]).toEqual([100, 1]);
  });

  it('paints a disc of an oblique plane without holes', () => {
    const grid = new LabelGrid(60, 60, 60);
    const s = Math.SQRT1_2;
    const face: Face = { origin: [0, 30, 30], right: [1, 0, 0], down: [0, s, s], size: [1, 1, 1] };
    const shape = circle([30, 0], [42, 0]);
    underShape(face, grid, shape.box, shape.inside, ([c, r, k]) => grid.set(0, k, r * 60 + c, 1));
    const labels = labelsUnder({ ...face, origin: [0, 30 - 20 * s, 30 - 20 * s] }, grid, 0, 60, 40);
    let missing = 0;
    for (let y = 0; y < 40; y++)
      for (let x = 0; x < 60; x++)
        if (Math.hypot(x + 0.5 - 30, y + 0.5 - 20) < 11 && !labels?.[y * 60 + x]) missing += 1;
    expect(missing).toBe(0);
  });
});

describe('shapes', () => {
  const area = (shape: ReturnType<typeof polygon>): number => {
    let n = 0;
    underShape(front(0), new LabelGrid(200, 200, 1), shape.box, shape.inside, () => n++);
    return n;
  };

  it('fills circles, rectangles, strokes and outlines to their area', () => {
    expect(area(circle([100, 100], [150, 100])) / (Math.PI * 2500)).toBeCloseTo(1, 2);
    expect(area(rectangle([10, 20], [30, 50]))).toBe(600);
    expect(area(stroke([40, 100], [140, 100], 10)) / (2000 + Math.PI * 100)).toBeCloseTo(1, 1);
    expect(
      area(
        polygon([
          [10, 10],
          [110, 10],
          [10, 110],
        ]),
      ) / 5000,
    ).toBeCloseTo(1, 1);
  });

  it('leaves out what an outline encloses twice', () => {
    expect(
      polygon([
        [0, 0],
        [10, 10],
        [10, 0],
        [0, 10],
      ]).inside(5, 1),
    ).toBe(false);
  });

  it('makes a ball round in millimetres', () => {
    const grid = new LabelGrid(60, 60, 30);
    let n = 0;
    ball(grid, [30, 30, 15], 12, [0.5, 0.5, 2], () => n++);
    expect((n * 0.5) / ((4 / 3) * Math.PI * 12 ** 3)).toBeCloseTo(1, 1);
  });

  it('fills what is enclosed, and refuses what is open', () => {
    const grid = new LabelGrid(20, 20, 2);
    for (let k = 5; k <= 10; k++)
      for (const [c, r] of [
        [k, 5],
        [k, 10],
        [5, k],
        [10, k],
      ] as const)
        grid.set(0, 1, r * 20 + c, 3);
    expect(enclosed(front(1), grid, 0, [7.5, 7.5])).toHaveLength(16);
    expect(enclosed(front(1), grid, 0, [2, 2])).toContain('not enclosed');
    const tilted: Face = { ...front(1), down: [0, 1, 0.3] };
    expect(enclosed(tilted, grid, 0, [7, 7])).toContain('oblique');
  });

  it('grows through slices to all that is joined and within the range, and to nothing else', async () => {
    const grid = new LabelGrid(10, 10, 4);
    const values = Array.from({ length: 4 }, () => new Float32Array(100));
    // A rod through all slices that goes back to the first one elsewhere, and an island apart.
    for (const image of values) image.fill(100, 22, 24);
    values[3]?.fill(100, 20, 29);
    for (const k of [0, 1, 2]) values[k]?.fill(100, 28, 29);
    values[0]?.fill(100, 90, 93);
    const seed: Voxel = [2, 2, 0];
    const visit = (at: number, pixel: number) => {
      grid.set(0, at, pixel, 1);
      return true;
    };
    const found = await grown(grid, seed, [50, 150], async (k) => values[k] ?? null, visit, 1e6);
    expect(found).toBe(3 * 2 + 9 + 3);
    expect(grid.total(1)).toBe(found);
    expect(grid.at(0, [8, 2, 0])).toBe(1);
    expect(grid.at(0, [1, 9, 0])).toBe(0);
  });
});

describe('between slices', () => {
  const disc = (x: number, y: number, r: number, n = 64) => ({
    columns: n,
    rows: n,
    inside: Uint8Array.from({ length: n * n }, (_, k) =>
      Math.hypot((k % n) - x, Math.floor(k / n) - y) <= r ? 1 : 0,
    ),
  });
  const sum = (mask: Uint8Array | undefined) => mask?.reduce((a, b) => a + b, 0) ?? 0;

  it('measures distances exactly, also in pixels that are no squares', () => {
    const mask = { columns: 9, rows: 7, inside: new Uint8Array(63) };
    mask.inside[3 * 9 + 4] = 1;
    const distance = signedDistance(mask, [2, 1]);
    for (let k = 0; k < 63; k++) {
      const there = Math.hypot((k % 9) - 4, 2 * (Math.floor(k / 9) - 3));
      if (k !== 3 * 9 + 4) expect(distance[k]).toBeCloseTo(0.5 - there);
    }
    expect(distance[3 * 9 + 4]).toBeGreaterThan(0);
  });

  it('lies half way between two discs in size', () => {
    const [middle] = between(disc(32, 32, 8), disc(32, 32, 20), [0.5]);
    expect(Math.sqrt(sum(middle) / Math.PI)).toBeCloseTo(14, 0);
  });

  it('lies half way between two discs in place, even where they do not touch', () => {
    const [middle] = between(disc(14, 32, 7), disc(48, 32, 7), [0.5]);
    const xs = [...(middle ?? [])].flatMap((is, k) => (is ? [k % 64] : []));
    expect(xs.reduce((a, b) => a + b, 0) / xs.length).toBeCloseTo(31, 0);
    expect(Math.sqrt(sum(middle) / Math.PI)).toBeCloseTo(7, 0);
  });

  it('repeats a shape that stays the same', () => {
    const here = disc(30, 30, 9);
    expect(between(here, here, [0.25, 0.75]).every((m) => m.every((v, k) => v === here.inside[k]))).toBe(
      true,
    );
  });

  it('reaches as far as a margin in millimetres', () => {
    expect(reach(1, [0.5, 0.5, 5])).toHaveLength(13);
    expect(reach(0.3, [0.5, 0.5, 5])).toHaveLength(1);
  });
});

describe('size of a segment', () => {
  it('is the voxels by their volume', () => {
    const grid = new LabelGrid(40, 30, 9);
    for (let k = 0; k < 9; k++) for (let pixel = 0; pixel < 100; pixel++) grid.set(0, k, pixel, 1);
    const { slices } = series(9, 2);
    expect(extentOf(1, grid, series(9, 2), slices)).toEqual({ value: 900 * 0.4 * 2 * 0.001, unit: 'ml' });
  });

  it('takes each slice by its own depth, a single one by its thickness', () => {
    expect(depthsMm([slice(0), slice(1), slice(4)], 1)).toEqual([1, 2, 3]);
    expect(depthsMm([slice(0)], 3)).toEqual([3]);
    expect(depthsMm([slice(0)], null)).toBeNull();
    expect(depthsMm([slice(0), slice(1, { positionLpsMm: null })], 1)).toBeNull();
  });

  it('is an area on a flat image, and pixels on one that is not calibrated', () => {
    const grid = new LabelGrid(40, 30, 1);
    for (let pixel = 0; pixel < 10; pixel++) grid.set(0, 0, pixel, 1);
    const flat = { pixelSpacingMm: [0.8, 0.5] as const, thicknessMm: null };
    expect(extentOf(1, grid, flat, [slice(0)])).toEqual({ value: 4, unit: 'mm²' });
    expect(extentOf(1, grid, { ...flat, pixelSpacingMm: null }, [slice(0)])).toEqual({
      value: 10,
      unit: 'pixels',
    });
  });
});

describe('labels as bytes', () => {
  const places = Array.from({ length: 5 }, (_, k) => ({ sop_uid: `1.2.${k}`, frame: 1 }));
  const about = { series_uid: '1.9', label: 'L', replaces: '' };
  const painted = (): LabelGrid => {
    const grid = new LabelGrid(4, 3, 5);
    grid.set(0, 1, 2, 7);
    grid.set(0, 4, 11, 9);
    grid.set(2, 4, 11, 30);
    return grid;
  };
  const segments = [segment(9), segment(7), segment(30, { layer: 2 })];

  it('leaves out empty slices and layers, and numbers segments in their order', async () => {
    const bytes = new Uint8Array(await pack(painted(), segments, places, about).arrayBuffer());
    const n = new DataView(bytes.buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + n)));
    expect(header.slices).toEqual([places[1], places[4]]);
    expect([header.rows, header.columns, header.layers]).toEqual([3, 4, 2]);
    expect(header.segments.map((s: { number: number }) => s.number)).toEqual([1, 2, 3]);
    const voxels = bytes.subarray(4 + n);
    expect(voxels).toHaveLength(2 * 2 * 12);
    expect([voxels[2], voxels[12 + 11], voxels[24 + 12 + 11]]).toEqual([2, 1, 3]);
  });

  it('reads what the server gives, whatever the order of its slices', () => {
    const grid = new LabelGrid(2, 1, 3);
    const described = [
      { id: 1, number: 1, label: '', colour: '', layer: 0, value: 5 },
      { id: 2, number: 2, label: '', colour: '', layer: 1, value: 1 },
    ];
    unpack(grid, described, Uint8Array.from([5, 0, 0, 5, 0, 1, 0, 0]), 2, [2, 0]);
    expect([grid.at(0, [0, 0, 2]), grid.at(0, [1, 0, 0]), grid.at(1, [1, 0, 2])]).toEqual([1, 1, 2]);
  });

  it('keeps a working copy and gives it back', async () => {
    const kept = await keep(painted(), segments);
    const grid = new LabelGrid(4, 3, 5);
    await restore(grid, kept);
    expect([grid.total(7), grid.total(9), grid.total(30)]).toEqual([1, 1, 1]);
    expect(grid.at(2, [3, 2, 4])).toBe(30);
  });

  it('zips and unzips', async () => {
    expect(await gunzip(await gzip(new Blob([new Uint8Array([1, 2, 3])])))).toEqual(
      new Uint8Array([1, 2, 3]),
    );
  });
});

describe('the picture over a pane', () => {
  it('lets the inside through and draws the edge', () => {
    const grid = new LabelGrid(10, 10, 1);
    for (let r = 2; r < 7; r++) for (let c = 2; c < 7; c++) grid.set(0, 0, r * 10 + c, 1);
    const picture = paintFace(front(0), grid, [{ id: 1, layer: 0, colour: [255, 0, 9] }], [10, 10], 0.4);
    const alpha = (c: number, r: number) => picture?.[(r * 10 + c) * 4 + 3];
    expect([alpha(2, 2), alpha(4, 4), alpha(7, 7)]).toEqual([255, 102, 0]);
  });

  it('is none where nothing is painted', () => {
    expect(
      paintFace(front(0), new LabelGrid(4, 4, 1), [{ id: 1, layer: 0, colour: [0, 0, 0] }], [4, 4], 1),
    ).toBeNull();
  });
});

describe('a line along edges', () => {
  it('follows the border of a disc instead of going straight', () => {
    const [columns, rows] = [80, 80];
    const values = Float32Array.from({ length: columns * rows }, (_, k) =>
      Math.hypot((k % columns) - 40, Math.floor(k / columns) - 40) < 20 ? 100 : 0,
    );
    const way = wire({ columns, rows, values }, [20, 40], [60, 40]);
    expect(way[0]).toEqual([20, 40]);
    expect(way.at(-1)).toEqual([60, 40]);
    const off = way.map(([x, y]) => Math.abs(Math.hypot(x - 40, y - 40) - 20));
    expect(Math.max(...off)).toBeLessThan(2);
  });

  it('goes straight where the window would be too large', () => {
    const picture = { columns: 900, rows: 10, values: new Float32Array(9000) };
    expect(wire(picture, [0, 0], [800, 5])).toEqual([
      [0, 0],
      [800, 5],
    ]);
  });
});
