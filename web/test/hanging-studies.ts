/** Studies for the tests of hanging protocols: the facts of series, made from little. */
import { studyFacts } from '../src/viewer/hanging';
import type { SeriesFacts, StudyFacts } from '../src/viewer/hanging-types';
import { type DicomJson, readSeries, type SeriesToShow } from '../src/viewer/series';

const value = (...Value: unknown[]) => ({ vr: 'XX', Value });
const COSINES = { axial: [1, 0, 0, 0, 1, 0], sagittal: [0, 1, 0, 0, 0, -1], coronal: [1, 0, 0, 0, 0, -1] };
const AXIS = { axial: 2, sagittal: 0, coronal: 1 };

export interface Drawn {
  modality?: string;
  description?: string;
  plane?: keyof typeof COSINES;
  images?: number;
  more?: DicomJson;
  /** Of each image. */
  each?: DicomJson[];
}

/** A series read from metadata, as the viewer reads it. */
export function series(uid: string, number: number, drawn: Drawn): SeriesToShow {
  const { modality = 'CT', description = '', plane, images = drawn.each?.length ?? 1, more, each } = drawn;
  const instances = Array.from({ length: images }, (_, k): DicomJson => {
    const position = [0, 0, 0];
    if (plane) position[AXIS[plane]] = k;
    return {
      '00080018': value(`${uid}.${k + 1}`),
      '00080060': value(modality),
      '0008103E': value(description),
      '00200011': value(number),
      '00200013': value(k + 1),
      '00280010': value(8),
      ...(plane && { '00200037': value(...COSINES[plane]), '00200032': value(...position) }),
      ...more,
      ...each?.[k],
    };
  });
  return readSeries(
    instances,
    { studyUid: '1', seriesUid: uid },
    (sop, frame) => `/i/${sop}/frames/${frame}`,
  );
}

/** A study as the viewer knows it, with the metadata of all its series. */
export function study(uid: string, exam: string, drawn: Drawn[]): StudyFacts {
  const held = drawn.map((one, k) => series(`${uid}.${k + 1}`, k + 1, one));
  const listed = held.map((s) => ({
    uid: s.uid,
    modality: s.modality,
    number: Number(s.number),
    description: s.description,
    images: s.slices.length,
  }));
  return studyFacts({ uid, exam, series: listed }, held);
}

const tagged = (tags: Record<string, string>): DicomJson =>
  Object.fromEntries(Object.entries(tags).map(([tag, one]) => [tag, value(one)]));
export const image = (view: string, laterality: string) =>
  tagged({ '00185101': view, '00200062': laterality });
export const coded = (code: string, laterality: string): DicomJson => ({
  '00540220': value({ '00080100': value(code) }),
  ...tagged({ '00200062': laterality }),
});
/** Magnified, by a modifier of its view. */
export const magnified = (code: string, laterality: string): DicomJson => ({
  ...coded(code, laterality),
  '00540220': value({ '00080100': value(code), '00540222': value({ '00080100': value('399163009') }) }),
});
export const frame = (uid: string) => tagged({ '00200052': uid });
export const body = (part: string) => tagged({ '00180015': part });
export const agent = tagged({ '00180010': 'IOMERON' });

/** A made-up series of which everything may be true; `pick` gives a whole number below its argument. */
export function anySeries(uid: string, pick: (below: number) => number): SeriesFacts {
  const from = <T>(values: readonly T[]): T => values[pick(values.length)] as T;
  const side = from(['L', 'R', null] as const);
  const view = from(['CC', 'MLO', 'PA', 'LL', null]);
  const instances = Array.from({ length: pick(4) }, (_, k) => ({
    sopUid: `${uid}.${k}`,
    view: from([view, 'CC', null]),
    laterality: from([side, 'L', null] as const),
    special: pick(4) === 0,
  }));
  return {
    uid,
    modality: from(['CT', 'MR', 'PT', 'MG', 'DX', 'SR']),
    number: pick(9),
    description: from(['', 'AX T1', 't2 flair sag', 'Lung 1mm', 'DWI/ADC', 'Localizer', 'T1 post Gd']),
    images: pick(300),
    plane: from(['axial', 'sagittal', 'coronal', null] as const),
    contrast: from([true, false, null]),
    laterality: side,
    view,
    bodyPart: '',
    frameOfReference: '',
    localizer: pick(5) === 0,
    instances,
    notImages: pick(6) === 0,
  };
}
