/** Draws what lies over an image: overlay planes, segmentations, dose and maps as pictures, structures as lines. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { figure } from '../../ui/format';
import type { PaneView } from '../../viewer';
import { COLOUR_TABLE } from '../../viewer/colour-tables';
import { addressOf } from '../../viewer/delivery';
import { hasOverlays, overlayPlanes } from '../../viewer/overlay-planes';
import { pixelOf, type Slice } from '../../viewer/series';
import type { Vec3 } from '../../viewer/vectors';
import type { Placement } from '../../viewer/view';
import { type Described, type Overlay, paintLabels, paintValues, type SliceValues } from './laid-over';
import { paintSigned, scaleOf, signedLook } from './signed-map';
import type { ReadingStore } from './store';

interface Over {
  view: PaneView;
  store: ReadingStore;
}

export function LaidOverImage({ view, store }: Over) {
  const { series, placement } = view;
  const slice = series?.slices[view.index];
  useEffect(() => {
    if (series && view.state === 'shown' && view.kind === 'stack') void store.laidOver.list(series);
  }, [series, view.state, view.kind, store]);
  if (!series || !slice || !placement || view.state !== 'shown') return null;
  const instance = series.instances[slice.instance] ?? {};
  return (
    <>
      {hasOverlays(instance) && (
        <Picture
          placement={placement}
          name={`planes ${slice.sopUid} ${slice.frame}`}
          paint={() => paintPlanes(slice, instance)}
        />
      )}
      {store.laidOver.chosen(series.uid).map((overlay) => (
        <OneOverlay key={overlay.uid} overlay={overlay} slice={slice} view={view} store={store} />
      ))}
    </>
  );
}

function OneOverlay({ overlay, slice, view, store }: Over & { overlay: Overlay; slice: Slice }) {
  const [described, setDescribed] = useState<Described | null>(null);
  useEffect(() => {
    store.laidOver.describe(overlay).then(setDescribed, () => {});
  }, [overlay, store]);
  const { series, placement } = view;
  if (!described || !series || !placement) return null;
  const { opacity: plain, mapOpacity } = store.laidOver;
  const opacity = (signedLook(described, described.range) ? mapOpacity : plain).value;
  if (described.kind === 'contours') return <Structures described={described} slice={slice} view={view} />;
  return (
    <>
      <Picture
        placement={placement}
        name={`${overlay.uid} ${slice.sopUid} ${slice.frame} ${opacity}`}
        paint={async () => {
          const values = await store.laidOver.slice(described, slice.sopUid, slice.frame);
          if (!values) return null;
          return {
            picture: pictureOf(described, values, slice.size, opacity),
            size: slice.size,
            origin: [0, 0],
          };
        }}
      />
      {described.range && <Legend described={described} />}
    </>
  );
}

function pictureOf(
  described: Described,
  values: SliceValues,
  size: readonly [number, number],
  opacity: number,
): Uint8ClampedArray {
  if (values instanceof Uint8Array) return paintLabels(values, size, described.segments, opacity);
  const look = signedLook(described, described.range);
  if (look) return paintSigned(values, look, opacity);
  return paintValues(values, described.range ?? [0, 1], COLOUR_TABLE, opacity);
}

function Legend({ described }: { described: Described }) {
  const [low, high] = described.range ?? [0, 0];
  const look = signedLook(described, described.range);
  if (look) return <SignedLegend {...scaleOf(look)} words={look.words} />;
  return (
    <div class="legend">
      <span>
        {figure(high)} <span class="unit">{described.unit}</span>
      </span>
      <i aria-hidden="true" />
      <span>{figure(low)}</span>
      <span class="muted">{described.label}</span>
    </div>
  );
}

function SignedLegend({ colours, ticks, words }: ReturnType<typeof scaleOf> & { words: string }) {
  return (
    <div class="legend signed">
      <div class="scale-bar">
        <i aria-hidden="true" style={{ background: colours }} />
        {ticks.map((tick) => (
          <span key={tick.words} style={{ top: `${tick.at}%` }}>
            {tick.words}
          </span>
        ))}
      </div>
      <p>{words}</p>
    </div>
  );
}

function Structures({ described, slice, view }: { described: Described; slice: Slice; view: PaneView }) {
  const { placement, series } = view;
  if (!placement || !series) return null;
  const toCanvas = canvasOf(slice, placement);
  return (
    <svg class="marks" aria-hidden="true">
      {described.drawn.flatMap(({ number, colour, drawn }) =>
        drawn
          .filter((c) => c.sop_uid === slice.sopUid && c.frame === slice.frame)
          .map((contour, k) => (
            <path
              key={`${number} ${k}`}
              class="structure"
              d={`M${contour.points_lps_mm
                .map((p) =>
                  toCanvas(p)
                    .map((v) => v.toFixed(1))
                    .join(' '),
                )
                .join('L')}${contour.closed ? 'Z' : ''}`}
              style={{ stroke: colour }}
            />
          )),
      )}
    </svg>
  );
}

/** From patient space to the canvas, through the pixels of a slice. */
export function canvasOf(slice: Slice, placement: Placement) {
  const [a, b, c, d, e, f] = placement;
  return (point: Vec3): [number, number] => {
    const [column, row] = pixelOf(slice, point);
    return [a * column + c * row + e, b * column + d * row + f];
  };
}

interface Painted {
  picture: Uint8ClampedArray;
  size: readonly [number, number];
  /** Column and row of its first pixel in the image. */
  origin: readonly [number, number];
  /** How many pixels of the image one of its own stands for, along each side; 1 unless told. */
  step?: number;
}

/** A picture in the pixels of the image, laid onto it; painted anew when its name changes. */
export function Picture({
  placement,
  name,
  paint,
}: {
  placement: Placement;
  name: string;
  paint: () => Promise<Painted | null>;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [origin, setOrigin] = useState<readonly [number, number]>([0, 0]);
  const [step, setStep] = useState(1);
  useEffect(() => {
    let wanted = true;
    void paint().then(
      (painted) => {
        const element = canvas.current;
        if (!wanted || !element) return;
        element.width = painted?.size[0] ?? 0;
        element.height = painted?.size[1] ?? 0;
        if (!painted) return;
        setOrigin(painted.origin);
        setStep(painted.step ?? 1);
        const image = new ImageData(painted.picture as never, painted.size[0], painted.size[1]);
        element.getContext('2d')?.putImageData(image, 0, 0);
      },
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [name]);
  return (
    <canvas
      class="laid-over"
      ref={canvas}
      style={{
        transform: `matrix(${placement.join(',')}) translate(${origin[0]}px, ${origin[1]}px) scale(${step})`,
      }}
    />
  );
}

async function paintPlanes(
  slice: Slice,
  instance: Parameters<typeof overlayPlanes>[0],
): Promise<Painted | null> {
  const planes = await overlayPlanes(instance, slice.frame, addressOf(slice.imageId));
  const [columns, rows] = slice.size;
  const picture = new Uint8ClampedArray(columns * rows * 4);
  for (const plane of planes)
    for (let row = 0; row < plane.rows; row++)
      for (let column = 0; column < plane.columns; column++) {
        const x = column + plane.origin[0] - 1;
        const y = row + plane.origin[1] - 1;
        if (!plane.bits[row * plane.columns + column] || x < 0 || y < 0 || x >= columns || y >= rows)
          continue;
        picture.set([255, 224, 138, 255], (y * columns + x) * 4);
      }
  return { picture, size: slice.size, origin: [0, 0] };
}
