/** What is cut away from a volume, in the space of the patient. */
import { pixelSizeOf, type SeriesToShow } from './series';
import { add, dot, scale, type Vec3 } from './vectors';
import type { Crop } from './view';

export interface Box {
  low: Vec3;
  high: Vec3;
}

/** A point p is kept where normal · p ≥ distance; mm, LPS. */
export interface HalfSpace {
  normal: Vec3;
  distance: number;
}

/** The box around all slices, along the axes of the patient; null without geometry. */
export function boxAround({ slices }: SeriesToShow): Box | null {
  const corners = [slices[0], slices.at(-1)].flatMap((slice) => {
    if (!slice?.positionLpsMm || !slice.axes) return [];
    const [rowMm, columnMm] = pixelSizeOf(slice);
    const across = scale(slice.axes.row, slice.size[0] * columnMm);
    const down = scale(slice.axes.column, slice.size[1] * rowMm);
    const at = slice.positionLpsMm;
    return [at, add(at, across), add(at, down), add(at, add(across, down))];
  });
  if (!corners.length) return null;
  const over = (pick: (...values: number[]) => number): Vec3 => [
    pick(...corners.map((c) => c[0])),
    pick(...corners.map((c) => c[1])),
    pick(...corners.map((c) => c[2])),
  ];
  return { low: over(Math.min), high: over(Math.max) };
}

/** The part of a box that is kept; what is left is never thinner than a hundredth. */
export function keptOf({ low, high }: Box, crop: Crop): Box {
  const at = (axis: 0 | 1 | 2, from: number): number => low[axis] + from * (high[axis] - low[axis]);
  const first = (axis: 0 | 1 | 2): number => Math.min(crop.low[axis], 0.99);
  const last = (axis: 0 | 1 | 2): number => Math.max(1 - crop.high[axis], first(axis) + 0.01);
  return {
    low: [at(0, first(0)), at(1, first(1)), at(2, first(2))],
    high: [at(0, last(0)), at(1, last(1)), at(2, last(2))],
  };
}

/** What is kept behind the plane that faced the person; null where there is none. */
export function behind({ low, high }: Box, { facing }: Crop): HalfSpace | null {
  if (!facing || facing.depth <= 0) return null;
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map(
    (n): Vec3 => [n & 1 ? high[0] : low[0], n & 2 ? high[1] : low[1], n & 4 ? high[2] : low[2]],
  );
  const depths = corners.map((c) => dot(c, facing.ahead));
  const [near, far] = [Math.min(...depths), Math.max(...depths)];
  return { normal: facing.ahead, distance: near + facing.depth * (far - near) };
}

/** All that bounds what is kept; empty where nothing is cut away. */
export function boundsOf(box: Box, crop: Crop): HalfSpace[] {
  const kept = keptOf(box, crop);
  const facing = behind(box, crop);
  const sides = ([0, 1, 2] as const).flatMap((axis): HalfSpace[] => {
    const normal: Vec3 = [axis === 0 ? 1 : 0, axis === 1 ? 1 : 0, axis === 2 ? 1 : 0];
    return [
      ...(crop.low[axis] > 0 ? [{ normal, distance: kept.low[axis] }] : []),
      ...(crop.high[axis] > 0 ? [{ normal: scale(normal, -1), distance: -kept.high[axis] }] : []),
    ];
  });
  return facing ? [...sides, facing] : sides;
}
