/** What a page says when it has nothing to show, may not show it, or cannot reach it. */
import type { ComponentChildren } from 'preact';
import type { Loaded, LoadState } from './load';
import { Button, Notice } from './primitives';

interface Trouble {
  what: string;
  state: LoadState;
  problem: string | null;
  retry: () => void;
}

/** The whole of a page that cannot be shown. */
export function Trouble({ what, state, problem, retry }: Trouble) {
  if (state === 'forbidden') {
    return (
      <div class="empty">
        <Notice tone="warning" title={`You may not see ${what}.`}>
          <p>{problem} Your administrator can give you the role for it.</p>
        </Notice>
      </div>
    );
  }
  return (
    <div class="empty">
      <Notice tone="error" title={`${what[0]?.toUpperCase()}${what.slice(1)} cannot be shown.`}>
        <p>{problem}</p>
        <Button kind="primary" onClick={retry}>
          Try again
        </Button>
      </Notice>
    </div>
  );
}

/** Shown above what is there while the server does not answer. */
export function Stale({ problem }: { problem: string | null }) {
  return problem ? <Notice tone="warning">{problem}</Notice> : null;
}

/** What was loaded, or the state it is in: grey lines, refusal, failure, emptiness. */
export function Whole<T>({
  loaded,
  what,
  skeleton,
  children,
}: {
  loaded: Loaded<T>;
  what: string;
  skeleton?: ComponentChildren;
  children: (data: T) => ComponentChildren;
}) {
  if (loaded.data !== null) {
    return (
      <>
        <Stale problem={loaded.problem} />
        {children(loaded.data)}
      </>
    );
  }
  if (loaded.state === 'loading') {
    return (
      <div aria-busy="true">
        <span class="sr-only" role="status">
          Loading {what}
        </span>
        {skeleton ?? <SkeletonRows />}
      </div>
    );
  }
  return (
    <Trouble what={what} state={loaded.state} problem={loaded.problem} retry={() => void loaded.reload()} />
  );
}

export function SkeletonRows({ rows = 14 }: { rows?: number }) {
  return (
    <div class="skeleton-rows" aria-hidden="true">
      {Array.from({ length: rows }, (_, k) => (
        <i key={k} />
      ))}
    </div>
  );
}

export function Nothing({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>{title}</p>
      {children && <div class="muted">{children}</div>}
    </div>
  );
}
