/**
 * What a page shows of the server, and how that stands.
 *
 * Invariants: a late answer never replaces a newer one; what was shown stays while the server does not answer;
 * nothing is asked while the page is hidden.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Refused } from '../api';

export type LoadState = 'loading' | 'ready' | 'failed' | 'forbidden';

export interface Loaded<T> {
  data: T | null;
  state: LoadState;
  /** Words to show; beside data when what is shown may be out of date. */
  problem: string | null;
  reload: () => Promise<void>;
}

export function useLoaded<T>(
  fetcher: (signal: AbortSignal) => Promise<T>,
  key: string,
  everyMs = 0,
): Loaded<T> {
  const [shown, show] = useState<Omit<Loaded<T>, 'reload'>>({ data: null, state: 'loading', problem: null });
  const asking = useRef<AbortController | null>(null);
  const latest = useRef(fetcher);
  latest.current = fetcher;
  const reload = useCallback(async () => {
    asking.current?.abort();
    const mine = new AbortController();
    asking.current = mine;
    try {
      const data = await latest.current(mine.signal);
      if (!mine.signal.aborted) show({ data, state: 'ready', problem: null });
    } catch (error) {
      if (mine.signal.aborted) return;
      show((before) => troubled(before, error));
    }
  }, []);
  useEffect(() => {
    show({ data: null, state: 'loading', problem: null });
    void reload();
    const timer = everyMs ? setInterval(() => !document.hidden && void reload(), everyMs) : undefined;
    return () => {
      clearInterval(timer);
      asking.current?.abort();
    };
  }, [key, everyMs, reload]);
  return { ...shown, reload };
}

function troubled<T>(before: Omit<Loaded<T>, 'reload'>, error: unknown): Omit<Loaded<T>, 'reload'> {
  const problem = error instanceof Error ? error.message : String(error);
  if (isForbidden(error)) return { data: null, state: 'forbidden', problem };
  return { data: before.data, state: before.data === null ? 'failed' : 'ready', problem };
}

export const isForbidden = (error: unknown): boolean => error instanceof Refused && error.status === 403;
