/** Playing a series: the frames of a loop at their own rate, or the slices and points in time of a stack. */
import { clipAt, nextFrame } from './loops';
import type { Pane } from './pane';
import type { SeriesToShow } from './series';

const STACK_RATE = 10;
const RATES = { least: 1, most: 120 };

interface Playing {
  framesPerSecond: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  stopped: boolean;
}

export class Cine {
  readonly #playing = new Map<string, Playing>();

  constructor(private readonly paneOf: (id: string) => Pane | null) {}

  toggle(id: string, framesPerSecond?: number): void {
    if (this.#playing.has(id)) {
      this.stop(id);
      return;
    }
    const pane = this.paneOf(id);
    if (!pane?.series || pane.series.slices.length < 2) return;
    const rate = framesPerSecond ?? ownRate(pane.series, pane.view.index);
    const playing: Playing = { framesPerSecond: rate, timer: undefined, stopped: false };
    this.#playing.set(id, playing);
    pane.setPlaying(rate);
    void this.#run(pane, playing);
  }

  setRate(id: string, framesPerSecond: number): void {
    const playing = this.#playing.get(id);
    if (!playing) return;
    playing.framesPerSecond = Math.min(Math.max(framesPerSecond, RATES.least), RATES.most);
    this.paneOf(id)?.setPlaying(playing.framesPerSecond);
  }

  stop(id: string): void {
    const playing = this.#playing.get(id);
    if (!playing) return;
    playing.stopped = true;
    clearTimeout(playing.timer);
    this.#playing.delete(id);
    this.paneOf(id)?.setPlaying(null);
  }

  stopAll(): void {
    for (const id of [...this.#playing.keys()]) this.stop(id);
  }

  /** Frames that are late are left out, so that the loop keeps its own time. */
  async #run(pane: Pane, playing: Playing): Promise<void> {
    let due = performance.now();
    while (!playing.stopped && pane.series) {
      const late = Math.max(0, performance.now() - due);
      const steps = 1 + Math.floor((late * playing.framesPerSecond) / 1000);
      await pane.goTo(nextFrame(pane.series, pane.view.index, steps, pane.view.part));
      due += (steps * 1000) / playing.framesPerSecond;
      const wait = Math.max(due - performance.now(), 1);
      await new Promise<void>((done) => {
        playing.timer = setTimeout(done, wait);
      });
    }
  }
}

const ownRate = (series: SeriesToShow, index: number): number =>
  clipAt(series, index)?.framesPerSecond ?? STACK_RATE;
