/**
 * How the voxels of a series lie under the pixels of a pane, whether it shows a slice or a plane at any angle.
 *
 * Grid coordinates: columns, rows and slices, a voxel reaching from its number to the next; so (0, 0, 0) is a corner
 * of the first voxel and its centre (0.5, 0.5, 0.5).
 */
import type { SeenPlane } from '../geometry';
import { pixelSizeOf, type SeriesToShow, type Slice, slicesPerPhase } from '../series';
import { add, cross, dot, length, scale, subtract, unit, type Vec3 } from '../vectors';
import type { Placement } from '../view';
import type { LabelGrid, Voxel } from './grid';

/** Grid coordinates of the pixel (x, y): `origin + x right + y down`; `size` of a voxel in mm. */
export interface Face {
  origin: Vec3;
  right: Vec3;
  down: Vec3;
  size: Vec3;
}

export type Point = readonly [number, number];

/** A slice of a stack, `slice` counted within its phase. */
export function faceOfSlice(placement: Placement, shown: Slice, slice: number): Face {
  const [a, b, c, d, e, f] = placement;
  const area = a * d - b * c || 1e-9;
  const [rowMm, columnMm] = pixelSizeOf(shown);
  const size: Vec3 = [columnMm, rowMm, 1];
  return {
    origin: [(c * f - d * e) / area, (b * e - a * f) / area, slice + 0.5],
    right: [d / area, -b / area, 0],
    down: [-c / area, a / area, 0],
    size,
  };
}

/** A plane often runs exactly between two slices; this decides for one of them, always the same. */
const OFF_THE_BORDER: Vec3 = [1e-4, 1e-4, 1e-4];

/** A plane through the volume of a series, seen in a pane of the given width and height. */
export function faceOfPlane(
  seen: SeenPlane,
  series: SeriesToShow,
  width: number,
  height: number,
): Face | null {
  const toGrid = gridOf(series);
  if (!toGrid) return null;
  const [topLeft, topRight, , bottomLeft] = seen.corners.map(toGrid.at) as [Vec3, Vec3, Vec3, Vec3];
  return {
    origin: add(topLeft, OFF_THE_BORDER),
    right: scale(subtract(topRight, topLeft), 1 / Math.max(width, 1)),
    down: scale(subtract(bottomLeft, topLeft), 1 / Math.max(height, 1)),
    size: toGrid.size,
  };
}

/** From mm (LPS) to the grid of the first phase of a series that is a volume. */
export function gridOf(series: SeriesToShow): { at: (point: Vec3) => Vec3; size: Vec3 } | null {
  const slices = series.slices.slice(0, slicesPerPhase(series));
  const first = slices[0];
  const last = slices.at(-1)?.positionLpsMm;
  if (!first?.axes || !first.positionLpsMm || !last || slices.length < 2) return null;
  const { axes, positionLpsMm: corner } = first;
  const line = subtract(last, corner);
  const step = length(line) / (slices.length - 1);
  const along = unit(line);
  const [rowMm, columnMm] = pixelSizeOf(first);
  const size: Vec3 = [columnMm, rowMm, step];
  const at = (point: Vec3): Vec3 => {
    const from = subtract(point, corner);
    return [
      dot(from, axes.row) / size[0] + 0.5,
      dot(from, axes.column) / size[1] + 0.5,
      dot(from, along) / size[2] + 0.5,
    ];
  };
  return { at, size };
}

export const gridAt = (face: Face, [x, y]: Point): Vec3 =>
  add(face.origin, add(scale(face.right, x), scale(face.down, y)));

/** The voxel under a pixel; it may lie outside the series. */
export const voxelAt = (face: Face, point: Point): Voxel =>
  gridAt(face, point).map(Math.floor) as unknown as Voxel;

const inMm = (v: Vec3, size: Vec3): Vec3 => [v[0] * size[0], v[1] * size[1], v[2] * size[2]];

/** Millimetres per pixel of the pane. */
export const mmPerPixel = (face: Face): number => length(inMm(face.right, face.size));

/** The axis of the grid that the face lies across, 0 to 2; null for an oblique one. */
export function acrossOf(face: Face): 0 | 1 | 2 | null {
  const normal = unit(cross(inMm(face.right, face.size), inMm(face.down, face.size)));
  const axis = normal.findIndex((v) => Math.abs(v) > 0.9999);
  return axis < 0 ? null : (axis as 0 | 1 | 2);
}

export interface Box {
  from: Point;
  to: Point;
}

/**
 * Visit the voxels that the face cuts and whose centre, seen from the front, is inside a shape.
 *
 * `box` holds the shape, in pixels of the pane; `inside` says of a pixel whether it belongs to it. The face cuts a
 * voxel when its centre is no further away than half of what the voxel measures across the face; of two it touches
 * equally it cuts one.
 */
export function underShape(
  face: Face,
  grid: LabelGrid,
  { from, to }: Box,
  inside: (x: number, y: number) => boolean,
  visit: (voxel: Voxel) => void,
): void {
  const { size } = face;
  const right = inMm(face.right, size);
  const down = inMm(face.down, size);
  const normal = unit(cross(right, down));
  const half =
    (Math.abs(normal[0]) * size[0] + Math.abs(normal[1]) * size[1] + Math.abs(normal[2]) * size[2]) / 2;
  const corners = [from, [to[0], from[1]] as Point, to, [from[0], to[1]] as Point].map((p) =>
    gridAt(face, p),
  );
  const limits = [grid.columns, grid.rows, grid.count];
  const [low, high] = [0, 1, 2].reduce<[number[], number[]]>(
    ([low, high], axis) => {
      const at = corners.map((c) => c[axis] ?? 0);
      low.push(Math.max(Math.floor(Math.min(...at)) - 1, 0));
      high.push(Math.min(Math.floor(Math.max(...at)) + 1, (limits[axis] ?? 1) - 1));
      return [low, high];
    },
    [[], []],
  );
  const across = dot(right, right);
  const along = dot(down, down);
  for (let slice = low[2] ?? 0; slice <= (high[2] ?? -1); slice++)
    for (let row = low[1] ?? 0; row <= (high[1] ?? -1); row++)
      for (let column = low[0] ?? 0; column <= (high[0] ?? -1); column++) {
        const ox = (column + 0.5 - face.origin[0]) * size[0];
        const oy = (row + 0.5 - face.origin[1]) * size[1];
        const oz = (slice + 0.5 - face.origin[2]) * size[2];
        const away = ox * normal[0] + oy * normal[1] + oz * normal[2];
        if (away < -half + 1e-7 || away > half + 1e-7) continue;
        const x = (ox * right[0] + oy * right[1] + oz * right[2]) / across;
        const y = (ox * down[0] + oy * down[1] + oz * down[2]) / along;
        if (inside(x, y)) visit([column, row, slice]);
      }
}
