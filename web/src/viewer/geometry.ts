/**
 * Whether a series is a volume, so that planes through it, projections and volumes mean what they show.
 *
 * Invariant: what cannot be right is refused with its reason, never shown as if it were right.
 */
import { text } from './dicom';
import { type SeriesToShow, slicesPerPhase } from './series';
import { cross, dot, length, scale, subtract, type Vec3 } from './vectors';
import type { Placement } from './view';

const SPACING_TOLERANCE = 0.05;
const TILT_TOLERANCE_MM = 0.5;
const LEAST_SLICES = 3;

/** What is found out about a series is found out once: panes ask with every drawing. */
function once<T>(find: (series: SeriesToShow) => T): (series: SeriesToShow) => T {
  const known = new WeakMap<SeriesToShow, { found: T }>();
  return (series) => {
    const held = known.get(series) ?? { found: find(series) };
    known.set(series, held);
    return held.found;
  };
}

/** Why planes through a series would be wrong, in words; null when it is a volume. */
export const volumeProblem = once((series): string | null => {
  if (series.notShown) return series.notShown;
  const slices = series.slices.slice(0, slicesPerPhase(series));
  if (!series.normal) return orientationProblem(series);
  if (slices.length < LEAST_SLICES)
    return `The series has ${slices.length === 1 ? 'one slice' : 'two slices'} only: planes through it need three or more.`;
  if (slices.some((s) => s.size[0] !== slices[0]?.size[0] || s.size[1] !== slices[0]?.size[1]))
    return 'The images of this series differ in size.';
  const steps = slices.slice(1).map((s, k) => subtract(at(s), at(slices[k])));
  return gapProblem(steps.map(length), series.normal, steps);
});

/** What is unusual about the geometry of a series that can be shown; for the corner of a pane. */
export const geometryNote = once((series): string | null => {
  if (!series.normal && series.slices.length > 1 && series.slices.every((s) => s.axes))
    return 'slices turned against each other';
  if (text(series.instances[0], '00080008') && imageType(series).includes('MOSAIC'))
    return 'a mosaic of slices: no plane of the patient';
  const places = duplicates(series);
  if (places > 0) return `${places + 1} images at one place`;
  const tilt = series.normal && tiltDegrees(series);
  return tilt && tilt > 0.5 ? `gantry tilted ${tilt.toFixed(1)}°` : null;
});

const imageType = (series: SeriesToShow): string[] =>
  (series.instances[0]?.['00080008']?.Value ?? []).map(String);

/** How many images lie where another of the same phase does. */
function duplicates(series: SeriesToShow): number {
  const slices = series.slices.slice(0, slicesPerPhase(series));
  if (!series.normal) return 0;
  return slices.slice(1).filter((s, k) => length(subtract(at(s), at(slices[k]))) < 0.01).length;
}

/** The angle between the normal of the slices and the line of their positions, in degrees; 0 for a straight stack. */
export function tiltDegrees(series: SeriesToShow): number {
  const slices = series.slices.slice(0, slicesPerPhase(series));
  const first = slices[0]?.positionLpsMm;
  const last = slices.at(-1)?.positionLpsMm;
  if (!first || !last || !series.normal || slices.length < 2) return 0;
  const line = subtract(last, first);
  if (length(line) < 0.01) return 0;
  const cosine = Math.abs(dot(line, series.normal)) / Math.max(length(line), 1e-9);
  return (Math.acos(Math.min(cosine, 1)) * 180) / Math.PI;
}

function orientationProblem(series: SeriesToShow): string {
  if (series.slices.some((s) => !s.axes || !s.positionLpsMm))
    return 'The images do not say where they lie in the patient.';
  return 'The slices of this series are turned against each other.';
}

function gapProblem(distances: number[], normal: Vec3, steps: Vec3[]): string | null {
  const usual = median(distances);
  if (distances.some((d) => d < 0.01)) return 'Two images of this series lie at the same place.';
  const shear = Math.max(...steps.map((s) => length(cross(s, normal))));
  if (shear > TILT_TOLERANCE_MM || shear > 0.05 * usual + 0.01)
    return 'The gantry was tilted: the slices are shifted against each other.';
  const gap = distances.findIndex((d) => d > 1.5 * usual);
  if (gap >= 0) return `Images are missing between ${gap + 1} and ${gap + 2}.`;
  return isEven(distances)
    ? null
    : `The spacing of the slices varies (${Math.min(...distances).toFixed(2)} to ${Math.max(...distances).toFixed(2)} mm).`;
}

/** Whether no slice lies off its place in an even stack by more than rounded positions do. */
function isEven(distances: readonly number[]): boolean {
  const mean = distances.reduce((a, b) => a + b, 0) / distances.length;
  let off = 0;
  return distances.every((d) => {
    off += d - mean;
    return Math.abs(off) <= Math.max(SPACING_TOLERANCE * mean, 0.1);
  });
}

const at = (slice: { positionLpsMm: Vec3 | null } | undefined): Vec3 => slice?.positionLpsMm ?? [0, 0, 0];

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** A plane with the four corners of what is seen of it, in mm (LPS). */
/** A rectangle of an image, in columns and rows; (0, 0) is the corner of the first pixel. */
export interface Area {
  top_left: [number, number];
  bottom_right: [number, number];
}

/** The rectangle of an image that a pane of this size shows, with what lies around the image. */
export function areaShown([a, b, c, d, e, f]: Placement, width: number, height: number): Area {
  const turn = a * d - b * c;
  const corners = [
    [0, 0],
    [width, height],
  ].map(([x = 0, y = 0]) => [(d * (x - e) - c * (y - f)) / turn, (a * (y - f) - b * (x - e)) / turn]);
  const over = (pick: (...v: number[]) => number, k: number) =>
    Math.round(pick(...corners.map((corner) => corner[k] ?? 0)) * 100) / 100;
  return {
    top_left: [over(Math.min, 0), over(Math.min, 1)],
    bottom_right: [over(Math.max, 0), over(Math.max, 1)],
  };
}

export interface SeenPlane {
  normal: Vec3;
  corners: readonly [Vec3, Vec3, Vec3, Vec3];
}

/** Where a point lies on a plane as it is seen, straight before or behind it; null where that is not in view. */
export function projected(
  point: Vec3,
  { normal, corners: [corner, across, , down] }: SeenPlane,
): Vec3 | null {
  const on = subtract(point, scale(normal, dot(subtract(point, corner), normal)));
  const inside = [across, down].every((end) => {
    const side = subtract(end, corner);
    const share = dot(subtract(on, corner), side) / Math.max(dot(side, side), 1e-12);
    return share >= 0 && share <= 1;
  });
  return inside ? on : null;
}

/** Where one plane as it is seen cuts another; null where they do not meet or run side by side. */
export function cut(plane: { normal: Vec3; point: Vec3 }, seen: SeenPlane): readonly [Vec3, Vec3] | null {
  if (Math.abs(dot(plane.normal, seen.normal)) > 0.98) return null;
  const height = seen.corners.map((c) => dot(subtract(c, plane.point), plane.normal));
  const ends: Vec3[] = [];
  for (let k = 0; k < 4; k++) {
    const [a, b] = [height[k] ?? 0, height[(k + 1) % 4] ?? 0];
    const [from, to] = [seen.corners[k], seen.corners[(k + 1) % 4]];
    if (a * b > 0 || a === b || !from || !to) continue;
    const step = scale(subtract(to, from), a / (a - b));
    ends.push([from[0] + step[0], from[1] + step[1], from[2] + step[2]]);
  }
  const [one, two] = ends;
  return one && two ? [one, two] : null;
}
