/** What is shown of the patient, as the address keeps it: names of quantities and places, never patient data. */
import type { Lesion, StudyMark } from './curves';

export interface Shown {
  /** Name of a quantity; empty: the first that there is. */
  quantity: string;
  log: boolean;
  region: string;
  /** What the server calls it, `other` included. */
  organ: string;
  modality: string;
  /** Tracking UID of the one lesion that is shown. */
  lesion: string;
  /** Only what a person stands behind. */
  accepted: boolean;
}

export const EVERYTHING: Shown = {
  quantity: '',
  log: false,
  region: '',
  organ: '',
  modality: '',
  lesion: '',
  accepted: false,
};

const PLAIN = /^[\w.+/ -]{0,64}$/;

export function parseShown(search: string): Shown {
  const query = new URLSearchParams(search);
  const read = (name: string) => {
    const value = query.get(name) ?? '';
    return PLAIN.test(value) ? value : '';
  };
  return {
    quantity: read('quantity'),
    log: query.get('scale') === 'log',
    region: read('region'),
    organ: read('organ'),
    modality: read('modality'),
    lesion: read('lesion'),
    accepted: query.get('state') === 'accepted',
  };
}

export function printShown(shown: Shown): string {
  const query = new URLSearchParams();
  for (const name of ['quantity', 'region', 'organ', 'modality', 'lesion'] as const)
    if (shown[name]) query.set(name, shown[name]);
  if (shown.log) query.set('scale', 'log');
  if (shown.accepted) query.set('state', 'accepted');
  const text = query.toString();
  return text ? `?${text}` : '';
}

/** The lesions to show, those that were seen most often first. */
export function chosenLesions(lesions: readonly Lesion[], shown: Shown): Lesion[] {
  return lesions
    .filter(
      (lesion) =>
        (!shown.lesion || lesion.tracking_uid === shown.lesion) &&
        (!shown.region || lesion.regions.includes(shown.region)) &&
        (!shown.organ || lesion.organ === shown.organ) &&
        (!shown.modality || lesion.modalities.includes(shown.modality)) &&
        (!shown.accepted || lesion.state === 'accepted' || lesion.state === 'edited'),
    )
    .sort((a, b) => b.points.length - a.points.length);
}

/** The studies to show: of the region and modality that is asked for; each shows more organs than one. */
export const chosenStudies = (studies: readonly StudyMark[], shown: Shown): StudyMark[] =>
  studies.filter(
    (study) =>
      (!shown.region || study.regions.includes(shown.region)) &&
      (!shown.modality || study.modality === shown.modality),
  );

/** What can be chosen, each once, in order. */
export const choices = (values: readonly string[]): string[] => [...new Set(values)].filter(Boolean).sort();

/** The organs of the lesions, each once, in order; what no organ is named for comes last. */
export const organsOf = (lesions: readonly Lesion[]): string[] =>
  choices(lesions.map((lesion) => lesion.organ)).sort(
    (a, b) => Number(a === 'other') - Number(b === 'other'),
  );
