/** Labels as a picture over a pane: the inside of each segment let through, its edge drawn fully. */
import type { Face } from './face';
import type { LabelGrid } from './grid';

export interface Shown {
  id: number;
  layer: number;
  colour: readonly [number, number, number];
}

/** Paint what the face shows of the labels; null where it shows none of them. */
export function paintFace(
  face: Face,
  grid: LabelGrid,
  segments: readonly Shown[],
  [width, height]: readonly [number, number],
  opacity: number,
): Uint8ClampedArray | null {
  const layers = [...new Set(segments.map((s) => s.layer))];
  let picture: Uint8ClampedArray | null = null;
  for (const layer of layers) {
    const here = labelsUnder(face, grid, layer, width, height);
    if (!here) continue;
    picture ??= new Uint8ClampedArray(width * height * 4);
    const colours = new Map(segments.filter((s) => s.layer === layer).map((s) => [s.id, s.colour]));
    tint(picture, here, colours, width, opacity);
  }
  return picture;
}

/** The label of each pixel of a pane. */
export function labelsUnder(
  face: Face,
  grid: LabelGrid,
  layer: number,
  width: number,
  height: number,
): Uint8Array | null {
  const { origin, right, down } = face;
  const { columns, rows, count } = grid;
  const slices = Array.from({ length: count }, (_, k) => grid.slice(layer, k));
  let labels: Uint8Array | null = null;
  for (let y = 0; y < height; y++) {
    // The middle of the pixel, so that what is drawn is what a click there meets.
    let c = origin[0] + 0.5 * right[0] + (y + 0.5) * down[0];
    let r = origin[1] + 0.5 * right[1] + (y + 0.5) * down[1];
    let s = origin[2] + 0.5 * right[2] + (y + 0.5) * down[2];
    for (let x = 0; x < width; x++, c += right[0], r += right[1], s += right[2]) {
      if (c < 0 || r < 0 || s < 0 || c >= columns || r >= rows || s >= count) continue;
      const label = slices[s | 0]?.[(r | 0) * columns + (c | 0)];
      if (!label) continue;
      labels ??= new Uint8Array(width * height);
      labels[y * width + x] = label;
    }
  }
  return labels;
}

/** Red, green, blue and opacity (0 to 1) as one pixel of a picture. */
const pixelOf = ([r, g, b]: Shown['colour'], opacity: number): number =>
  ((Math.round(opacity * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;

function tint(
  picture: Uint8ClampedArray,
  labels: Uint8Array,
  colours: ReadonlyMap<number, Shown['colour']>,
  width: number,
  opacity: number,
): void {
  const pixels = new Uint32Array(picture.buffer);
  const inside = new Uint32Array(256);
  const edges = new Uint32Array(256);
  for (const [label, colour] of colours) {
    inside[label] = pixelOf(colour, opacity);
    edges[label] = pixelOf(colour, 1);
  }
  for (let k = 0; k < labels.length; k++) {
    const label = labels[k] ?? 0;
    if (!edges[label]) continue;
    const edge =
      labels[k - 1] !== label ||
      labels[k + 1] !== label ||
      labels[k - width] !== label ||
      labels[k + width] !== label;
    pixels[k] = (edge ? edges[label] : inside[label]) ?? 0;
  }
}
