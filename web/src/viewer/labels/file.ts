/**
 * Labels as bytes: what the server takes and gives, and the working copy.
 *
 * uint32 n (little endian), n bytes of JSON, then uint8 voxels (layer, slice, row, column); slices without a label are
 * left out.
 */
import type { LabelGrid } from './grid';
import type { Segment } from './segments';

export interface PlaceOfSlice {
  sop_uid: string;
  frame: number;
}

/** The slices on which something is painted, in order. */
export const paintedSlices = (grid: LabelGrid, segments: readonly Segment[]): number[] =>
  [...new Set(segments.flatMap((s) => grid.slicesOf(s.id)))].sort((a, b) => a - b);

/**
 * The body to save: segments are numbered 1, 2, 3 … in their order, and layers that hold none are left out.
 *
 * `places` are all slices of the grid.
 */
export function pack(
  grid: LabelGrid,
  segments: readonly Segment[],
  places: readonly PlaceOfSlice[],
  about: { series_uid: string; label: string; replaces: string },
): Blob {
  const painted = paintedSlices(grid, segments);
  const layers = [...new Set(segments.map((s) => s.layer))].sort((a, b) => a - b);
  const header = {
    reference_series_uid: about.series_uid,
    slices: painted.map((k) => places[k]),
    rows: grid.rows,
    columns: grid.columns,
    layers: layers.length,
    label: about.label,
    replaces: about.replaces,
    segments: segments.map((s, k) => ({
      number: k + 1,
      label: s.label,
      colour: s.colour,
      category: s.category,
      type: s.type,
      algorithm: s.algorithm,
      algorithm_name: s.algorithmName,
      tracking_uid: s.trackingUid,
    })),
  };
  const voxels = layers.flatMap((layer) => {
    const numbers = new Uint8Array(256);
    segments.forEach((s, k) => {
      if (s.layer === layer) numbers[s.id] = k + 1;
    });
    return painted.map((k) => {
      const labels = grid.slice(layer, k);
      return labels ? labels.map((id) => numbers[id] ?? 0) : new Uint8Array(grid.rows * grid.columns);
    });
  });
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = new Uint8Array(4);
  new DataView(start.buffer).setUint32(0, json.length, true);
  return new Blob([start, json, ...voxels] as BlobPart[]);
}

/** A segment as the server describes it over a series: in `layer` its voxels have the value `value`. */
export interface DescribedSegment {
  number: number;
  label: string;
  colour: string;
  category?: string[];
  type?: string[];
  algorithm?: string;
  tracking_uid?: string;
  layer: number;
  value: number;
}

/** Put described voxels onto the grid: `voxels` (layer, slice, row, column) of some of its slices. */
export function unpack(
  grid: LabelGrid,
  described: readonly (DescribedSegment & { id: number })[],
  voxels: Uint8Array,
  layers: number,
  slices: readonly number[],
): void {
  const size = grid.rows * grid.columns;
  for (let layer = 0; layer < layers; layer++) {
    const ids = new Uint8Array(256);
    for (const s of described) if (s.layer === layer) ids[s.value] = s.id;
    slices.forEach((slice, k) => {
      if (slice < 0) return;
      const start = (layer * slices.length + k) * size;
      for (let pixel = 0; pixel < size; pixel++) {
        const id = ids[voxels[start + pixel] ?? 0];
        if (id) grid.set(layer, slice, pixel, id);
      }
    });
  }
}

export const gzip = (blob: Blob): Promise<Blob> =>
  new Response(blob.stream().pipeThrough(new CompressionStream('gzip'))).blob();

export const gunzip = async (blob: Blob): Promise<Uint8Array> =>
  new Uint8Array(
    await new Response(blob.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer(),
  );

/** All labels of a grid, gzipped: pairs of layer and slice, and their labels one after the other. */
export async function keep(
  grid: LabelGrid,
  segments: readonly Segment[],
): Promise<{ at: number[]; body: Blob }> {
  const layers = [...new Set(segments.map((s) => s.layer))];
  const held = layers.flatMap((layer) =>
    paintedSlices(grid, segments).flatMap((slice) => {
      const labels = grid.slice(layer, slice);
      return labels ? [{ layer, slice, labels }] : [];
    }),
  );
  const body = await gzip(new Blob(held.map((h) => h.labels.slice()) as BlobPart[]));
  return { at: held.flatMap((h) => [h.layer, h.slice]), body };
}

/** Put kept labels back onto an empty grid. */
export async function restore(grid: LabelGrid, { at, body }: { at: number[]; body: Blob }): Promise<void> {
  const labels = await gunzip(body);
  const size = grid.rows * grid.columns;
  for (let k = 0; k * 2 < at.length; k++)
    for (let pixel = 0; pixel < size; pixel++)
      grid.set(at[2 * k] ?? 0, at[2 * k + 1] ?? 0, pixel, labels[k * size + pixel] ?? 0);
}
