/** The queue of uploads at the edge of every page: how far, how fast, how long, and what became of each file. */
import { useMemo, useState } from 'preact/hooks';
import { dock } from '../../app/dock';
import { pathTo } from '../../app/router';
import { grouped, left, percent, sizeText } from '../../ui/amounts';
import { count } from '../../ui/format';
import { Button } from '../../ui/primitives';
import { useVirtualRows } from '../../ui/virtual';
import './queue.css';
import { type Item, needsLook, outcome, uploads } from './uploads';

export function UploadDock() {
  const [open, setOpen] = useState(true);
  const [look, setLook] = useState(false);
  const { failed, look: odd } = uploads.progress.value;
  const state = uploads.state.value;
  const close = () => {
    uploads.clear();
    dock.value = null;
  };
  return (
    <section class="uploads" aria-label="Uploads">
      <header>
        <Summary />
        <div class="decisions">
          {state === 'running' && (
            <Button kind="quiet" onClick={() => uploads.pause()}>
              Pause
            </Button>
          )}
          {(state === 'paused' || state === 'offline') && (
            <Button kind="quiet" onClick={() => uploads.resume()}>
              {state === 'paused' ? 'Resume' : 'Try now'}
            </Button>
          )}
          {failed > 0 && (
            <Button kind="quiet" onClick={() => uploads.retry()}>
              Retry {failed}
            </Button>
          )}
          {(failed > 0 || odd > 0) && (
            <Button kind="quiet" pressed={look} onClick={() => setLook(!look)}>
              Needs a look
            </Button>
          )}
          <Button
            kind="quiet"
            icon={open ? 'down' : 'up'}
            label={open ? 'Hide the files' : 'Show the files'}
            onClick={() => setOpen(!open)}
          />
          {state === 'idle' && uploads.reading.value === 0 && (
            <Button kind="quiet" icon="cross" label="Close the queue" onClick={close} />
          )}
        </div>
      </header>
      {open && <Files look={look && (failed > 0 || odd > 0)} />}
    </section>
  );
}

function Summary() {
  const { files, done, failed, look, bytes, sent, rate, left_s } = uploads.progress.value;
  const state = uploads.state.value;
  const finished = state === 'idle' && files > 0;
  const words =
    uploads.reading.value > 0 && files === 0
      ? 'Reading folders'
      : finished
        ? `${count(done, 'file')} uploaded`
        : `${grouped(done)} of ${grouped(files)} files`;
  return (
    <div class="summary">
      <strong>{words}</strong>
      {!finished && (
        <span class="muted">
          {sizeText(sent)} of {sizeText(bytes)}
          {rate > 0 && ` · ${sizeText(rate)}/s`}
          {left_s !== null && ` · ${left(left_s)} left`}
          {uploads.reading.value > 0 && ' · reading folders'}
        </span>
      )}
      {state === 'paused' && <span class="warning">paused</span>}
      {state === 'offline' && <span class="warning">{uploads.waitingFor.value} Goes on by itself.</span>}
      {failed > 0 && <span class="urgent">✕ {failed} failed</span>}
      {look > 0 && <span class="warning">▲ {look} need a look</span>}
      <progress max={100} value={percent(sent, bytes)} aria-label="Uploaded" />
      <span class="sr-only" role="status" aria-live="polite">
        {/* Said at each tenth, not at each file. */}
        {finished
          ? `${count(done, 'file')} uploaded, ${failed} failed`
          : `Upload ${Math.floor(percent(sent, bytes) / 10) * 10} per cent done`}
      </span>
    </div>
  );
}

function Files({ look }: { look: boolean }) {
  const version = uploads.version.value;
  const items = useMemo(
    () =>
      look
        ? uploads.items.filter((item) => item.state === 'failed' || needsLook(item.results))
        : uploads.items,
    [look, look ? version : 0],
  );
  const view = useVirtualRows({ count: items.length, index: -1, selected: null });
  return (
    <div
      class="table"
      role="list"
      aria-label="Files"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
      tabIndex={0}
      ref={view.scroller}
      onScroll={view.onScroll}
    >
      <div class="rows" style={{ height: `${items.length * view.row}px` }}>
        {items.slice(view.first, view.last).map((item, k) => (
          <FileLine key={item.key} item={item} top={(view.first + k) * view.row} />
        ))}
      </div>
    </div>
  );
}

function FileLine({ item, top }: { item: Item; top: number }) {
  const study = item.results.find((r) => r.study_uid)?.study_uid;
  const disagrees = item.results.some((r) => r.status === 'conflict');
  return (
    <div class="row" role="listitem" style={{ transform: `translateY(${top}px)` }}>
      <span class="file" title={item.name}>
        <bdi>{item.name}</bdi>
      </span>
      <span class="muted number">{sizeText(item.file.size)}</span>
      <span class="said">
        <Said item={item} />
      </span>
      <span>
        {disagrees ? <a href={pathTo.conflicts}>decide</a> : study && <a href={pathTo.held(study)}>show</a>}
      </span>
    </div>
  );
}

function Said({ item }: { item: Item }) {
  if (item.state === 'queued') return <span class="muted">{item.sent > 0 ? 'waits to go on' : 'waits'}</span>;
  if (item.state === 'sending') {
    return <progress max={item.file.size} value={item.sent} aria-label={`${item.name} sent`} />;
  }
  if (item.state === 'checking') return <span class="muted">being taken in</span>;
  if (item.state === 'failed') {
    return (
      <span class="urgent" title={item.problem ?? ''}>
        ✕ {item.problem}
      </span>
    );
  }
  const odd = needsLook(item.results);
  const words = outcome(item.results);
  return (
    <span class={odd ? 'warning' : 'good'} title={words}>
      {odd ? '▲' : '✓'} {words}
    </span>
  );
}
