/**
 * What a study needs to open, fetched early and once: from the worklist while a row is selected, or from the
 * address bar before the page is set up. The page then finds it under way.
 */
import { api, dicomweb, get, post, type Reading } from '../../api';
import { route } from '../../app/router';
import type { OwnedProtocol } from '../../viewer/hanging-types';
import type { Mark } from '../../viewer/overlay';
import { CT_PRESETS, windowOfSlice } from '../../viewer/presets';
import {
  type DicomJson,
  nearestSlice,
  readSeries,
  type SeriesToShow,
  slicesPerPhase,
} from '../../viewer/series';
import type { Vec3 } from '../../viewer/vectors';
import { isSlow } from './line';
import { previewUrl } from './preview';

export interface Opening {
  at: number;
  reading: Promise<Reading>;
  /** Fetched while the person only looked at the row. */
  ahead: boolean;
}

const FRESH_MS = 15_000;
const KEPT_SERIES = 16;
const openings = new Map<string, Opening>();
const series = new Map<string, { study: string; wanted: Promise<SeriesToShow> }>();

type Viewer = typeof import('../../viewer');
let running: Viewer | null = null;

/** The viewer, if it runs already. */
export const viewerHere = (): Viewer | null => running;

/** Fetch and run the viewer. */
export async function loadViewer(): Promise<Viewer> {
  running ??= await import('../../viewer');
  return running;
}

/** Fetch the viewer and leave it: to run it takes as long as to show the first image, and would come before that. */
function fetchViewer(): void {
  const named = document.querySelector<HTMLMetaElement>('meta[name=viewer-files]');
  named?.remove(); // once is enough
  for (const href of named?.content.split(' ') ?? [])
    document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));
}

export const PROTOCOLS = '/api/hanging-protocols';
const PROTOCOLS_MS = 60_000;
let protocolsHeld: { at: number; list: Promise<readonly OwnedProtocol[]> } | null = null;

/** All hanging protocols this person has, the nearest of each name first; asked for once a minute. */
export function protocols(anew = false): Promise<readonly OwnedProtocol[]> {
  const held = protocolsHeld;
  if (held && !anew && performance.now() - held.at < PROTOCOLS_MS) return held.list;
  const list = get<{ items: OwnedProtocol[] }>(PROTOCOLS).then(({ items }) => items);
  protocolsHeld = { at: performance.now(), list };
  list.catch(() => {
    protocolsHeld = null;
  });
  return list;
}

/** Fetch the reading bundle, the metadata of what will be shown first, and the viewer. */
export function prepare(study: string, ahead = false): Opening {
  const held = openings.get(study);
  if (held && performance.now() - held.at < FRESH_MS) return held;
  const opening = {
    at: performance.now(),
    reading: get<Reading>(api.reading(study, ahead)).then(inItsWindow),
    ahead,
  };
  openings.clear();
  openings.set(study, opening);
  if (ahead) void loadViewer();
  else fetchViewer();
  void protocols().catch(() => {});
  opening.reading.then(
    (reading) => firstSeries(reading)?.catch(() => {}),
    () => openings.delete(study),
  );
  return opening;
}

/** A lesion of the lung is not seen in the window of the soft tissue. */
function inItsWindow(reading: Reading): Reading {
  const { current } = reading;
  const finding = firstFinding(reading);
  const lung =
    finding && /\blung\b/i.test(finding.label) && finding.current?.series_uid === current?.series_uid;
  const preset = CT_PRESETS.find((p) => p.name === 'Lung') ?? null;
  return current && !current.window && lung
    ? { ...reading, current: { ...current, window: preset } }
    : reading;
}

/** Forget what was prepared: the page has taken it, and the audit trail must know that it was opened. */
export function taken(study: string): void {
  if (openings.get(study)?.ahead) void post(api.opening(study)).catch(() => {});
  openings.delete(study);
}

/** The server's drawing of the first image of the study looked at last. */
let drawnAhead: HTMLImageElement | null = null;

/** Whether a drawing of the server is here already. */
export const isDrawn = (url: string): boolean =>
  drawnAhead?.getAttribute('src') === url && drawnAhead.complete && drawnAhead.naturalWidth > 0;

/** Also load the viewer and the first image, while the person is still looking at the row. */
export async function prepareImage(study: string, stillWanted: () => boolean): Promise<void> {
  const reading = await prepare(study, true).reading;
  const shown = await firstSeries(reading);
  const viewer = await loadViewer();
  if (!shown || shown.notShown || !stillWanted()) return;
  const index = startIndex(reading, shown);
  const url = previewUrl(shown, index, reading.current?.window ?? windowOfSlice(shown, index));
  drawnAhead = url ? Object.assign(new Image(), { src: url }) : null;
  await viewer.prefetch(shown, index, 1);
}

function firstSeries(reading: Reading): Promise<SeriesToShow> | null {
  return reading.current && loadSeries(reading.study.uid, reading.current.series_uid, instancesOf(reading));
}

const instancesOf = (reading: Reading): number =>
  reading.study.series.find((s) => s.uid === reading.current?.series_uid)?.images ?? 0;

/** The metadata of one series; asked for again when more of it has arrived. */
export function loadSeries(study: string, uid: string, instances: number): Promise<SeriesToShow> {
  const key = `${uid} ${instances}`;
  const held = series.get(key);
  if (held) return held.wanted;
  const wanted = get<DicomJson[]>(dicomweb.metadata(study, uid)).then((metadata) =>
    readSeries(metadata, { studyUid: study, seriesUid: uid }, dicomweb.frame(study, uid), isSlow()),
  );
  series.set(key, { study, wanted });
  wanted.catch(() => series.delete(key));
  const oldest = series.keys().next().value;
  if (series.size > KEPT_SERIES && oldest) series.delete(oldest);
  return wanted;
}

/** Let go of the metadata of studies that are closed. */
export function forgetMetadata(studies: readonly string[]): void {
  for (const [key, { study }] of series) if (studies.includes(study)) series.delete(key);
}

/** The finding to begin with: the one the address names, else the first that still waits for a decision. */
export function firstFinding(reading: Reading): Reading['findings'][number] | null {
  const shown = reading.findings.filter(
    (f) => f.state !== 'superseded' && f.state !== 'rejected' && f.current,
  );
  const asked = route.value.page === 'study' ? route.value.finding : null;
  const named = asked === null ? null : shown.find((f) => f.id === asked);
  return named ?? shown.find((f) => f.state === 'proposed') ?? shown[0] ?? null;
}

/** The slice to open: the first finding's, else the middle. */
export function startIndex(reading: Reading, shown: SeriesToShow): number {
  const place = firstFinding(reading)?.current;
  const at = place && place.series_uid === shown.uid ? nearestSlice(shown, point(place.centre_lps_mm)) : null;
  return at ?? Math.floor(slicesPerPhase(shown) / 2);
}

export const point = (values: readonly number[]): Vec3 => [values[0] ?? 0, values[1] ?? 0, values[2] ?? 0];

export type Outlines = Pick<Mark, 'outlines' | 'longAxis' | 'shortAxis'>;
