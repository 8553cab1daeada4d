/** The tools as rows: what each is called, which key takes it, where it is offered. The library behind them comes later. */
import type { IconName } from '../ui/icons';

export type ToolName =
  | 'window'
  | 'window-region'
  | 'zoom'
  | 'pan'
  | 'rotate'
  | 'crosshair'
  | 'magnify'
  | 'length'
  | 'calibrate'
  | 'bidirectional'
  | 'angle'
  | 'cobb'
  | 'ellipse'
  | 'circle'
  | 'rectangle'
  | 'freehand'
  | 'spline'
  | 'livewire'
  | 'probe'
  | 'arrow'
  | 'text'
  | 'lesion'
  | SegmentToolName;

export type SegmentToolName =
  | 'brush'
  | 'brush-erase'
  | 'brush-threshold'
  | 'scissors-circle'
  | 'scissors-rectangle'
  | 'scissors-sphere'
  | 'outline'
  | 'outline-live'
  | 'fill'
  | 'grow';

export interface ToolRow {
  name: ToolName;
  words: string;
  key: string;
  group: 'Look' | 'Measure' | 'Mark' | 'Segment';
  /** Those with an icon stand in the bar; all are in the menu, in the palette and on their key. */
  icon: IconName | null;
}

/** In the order in which they are offered. */
export const TOOLS: readonly ToolRow[] = [
  { name: 'window', words: 'Window', key: 'w', group: 'Look', icon: 'window' },
  { name: 'window-region', words: 'Window from a region', key: 'W', group: 'Look', icon: null },
  { name: 'zoom', words: 'Zoom', key: 'z', group: 'Look', icon: 'zoom' },
  { name: 'pan', words: 'Pan', key: 'p', group: 'Look', icon: 'pan' },
  { name: 'rotate', words: 'Rotate', key: 'q', group: 'Look', icon: null },
  {
    name: 'crosshair',
    words: 'Crosshair: same point everywhere',
    key: 'x',
    group: 'Look',
    icon: 'crosshair',
  },
  { name: 'magnify', words: 'Magnifying glass', key: 'h', group: 'Look', icon: null },
  { name: 'length', words: 'Length', key: 'l', group: 'Measure', icon: 'ruler' },
  { name: 'bidirectional', words: 'Two axes', key: 'b', group: 'Measure', icon: 'bidirectional' },
  { name: 'lesion', words: 'Lesion: click or draw its long axis', key: '', group: 'Measure', icon: 'lesion' },
  { name: 'ellipse', words: 'Ellipse: mean and area', key: 'o', group: 'Measure', icon: 'ellipse' },
  { name: 'angle', words: 'Angle', key: 'y', group: 'Measure', icon: 'angle' },
  { name: 'cobb', words: 'Cobb angle', key: 'Y', group: 'Measure', icon: null },
  { name: 'circle', words: 'Circle: mean and area', key: 'u', group: 'Measure', icon: null },
  { name: 'rectangle', words: 'Rectangle: mean and area', key: 'O', group: 'Measure', icon: null },
  { name: 'freehand', words: 'Freehand: mean and area', key: 'd', group: 'Measure', icon: null },
  { name: 'spline', words: 'Spline: mean and area', key: 'D', group: 'Measure', icon: null },
  { name: 'livewire', words: 'Livewire: follows edges', key: 'L', group: 'Measure', icon: null },
  { name: 'probe', words: 'Probe: value at a point', key: 'i', group: 'Measure', icon: null },
  { name: 'calibrate', words: 'Calibrate by a known length', key: 'A', group: 'Measure', icon: null },
  { name: 'arrow', words: 'Arrow', key: 'j', group: 'Mark', icon: null },
  { name: 'text', words: 'Text', key: 'J', group: 'Mark', icon: null },
  { name: 'brush', words: 'Brush', key: 'B', group: 'Segment', icon: null },
  { name: 'brush-erase', words: 'Eraser brush', key: 'E', group: 'Segment', icon: null },
  {
    name: 'brush-threshold',
    words: 'Brush within a range of values',
    key: 'H',
    group: 'Segment',
    icon: null,
  },
  { name: 'scissors-circle', words: 'Circle scissors', key: '', group: 'Segment', icon: null },
  { name: 'scissors-rectangle', words: 'Rectangle scissors', key: '', group: 'Segment', icon: null },
  { name: 'scissors-sphere', words: 'Sphere scissors', key: '', group: 'Segment', icon: null },
  { name: 'outline', words: 'Outline: its inside', key: 'C', group: 'Segment', icon: null },
  {
    name: 'outline-live',
    words: 'Outline that follows edges',
    key: 'K',
    group: 'Segment',
    icon: null,
  },
  { name: 'fill', words: 'Fill what is enclosed', key: 'F', group: 'Segment', icon: null },
  { name: 'grow', words: 'Grow a region from a click', key: 'G', group: 'Segment', icon: null },
];

export const isSegmentTool = (name: ToolName): name is SegmentToolName =>
  TOOLS.find((t) => t.name === name)?.group === 'Segment';
