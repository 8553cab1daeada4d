/** Windows: the presets for CT in HU (keys 1 to 8), and those that images bring along. */
import { type DicomJson, numbers, ofFrame } from './dicom';
import type { SeriesToShow } from './series';

export interface Window {
  center: number;
  width: number;
}

export interface Preset extends Window {
  name: string;
}

export const CT_PRESETS: readonly Preset[] = [
  { name: 'Lung', center: -600, width: 1500 },
  { name: 'Mediastinum', center: 40, width: 400 },
  { name: 'Bone', center: 400, width: 2000 },
  { name: 'Liver', center: 80, width: 160 },
  { name: 'Brain', center: 40, width: 80 },
  { name: 'Vessels', center: 200, width: 700 },
  { name: 'Fat and soft tissue', center: -20, width: 500 },
  { name: 'Wide', center: 0, width: 2500 },
];

/** The preset a window stands for, if any. */
export function presetName(window: Window): string | null {
  return CT_PRESETS.find((p) => p.center === window.center && p.width === window.width)?.name ?? null;
}

/** The first window that an image brings along (PS3.3 C.11.2.1.2); null where it brings none. */
function windowOfInstance(instance: DicomJson, frame = 1): Window | null {
  const from = ofFrame(instance, frame, '00289132');
  const center = numbers(from, '00281050')?.[0];
  const width = numbers(from, '00281051')?.[0];
  return center !== undefined && width !== undefined && width >= 1 ? { center, width } : null;
}

/** The window that one slice of a series brings along. */
export function windowOfSlice({ slices, instances }: SeriesToShow, index: number): Window | null {
  const slice = slices[index];
  return slice ? windowOfInstance(instances[slice.instance] ?? {}, slice.frame) : null;
}
