/** Tiles as they are fetched and kept: few at a time, the nearest first, and never more than a bounded store. */
import { getBlob } from '../../api';

const AT_ONCE = 6;
/** About 160 MB of pictures. */
const MOST_PIXELS = 40_000_000;
const TRIES = 2;

export interface Wanted {
  key: string;
  address: string;
}

interface Kept {
  picture: ImageBitmap;
  pixels: number;
}

export class TileStore {
  private readonly kept = new Map<string, Kept>();
  private readonly under = new Map<string, AbortController>();
  private readonly failed = new Map<string, number>();
  private wanted: Wanted[] = [];
  private pixels = 0;
  private closed = false;

  constructor(
    private readonly changed: () => void,
    private readonly most = MOST_PIXELS,
    private readonly fetchPicture = fetched,
  ) {}

  /** A picture, if it is here; it then counts as used. */
  get(key: string): ImageBitmap | null {
    const found = this.kept.get(key);
    if (!found) return null;
    this.kept.delete(key);
    this.kept.set(key, found);
    return found.picture;
  }

  /** Say what is wanted now, the most wanted first; what is under way and no longer wanted is given up. */
  want(list: readonly Wanted[]): void {
    this.wanted = list.filter((w) => !this.kept.has(w.key) && (this.failed.get(w.key) ?? 0) < TRIES);
    const keys = new Set(this.wanted.map((w) => w.key));
    for (const [key, asking] of this.under) if (!keys.has(key)) asking.abort();
    this.next();
  }

  /** How many are on their way or waiting, and how many could not be had. */
  get standing(): { waiting: number; failed: number; kept: number } {
    const lost = [...this.failed.values()].filter((tries) => tries >= TRIES).length;
    return { waiting: this.wanted.length, failed: lost, kept: this.kept.size };
  }

  retry(): void {
    this.failed.clear();
    this.changed();
  }

  close(): void {
    this.closed = true;
    for (const asking of this.under.values()) asking.abort();
    for (const { picture } of this.kept.values()) picture.close();
    this.kept.clear();
  }

  private next(): void {
    while (this.under.size < AT_ONCE && !this.closed) {
      const one = this.wanted.find((w) => !this.under.has(w.key));
      if (!one) return;
      void this.fetch(one);
    }
  }

  private async fetch({ key, address }: Wanted): Promise<void> {
    const asking = new AbortController();
    this.under.set(key, asking);
    try {
      this.keep(key, await this.fetchPicture(address, asking.signal));
    } catch {
      if (!asking.signal.aborted) this.failed.set(key, (this.failed.get(key) ?? 0) + 1);
    }
    this.under.delete(key);
    if ((this.failed.get(key) ?? 0) >= TRIES || this.kept.has(key))
      this.wanted = this.wanted.filter((w) => w.key !== key);
    if (this.closed) return;
    this.changed();
    this.next();
  }

  private keep(key: string, picture: ImageBitmap): void {
    if (this.closed) {
      picture.close();
      return;
    }
    this.failed.delete(key);
    const pixels = picture.width * picture.height;
    this.kept.set(key, { picture, pixels });
    this.pixels += pixels;
    for (const [oldest, { picture: old, pixels: size }] of this.kept) {
      if (this.pixels <= this.most || oldest === key) return;
      old.close();
      this.kept.delete(oldest);
      this.pixels -= size;
    }
  }
}

async function fetched(address: string, signal: AbortSignal): Promise<ImageBitmap> {
  return createImageBitmap(await getBlob(address, 'image/jpeg', signal));
}
