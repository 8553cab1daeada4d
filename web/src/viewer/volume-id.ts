/** What the volume of one phase of a series is called in the engine. */
import type { SeriesToShow } from './series';

export const volumeIdOf = (series: SeriesToShow, phase: number): string =>
  `cornerstoneStreamingImageVolume:${series.uid}-${phase}`;
