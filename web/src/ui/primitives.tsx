/** The few parts all screens are made of. */
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import type { FindingChange, Quantity } from '../api';
import { figure, signed, spread, unit } from './format';
import { Icon, type IconName } from './icons';
import { keyLabel } from './keys';

export function Kbd({ keys }: { keys: string }) {
  return <kbd class="kbd">{keyLabel(keys)}</kbd>;
}

interface ButtonProps {
  children?: ComponentChildren;
  onClick?: () => void;
  kind?: 'plain' | 'primary' | 'quiet';
  icon?: IconName;
  /** Read aloud and shown as tooltip, with the key. */
  label?: string;
  keys?: string;
  pressed?: boolean;
  /** Id of the popover this button opens. */
  popovertarget?: string;
  disabled?: boolean;
  type?: 'button' | 'submit';
}

export function Button(props: ButtonProps) {
  const { children, kind = 'plain', icon, label, keys, pressed, disabled, onClick, type = 'button' } = props;
  const { popovertarget } = props;
  const title = label && keys ? `${label} (${keyLabel(keys)})` : label;
  return (
    <button
      type={type}
      class={`button ${kind}`}
      title={title}
      aria-label={children && !label ? undefined : label}
      aria-pressed={pressed}
      aria-keyshortcuts={keys}
      disabled={disabled}
      onClick={onClick}
      popovertarget={popovertarget}
    >
      {icon && <Icon name={icon} />}
      {children}
      {keys && children && (
        <span aria-hidden="true">
          <Kbd keys={keys} />
        </span>
      )}
    </button>
  );
}

/** A native modal dialog; Escape and a click beside it close it. */
export function Dialog({
  title,
  onClose,
  children,
  wide,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // At once, not after the next picture is drawn: what is typed meanwhile is meant for the dialog.
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const closeOnBackdrop = (event: MouseEvent) => {
    if (event.target === dialog.current) onClose();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a native dialog.
    <dialog
      ref={dialog}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onClose={onClose}
      onClick={closeOnBackdrop}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <Button kind="quiet" icon="cross" label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** Put the cursor into a field as soon as it is there; the `autofocus` attribute works only once a page. */
export function useFirstFocus() {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  return field;
}

/** The fixed amber tag of simulated data. */
export function SimulatedTag() {
  return <span class="tag simulated">Simulated</span>;
}

export function Notice({
  tone = 'plain',
  title,
  children,
}: {
  tone?: 'plain' | 'warning' | 'error';
  title?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class={`notice ${tone}`} role={tone === 'error' ? 'alert' : 'status'}>
      {title && <strong>{title}</strong>}
      {children && <div>{children}</div>}
    </div>
  );
}

/** Grey lines in the shape of what is coming. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: lines }, (_, k) => (
        <i key={k} style={{ width: `${92 - ((k * 23) % 40)}%` }} />
      ))}
    </div>
  );
}

/** `8.4 mm ± 0.6`, the unit in a lighter tone. */
export function Amount({ quantity, plain }: { quantity: Quantity | null | undefined; plain?: boolean }) {
  if (!quantity) return <span class="muted">–</span>;
  const interval = plain ? '' : spread(quantity.value, quantity.low, quantity.high, figure);
  return (
    <span class="amount" title={quantity.method}>
      {figure(quantity.value)} <span class="unit">{unit(quantity.unit)}</span>
      {interval && <span class="unit">{interval}</span>}
    </span>
  );
}

interface ChangeLook {
  icon: IconName;
  word: string;
  tone: string;
}

const CANNOT_TELL: ChangeLook = { icon: 'question', word: 'cannot tell', tone: 'warning' };
const CHANGE: Record<string, ChangeLook> = {
  new: { icon: 'plus', word: 'new', tone: 'urgent' },
  grown: { icon: 'up', word: 'grown', tone: 'urgent' },
  stable: { icon: 'equal', word: 'stable', tone: 'good' },
  shrunk: { icon: 'down', word: 'shrunk', tone: 'good' },
  vanished: { icon: 'cross', word: 'vanished', tone: 'good' },
};

/** Change with sign, colour, arrow and word: never colour alone. */
export function ChangeBadge({
  change,
  percent,
}: {
  change: Pick<FindingChange, 'kind'> & Partial<FindingChange>;
  percent?: boolean;
}) {
  const look = CHANGE[change.kind] ?? CANNOT_TELL;
  const shown = percent && change.percent !== null && change.percent !== undefined;
  return (
    <span class={`change ${look.tone}`}>
      <Icon name={look.icon} />
      {shown ? `${signed(change.percent ?? 0)} %` : look.word}
    </span>
  );
}

export interface CurveDot {
  at: number;
  value: number;
  low: number | null;
  high: number | null;
}

/** A small curve with interval bars; its numbers are in the label for those who cannot see it. */
export function Sparkline({
  points,
  label,
  width = 260,
  height = 44,
}: {
  points: readonly CurveDot[];
  label: string;
  width?: number;
  height?: number;
}) {
  if (points.length < 2) return null;
  const times = points.map((p) => p.at);
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const top = Math.max(...points.map((p) => p.high ?? p.value));
  const x = (at: number) => 6 + ((at - from) / Math.max(to - from, 1)) * (width - 12);
  const y = (value: number) => height - 5 - (value / Math.max(top, 1e-9)) * (height - 10);
  const line = points.map((p) => `${x(p.at).toFixed(1)},${y(p.value).toFixed(1)}`).join(' ');
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {points.map(
        (p) =>
          p.low !== null &&
          p.high !== null && (
            <line key={`bar${p.at}`} class="bar" x1={x(p.at)} x2={x(p.at)} y1={y(p.low)} y2={y(p.high)} />
          ),
      )}
      <polyline points={line} />
      {points.map((p) => (
        <circle key={p.at} cx={x(p.at)} cy={y(p.value)} r="2.5" />
      ))}
    </svg>
  );
}
