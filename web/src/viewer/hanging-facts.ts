/**
 * What hanging protocols need to know of series and studies, read from the reading response and from DICOMweb
 * metadata where that is there already.
 *
 * Sources: PS3.3 C.8.11.7 (views of mammograms), C.8.11.5 (views of radiographs), PS3.16 CID 4010, 4014.
 */

import { type DicomJson, items, text as read } from './dicom';
import type { Facts, ImageFacts, Plane, SeriesFacts, Side, StudyFacts } from './hanging-types';
import type { SeriesToShow } from './series';
import type { Vec3 } from './vectors';

/** As much of `StudyView` as is needed. */
export interface ListedStudy {
  uid: string;
  exam: string;
  series: { uid: string; modality: string; number: number | null; description: string; images: number }[];
}

const NOT_IMAGES = new Set(
  'SR PR KO DOC REG SEG RTSTRUCT RTPLAN RTRECORD RTDOSE ECG HD EPS AU PLAN RWV FID'.split(' '),
);
const LOCALIZER = [
  'localizer',
  'localiser',
  'scout',
  'topogram',
  'survey',
  'surview',
  'dose report',
  'dose info',
];
const WITH_CONTRAST = [
  '+c',
  'c+',
  'gd',
  'gad',
  'post',
  'contrast',
  'ce',
  'enhanced',
  'arterial',
  'venous',
  'portal',
  'km',
];
const WITHOUT_CONTRAST = [
  'without',
  'wo',
  'w o',
  'non contrast',
  'noncontrast',
  'non con',
  'native',
  'nativ',
  'unenhanced',
  'pre',
  'plain',
];
const PLANE_WORDS: readonly (readonly [Plane, readonly string[]])[] = [
  ['axial', ['ax', 'axi', 'axial', 'tra', 'trans', 'transverse', 'transversal']],
  ['sagittal', ['sag', 'sagittal']],
  ['coronal', ['cor', 'coronal', 'koronar']],
];
/** Codes of views (SCT, and SRT as older devices write them) as the words of (0018,5101). */
// biome-ignore format: a table reads better in columns
const VIEW_CODES: Record<string, string> = {
  '399162004': 'CC', 'R-10242': 'CC',
  '399368009': 'MLO', 'R-10226': 'MLO',
  '399260004': 'ML', 'R-10224': 'ML',
  '399352003': 'LM', 'R-10228': 'LM',
  '399099002': 'LMO', 'R-10230': 'LMO',
  '399196006': 'FB', 'R-10244': 'FB',
  '399188001': 'SIO', 'R-102D0': 'SIO',
  '441555000': 'ISO', 'R-40AAA': 'ISO',
  '399192008': 'XCCL', 'Y-X1770': 'XCCL',
  '399101009': 'XCCM', 'Y-X1771': 'XCCM',
  '399348003': 'AP', 'R-10206': 'AP',
  '272479007': 'PA', 'R-10214': 'PA',
  '399173006': 'LL', 'R-10236': 'LL',
  '399198007': 'RL', 'R-10232': 'RL',
};
// biome-ignore format: a table reads better in columns
const VIEW_WORDS: Record<string, string> = {
  cc: 'CC', mlo: 'MLO', ml: 'ML', lm: 'LM', xccl: 'XCCL', pa: 'PA', ap: 'AP', ll: 'LL', rl: 'RL',
  lat: 'LAT', lateral: 'LAT', seitlich: 'LAT',
};
const LATERAL = new Set(['LL', 'RL', 'LAT', 'LLD', 'RLD', 'ML', 'LM']);
const FRONTAL = new Set(['PA', 'AP']);

/** Small letters and digits, one blank between words; `+` and `*` stay, for "+C" and "T2*". */
export function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}+*]+/gu, ' ')
    .trim();
}

/** Whether a word stands in a plain text: at the start of one of its words, or anywhere once it has 4 letters. */
export function hasWord(text: string, word: string): boolean {
  const wanted = plain(word);
  if (!wanted) return false;
  return ` ${text}`.includes(` ${wanted}`) || (wanted.length >= 4 && text.includes(wanted));
}

/** Whether a whole word stands in a plain text. */
const hasWhole = (text: string, word: string): boolean => ` ${text} `.includes(` ${word} `);

/** Whether an image's view is the one asked for; LAT and FRONT stand for several. */
export function sameView(view: string | null, wanted: string): boolean {
  if (!view) return false;
  if (wanted === 'LAT') return LATERAL.has(view);
  if (wanted === 'FRONT') return FRONTAL.has(view);
  return view === wanted || (view === 'LAT' && (wanted === 'LL' || wanted === 'RL'));
}

/** A study from the reading response, with the metadata of those series that are loaded. */
export function studyFacts(study: ListedStudy, held: readonly SeriesToShow[] = []): StudyFacts {
  const loaded = new Map(held.map((series) => [series.uid, series]));
  return {
    uid: study.uid,
    exam: study.exam,
    series: study.series.map((listed) => {
      const series = loaded.get(listed.uid);
      return series ? seriesFacts(series) : listedFacts(listed);
    }),
  };
}

/** A series whose metadata is there. */
export function seriesFacts(series: SeriesToShow): SeriesFacts {
  const first = series.instances[0] ?? {};
  const description = series.description || text(first, '00181030');
  const facts = listedFacts({
    uid: series.uid,
    modality: series.modality,
    number: Number.parseInt(series.number, 10),
    description,
    images: series.slices.length,
  });
  const instances = inOrder(series).map((instance) => imageFacts(instance, facts));
  return {
    ...facts,
    plane: series.normal ? planeOf(series.normal) : facts.plane,
    contrast: givenContrast(first) ? true : facts.contrast,
    laterality: only(instances.map((i) => i.laterality)),
    view: only(instances.map((i) => i.view)),
    bodyPart: bodyPartOf(first),
    frameOfReference: series.frameOfReference,
    localizer: facts.localizer || texts(first, '00080008').includes('LOCALIZER'),
    instances,
    notImages: facts.notImages || series.notShown !== null || series.slices.length === 0,
  };
}

/** The instances in the order of their slices; all of them where there are no slices. */
function inOrder({ instances, slices }: SeriesToShow): DicomJson[] {
  return slices.length ? unique(slices.map((s) => s.instance)).map((at) => instances[at] ?? {}) : instances;
}

/** A code as a protocol may hold it: capital letters and digits, and of a body part blanks and dashes. */
const code = (from: string): string =>
  from
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '')
    .slice(0, 16);
const part = (from: string): string =>
  from
    .toUpperCase()
    .replace(/[^A-Z0-9_-]+/g, ' ')
    .trim()
    .slice(0, 32);

/** Body Part Examined, else the meaning of the code in Anatomic Region Sequence. */
function bodyPartOf(instance: DicomJson): string {
  const region = items(instance, '00082218')[0] ?? {};
  return part(text(instance, '00180015') || text(region, '00080104'));
}

/** An agent by name, or by code as enhanced images have it. */
const givenContrast = (instance: DicomJson): boolean =>
  text(instance, '00180010') !== '' || items(instance, '00180012').length > 0;

/** A series of which only the list is there: what its description says. */
function listedFacts(listed: ListedStudy['series'][number]): SeriesFacts {
  const words = plain(listed.description);
  const modality = code(listed.modality);
  return {
    uid: listed.uid,
    modality,
    number: Number.isFinite(listed.number) ? (listed.number as number) : Number.MAX_SAFE_INTEGER,
    description: listed.description,
    images: listed.images,
    plane: PLANE_WORDS.find(([, names]) => names.some((name) => hasWhole(words, name)))?.[0] ?? null,
    contrast: contrastOf(words),
    laterality: sideOfWords(words, modality),
    view: viewOfWords(words, modality),
    bodyPart: '',
    frameOfReference: '',
    localizer: LOCALIZER.some((name) => words.includes(name)),
    instances: [],
    notImages: NOT_IMAGES.has(modality),
  };
}

/** What decides on the protocol: the current study is the first, the others are its priors. */
export function protocolFacts(studies: readonly StudyFacts[]): Facts {
  const [current] = studies;
  const series = (current?.series ?? []).filter((s) => !s.notImages);
  const bodyParts = unique(series.map((s) => s.bodyPart).filter(Boolean));
  const sides = unique(series.flatMap((s) => s.instances.map((i) => i.laterality) as (Side | null)[]));
  const exam = plain(current?.exam ?? '');
  // A modality alone is what the exam is called when nothing else is known; the series may say more.
  const silent = bodyParts.length === 0 && exam.split(' ').every((word) => word.length <= 2);
  return {
    modalities: leading(unique(series.map((s) => s.modality).filter(Boolean))),
    bodyParts,
    laterality: sides.length === 1 ? (sides[0] ?? null) : null,
    words: silent ? plain([exam, ...series.map((s) => s.description)].join(' ')) : exam,
    priors: Math.max(studies.length - 1, 0),
  };
}

/** Of a hybrid study only what it is called after: the CT of a PET/CT does not make it a CT. */
function leading(modalities: string[]): string[] {
  const emission = modalities.filter((m) => m === 'PT' || m === 'NM');
  return emission.length ? emission : modalities;
}

function imageFacts(instance: DicomJson, series: SeriesFacts): ImageFacts {
  return {
    sopUid: text(instance, '00080018'),
    view: viewOf(instance) ?? series.view,
    laterality: sideOf(instance) ?? series.laterality,
    special: isSpecial(instance),
  };
}

function viewOf(instance: DicomJson): string | null {
  const view = VIEW_CODES[text(items(instance, '00540220')[0] ?? {}, '00080100')];
  if (view) return view;
  const written = code(text(instance, '00185101')).replaceAll('_', '');
  return VIEW_WORDS[written.toLowerCase()] ?? (written || null);
}

/** With a modifier of its view (0054,0222), or meant for processing (0008,0068). */
function isSpecial(instance: DicomJson): boolean {
  const view = items(instance, '00540220')[0] ?? {};
  return items(view, '00540222').length > 0 || text(instance, '00080068') === 'FOR PROCESSING';
}

/** Image Laterality, else that of the frames' anatomy (tomosynthesis), else Laterality of the series. */
function sideOf(instance: DicomJson): Side | null {
  const shared = items(instance, '52009229')[0] ?? {};
  const anatomy = items(shared, '00209071')[0] ?? {};
  const found = text(instance, '00200062') || text(anatomy, '00209072') || text(instance, '00200060');
  return found === 'L' || found === 'R' ? found : null;
}

function planeOf(normal: Vec3): Plane | null {
  const sizes = normal.map(Math.abs);
  const largest = Math.max(...sizes);
  // Beyond 37° the slices belong to no plane rather than to the nearest one.
  if (largest < 0.8) return null;
  return (['sagittal', 'coronal', 'axial'] as const)[sizes.indexOf(largest)] ?? null;
}

function contrastOf(words: string): boolean | null {
  if (WITHOUT_CONTRAST.some((word) => hasWhole(words, word))) return false;
  return WITH_CONTRAST.some((word) => hasWhole(words, word)) ? true : null;
}

/** Modalities of single pictures, each with a view of its own. */
export const PROJECTIONS = new Set(['MG', 'CR', 'DX', 'RG', 'IO', 'PX']);
const SIDED_VIEW = /^(r|l)(cc|mlo|ml|lm|xccl)$/;

function viewOfWords(words: string, modality: string): string | null {
  if (!PROJECTIONS.has(modality)) return null;
  for (const word of words.split(' ')) {
    const view = VIEW_WORDS[SIDED_VIEW.exec(word)?.[2] ?? word];
    if (view) return view;
  }
  return null;
}

function sideOfWords(words: string, modality: string): Side | null {
  if (!PROJECTIONS.has(modality)) return null;
  const sides = words.split(' ').flatMap((word): Side[] => {
    if (['r', 'rt', 'right'].includes(word) || SIDED_VIEW.exec(word)?.[1] === 'r') return ['R'];
    if (['l', 'lt', 'left'].includes(word) || SIDED_VIEW.exec(word)?.[1] === 'l') return ['L'];
    return [];
  });
  return only(sides);
}

/** The one value that all share. */
function only<T>(values: readonly (T | null)[]): T | null {
  const [first] = values;
  return values.every((value) => value === first) ? (first ?? null) : null;
}

export const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

function texts(from: DicomJson, tag: string): string[] {
  return (from[tag]?.Value ?? []).map(String);
}

const text = (from: DicomJson, tag: string): string => read(from, tag).trim();
