/** A line whose length the reader knows; it sets the scale of its image. */
import { LengthTool, type Types } from '@cornerstonejs/tools';

export class KnownLengthTool extends LengthTool {
  static override toolName = 'KnownLength';
}

type Data = Types.Annotation['data'] & { knownMm?: number };

/** The length that was given, in mm; undefined while it is being asked for, and for every other tool. */
export const knownMmOf = (annotation: Types.Annotation): number | undefined =>
  (annotation.data as Data).knownMm;

export const wordsOfKnown = (data: Data): string[] => [
  data.knownMm ? `${data.knownMm} mm, given by the reader` : '… mm',
];

/** Take the length of a line; it is not moved any more. */
export function setKnown(annotation: Types.Annotation, mm: number): void {
  (annotation.data as Data).knownMm = mm;
  annotation.isLocked = true;
}
