/**
 * The aligned prior laid onto the current image of a pane: blinked, wiped across, or seen through a checkerboard.
 *
 * Invariants: it is shown only where the alignment did not fail, else the reason is told; nothing moves unless the
 * person moved it; whose pixels are seen is said beside them.
 */
import { computed, type Signal, signal } from '@preact/signals';
import { type Alignment, getFloats, type Reading } from '../../api';
import { tell, tellError } from '../../ui/toasts';
import type { PaneView } from '../../viewer';
import type { Window } from '../../viewer/presets';
import type { Slice } from '../../viewer/series';
import type { Beside } from './beside';
import type { PanesStore } from './panes';

export type OverMode = 'blink' | 'swipe' | 'checker';

const KEPT_SLICES = 48;
const STEP = 0.05;
const MOST_STEP = 16;

export class PriorOver {
  readonly mode = signal<OverMode | null>(null);
  /** While blinking: the prior is the one that is seen. */
  readonly priorShown = signal(true);
  /** Where the line between the two stands, 0 to 1 of the pane; the prior is to the right of it. */
  readonly line = signal(0.5);
  readonly refusal = computed(() => refusalOf(this.beside.uid.value, this.beside.alignment.value));
  readonly #slices = new Map<string, Promise<Float32Array>>();

  constructor(
    private readonly reading: Signal<Reading | null>,
    private readonly panes: PanesStore,
    private readonly beside: Beside,
  ) {}

  /** Compare in this way, or no longer; says why where it cannot be. */
  toggle(mode: OverMode): void {
    const refusal = this.refusal.value ?? this.refusalIn(this.panes.shown);
    if (this.mode.value === mode) this.leave();
    else if (refusal) tell(refusal);
    else {
      this.mode.value = mode;
      this.priorShown.value = true;
    }
  }

  leave(): void {
    this.mode.value = null;
  }

  blink(): void {
    this.priorShown.value = !this.priorShown.value;
  }

  moveLine(by: number): void {
    this.putLine(this.line.value + by * STEP);
  }

  putLine(at: number): void {
    this.line.value = Math.min(1, Math.max(0, at));
  }

  /** Why the prior cannot be laid onto what a pane shows; null where it can. */
  refusalIn({ kind, series, state, index }: PaneView): string | null {
    if (state !== 'shown' || !series) return 'Wait until the image is shown.';
    if (series.studyUid !== this.reading.value?.study.uid)
      return 'The prior is laid onto the current study: choose its pane.';
    const aligned = this.beside.alignment.value?.images?.[0];
    if (aligned && series.slices[index]?.sopUid !== aligned)
      return 'Another image of this study was aligned with the prior: show that one.';
    if (kind !== 'stack') return 'The prior is laid onto slices as acquired: show the series slice by slice.';
    return null;
  }

  /** The prior on one image of the current study, row by row; NaN where it shows nothing. */
  slice(seriesUid: string, { sopUid, frame }: Slice): Promise<Float32Array> {
    const query = new URLSearchParams({ series: seriesUid, image: sopUid, frame: String(frame) });
    const url = this.beside.sliceUrl(query);
    let held = this.#slices.get(url);
    if (!held) {
      held = getFloats(url);
      this.#slices.set(url, held);
      held.catch((error: unknown) => {
        this.#slices.delete(url);
        this.leave();
        tellError(error);
      });
      const oldest = this.#slices.keys().next().value;
      if (this.#slices.size > KEPT_SLICES && oldest) this.#slices.delete(oldest);
    }
    return held;
  }
}

/** Why the study beside the current one cannot be laid onto it; null where it can. */
export function refusalOf(
  prior: string | null,
  alignment: Pick<Alignment, 'verdict' | 'reason'> | null,
): string | null {
  if (!prior) return 'There is no prior to compare with.';
  if (!alignment) return 'The prior is not aligned yet; look at both side by side until it is.';
  if (alignment.verdict === 'failed')
    return `Not aligned, so the prior is not laid onto this study: ${alignment.reason}`;
  return null;
}

/** How many pixels of an image one value stands for: large pictures come with every second, third … one. */
export function stepOf(values: number, [columns, rows]: readonly [number, number]): number | null {
  for (let step = 1; step <= MOST_STEP; step++)
    if (Math.ceil(columns / step) * Math.ceil(rows / step) === values) return step;
  return null;
}

/** Radiographs of the prior come as greys in their own window: the numbers of two detectors mean different things. */
export const windowOver = (modality: string, window: Window): Window =>
  /^(CR|DX)$/.test(modality) ? { center: 128, width: 256 } : window;

/** Values as greys of a window (linear, PS3.3 C.11.2.1.2.1); what the prior does not show is let through. */
export function paintGreys(
  values: Float32Array,
  { center, width }: Window,
  invert: boolean,
): Uint8ClampedArray {
  const picture = new Uint8ClampedArray(values.length * 4);
  const low = center - 0.5 - (width - 1) / 2;
  const scale = 255 / Math.max(width - 1, 1e-6);
  for (let k = 0; k < values.length; k++) {
    const value = values[k] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const grey = Math.min(255, Math.max(0, (value - low) * scale));
    const shown = invert ? 255 - grey : grey;
    const at = k * 4;
    picture[at] = shown;
    picture[at + 1] = shown;
    picture[at + 2] = shown;
    picture[at + 3] = 255;
  }
  return picture;
}
