/**
 * What lies over a series: segmentations, structures, dose, maps, another series; listed, described and fetched slice by
 * slice from the server, which has put all of it onto the slices of the series.
 */
import { signal } from '@preact/signals';
import { get } from '../../api';
import { tellError } from '../../ui/toasts';
import type { DescribedSegment } from '../../viewer/labels/file';
import type { SeriesToShow } from '../../viewer/series';

export interface Overlay {
  uid: string;
  form: 'segmentation' | 'structures' | 'dose' | 'map' | 'series';
  kind: 'labelmap' | 'contours' | 'values';
  /** Of a parametric map: code, scheme and meaning of what its values are. */
  quantity: [string, string, string] | null;
  label: string;
  modality: string;
  unit: string;
  fractional: boolean;
  algorithm: string;
  description_url: string | null;
  reason: string | null;
  segments?: { label: string }[];
}

export interface Described extends Overlay {
  dtype: string;
  shape: number[];
  range: [number, number] | null;
  slices: { sop_uid: string; frame: number }[];
  values_url: string | null;
  segments: DescribedSegment[];
  drawn: Structure[];
}

export interface Structure {
  number: number;
  name: string;
  colour: string;
  drawn: { sop_uid: string; frame: number; closed: boolean; points_lps_mm: [number, number, number][] }[];
}

type SeriesUids = Pick<SeriesToShow, 'uid' | 'studyUid'>;

/** One slice of an overlay: bytes of labels by layer, or numbers. */
export type SliceValues = Uint8Array | Float32Array;

const KEPT_SLICES = 96;

export class LaidOver {
  /** By series; null while it is asked for. */
  readonly lists = signal<ReadonlyMap<string, readonly Overlay[] | null>>(new Map());
  /** What is switched on, by series and object. */
  readonly on = signal<ReadonlySet<string>>(new Set());
  readonly opacity = signal(0.45);
  /** Of maps that are clear where nothing is: little is seen of them, so they may hide what lies below. */
  readonly mapOpacity = signal(0.75);
  readonly #described = new Map<string, Promise<Described>>();
  readonly #slices = new Map<string, Promise<SliceValues>>();

  /** Ask what lies over a series; once. */
  async list(series: SeriesUids): Promise<void> {
    if (this.lists.value.has(series.uid)) return;
    this.#setList(series.uid, null);
    const address = `/api/studies/${series.studyUid}/series/${series.uid}/overlays`;
    try {
      this.#setList(series.uid, await get<Overlay[]>(address));
    } catch {
      this.#setList(series.uid, []); // a series that is no volume has nothing laid over it
    }
  }

  /** Ask again: something was saved. */
  async listAgain(series: SeriesUids): Promise<void> {
    const next = new Map(this.lists.value);
    next.delete(series.uid);
    this.lists.value = next;
    await this.list(series);
  }

  chosen(seriesUid: string): readonly Overlay[] {
    const list = this.lists.value.get(seriesUid) ?? [];
    return list.filter((o) => this.isOn(seriesUid, o.uid));
  }

  toggle(seriesUid: string, uid: string): void {
    this.turn(seriesUid, uid, !this.isOn(seriesUid, uid));
  }

  isOn(seriesUid: string, uid: string): boolean {
    return this.on.value.has(key(seriesUid, uid));
  }

  turn(seriesUid: string, uid: string, on: boolean): void {
    const next = new Set(this.on.value);
    if (on) next.add(key(seriesUid, uid));
    else next.delete(key(seriesUid, uid));
    this.on.value = next;
  }

  /** Switch everything that can be shown over a series on, or all of it off. */
  toggleAll(seriesUid: string): void {
    const list = (this.lists.value.get(seriesUid) ?? []).filter(
      (o) => o.description_url && o.kind !== 'values',
    );
    const next = new Set(this.on.value);
    const some = list.some((o) => next.has(key(seriesUid, o.uid)));
    for (const { uid } of list) {
      if (some) next.delete(key(seriesUid, uid));
      else next.add(key(seriesUid, uid));
    }
    this.on.value = next;
  }

  describe(overlay: Overlay): Promise<Described> {
    const url = overlay.description_url ?? '';
    let held = this.#described.get(url);
    if (!held) {
      held = get<Described>(url);
      this.#described.set(url, held);
      held.catch((error: unknown) => {
        this.#described.delete(url);
        tellError(error);
      });
    }
    return held;
  }

  /** The values that lie over one image; null where the object does not reach it. */
  async slice(described: Described, sopUid: string, frame: number): Promise<SliceValues | null> {
    const at = described.slices.findIndex((s) => s.sop_uid === sopUid && s.frame === frame);
    if (at < 0 || !described.values_url) return null;
    const url = `${described.values_url}?first=${at}&count=1`;
    let held = this.#slices.get(url);
    if (!held) {
      held = fetchValues(url, described.dtype);
      this.#slices.set(url, held);
      held.catch(() => this.#slices.delete(url));
      const oldest = this.#slices.keys().next().value;
      if (this.#slices.size > KEPT_SLICES && oldest) this.#slices.delete(oldest);
    }
    return held;
  }

  #setList(uid: string, list: readonly Overlay[] | null): void {
    this.lists.value = new Map(this.lists.value).set(uid, list);
  }
}

const key = (seriesUid: string, uid: string): string => `${seriesUid} ${uid}`;

async function fetchValues(url: string, dtype: string): Promise<SliceValues> {
  const answer = await fetch(url, { headers: { 'X-Sightline': '1' } });
  if (!answer.ok) throw new Error('What lies over this image could not be fetched.');
  const bytes = await answer.arrayBuffer();
  return dtype === 'uint8' ? new Uint8Array(bytes) : new Float32Array(bytes);
}

/** Red, green, blue of `#rrggbb`. */
export function rgb(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** Labels as a picture: the inside of each segment let through, its edge drawn fully. */
export function paintLabels(
  labels: Uint8Array,
  size: readonly [number, number],
  segments: Described['segments'],
  opacity: number,
): Uint8ClampedArray {
  const [columns, rows] = size;
  const picture = new Uint8ClampedArray(columns * rows * 4);
  for (const { colour, layer, value } of segments) {
    const start = layer * columns * rows;
    const [r, g, b] = rgb(colour);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        if (labels[start + at] !== value) continue;
        const inside =
          column > 0 &&
          row > 0 &&
          labels[start + at - 1] === value &&
          labels[start + at + 1] === value &&
          labels[start + at - columns] === value &&
          labels[start + at + columns] === value;
        picture.set([r, g, b, inside ? opacity * 255 : 255], at * 4);
      }
  }
  return picture;
}

/** Values as a picture through a map of 256 colours; what lies outside the object, and the lowest, is let through. */
export function paintValues(
  values: Float32Array,
  range: readonly [number, number],
  colours: readonly (readonly [number, number, number])[],
  opacity: number,
): Uint8ClampedArray {
  const picture = new Uint8ClampedArray(values.length * 4);
  const span = Math.max(range[1] - range[0], 1e-9);
  values.forEach((value, k) => {
    const at = (value - range[0]) / span;
    if (Number.isNaN(at) || at <= 0.01) return;
    const [r, g, b] = colours[Math.min(255, Math.round(at * 255))] ?? [0, 0, 0];
    picture.set([r, g, b, opacity * 255], k * 4);
  });
  return picture;
}
