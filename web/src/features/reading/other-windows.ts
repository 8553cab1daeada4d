/**
 * Other windows of this browser that show another patient: said in each of them, since the wrong one is soon dictated on.
 *
 * Windows tell each other which patient they show by the opaque id; nothing leaves the browser.
 */
import { type Signal, signal } from '@preact/signals';

interface Word {
  window: string;
  patient: string | null;
  /** Asks the others to say what they show. */
  asks: boolean;
}

const HERE = crypto.randomUUID();

export class OtherWindows {
  /** How many other windows show another patient. */
  readonly others: Signal<number> = signal(0);
  readonly #shown = new Map<string, string>();
  readonly #channel =
    typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('sightline-patients');
  #patient: string | null = null;

  constructor() {
    if (this.#channel) this.#channel.onmessage = ({ data }: MessageEvent<Word>) => this.#hear(data);
  }

  /** This window shows a patient from now on, or none. */
  show(patient: string | null): void {
    this.#patient = patient;
    this.#say(patient !== null);
    this.#count();
  }

  close(): void {
    this.show(null);
    this.#channel?.close();
  }

  #hear({ window, patient, asks }: Word): void {
    if (window === HERE) return;
    if (patient) this.#shown.set(window, patient);
    else this.#shown.delete(window);
    if (asks && this.#patient) this.#say(false);
    this.#count();
  }

  #say(asks: boolean): void {
    this.#channel?.postMessage({ window: HERE, patient: this.#patient, asks } satisfies Word);
  }

  #count(): void {
    this.others.value = [...this.#shown.values()].filter((p) => p !== this.#patient).length;
  }
}
