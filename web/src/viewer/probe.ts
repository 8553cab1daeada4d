/** The value under a probe. */
import { cache } from '@cornerstonejs/core';
import { unitWords } from './units';

export interface Probed {
  index?: number[] | null;
  value?: number | number[] | null;
  modalityUnit?: string;
}

/** What a probe points at; the library looks for it in the wrong slice of a stack, which has one slice only. */
export function probedValue({ index, value }: Probed, targetId: string): number | number[] | undefined {
  const image = cache.getImage(targetId.replace(/^imageId:/, ''));
  const [column = 0, row = 0] = index ?? [];
  const here = value ?? (index && image?.voxelManager?.getAtIndex(row * image.columns + column));
  return (here as number | number[] | null | undefined) ?? undefined;
}

export function probeWords(
  { cachedStats }: { cachedStats: Record<string, Probed> },
  targetId: string,
): string[] | undefined {
  const probed = cachedStats[targetId] ?? {};
  const here = probedValue(probed, targetId);
  if (here === undefined) return undefined;
  const figures = [here].flat().map((v) => Math.round(v * 100) / 100);
  const [column = 0, row = 0] = probed.index ?? [];
  return [`${figures.join(', ')} ${unitWords(probed.modalityUnit)}`, `column ${column + 1}, row ${row + 1}`];
}
