/** The mouse tools as rows: what each is called and which key takes it. The library behind them comes later. */
export type ToolName =
  | 'window'
  | 'zoom'
  | 'pan'
  | 'length'
  | 'bidirectional'
  | 'angle'
  | 'cobb'
  | 'ellipse'
  | 'rectangle'
  | 'freehand'
  | 'magnify';

export interface ToolRow {
  name: ToolName;
  words: string;
  key: string;
  icon: 'window' | 'zoom' | 'pan' | 'ruler' | 'bidirectional' | 'angle' | 'ellipse' | null;
}

/** In the order in which they are offered; those without an icon are in the palette and on their key. */
export const TOOLS: readonly ToolRow[] = [
  { name: 'window', words: 'Window', key: 'w', icon: 'window' },
  { name: 'zoom', words: 'Zoom', key: 'z', icon: 'zoom' },
  { name: 'pan', words: 'Pan', key: 'p', icon: 'pan' },
  { name: 'length', words: 'Length', key: 'l', icon: 'ruler' },
  { name: 'bidirectional', words: 'Two axes', key: 'b', icon: 'bidirectional' },
  { name: 'ellipse', words: 'Ellipse: mean and area', key: 'o', icon: 'ellipse' },
  { name: 'angle', words: 'Angle', key: 'y', icon: 'angle' },
  { name: 'cobb', words: 'Cobb angle', key: 'Y', icon: null },
  { name: 'rectangle', words: 'Rectangle: mean and area', key: 'O', icon: null },
  { name: 'freehand', words: 'Freehand: mean and area', key: 'd', icon: null },
  { name: 'magnify', words: 'Magnifying glass', key: 'h', icon: null },
];
