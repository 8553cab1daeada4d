/**
 * Which series stands in which pane.
 *
 * Invariants: a pane never shows a series that its selector does not describe; no image stands in two panes that
 * would show it in the same way; a pane depends only on those before it; one that stays empty says why.
 */
import { hasWord, PROJECTIONS, plain, sameView } from './hanging-facts';
import type {
  FilledPane,
  ImageFacts,
  Pane,
  Protocol,
  Selector,
  SeriesFacts,
  Stage,
  StudyFacts,
} from './hanging-types';

/** A stage whose panes have found their series. */
export interface FilledStage {
  /** Its place in the protocol. */
  index: number;
  stage: Stage;
  panes: FilledPane[];
}

/**
 * The stages that show something, in order. Where another stage fills, one that asks for earlier studies and would
 * show none of them is left out, and so is one with empty panes that shows nothing that was not shown before.
 */
export function stagesThatFill(protocol: Protocol, studies: readonly StudyFacts[]): FilledStage[] {
  const filled = protocol.stages
    .map((stage, index) => ({ index, stage, panes: fillStage(stage, studies) }))
    .filter(({ panes }) => panes.some((pane) => pane.seriesUid));
  const whole = filled.filter(({ panes }) => !missesPriors(panes));
  const seen = new Set<string>();
  return (whole.length ? whole : filled).filter(({ panes }) => {
    const pictures = panes.filter((pane) => pane.seriesUid).map(pictureOf);
    const idle = panes.some(isMissing) && pictures.every((picture) => seen.has(picture));
    for (const picture of pictures) seen.add(picture);
    return !idle;
  });
}

const isMissing = ({ pane, seriesUid }: FilledPane): boolean => pane.series !== null && !seriesUid;

function missesPriors(panes: readonly FilledPane[]): boolean {
  const earlier = panes.filter(({ pane }) => pane.series && (pane.study ?? 0) > 0);
  return earlier.length > 0 && earlier.every(isMissing);
}

const pictureOf = ({ pane, seriesUid, sopUids }: FilledPane): string =>
  JSON.stringify([seriesUid, sopUids, lookOf(pane)]);

/** One series, or those images of it that a selector means. */
interface Candidate {
  series: SeriesFacts;
  sopUids: string[] | null;
  /** Comes after those that are not. */
  last: boolean;
}

/** What a pane before this one shows. */
interface Placed {
  study: number;
  asked: string;
  look: string;
  candidate: Candidate;
}

/** Find the series of each pane; `studies` are the current one, its chosen prior, the one before that, and so on. */
export function fillStage(stage: Stage, studies: readonly StudyFacts[]): FilledPane[] {
  const placed: Placed[] = [];
  return stage.panes.map((pane) => {
    const study = studies[pane.study ?? 0];
    if (!pane.series) return empty(pane, study, 'This pane is left empty.');
    if (!study) return empty(pane, study, missingStudy(pane.study ?? 0));
    const found = choose(pane, pane.series, study, placed);
    if (typeof found === 'string') return empty(pane, study, found);
    placed.push(placedAs(pane, found));
    return withFusion(pane, study, found);
  });
}

function placedAs(pane: Pane, candidate: Candidate): Placed {
  return {
    study: pane.study ?? 0,
    asked: JSON.stringify(normal(pane.series)),
    look: lookOf(pane),
    candidate,
  };
}

function empty(pane: Pane, study: StudyFacts | undefined, reason: string): FilledPane {
  return {
    pane,
    studyUid: study?.uid ?? null,
    seriesUid: null,
    sopUids: null,
    fusionSeriesUid: null,
    reason,
  };
}

function withFusion(pane: Pane, study: StudyFacts, { series, sopUids }: Candidate): FilledPane {
  const filled = { pane, studyUid: study.uid, seriesUid: series.uid, sopUids };
  if (!pane.fusion) return { ...filled, fusionSeriesUid: null, reason: null };
  const over = overlays(pane.fusion, study, series)[(pane.fusion.nth ?? 1) - 1];
  const held = candidates(pane.fusion, study).length > 0;
  const why = held ? 'what fits does not share its space.' : noneFits(pane.fusion);
  const reason = over ? null : `Nothing to lay over it: ${why}`;
  return { ...filled, fusionSeriesUid: over?.uid ?? null, reason };
}

/** The series that fit a selector and may be laid over another: not where both say that their spaces differ. */
export function overlays(selector: Selector, study: StudyFacts, under: SeriesFacts): SeriesFacts[] {
  const apart = (a: string, b: string) => a !== '' && b !== '' && a !== b;
  return candidates(selector, study)
    .map(({ series }) => series)
    .filter((s) => s.uid !== under.uid && !apart(s.frameOfReference, under.frameOfReference));
}

/**
 * The series of a pane, or why there is none. Panes that ask for the same in the same words and show it otherwise
 * (planes of one volume, two windows) get the same series; all others get one that is not shown yet, or else one
 * that is shown in another way.
 */
function choose(
  pane: Pane,
  selector: Selector,
  study: StudyFacts,
  placed: readonly Placed[],
): Candidate | string {
  const fitting = candidates(selector, study);
  if (fitting.length === 0) return noneFits(selector);
  const nth = selector.nth ?? 1;
  if (nth > fitting.length) {
    const those = fitting.length === 1 ? 'Only one fits' : `Only ${fitting.length} fit`;
    return `${those} what this pane asks for; it wants number ${nth}.`;
  }
  const here = placed.filter((other) => other.study === (pane.study ?? 0));
  const look = lookOf(pane);
  const asked = JSON.stringify(normal(selector));
  const free = (c: Candidate) => !here.some((other) => overlap(other.candidate, c));
  const otherwise = (c: Candidate) =>
    !here.some((other) => overlap(other.candidate, c) && other.look === look);
  const twin = here.find((other) => other.asked === asked && otherwise(other.candidate));
  const from = fitting.slice(nth - 1);
  return (
    twin?.candidate ??
    from.find(free) ??
    from.find(otherwise) ??
    'What fits this pane is shown in another pane already.'
  );
}

function overlap(a: Candidate, b: Candidate): boolean {
  if (a.series.uid !== b.series.uid) return false;
  if (!a.sopUids || !b.sopUids) return true;
  const { sopUids } = b;
  return a.sopUids.some((uid) => sopUids.includes(uid));
}

/** How a pane shows, as one word: two panes of one look would be the same picture. */
function lookOf(pane: Pane): string {
  const { show, projection, window, invert, colour_map, fusion, scale } = pane;
  const look = [
    show ?? 'stack',
    projection,
    window,
    invert,
    colour_map,
    fusion && normal(fusion),
    scale === 'actual',
  ];
  return JSON.stringify(look.map((value) => value ?? null));
}

/** A selector with nothing left out, so that two that mean the same are the same. */
function normal(selector: Selector | null): unknown[] {
  const s = selector ?? {};
  return [
    s.modalities ?? [],
    s.words ?? [],
    s.not_words ?? [],
    s.plane ?? null,
    s.laterality ?? null,
    s.view ?? null,
    s.contrast ?? null,
    s.most_images ?? false,
    s.nth ?? 1,
  ];
}

/**
 * What of a study fits a selector, in the order in which `nth` counts: series, and of radiographs and mammograms
 * single images.
 */
export function candidates(selector: Selector, study: StudyFacts): Candidate[] {
  const size = (series: SeriesFacts) => (selector.most_images ? -series.images : 0);
  return study.series
    .flatMap((series) => candidatesOf(selector, series))
    .sort(
      (a, b) =>
        Number(a.last) - Number(b.last) ||
        size(a.series) - size(b.series) ||
        a.series.number - b.series.number ||
        compare(a.series.uid, b.series.uid),
    );
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** What of one series fits. */
function candidatesOf(selector: Selector, series: SeriesFacts): Candidate[] {
  if (series.notImages || !describes(selector, series)) return [];
  const { instances, localizer } = series;
  const whole = {
    series,
    sopUids: null,
    last: localizer || (instances.length > 0 && instances.every((i) => i.special)),
  };
  if (instances.length === 0) return pictures(selector, series) ? [whole] : [];
  const fitting = instances.filter((image) => pictures(selector, image));
  if (fitting.length === 0) return [];
  if (instances.length === 1) return [whole];
  if (PROJECTIONS.has(series.modality)) {
    return fitting.map(({ sopUid, special }) => ({ series, sopUids: [sopUid], last: localizer || special }));
  }
  const all = fitting.length === instances.length;
  return [all ? whole : { ...whole, sopUids: fitting.map(({ sopUid }) => sopUid) }];
}

/** Whether view and side are those asked for. */
function pictures({ view, laterality }: Selector, image: Pick<ImageFacts, 'view' | 'laterality'>): boolean {
  return (!view || sameView(image.view, view)) && (!laterality || image.laterality === laterality);
}

function describes(selector: Selector, series: SeriesFacts): boolean {
  const { modalities = [], words = [], not_words = [], plane, contrast } = selector;
  if (modalities.length && !modalities.includes(series.modality)) return false;
  const description = plain(series.description);
  if (words.length && !words.some((word) => hasWord(description, word))) return false;
  if (not_words.some((word) => hasWord(description, word))) return false;
  // Until its metadata is there, a series may be of any plane that its description does not exclude.
  const unknown = series.plane === null && series.instances.length === 0;
  if (plane && series.plane !== plane && !unknown) return false;
  if (contrast === true && series.contrast !== true) return false;
  // Most devices say only that contrast was given, never that it was not.
  return !(contrast === false && series.contrast === true);
}

function missingStudy(study: number): string {
  return study === 1
    ? 'There is no earlier study to compare with.'
    : `There is no earlier study number ${study}.`;
}

/** Why a pane stays empty: what it asked for. */
function noneFits(selector: Selector): string {
  const asked = [
    selector.laterality === 'L' ? 'left' : selector.laterality === 'R' ? 'right' : '',
    selector.view === 'LAT' ? 'lateral' : selector.view === 'FRONT' ? 'frontal' : (selector.view ?? ''),
    selector.plane ?? '',
    selector.modalities?.join(' or ') ?? '',
    selector.words?.length ? `“${selector.words[0]}”` : '',
    selector.contrast === true ? 'with contrast' : selector.contrast === false ? 'without contrast' : '',
  ].filter(Boolean);
  return `This study has no ${asked.length ? `${asked.join(' ')} images` : 'images'}.`;
}
