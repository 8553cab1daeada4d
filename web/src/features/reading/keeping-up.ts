/** While the machine is still at work, or the study still arriving, the reading is looked at again now and then. */
import type { Signal } from '@preact/signals';
import { api, get, type Reading, Refused } from '../../api';

const POLL_MS = 3000;

export class KeepingUp {
  #poll: ReturnType<typeof setTimeout> | undefined;
  readonly #abort = new AbortController();

  constructor(
    private readonly uid: string,
    private readonly reading: Signal<Reading | null>,
    private readonly took: (fresh: Reading, before: Reading | null) => Promise<void>,
  ) {}

  stop(): void {
    this.#abort.abort();
    clearTimeout(this.#poll);
  }

  watch(reading: Reading): void {
    clearTimeout(this.#poll);
    if (!/^(waiting|running)$/.test(reading.analysis.state)) return;
    this.#poll = setTimeout(() => void this.#lookAgain(), POLL_MS);
  }

  /** Fetch the reading anew, now. */
  async refresh(): Promise<void> {
    const fresh = await get<Reading>(api.reading(this.uid), this.#abort.signal);
    const before = this.reading.value;
    this.reading.value = fresh;
    await this.took(fresh, before);
    this.watch(fresh);
  }

  async #lookAgain(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      const passing = error instanceof Refused && error.status === 0;
      if (this.#abort.signal.aborted || !passing) return;
      this.#poll = setTimeout(() => void this.#lookAgain(), POLL_MS * 3);
    }
  }
}
