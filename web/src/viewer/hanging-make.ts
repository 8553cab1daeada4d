/**
 * From what a person put side by side to a protocol for the next such study.
 *
 * Invariant: applied to the same studies, the protocol gives the same arrangement. The selectors are the most
 * general ones for which that holds; of a description only a few telling words are kept, never numbers or names
 * of files.
 */

import { hasWord, plain, protocolFacts, unique } from './hanging-facts';
import { fillStage, overlays } from './hanging-fill';
import type { Display, Match, Pane, Protocol, Selector, SeriesFacts, StudyFacts } from './hanging-types';

/** What stands in a pane now. */
export interface PlacedPane extends Display {
  study: number;
  seriesUid: string | null;
  /** The images that are shown of it; null for all. */
  sopUids?: string[] | null;
  fusionSeriesUid?: string | null;
}

export interface Arrangement {
  id: string;
  name: string;
  rows: number;
  columns: number;
  panes: PlacedPane[];
}

/** Words by which series are told apart everywhere; they are kept before any other. */
const TELLING = new Set(
  (
    't1 t2 pd flair stir tirm dwi adc swi dixon mprage vibe tse tof mra dce perfusion trace b0 lung bone soft ' +
    'mediastinum brain arterial venous portal delayed native thin mip mpr ac nac pa ap lat cc mlo tomo cine'
  ).split(' '),
);
/** Words of an examination that say nothing of its region. */
const EMPTY_WORDS = new Set(
  'with without contrast routine study exam views view left right both follow'.split(' '),
);
const MOST_WORDS = 3;

/**
 * A protocol of one stage from an arrangement; `studies` are the ones that are shown, the current one first.
 *
 * Throws a RangeError where a pane shows a series that its study does not hold.
 */
export function protocolFromPanes(arrangement: Arrangement, studies: readonly StudyFacts[]): Protocol {
  const { id, name, rows, columns } = arrangement;
  const panes: Pane[] = [];
  for (const placed of arrangement.panes) panes.push(paneFor(placed, panes, studies));
  const stage = { name: 'As arranged', rows, columns, panes };
  return { id, name, description: '', match: matchFor(arrangement, studies), stages: [stage] };
}

/** An id for a protocol of this name, other than those that are taken. */
export function protocolId(name: string, taken: readonly string[] = []): string {
  const base =
    plain(name)
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 56) || 'protocol';
  let id = base;
  for (let n = 2; taken.includes(id); n++) id = `${base}-${n}`;
  return id;
}

/** The most general pane which, after those before it, shows what stands there. */
function paneFor(placed: PlacedPane, before: readonly Pane[], studies: readonly StudyFacts[]): Pane {
  const { seriesUid, sopUids = null, fusionSeriesUid = null, study: at, ...display } = placed;
  const base = { ...display, study: at };
  const study = studies[at];
  if (seriesUid === null) return { ...base, series: null, fusion: null };
  const series = study?.series.find((s) => s.uid === seriesUid);
  if (!study || !series) throw new RangeError('A pane shows a series that its study does not hold.');
  const fusion = fusionSeriesUid ? fusionFor(fusionSeriesUid, series, study) : null;
  const images = sopUids?.length === series.instances.length ? null : sopUids;
  for (const selector of selectorsFor(series, study, images)) {
    const pane = { ...base, series: selector, fusion };
    const stage = { name: '', rows: 1, columns: 1, panes: [...before, pane] };
    const filled = fillStage(stage, studies).at(-1);
    if (filled?.seriesUid === seriesUid && sameImages(filled.sopUids, images)) return pane;
  }
  // Twice the same picture: the second cannot be asked for, so it stays empty.
  return { ...base, series: null, fusion: null };
}

function fusionFor(uid: string, under: SeriesFacts, study: StudyFacts): Selector | null {
  const series = study.series.find((s) => s.uid === uid);
  if (!series) throw new RangeError('A pane shows a series that its study does not hold.');
  const found = (selector: Selector) =>
    overlays(selector, study, under)[(selector.nth ?? 1) - 1]?.uid === uid;
  return [...selectorsFor(series, study, null)].find(found) ?? null;
}

/** Selectors for a series, the most general first; the last ones always find it, by counting. */
function* selectorsFor(
  series: SeriesFacts,
  study: StudyFacts,
  sopUids: readonly string[] | null,
): Generator<Selector> {
  const rivals = study.series.filter((s) => s !== series && !s.notImages && s.modality === series.modality);
  const modality: Selector = series.modality ? { modalities: [series.modality] } : {};
  const plane = series.plane && rivals.some((s) => s.plane !== series.plane) ? { plane: series.plane } : {};
  const views = viewsOf(series, sopUids);
  const bases: Selector[] = views.length
    ? views.map((view) => ({ ...modality, ...view }))
    : [{ ...modality, ...plane }];
  const largest = rivals.every((s) => s.images < series.images) && rivals.length > 0;
  for (const base of bases) {
    if (rivals.length === 0 || views.length) yield base;
    for (const words of wordsFor(series, rivals)) yield { ...base, ...words };
    if (series.contrast !== null && rivals.some((s) => s.contrast !== series.contrast)) {
      yield { ...base, contrast: series.contrast };
    }
    if (largest) yield { ...base, most_images: true };
    yield base;
  }
  for (const base of [...bases, modality]) {
    for (let nth = 2; nth <= Math.min(study.series.length, 20); nth++) yield { ...base, nth };
  }
}

/** View and side of the images that are shown, where they all share them. */
function viewsOf(series: SeriesFacts, sopUids: readonly string[] | null): Selector[] {
  const shown = series.instances.filter((image) => !sopUids || sopUids.includes(image.sopUid));
  const images = shown.length ? shown : [series];
  const [first] = images;
  if (!first || images.some((i) => i.view !== first.view || i.laterality !== first.laterality)) return [];
  const view = first.view ? { view: first.view } : {};
  const laterality = first.laterality ? { laterality: first.laterality } : {};
  return first.view || first.laterality ? [{ ...view, ...laterality }] : [];
}

/** Words that tell a series from its rivals: one that only it has, else one of its own without those of others. */
function wordsFor(series: SeriesFacts, rivals: readonly SeriesFacts[]): Selector[] {
  if (rivals.length === 0) return [];
  const own = tokens(series.description);
  const texts = rivals.map((s) => plain(s.description));
  const alone = own.filter((word) => !texts.some((text) => hasWord(text, word)));
  const description = plain(series.description);
  const theirs = unique(rivals.flatMap((s) => tokens(s.description))).filter(
    (word) => !hasWord(description, word),
  );
  const single = alone.map((word) => ({ words: [word] }));
  const without = own.flatMap((word) => {
    const sharing = texts.filter((text) => hasWord(text, word));
    const not_words = theirs
      .filter((other) => sharing.some((text) => hasWord(text, other)))
      .slice(0, MOST_WORDS);
    const told = sharing.every((text) => not_words.some((other) => hasWord(text, other)));
    return told && not_words.length ? [{ words: [word], not_words }] : [];
  });
  return [...single, ...without];
}

/** The words of a description that may stand in a protocol, the telling ones first. */
function tokens(description: string): string[] {
  const words = unique(plain(description).split(' ')).filter((w) => /^\p{L}[\p{L}\p{N}]{1,19}$/u.test(w));
  return [...words.filter((w) => TELLING.has(w)), ...words.filter((w) => !TELLING.has(w))];
}

function matchFor(arrangement: Arrangement, studies: readonly StudyFacts[]): Match {
  const facts = protocolFacts(studies);
  const shown = arrangement.panes.filter((pane) => pane.seriesUid !== null);
  const least = Math.max(0, ...shown.map((pane) => pane.study));
  const exam = facts.words.split(' ').filter((w) => /^\p{L}{4,20}$/u.test(w) && !EMPTY_WORDS.has(w));
  return {
    modalities: facts.modalities.slice(0, 16),
    body_parts: facts.bodyParts.slice(0, MOST_WORDS),
    laterality: null,
    words: facts.bodyParts.length ? [] : exam.slice(0, 2),
    // Made where there was no prior, it must not hide the priors of other studies.
    priors: { least, most: facts.priors === 0 ? 0 : null },
  };
}

/** Whether a pane would show the images that it shows; where nothing is said of images the series is enough. */
function sameImages(filled: readonly string[] | null, placed: readonly string[] | null): boolean {
  if (!placed) return true;
  return filled?.length === placed.length && filled.every((uid) => placed.includes(uid));
}

/** A match that names no region, for that of a protocol that fits the same study: it must not fit every region. */
export function withRegion(match: Match, like: Match | undefined): Match {
  if (match.body_parts?.length || match.words?.length) return match;
  return { ...match, body_parts: like?.body_parts ?? [], words: like?.words ?? [] };
}
