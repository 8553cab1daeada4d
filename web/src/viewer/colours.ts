/** The colour maps, made known to the engine. */
import { utilities } from '@cornerstonejs/core';
import { COLOUR_MAPS } from './colour-tables';

let registered = false;

/** Make our maps known to the engine; once. */
export function registerColourMaps(): void {
  if (registered) return;
  registered = true;
  for (const { name, points } of COLOUR_MAPS) register(name, points);
}

function register(name: string, points: readonly (readonly number[])[]): void {
  utilities.colormap.registerColormap({
    ColorSpace: 'RGB',
    Name: name,
    name,
    RGBPoints: points.flat(),
  } as never);
}

const TABLE_POINTS = 1024;

/** Make a map of greys, from 0 to 1 and evenly spaced, known to the engine; returns its name. */
export function greyMap(name: string, greys: readonly number[]): string {
  const last = greys.length - 1;
  const count = Math.min(greys.length, TABLE_POINTS);
  const points = Array.from({ length: count }, (_, k) => {
    const at = k / Math.max(count - 1, 1);
    const grey = greys[Math.round(at * last)] ?? 0;
    return [at, grey, grey, grey];
  });
  register(name, points);
  return name;
}
