/** Window presets for CT, in HU: the keys 1 to 8. Key 9 returns to the window the series was opened with. */
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
