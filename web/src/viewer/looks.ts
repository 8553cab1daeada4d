/** The looks of a volume: our name, what it is called, and the engine's preset. */
export const LOOKS: readonly { name: string; words: string; preset: string }[] = [
  { name: 'bone', words: 'Bone', preset: 'CT-Bone' },
  { name: 'vessels', words: 'Vessels', preset: 'CT-Coronary-Arteries-2' },
  { name: 'soft', words: 'Soft tissue', preset: 'CT-Soft-Tissue' },
  { name: 'lung', words: 'Lung', preset: 'CT-Lung' },
  { name: 'mip', words: 'Maximum intensity', preset: 'CT-MIP' },
  { name: 'mr', words: 'MR', preset: 'MR-Default' },
];
