/** Playing and points in time, at the foot of a pane that has more than one. */
import { Button } from '../../ui/primitives';
import type { PaneId, PaneView } from '../../viewer';
import { phaseOf, slicesPerPhase } from '../../viewer/series';
import type { ReadingStore } from './store';

export function CineBar({ view, store, id }: { view: PaneView; store: ReadingStore; id: PaneId }) {
  const { series } = view;
  const moving = series && (series.clips.length > 0 || series.phases.count > 1);
  if (
    view.state !== 'shown' ||
    !series ||
    view.kind !== 'stack' ||
    (!moving && view.playing === null && !view.part)
  )
    return null;
  const { phases } = series;
  const phase = phaseOf(series, view.index);
  return (
    <div class="cine" role="group" aria-label="Playing">
      <Button
        icon={view.playing === null ? 'play' : 'pause'}
        label={view.playing === null ? 'Play' : 'Stop'}
        keys="c"
        onClick={() => store.panes.controller?.play(id)}
      />
      {phases.count > 1 && (
        <input
          type="range"
          aria-label="Point in time"
          aria-valuetext={phases.names[phase]}
          min={0}
          max={phases.count - 1}
          value={phase}
          onInput={(e) => {
            const to = Number(e.currentTarget.value) * slicesPerPhase(series);
            store.panes.controller?.goTo(id, to + (view.index % slicesPerPhase(series)));
          }}
        />
      )}
      {view.part && (
        <span>
          {phases.count > 1 ? 'Points in time' : 'Frames'} {view.part.first + 1}–{view.part.last + 1}
        </span>
      )}
      {view.playing !== null && (
        <span>
          {Math.round(view.playing)} <span class="unit">frames/s</span>
        </span>
      )}
    </div>
  );
}
