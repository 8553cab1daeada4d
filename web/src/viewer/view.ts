/** What one pane shows now, as plain values; made anew after each rendering. */
import type { Part } from './loops';
import type { DrawnMark } from './overlay';
import type { Window } from './presets';
import type { SeriesToShow } from './series';
import type { Vec3 } from './vectors';

/** How a series is shown: slice by slice, as a plane through its volume, or the volume itself. */
export type PaneKind = 'stack' | 'axial' | 'sagittal' | 'coronal' | 'oblique' | 'volume';
export const PLANES: readonly PaneKind[] = ['axial', 'sagittal', 'coronal', 'oblique'];

/** How values along the line of sight are put together in a slab. */
export interface Slab {
  mm: number;
  projection: 'max' | 'min' | 'average';
}

/** What is cut away from a volume. */
export interface Crop {
  /** How much of the box around it, from right, front and feet, and from left, back and head: 0 to 1. */
  low: Vec3;
  high: Vec3;
  /** What lies before a plane that faced the person when it was set: how deep, 0 to 1. */
  facing: { ahead: Vec3; depth: number } | null;
}

/** How a series is laid over another: how strongly, and up to which value its colours run; null leaves that to it. */
export interface FusionLook {
  strength: number;
  upper: number | null;
}

export const FUSION_LOOK: FusionLook = { strength: 0.7, upper: null };

export const WHOLE: Crop = { low: [0, 0, 0], high: [0, 0, 0], facing: null };

/** How an image is turned, coloured and windowed; a part of it can be set alone. */
export interface Presentation {
  window: Window | null;
  invert: boolean;
  rotation: number;
  flipHorizontal: boolean;
  flipVertical: boolean;
  colourMap: string | null;
}

export const PLAIN: Presentation = {
  window: null,
  invert: false,
  rotation: 0,
  flipHorizontal: false,
  flipVertical: false,
  colourMap: null,
};

export interface Letters {
  top: string;
  right: string;
  bottom: string;
  left: string;
}

export interface DrawnLine {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

export interface PaneView {
  /** `preview`: the right image is there, drawn by the server, while the engine is still being loaded. */
  state: 'empty' | 'loading' | 'preview' | 'shown' | 'failed';
  /** Why there is no image, in words; only when `failed`. */
  reason: string;
  kind: PaneKind;
  series: SeriesToShow | null;
  index: number;
  count: number;
  /** Loaded images of a volume; null where nothing is awaited. */
  loaded: number | null;
  presentation: Presentation;
  slab: Slab | null;
  mmPerPixel: number | null;
  letters: Letters | null;
  positionLpsMm: Vec3 | null;
  marks: readonly DrawnMark[];
  /** Where the leading pane's plane cuts this one. */
  lines: readonly DrawnLine[];
  /** The linked point lies outside this series: nothing here corresponds to what the other pane shows. */
  beyond: boolean;
  playing: number | null;
  /** The part of the loop that is played; null where all of it is. */
  part: Part | null;
  fused: string | null;
  /** Where the pixels of the image lie on the canvas: column and row to x and y, as CSS `matrix()` takes them. */
  placement: Placement | null;
}

export type Placement = readonly [number, number, number, number, number, number];

export const EMPTY_VIEW: PaneView = {
  state: 'empty',
  reason: '',
  kind: 'stack',
  series: null,
  index: 0,
  count: 0,
  loaded: null,
  presentation: PLAIN,
  slab: null,
  mmPerPixel: null,
  letters: null,
  positionLpsMm: null,
  marks: [],
  lines: [],
  beyond: false,
  playing: null,
  part: null,
  fused: null,
  placement: null,
};
