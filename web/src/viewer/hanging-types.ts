/**
 * A hanging protocol as data: which studies it is for, and what each pane of each stage shows.
 *
 * The same shape is checked by `validateProtocol` here and by the server (`/api/hanging-protocols`). What may be
 * left out has a default, said beside it.
 */

export type Plane = 'axial' | 'sagittal' | 'coronal';
export type Show = 'stack' | Plane | 'volume';
export type Side = 'L' | 'R';
export type Owner = 'mine' | 'site' | 'built-in';

/** Which series of a study; what is empty, null or left out does not matter. */
export interface Selector {
  /** Any of these; none means any images. */
  modalities?: string[];
  /** Any of these stands in the description. */
  words?: string[];
  /** None of these stands in the description. */
  not_words?: string[];
  plane?: Plane | null;
  /** The side of the image itself. */
  laterality?: Side | null;
  /** View as DICOM writes it (CC, MLO, PA, LL); LAT is any lateral view, FRONT is PA or AP. */
  view?: string | null;
  contrast?: boolean | null;
  /** Take the series with the most images first, not the one with the lowest number. */
  most_images?: boolean;
  /** 1 for the first series that fits, 2 for the second. */
  nth?: number;
}

export type PaneWindow = { center: number; width: number } | { preset: string };

export interface Projection {
  kind: 'max' | 'min' | 'average';
  slab_mm: number;
}

/** How a pane shows what it was given. */
export interface Display {
  show?: Show;
  projection?: Projection | null;
  window?: PaneWindow | null;
  invert?: boolean | null;
  colour_map?: string | null;
  scale?: 'fit' | 'same' | 'actual';
  /** The edge the image is pushed against: breasts back to back. */
  side?: 'left' | 'right' | null;
  /** Panes with the same word scroll, pan and zoom together. */
  link?: string | null;
}

export interface Pane extends Display {
  /** 0 the current study, 1 the chosen prior, 2 the one before. */
  study?: number;
  /** Null leaves the pane empty on purpose. */
  series: Selector | null;
  /** The series of the same study that is laid over it. */
  fusion?: Selector | null;
}

export interface Stage {
  name: string;
  rows: number;
  columns: number;
  /** Row by row, from the top left. */
  panes: Pane[];
}

export interface Match {
  modalities?: string[];
  body_parts?: string[];
  laterality?: Side | null;
  words?: string[];
  priors?: { least?: number; most?: number | null };
}

export interface Protocol {
  id: string;
  name: string;
  description?: string;
  match: Match;
  stages: Stage[];
}

export interface OwnedProtocol {
  owner: Owner;
  protocol: Protocol;
}

/** One image of a series, as far as a selector asks. */
export interface ImageFacts {
  sopUid: string;
  view: string | null;
  laterality: Side | null;
  /** Magnified, spot compression, implant displaced, or raw: comes after the plain image of its view. */
  special: boolean;
}

/** A series as selectors see it. */
export interface SeriesFacts {
  uid: string;
  modality: string;
  number: number;
  description: string;
  /** Frames, or instances where frames are not known. */
  images: number;
  plane: Plane | null;
  contrast: boolean | null;
  laterality: Side | null;
  view: string | null;
  bodyPart: string;
  /** Empty where it is not known. */
  frameOfReference: string;
  localizer: boolean;
  /** Empty until the metadata of the series is there. */
  instances: ImageFacts[];
  /** Has no images that a pane could show. */
  notImages: boolean;
}

/** A study as protocols see it; the first of a list is the current one. */
export interface StudyFacts {
  uid: string;
  exam: string;
  series: SeriesFacts[];
}

/** What decides on the protocol. */
export interface Facts {
  modalities: string[];
  bodyParts: string[];
  laterality: Side | null;
  words: string;
  priors: number;
}

/** A pane with what it shows, or why it stays empty. */
export interface FilledPane {
  pane: Pane;
  studyUid: string | null;
  seriesUid: string | null;
  /** The images of the series that are meant; null for all of it. */
  sopUids: string[] | null;
  fusionSeriesUid: string | null;
  /** Why nothing is shown (or nothing laid over it), in words for the reader; null when all is there. */
  reason: string | null;
}
