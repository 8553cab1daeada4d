/** What is said beside a region, and the regions for which the library works out an area only. */
import { getEnabledElement, utilities } from '@cornerstonejs/core';
import * as tools from '@cornerstonejs/tools';
import { unitWords } from './units';

type Annotation = tools.Types.Annotation;
type Calculate = (annotation: Annotation, element: HTMLDivElement) => unknown;

interface Values {
  area?: number | null;
  perimeter?: number | null;
  length?: number | null;
  mean?: number | null;
  stdDev?: number | null;
  min?: number | null;
  max?: number | null;
  areaUnit?: string;
  unit?: string;
  modalityUnit?: string;
}

const LINES = [
  ['Area', 'area', 'areaUnit'],
  ['Mean', 'mean', 'modalityUnit'],
  ['SD', 'stdDev', 'modalityUnit'],
  ['Min', 'min', 'modalityUnit'],
  ['Max', 'max', 'modalityUnit'],
  ['Perimeter', 'perimeter', 'unit'],
  ['Length', 'length', 'unit'],
] as const;

/** The values of a region, or why there are none. */
export function regionWords(
  { cachedStats }: { cachedStats?: Record<string, Values> },
  target: string | string[],
): string[] {
  const values = cachedStats?.[[target].flat()[0] ?? ''];
  if (!values || values.area === null) return []; // not worked out yet
  const lines = LINES.flatMap(([name, key, unit]) => {
    const value = values[key];
    return typeof value === 'number' && Number.isFinite(value)
      ? [`${name}: ${utilities.roundNumber(value)} ${unitWords(values[unit])}`]
      : [];
  });
  const inside = typeof values.mean === 'number' || typeof values.length === 'number';
  return inside ? lines : [...lines, 'Reaches beyond the image: no values'];
}

/** The library's own way to measure what a closed line surrounds. */
const freehand = new tools.PlanarFreehandROITool() as unknown as {
  _calculateCachedStats: (a: Annotation, viewport: unknown, engine: unknown, enabled: unknown) => unknown;
};

function measured(annotation: Annotation, element: HTMLDivElement): unknown {
  const enabled = getEnabledElement(element);
  if (!enabled || !annotation.data.contour?.closed) return undefined;
  return freehand._calculateCachedStats(annotation, enabled.viewport, enabled.renderingEngine, enabled);
}

interface Calculating {
  _calculateCachedStats: Calculate;
  _throttledCalculateCachedStats: Calculate;
}

/** Have a tool say the mean, SD, least and greatest value inside its line, beside the area. */
function measuring(tool: object): void {
  const calculating = tool as Calculating;
  calculating._calculateCachedStats = measured;
  calculating._throttledCalculateCachedStats = tools.utilities.throttle(measured, 100, {
    trailing: true,
  }) as Calculate;
}

export class SplineTool extends tools.SplineROITool {
  constructor(...given: ConstructorParameters<typeof tools.SplineROITool>) {
    super(...given);
    measuring(this);
  }
}

export class LivewireTool extends tools.LivewireContourTool {
  constructor(...given: ConstructorParameters<typeof tools.LivewireContourTool>) {
    super(...given);
    measuring(this);
  }
}
