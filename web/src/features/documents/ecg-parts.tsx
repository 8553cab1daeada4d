/** What stands around a recording: tools above, what is measured, what the recorder says below. */
import { Button } from '../../ui/primitives';
import { between, type Caliper } from './calipers';
import { type Annotation, type Group, HOME, type Look, said, ZOOM_STEP } from './ecg-paper';

const SPEEDS = [12.5, 25, 50] as const;
const GAINS = [5, 10, 20] as const;

export interface PageProps {
  group: Group;
  annotations: readonly Annotation[];
  /** How many annotations are not given. */
  unshown: number;
  startS: number;
  page: number;
  pages: number;
  turn: (page: number) => void;
}

export function Tools(props: {
  look: Look;
  change: (part: Partial<Look>) => void;
  twelve: boolean;
  caliper: boolean;
  onCaliper: () => void;
  zoomBy: (factor: number) => void;
}) {
  const { look, change } = props;
  return (
    <div class="document-head" role="toolbar" aria-label="Waveform">
      {props.twelve && (
        <>
          <Button
            label="Three rows of four leads, with rhythm"
            keys="1"
            pressed={look.layout === '3x4'}
            onClick={() => change({ layout: '3x4', pan: HOME })}
          >
            3×4
          </Button>
          <Button
            label="One lead below the other"
            keys="2"
            pressed={look.layout === '12x1'}
            onClick={() => change({ layout: '12x1', pan: HOME })}
          >
            12×1
          </Button>
        </>
      )}
      <Pick
        name="Paper speed"
        unit="mm/s"
        value={look.speed}
        of={SPEEDS}
        onPick={(speed) => change({ speed })}
      />
      <Pick name="Gain" unit="mm/mV" value={look.gain} of={GAINS} onPick={(gain) => change({ gain })} />
      <Button label="Measure time and voltage" keys="c" pressed={props.caliper} onClick={props.onCaliper}>
        Calipers
      </Button>
      <Button
        label="Filter for display, 0.5 to 40 Hz"
        keys="f"
        pressed={look.filter}
        onClick={() => change({ filter: !look.filter })}
      >
        Filter
      </Button>
      <Button
        kind="quiet"
        icon="minus"
        label="Smaller"
        keys="-"
        onClick={() => props.zoomBy(1 / ZOOM_STEP)}
      />
      <Button kind="quiet" icon="plus" label="Larger" keys="+" onClick={() => props.zoomBy(ZOOM_STEP)} />
      <Button
        kind="quiet"
        icon="fit"
        label="Fit the width"
        keys="0"
        onClick={() => change({ zoom: null, pan: HOME })}
      />
    </div>
  );
}

function Pick<N extends number>(props: {
  name: string;
  unit: string;
  value: number;
  of: readonly N[];
  onPick: (value: N) => void;
}) {
  return (
    <label class="document-choice">
      <span class="sr-only">{props.name}</span>
      <select
        class="field"
        value={props.value}
        onChange={(event) => props.onPick(Number(event.currentTarget.value) as N)}
      >
        {props.of.map((one) => (
          <option key={one} value={one}>
            {one} {props.unit}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Measured({ caliper, unit }: { caliper: Caliper; unit: string }) {
  const { ms, perMinute, difference } = between(caliper.ends[0], caliper.ends[1]);
  return (
    <output class="ecg-measured" aria-live="polite">
      <span class="muted">{caliper.strip.label}</span>
      <span>
        {ms.toFixed(0)} <span class="unit">ms</span>
      </span>
      {perMinute !== null && (
        <span>
          {perMinute.toFixed(0)} <span class="unit">/min</span>
        </span>
      )}
      <span>
        {difference.toFixed(2).replace('-', '−')} <span class="unit">{unit === '1' ? '' : unit}</span>
      </span>
      <span class="muted">arrows move, x other end, [ ] other lead</span>
    </output>
  );
}

export function Foot(props: PageProps & { look: Look; scale: number; duration: number }) {
  const { group, annotations, look, scale, startS, duration, page, pages, turn } = props;
  const whole = annotations.filter((a) => a.at_s.length === 0 && said(a));
  const stated = group.channels[0];
  const band =
    stated?.low_hz || stated?.high_hz ? `recorded ${stated.low_hz ?? 0}–${stated.high_hz ?? '?'} Hz` : '';
  const lost = group.stated_samples > group.samples;
  return (
    <footer class="ecg-foot">
      <p>
        <strong>
          {look.speed} mm/s · {look.gain} mm/mV
        </strong>{' '}
        <span class="muted">
          1 mm = {scale.toFixed(1)} px; millimetres of a screen are nominal, so measure with the calipers ·{' '}
          {group.frequency_hz} Hz {band && `· ${band}`}
        </span>
        {lost && (
          <span class="warning">
            {' '}
            · {group.samples} of {group.stated_samples} samples are held
          </span>
        )}
      </p>
      {pages > 1 && (
        <div class="document-choice">
          <Button label="Earlier" keys="PageUp" disabled={page === 0} onClick={() => turn(page - 1)}>
            Earlier
          </Button>
          <span>
            {startS.toFixed(0)}–{(startS + duration).toFixed(0)} <span class="unit">s</span> · {page + 1}/
            {pages}
          </span>
          <Button label="Later" keys="PageDown" disabled={page === pages - 1} onClick={() => turn(page + 1)}>
            Later
          </Button>
        </div>
      )}
      {whole.length > 0 && (
        <details>
          <summary>What the recorder says ({whole.length + props.unshown})</summary>
          <dl class="ecg-said">
            {whole.map((a, k) => (
              <div key={k}>
                <dt>{[a.name, leadsOf(a, group)].filter(Boolean).join(' · ') || 'Statement'}</dt>
                <dd>{said(a)}</dd>
              </div>
            ))}
          </dl>
          {props.unshown > 0 && <p class="warning">{props.unshown} more are not shown.</p>}
        </details>
      )}
    </footer>
  );
}

const leadsOf = (a: Annotation, group: Group): string =>
  a.channels.length > 0 && a.channels.length < group.channels.length
    ? a.channels.map((c) => group.channels[c - 1]?.lead || c).join(', ')
    : '';
