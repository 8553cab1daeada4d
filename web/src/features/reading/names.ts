/** What the viewer's kinds of pane, colour maps and looks are called; apart from the viewer, which is loaded later. */
import type { PaneKind } from '../../viewer';

export const PANE_KINDS: readonly { kind: PaneKind; words: string }[] = [
  { kind: 'stack', words: 'Slices as acquired' },
  { kind: 'axial', words: 'Axial plane' },
  { kind: 'sagittal', words: 'Sagittal plane' },
  { kind: 'coronal', words: 'Coronal plane' },
  { kind: 'oblique', words: 'Oblique plane' },
  { kind: 'volume', words: 'Volume' },
];

export const COLOUR_NAMES = [
  { value: '', words: 'Grey' },
  { value: 'hot_iron', words: 'Hot iron' },
  { value: 'rainbow', words: 'Rainbow' },
  { value: 'blue_red', words: 'Blue to red' },
] as const;

export const LOOK_NAMES = [
  { value: 'bone', words: 'Bone' },
  { value: 'vessels', words: 'Vessels' },
  { value: 'soft', words: 'Soft tissue' },
  { value: 'lung', words: 'Lung' },
  { value: 'mip', words: 'Maximum intensity' },
  { value: 'mr', words: 'MR' },
] as const;
