/** The histogram of a region, or the profile along a line, of the measurement that is chosen. */
import { figure } from '../../ui/format';
import type { Measurement } from '../../viewer/measurements';
import { alongLine, histogramOf, inside, type Pixels } from '../../viewer/sampling';

const WIDTH = 260;
const HEIGHT = 64;
const REGIONS = new Set<Measurement['kind']>(['ellipse', 'rectangle', 'freehand', 'spline']);

export function Curve({
  measurement,
  pixels,
  unit,
}: {
  measurement: Measurement;
  pixels: Pixels;
  unit: string;
}) {
  const points = measurement.points_px ?? [];
  if (measurement.kind === 'length') {
    const [from, to] = points;
    return from && to ? (
      <Profile values={alongLine(pixels, from, to)} unit={unit} measurement={measurement} />
    ) : null;
  }
  if (!REGIONS.has(measurement.kind)) return null;
  const values = inside(pixels, measurement.kind === 'ellipse' ? outlineOf(points) : points);
  return values.length > 1 ? <Bars values={values} unit={unit} /> : null;
}

/** The ends of the two axes of an ellipse, as an outline. */
function outlineOf(points: readonly (readonly [number, number])[]): [number, number][] {
  const [a, b, c, d] = points;
  if (!a || !b || !c || !d) return [];
  const centre = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] as const;
  const u = [(b[0] - a[0]) / 2, (b[1] - a[1]) / 2] as const;
  const v = [(d[0] - c[0]) / 2, (d[1] - c[1]) / 2] as const;
  return Array.from({ length: 128 }, (_, k) => {
    const angle = (k / 128) * 2 * Math.PI;
    return [
      centre[0] + u[0] * Math.cos(angle) + v[0] * Math.sin(angle),
      centre[1] + u[1] * Math.cos(angle) + v[1] * Math.sin(angle),
    ];
  });
}

function Profile({
  values,
  unit,
  measurement,
}: {
  values: number[];
  unit: string;
  measurement: Measurement;
}) {
  const known = values.filter(Number.isFinite);
  const low = Math.min(...known);
  const high = Math.max(...known);
  const span = Math.max(high - low, 1e-9);
  const path = values
    .map(
      (v, k) => [(k / Math.max(values.length - 1, 1)) * WIDTH, HEIGHT - ((v - low) / span) * HEIGHT] as const,
    )
    .filter(([, y]) => Number.isFinite(y))
    .map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`)
    .join('L');
  const length = measurement.values.find((v) => v.name === 'length');
  return (
    <Chart
      title={`Profile, ${figure(low)} to ${figure(high)} ${unit}`}
      left="0"
      right={length ? `${figure(length.value)} ${length.unit}` : ''}
    >
      <path d={`M${path}`} class="profile" />
    </Chart>
  );
}

function Bars({ values, unit }: { values: number[]; unit: string }) {
  const { low, binWidth, counts } = histogramOf(values);
  const most = Math.max(...counts);
  const step = WIDTH / counts.length;
  return (
    <Chart
      title={`Histogram of ${values.length} pixels, ${figure(binWidth)} ${unit} a bar`}
      left={figure(low)}
      right={`${figure(low + binWidth * counts.length)} ${unit}`}
    >
      {counts.map((count, k) => (
        <rect
          key={`${k * step}`}
          x={k * step}
          y={HEIGHT - (count / most) * HEIGHT}
          width={Math.max(step - 0.5, 0.5)}
          height={(count / most) * HEIGHT}
        />
      ))}
    </Chart>
  );
}

interface ChartProps {
  title: string;
  left: string;
  right: string;
  children: preact.ComponentChildren;
}

function Chart({ title, left, right, children }: ChartProps) {
  return (
    <figure class="curve">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={title}>
        {children}
      </svg>
      <p>
        <span>{left}</span>
        <span>{right}</span>
      </p>
    </figure>
  );
}
