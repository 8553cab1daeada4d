/** What lies over every page: toasts, the palette, the list of keys. */
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { Button } from './primitives';
import { dismiss, tellError, toasts } from './toasts';

export const paletteOpen = signal(false);
export const keysOpen = signal(false);

export function Overlays() {
  useEffect(() => {
    const timer = setTimeout(() => void loadParts().catch(() => {}), SETTLED_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <>
      {paletteOpen.value && <Late part="Palette" />}
      {keysOpen.value && <Late part="KeyList" />}
      <Toasts />
    </>
  );
}

type Parts = typeof import('./palette');
let here: Parts | null = null;

const loadParts = async (): Promise<Parts> => {
  here = await import('./palette');
  return here;
};

/** A part that comes in its own file, which is usually here before it is asked for. */
function Late({ part }: { part: 'Palette' | 'KeyList' }) {
  const [parts, setParts] = useState(here);
  useEffect(() => {
    if (here) return;
    loadParts().then(setParts, (error: unknown) => {
      paletteOpen.value = false;
      keysOpen.value = false;
      tellError(error);
    });
  }, []);
  if (!parts) return null;
  const Part = parts[part];
  return <Part />;
}

const SETTLED_MS = 1500;

function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={`toast ${toast.tone}`}>
          <span>{toast.text}</span>
          {toast.undo && (
            <Button
              kind="quiet"
              keys="Ctrl-z"
              onClick={() => {
                dismiss(toast.id);
                toast.undo?.();
              }}
            >
              Undo
            </Button>
          )}
          <Button kind="quiet" icon="cross" label="Dismiss" onClick={() => dismiss(toast.id)} />
        </div>
      ))}
    </div>
  );
}

/** The way to all keys of a page. */
export function AllKeys() {
  return (
    <Button
      kind="quiet"
      keys="?"
      onClick={() => {
        keysOpen.value = true;
      }}
    >
      keys
    </Button>
  );
}
