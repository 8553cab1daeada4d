/** What the viewer's kinds of pane, colour maps and looks are called; apart from the viewer, which is loaded later. */
import type { PaneKind } from '../../viewer';
import { COLOUR_MAPS, GREY } from '../../viewer/colour-tables';
import { LOOKS } from '../../viewer/looks';

export const PANE_KINDS: readonly { kind: PaneKind; words: string }[] = [
  { kind: 'stack', words: 'Slices as acquired' },
  { kind: 'axial', words: 'Axial plane' },
  { kind: 'sagittal', words: 'Sagittal plane' },
  { kind: 'coronal', words: 'Coronal plane' },
  { kind: 'oblique', words: 'Oblique plane' },
  { kind: 'volume', words: 'Volume' },
];

export const COLOUR_NAMES = COLOUR_MAPS.map(({ name, words }) => ({
  value: name === GREY ? '' : name,
  words,
}));

export const LOOK_NAMES = LOOKS.map(({ name, words }) => ({ value: name, words }));
