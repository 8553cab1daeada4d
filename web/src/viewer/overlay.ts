/** What is drawn over an image: orientation letters, a scale bar, marks. Pure geometry, no drawing. */
import { length, scale, type Vec3 } from './vectors';
import type { Letters } from './view';

export interface Mark {
  id: string;
  number: number;
  /** Short text beside the outline, such as `1 · 10.1 mm`. */
  label: string;
  tone: 'proposed' | 'accepted' | 'rejected' | 'draft';
  selected: boolean;
  centreLpsMm: Vec3;
  /** Used to draw a circle where no outline is known. */
  diameterMm: number | null;
  /** SOP instance of the slice on which the long axis lies. */
  sopUid: string;
  outlines: ReadonlyMap<string, readonly (readonly Vec3[])[]> | null;
  longAxis: readonly [Vec3, Vec3] | null;
  shortAxis: readonly [Vec3, Vec3] | null;
}

export interface DrawnMark {
  id: string;
  label: string;
  tone: Mark['tone'];
  selected: boolean;
  /** SVG path of the outline, in canvas pixels. */
  path: string;
  circle: { x: number; y: number; r: number } | null;
  axes: readonly { x1: number; y1: number; x2: number; y2: number }[];
  labelAt: { x: number; y: number };
}

type ToCanvas = (point: Vec3) => readonly [number, number];

/** Project the marks that touch one slice; `distanceMm` is from the slice to a mark's centre. */
export function drawMarks(
  marks: readonly Mark[],
  slice: { sopUid: string; distanceMm: (point: Vec3) => number; thicknessMm: number },
  toCanvas: ToCanvas,
  mmPerPixel: number,
): DrawnMark[] {
  return marks.flatMap((mark) => drawMark(mark, slice, toCanvas, mmPerPixel) ?? []);
}

function drawMark(
  mark: Mark,
  slice: { sopUid: string; distanceMm: (point: Vec3) => number; thicknessMm: number },
  toCanvas: ToCanvas,
  mmPerPixel: number,
): DrawnMark | null {
  const contours = mark.outlines?.get(slice.sopUid);
  const radius = (mark.diameterMm ?? 10) / 2;
  if (mark.outlines && !contours) return null;
  if (!mark.outlines && slice.distanceMm(mark.centreLpsMm) > Math.max(radius, slice.thicknessMm / 2))
    return null;
  const points = (contours ?? []).map((contour) => contour.map(toCanvas));
  const [cx, cy] = toCanvas(mark.centreLpsMm);
  const ring = { x: cx, y: cy, r: Math.max(radius / mmPerPixel + 4, 7) };
  const right = Math.max(contours ? -Infinity : cx + ring.r, ...points.flat().map(([x]) => x));
  if (right < 0) return null; // left of the pane; the other sides are clipped
  return {
    id: mark.id,
    label: mark.label,
    tone: mark.tone,
    selected: mark.selected,
    path: points.map(pathOf).join(''),
    circle: contours ? null : ring,
    axes: mark.sopUid === slice.sopUid ? axesOf(mark, toCanvas) : [],
    labelAt: { x: right + 8, y: cy + 4 },
  };
}

function axesOf(mark: Mark, toCanvas: ToCanvas): DrawnMark['axes'] {
  return [mark.longAxis, mark.shortAxis].flatMap((axis) => {
    if (!axis) return [];
    const [x1, y1] = toCanvas(axis[0]);
    const [x2, y2] = toCanvas(axis[1]);
    return [{ x1, y1, x2, y2 }];
  });
}

function pathOf(points: readonly (readonly [number, number])[]): string {
  if (points.length < 2) return '';
  return `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}Z`;
}

/** The patient direction a vector points to, such as `L` or `AL` (PS3.3 C.7.6.1.1.1): at most two letters. */
export function directionLetters(direction: Vec3): string {
  const size = length(direction);
  if (size === 0) return '';
  const unit = scale(direction, 1 / size);
  const names = [
    ['R', 'L'],
    ['A', 'P'],
    ['F', 'H'],
  ] as const;
  return [0, 1, 2]
    .map((axis) => ({
      size: Math.abs(unit[axis] ?? 0),
      letter: names[axis]?.[(unit[axis] ?? 0) > 0 ? 1 : 0],
    }))
    .filter((part) => part.size > 0.4)
    .sort((a, b) => b.size - a.size)
    .slice(0, 2)
    .map((part) => part.letter)
    .join('');
}

/** The letters at the four edges of a pane, from the directions to its right and down. */
export function lettersOf(right: Vec3, down: Vec3): Letters {
  return {
    top: directionLetters(scale(down, -1)),
    bottom: directionLetters(down),
    right: directionLetters(right),
    left: directionLetters(scale(right, -1)),
  };
}

/**
 * The letters at the four edges for an image that only says where its rows and columns point, such as `P\\FL` (Patient
 * Orientation, PS3.3 C.7.6.1.1.1); `row` and `column` are their directions on the screen.
 */
export function lettersOfProjection(
  orientation: readonly string[],
  row: readonly [number, number],
  column: readonly [number, number],
): Letters | null {
  const [along, down] = orientation;
  if (!along || !down) return null;
  const towards = (x: number, y: number): string => {
    const onRow = row[0] * x + row[1] * y;
    const onColumn = column[0] * x + column[1] * y;
    const [letters, sign] = Math.abs(onRow) >= Math.abs(onColumn) ? [along, onRow] : [down, onColumn];
    return sign > 0 ? letters : opposite(letters);
  };
  return { top: towards(0, -1), right: towards(1, 0), bottom: towards(0, 1), left: towards(-1, 0) };
}

const OPPOSITES: Record<string, string> = { A: 'P', P: 'A', R: 'L', L: 'R', H: 'F', F: 'H' };

const opposite = (letters: string): string => [...letters].map((l) => OPPOSITES[l] ?? l).join('');

export interface ScaleBar {
  pixels: number;
  label: string;
}

/** A round length that fits into `room` pixels. */
export function scaleBar(mmPerPixel: number, room = 140): ScaleBar | null {
  if (!(mmPerPixel > 0) || !Number.isFinite(mmPerPixel)) return null;
  const lengths = [200, 100, 50, 20, 10, 5, 2, 1];
  const mm = lengths.find((l) => l / mmPerPixel <= room);
  if (!mm) return null;
  return { pixels: mm / mmPerPixel, label: mm >= 10 ? `${mm / 10} cm` : `${mm} mm` };
}
