/** A film, played by the browser where it knows its container and codec. */
import { useRef, useState } from 'preact/hooks';
import { get } from '../../api';
import { useLoaded } from '../../ui/load';
import { Button, Notice } from '../../ui/primitives';
import { Whole } from '../../ui/states';
import type { ViewProps } from '.';
import { addresses } from './addresses';
import { sopUid } from './attributes';
import { type Film, refusalOf, SPEEDS } from './film';

export function VideoView({ studyUid, seriesUid, instance }: ViewProps) {
  const address = addresses.film({ studyUid, seriesUid, sopUid: sopUid(instance) });
  const loaded = useLoaded((signal) => get<Film>(address, signal), address);
  return (
    <Whole loaded={loaded} what="the film">
      {(film) => <Player film={film} />}
    </Whole>
  );
}

function Player({ film }: { film: Film }) {
  const video = useRef<HTMLVideoElement>(null);
  const [refused, refuse] = useState(() =>
    refusalOf(film, (type) => document.createElement('video').canPlayType(type)),
  );
  const [speed, setSpeed] = useState(1);
  const step = (frames: number) => {
    if (!video.current) return;
    video.current.pause();
    video.current.currentTime += (frames * (film.frame_ms ?? 40)) / 1000;
  };
  const play = (rate: number) => {
    setSpeed(rate);
    if (video.current) video.current.playbackRate = rate;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ',': -1, '.': 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  };
  const told = [
    film.codec,
    film.container,
    `${film.columns} × ${film.rows}`,
    film.frames > 1 && `${film.frames} frames`,
    film.frame_ms && `${(1000 / film.frame_ms).toFixed(film.frame_ms % 1 ? 1 : 0)} per second`,
  ].filter(Boolean);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the film act wherever the focus is in its pane.
    <div class="document-whole" onKeyDown={onKeyDown}>
      <header class="document-head">
        <span class="muted">{told.join(' · ')}</span>
        <span class="spacer" />
        {!refused && (
          <>
            <Button kind="quiet" label="Back one frame" keys="," onClick={() => step(-1)}>
              −1
            </Button>
            <Button kind="quiet" label="Forward one frame" keys="." onClick={() => step(1)}>
              +1
            </Button>
            <label class="document-choice">
              <span class="sr-only">Speed</span>
              <select
                class="field"
                value={speed}
                onChange={(event) => play(Number(event.currentTarget.value))}
              >
                {SPEEDS.map((rate) => (
                  <option key={rate} value={rate}>
                    {rate} ×
                  </option>
                ))}
              </select>
            </label>
          </>
        )}
        <a class="button" href={`${film.url}?download=true`} download>
          Download
        </a>
      </header>
      {refused ? (
        <div class="document-body">
          <Notice tone="warning" title="This browser cannot play the film.">
            {refused} Download it to play it elsewhere.
          </Notice>
        </div>
      ) : (
        <video
          ref={video}
          class="document-film"
          src={film.url}
          controls
          muted
          loop
          playsInline
          preload="metadata"
          onError={() => refuse('It is of a kind that the browser knows, but it could not be decoded.')}
        />
      )}
    </div>
  );
}
