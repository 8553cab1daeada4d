/** Rings around the places of a map of change, while it lies over the image: numbered as in the list. */
import type { PaneView } from '../../viewer';
import { dot, subtract } from '../../viewer/vectors';
import { canvasOf } from './laid-over-image';
import { point } from './open';
import type { ReadingStore } from './store';

const LEAST_PX = 9;

export function ChangedPlaces({ view, store }: { view: PaneView; store: ReadingStore }) {
  const { changes } = store;
  const { series, placement, mmPerPixel } = view;
  const slice = series?.slices[view.index];
  const normal = series?.normal;
  const position = slice?.positionLpsMm;
  if (!changes.shown.value || view.kind !== 'stack' || view.state !== 'shown') return null;
  if (!slice || !normal || !position || !placement || !mmPerPixel) return null;
  if (series.uid !== changes.map.value?.series_uid) return null;
  const toCanvas = canvasOf(slice, placement);
  return (
    <svg class="marks" aria-hidden="true">
      {changes.places.map((place, at) => {
        const centre = point(place.centre_lps_mm);
        const radius = Math.cbrt((3 * place.volume.value) / (4 * Math.PI));
        const away = Math.abs(dot(subtract(centre, position), normal));
        if (away > Math.max(radius, (series.thicknessMm ?? 0) / 2)) return null;
        const [x, y] = toCanvas(centre);
        const r = Math.max(radius / mmPerPixel + 5, LEAST_PX);
        const chosen = changes.selected.value === at;
        return (
          <g key={`${at}`} class={`changed-ring ${place.sign} ${chosen ? 'selected' : ''}`}>
            <circle cx={x} cy={y} r={r} />
            <text x={x + r * 0.75 + 3} y={y - r * 0.75 - 2}>
              {place.sign === 'increase' ? '▲' : '▼'} {at + 1}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
