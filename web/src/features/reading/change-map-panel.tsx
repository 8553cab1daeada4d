/** How the map of change stands, the places it marks, and what must be known of it. */
import type { ChangedPlace, ChangeMap } from '../../api';
import { can } from '../../app/session';
import { ago } from '../../ui/amounts';
import { day, figure, spread, unit, volume } from '../../ui/format';
import type { Action } from '../../ui/keys';
import { Button, Notice, Skeleton } from '../../ui/primitives';
import { nearestSlice } from '../../viewer/series';
import { isUnderWay, qWords } from './change-map';
import { point } from './open';
import type { ReadingStore } from './store';

const SIGNS = { increase: { glyph: '▲', word: 'more' }, decrease: { glyph: '▼', word: 'less' } } as const;

/** Not there without a prior: what could be mapped then is said by the key. */
export function ChangeMapPanel({ store }: { store: ReadingStore }) {
  const prior = store.reading.value?.prior;
  const { map: found, since } = store.changes;
  const map = found.value;
  if (!prior) return null;
  return (
    <section class="change-map" aria-labelledby="change-map-title" aria-busy={isUnderWay(map)}>
      <header class="panel-head">
        <h2 id="change-map-title">
          Map of change {since.value && <span class="muted">since {day(since.value)}</span>}
        </h2>
        {map?.status === 'done' && <Counts more={map.increases} less={map.decreases} />}
      </header>
      <Standing store={store} />
    </section>
  );
}

function Counts({ more, less }: { more: number; less: number }) {
  return (
    <span class="counts" title="Places beyond noise: more, less">
      <span class="more">
        <span aria-hidden="true">▲</span> {more} <span class="sr-only">more</span>
      </span>{' '}
      <span class="less">
        <span aria-hidden="true">▼</span> {less} <span class="sr-only">less</span>
      </span>
    </span>
  );
}

function Standing({ store }: { store: ReadingStore }) {
  const { changes } = store;
  const map = changes.map.value;
  const refusal = changes.refusal.value;
  if (map?.status === 'done') return <Found store={store} />;
  if (refusal) return <p class="why">{refusal}</p>;
  if (map && isUnderWay(map))
    return (
      <p class="why" role="status">
        {sentence(map.text)}
        {map.since && ` · ${map.status === 'waiting' ? 'asked for' : 'begun'} ${agoWords(map.since)}`}. You
        can read on.
      </p>
    );
  if (map?.status === 'refused' || map?.status === 'failed')
    return (
      <Notice tone="warning" title={map.status === 'failed' ? 'The map failed' : 'No map of these scans'}>
        <p>{map.text}</p>
        {map.status === 'failed' && (
          <Button keys="Alt-m" onClick={() => void changes.press()}>
            Make it again
          </Button>
        )}
      </Notice>
    );
  if (!map && !changes.looked.value) return <Skeleton lines={1} />;
  if (!can('analysis.run')) return <p class="why">No map was made yet, and you may not have one made.</p>;
  return (
    <div class="decisions">
      <Button keys="Alt-m" onClick={() => void changes.press()}>
        Map what changed
      </Button>
    </div>
  );
}

const agoWords = (at: string): string => ago(at).replace(/^now$/, 'just now');
const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function Found({ store }: { store: ReadingStore }) {
  const { changes, laidOver } = store;
  const map = changes.map.value;
  if (!map) return null;
  const shown = changes.shown.value;
  return (
    <>
      <div class="decisions" role="group" aria-label="Map over the images">
        <Button keys="Alt-m" pressed={shown === 'z'} onClick={() => void changes.toggle('z')}>
          Change
        </Button>
        <Button keys="Alt-g" pressed={shown === 'growth'} onClick={() => void changes.toggle('growth')}>
          Growth
        </Button>
        {shown && (
          <label class="strength">
            <span class="sr-only">Strength of the map</span>
            <input
              type="range"
              min={10}
              max={100}
              value={Math.round(laidOver.mapOpacity.value * 100)}
              aria-valuetext={`${Math.round(laidOver.mapOpacity.value * 100)} %`}
              onInput={(e) => {
                laidOver.mapOpacity.value = Number(e.currentTarget.value) / 100;
              }}
            />
          </label>
        )}
      </div>
      {changes.places.length === 0 && <p class="why">{sentence(map.text)}.</p>}
      {(shown || changes.places.length === 0) && (
        <p class="why warning">▲ A place that is not marked is not shown to be unchanged.</p>
      )}
      {shown && <Places store={store} />}
      {shown && <Notes map={map} />}
    </>
  );
}

function Notes({ map }: { map: ChangeMap }) {
  return (
    <>
      {map.notes.map((note) => (
        <p class="why" key={note}>
          {note}
        </p>
      ))}
      <details class="map-source">
        <summary>Method and source</summary>
        <p>{sentence(map.method)}.</p>
        <p>{sentence(map.source)}.</p>
      </details>
    </>
  );
}

function Places({ store }: { store: ReadingStore }) {
  return (
    <ol class="changed-places" aria-label="Places that changed beyond noise, the surest first">
      {store.changes.places.map((place, at) => (
        <Place key={at} place={place} at={at} store={store} />
      ))}
    </ol>
  );
}

function Place({ place, at, store }: { place: ChangedPlace; at: number; store: ReadingStore }) {
  const { glyph, word } = SIGNS[place.sign];
  const { value, low, high, method } = place.difference;
  const size = volume(place.volume.value);
  const chosen = store.changes.selected.value === at;
  const image = imageOf(store, place);
  return (
    <li>
      <button
        type="button"
        class={`changed-place ${place.sign}`}
        aria-current={chosen ? 'true' : undefined}
        onClick={() => void store.changes.select(at)}
      >
        <span class="number">{at + 1}</span>
        <span class="sign">
          <span aria-hidden="true">{glyph}</span>
          <span class="sr-only">{word}</span>
        </span>
        <span class="difference" title={method}>
          {signedFigure(value)} <span class="unit">{unit(place.difference.unit) || 'in signal'}</span>
          <span class="unit">{spread(value, low, high, signedFigure)}</span>
        </span>
        <span class="size" title={place.volume.method}>
          {size.value} <span class="unit">{size.unit}</span>
        </span>
        <span class="muted where">
          {image !== null && `im ${image} · `}
          {placeWords(place.centre_lps_mm)}
        </span>
        <span class="muted q">{qWords(place.q)}</span>
        {chosen && <span class="muted where">largest z {signedFigure(place.peak_z)}</span>}
      </button>
    </li>
  );
}

const signedFigure = (value: number): string => `${value > 0 ? '+' : ''}${figure(value)}`;

/** `L 32 · P 12 · H 45 mm`: from the origin of the scanner, as the patient lies. */
export function placeWords(lps: readonly number[]): string {
  const letters = ['LR', 'PA', 'HF'] as const;
  const words = letters.map((pair, k) => {
    const mm = lps[k] ?? 0;
    return `${mm < 0 ? pair[1] : pair[0]} ${Math.round(Math.abs(mm))}`;
  });
  return `${words.join(' ')} mm`;
}

/** The number of the image that a place lies in, where its series is shown. */
function imageOf(store: ReadingStore, place: ChangedPlace): number | null {
  const uid = store.changes.map.value?.series_uid;
  const slot = store.panes.slots.value.find((s) => s.seriesUid === uid);
  const series = slot && store.panes.view(slot.id).value.series;
  const index = series ? nearestSlice(series, point(place.centre_lps_mm)) : null;
  return index === null ? null : index + 1;
}

export function changeMapActions(store: ReadingStore): Action[] {
  const { changes } = store;
  const act = (id: string, label: string, keys: string[], run: () => void): Action => ({
    id: `change-map-${id}`,
    label,
    keys,
    group: 'Images',
    run,
  });
  return [
    act('press', 'Map what changed since the prior; show or hide it', ['Alt-m'], () => void changes.press()),
    act('growth', 'Growth since the prior over the image', ['Alt-g'], () => void changes.toggle('growth')),
    act('next', 'Next place that changed', ['Alt-]'], () => changes.step(1)),
    act('previous', 'Previous place that changed', ['Alt-['], () => changes.step(-1)),
  ];
}
