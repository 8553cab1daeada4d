/**
 * Labels on the slices of a series: which segment each voxel belongs to, and what a stroke has changed.
 *
 * Invariants: within a layer a voxel belongs to one segment at most; segments that overlap lie in different layers;
 * the counts are those of the labels at every moment; every change between `begin` and `end` can be taken back exactly.
 */

/** A voxel: column, row and slice, each from 0. */
export type Voxel = readonly [number, number, number];

/** What a stroke changed, as runs of four numbers: slice of a layer, first pixel, length, labels before and after. */
export type Change = Int32Array;

const RUN = 4;

export class LabelGrid {
  /** Made when first painted on; most slices never are. */
  readonly #slices = new Map<number, Uint8Array>();
  /** Slices as they were when the stroke began. */
  readonly #before = new Map<number, Uint8Array>();
  /** Voxels by label and slice. */
  readonly #counts = new Map<number, Uint32Array>();

  constructor(
    readonly columns: number,
    readonly rows: number,
    readonly count: number,
  ) {}

  /** The labels of a slice, row by row; null where nothing was ever painted. */
  slice(layer: number, slice: number): Uint8Array | null {
    return this.#slices.get(this.#key(layer, slice)) ?? null;
  }

  at(layer: number, [column, row, slice]: Voxel): number {
    return this.slice(layer, slice)?.[row * this.columns + column] ?? 0;
  }

  holds([column, row, slice]: Voxel): boolean {
    const { columns, rows, count } = this;
    return column >= 0 && row >= 0 && slice >= 0 && column < columns && row < rows && slice < count;
  }

  /** Give a pixel of a slice a label, 0 for none. */
  set(layer: number, slice: number, pixel: number, label: number): void {
    const key = this.#key(layer, slice);
    let labels = this.#slices.get(key);
    if (!labels) {
      if (!label) return;
      labels = new Uint8Array(this.columns * this.rows);
      this.#slices.set(key, labels);
    }
    const held = labels[pixel] ?? 0;
    if (held === label) return;
    if (!this.#before.has(key)) this.#before.set(key, labels.slice());
    labels[pixel] = label;
    this.#count(held, slice, -1);
    this.#count(label, slice, 1);
  }

  /** How many voxels of a slice have a label. */
  counted(label: number, slice: number): number {
    return this.#counts.get(label)?.[slice] ?? 0;
  }

  total(label: number): number {
    return this.#counts.get(label)?.reduce((sum, n) => sum + n, 0) ?? 0;
  }

  /** The slices on which a label is, in order. */
  slicesOf(label: number): number[] {
    return [...(this.#counts.get(label) ?? [])].flatMap((n, slice) => (n ? [slice] : []));
  }

  begin(): void {
    this.#before.clear();
  }

  /** What was changed since `begin`; null when nothing was. */
  end(): Change | null {
    const runs: number[] = [];
    for (const [key, before] of this.#before) this.#runs(key, before, runs);
    this.#before.clear();
    return runs.length ? Int32Array.from(runs) : null;
  }

  /** Do a change again, or take it back. */
  apply(change: Change, towards: 'before' | 'after'): void {
    for (let k = 0; k < change.length; k += RUN) {
      const [key = 0, first = 0, length = 0, labels = 0] = change.subarray(k, k + RUN);
      const label = towards === 'before' ? labels >> 8 : labels & 255;
      const layer = Math.floor(key / this.count);
      for (let pixel = first; pixel < first + length; pixel++)
        this.set(layer, key % this.count, pixel, label);
    }
    this.#before.clear();
  }

  #runs(key: number, before: Uint8Array, runs: number[]): void {
    const after = this.#slices.get(key);
    if (!after) return;
    for (let k = 0; k < after.length; ) {
      const [was = 0, is = 0] = [before[k], after[k]];
      let end = k + 1;
      while (end < after.length && before[end] === was && after[end] === is) end++;
      if (was !== is) runs.push(key, k, end - k, (was << 8) | is);
      k = end;
    }
  }

  #count(label: number, slice: number, by: number): void {
    if (!label) return;
    let counts = this.#counts.get(label);
    if (!counts) {
      counts = new Uint32Array(this.count);
      this.#counts.set(label, counts);
    }
    counts[slice] = (counts[slice] ?? 0) + by;
  }

  #key(layer: number, slice: number): number {
    return layer * this.count + slice;
  }
}
