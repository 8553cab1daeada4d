/** A waveform on millimetre paper: 25 mm/s and 10 mm/mV, unless the reader chooses otherwise. */
import { useMemo, useState } from 'preact/hooks';
import { get, getFloats } from '../../api';
import { useLoaded } from '../../ui/load';
import { Notice, Skeleton } from '../../ui/primitives';
import { Nothing, Whole } from '../../ui/states';
import type { ViewProps } from '.';
import { addresses, type Place } from './addresses';
import { sopUid } from './attributes';
import { firstGroup, firstLook, type Group, PAGE_S, type Waveform } from './ecg-paper';
import { Tracing } from './ecg-tracing';

export function EcgView({ studyUid, seriesUid, instance }: ViewProps) {
  const place = { studyUid, seriesUid, sopUid: sopUid(instance) };
  const address = addresses.waveform(place);
  const loaded = useLoaded((signal) => get<Waveform>(address, signal), address);
  return (
    <Whole loaded={loaded} what="the waveform">
      {(waveform) => <Recording waveform={waveform} place={place} />}
    </Whole>
  );
}

function Recording({ waveform, place }: { waveform: Waveform; place: Place }) {
  const [number, choose] = useState(() => firstGroup(waveform.groups)?.number ?? 0);
  const group = waveform.groups.find((g) => g.number === number);
  if (!group) return <Nothing title="This object holds no waveform." />;
  return (
    <div class="document-whole">
      {waveform.groups.length > 1 && (
        <div class="document-head" role="group" aria-label="Groups of channels">
          {waveform.groups.map((g) => (
            <button
              key={g.number}
              type="button"
              class="chip"
              aria-pressed={g === group}
              onClick={() => choose(g.number)}
            >
              {g.label || `Group ${g.number}`}
              {g.originality === 'DERIVED' && <span class="muted">derived</span>}
            </button>
          ))}
        </div>
      )}
      {group.problem ? (
        <div class="document-body">
          <Notice tone="warning" title="These channels cannot be drawn.">
            {group.problem}
          </Notice>
        </div>
      ) : (
        <Pages key={group.number} group={group} waveform={waveform} place={place} />
      )}
    </div>
  );
}

/** A group page by page; how it is looked at stays when a page is turned. */
function Pages({ group, waveform, place }: { group: Group; waveform: Waveform; place: Place }) {
  const [page, turn] = useState(0);
  const [look, setLook] = useState(() => firstLook(group.channels));
  const perPage = Math.ceil(PAGE_S * group.frequency_hz);
  const pages = Math.max(1, Math.ceil(group.samples / perPage));
  const address = addresses.samples(place, group.number, page * perPage, perPage);
  const loaded = useLoaded((signal) => getFloats(address, signal), address);
  const channels = group.channels.length;
  const values = useMemo(() => byChannel(loaded.data, channels), [loaded.data, channels]);
  return (
    <Whole loaded={loaded} what="the samples" skeleton={<Skeleton lines={8} />}>
      {() => (
        <Tracing
          group={group}
          values={values}
          annotations={waveform.annotations.filter((a) => a.group === null || a.group === group.number)}
          unshown={waveform.more_annotations}
          startS={(page * perPage) / group.frequency_hz}
          page={page}
          pages={pages}
          turn={turn}
          look={look}
          change={(part) => setLook((before) => ({ ...before, ...part }))}
        />
      )}
    </Whole>
  );
}

function byChannel(all: Float32Array | null, channels: number): Float32Array[] {
  const each = all ? Math.floor(all.length / channels) : 0;
  return all ? Array.from({ length: channels }, (_, c) => all.subarray(c * each, (c + 1) * each)) : [];
}
