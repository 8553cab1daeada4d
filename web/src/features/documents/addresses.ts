/** Where documents, films, waveforms and tiles are fetched. */
const part = encodeURIComponent;

const instance = (study: string, series: string, sop: string) =>
  `studies/${part(study)}/series/${part(series)}/instances/${part(sop)}`;

export interface Place {
  studyUid: string;
  seriesUid: string;
  sopUid: string;
}

const at = (place: Place) => `/api/${instance(place.studyUid, place.seriesUid, place.sopUid)}`;

const frameAt = (place: Place, frame: number) =>
  `/dicom-web/${instance(place.studyUid, place.seriesUid, place.sopUid)}/frames/${frame}`;

export const addresses = {
  document: (place: Place) => `${at(place)}/document`,
  film: (place: Place) => `${at(place)}/film`,
  waveform: (place: Place) => `${at(place)}/waveform`,
  samples: (place: Place, group: number, start: number, count: number) =>
    `${at(place)}/waveform/${group}?start=${start}&count=${count}`,
  frame: frameAt,
  rendered: (place: Place, frame: number) => `${frameAt(place, frame)}/rendered`,
} as const;
