/**
 * Measurements as plain values, to be kept by the server and drawn again: the library's annotations and back.
 *
 * Invariants: points are in mm (LPS) where the image lies in space, and always in columns and rows of the image they
 * were drawn on ((0, 0) is the corner of the first pixel, PS3.3 C.18.6.1.2); a measurement keeps its UID for life.
 */
import { metaData } from '@cornerstonejs/core';
import * as tools from '@cornerstonejs/tools';
import { uidOfUuid } from './dicom';
import { KnownLengthTool, knownMmOf } from './known-length';
import { calibrationOf } from './lookup';
import { probedValue } from './probe';
import { pixelOf, type SeriesToShow, type Slice, worldOf } from './series';
import { scalingOf } from './units';
import { add, cross, length, scale, subtract, unit, type Vec3 } from './vectors';
import { volumeIdOf } from './volume-id';

export type MeasurementKind =
  | 'length'
  | 'calibrated-length'
  | 'bidirectional'
  | 'angle'
  | 'cobb'
  | 'ellipse'
  | 'rectangle'
  | 'freehand'
  | 'spline'
  | 'probe'
  | 'arrow'
  | 'text';

export interface MeasuredValue {
  name: string;
  value: number;
  unit: string;
  method: string;
}

export interface Measurement {
  uid: string;
  kind: MeasurementKind;
  label: string;
  series_uid: string;
  sop_uid: string;
  frame: number;
  frame_of_reference_uid: string;
  points_px: [number, number][] | null;
  points_lps_mm: [number, number, number][] | null;
  values: MeasuredValue[];
  calibration: string;
}

type Point = [number, number, number];
type Stats = Record<string, number | string | number[] | undefined>;

const KINDS: Record<string, MeasurementKind> = {
  [tools.LengthTool.toolName]: 'length',
  [KnownLengthTool.toolName]: 'calibrated-length',
  [tools.BidirectionalTool.toolName]: 'bidirectional',
  [tools.AngleTool.toolName]: 'angle',
  [tools.CobbAngleTool.toolName]: 'cobb',
  [tools.EllipticalROITool.toolName]: 'ellipse',
  [tools.CircleROITool.toolName]: 'ellipse',
  [tools.RectangleROITool.toolName]: 'rectangle',
  [tools.PlanarFreehandROITool.toolName]: 'freehand',
  [tools.SplineROITool.toolName]: 'spline',
  [tools.LivewireContourTool.toolName]: 'freehand',
  [tools.ProbeTool.toolName]: 'probe',
  [tools.ArrowAnnotateTool.toolName]: 'arrow',
  [tools.LabelTool.toolName]: 'text',
};
/** Contours come back as freehand ones, circles as ellipses: their points are kept, not the way they were drawn. */
const TOOL_OF: Record<MeasurementKind, string> = {
  length: tools.LengthTool.toolName,
  'calibrated-length': KnownLengthTool.toolName,
  bidirectional: tools.BidirectionalTool.toolName,
  angle: tools.AngleTool.toolName,
  cobb: tools.CobbAngleTool.toolName,
  ellipse: tools.EllipticalROITool.toolName,
  rectangle: tools.RectangleROITool.toolName,
  freehand: tools.PlanarFreehandROITool.toolName,
  spline: tools.PlanarFreehandROITool.toolName,
  probe: tools.ProbeTool.toolName,
  arrow: tools.ArrowAnnotateTool.toolName,
  text: tools.LabelTool.toolName,
};
const CONTOURS = new Set<MeasurementKind>(['freehand', 'spline']);
/** How many points a measurement has at least. */
const POINTS: Record<MeasurementKind, number> = {
  length: 2,
  'calibrated-length': 2,
  bidirectional: 4,
  angle: 3,
  cobb: 4,
  ellipse: 4,
  rectangle: 4,
  freehand: 3,
  spline: 3,
  probe: 1,
  arrow: 2,
  text: 1,
};
/** What the library calls a value, what we call it, and where its unit stands. */
const VALUES: readonly (readonly [string, string, string])[] = [
  ['length', 'length', 'unit'],
  ['width', 'short_axis', 'unit'],
  ['angle', 'angle', ''],
  ['area', 'area', 'areaUnit'],
  ['perimeter', 'perimeter', 'unit'],
  ['mean', 'mean', 'modalityUnit'],
  ['stdDev', 'sd', 'modalityUnit'],
  ['min', 'min', 'modalityUnit'],
  ['max', 'max', 'modalityUnit'],
];

export interface Drawn {
  series: SeriesToShow;
  slice: Slice;
}

/** Where each image of the series shown belongs. */
export function imagesOf(shown: readonly SeriesToShow[]): Map<string, Drawn> {
  return new Map(
    shown.flatMap((series) => series.slices.map((slice) => [slice.imageId, { series, slice }] as const)),
  );
}

/** UIDs of what was drawn on this page at some time: only such a measurement can have been removed by the person. */
const once = new Set<string>();

export const wasDrawn = (uid: string): boolean => once.has(uid);

export const forgetDrawn = (): void => once.clear();

/** Every measurement that is drawn on the given images, in the order of drawing. */
export function measurementsOn(images: ReadonlyMap<string, Drawn>): Measurement[] {
  const found = tools.annotation.state.getAllAnnotations().flatMap((a) => measurementOf(a, images) ?? []);
  for (const { uid } of found) once.add(uid);
  return found;
}

function measurementOf(
  annotation: tools.Types.Annotation,
  images: ReadonlyMap<string, Drawn>,
): Measurement | null {
  const kind = KINDS[annotation.metadata?.toolName ?? ''];
  const imageId = annotation.metadata?.referencedImageId ?? '';
  const drawn = images.get(imageId);
  if (!kind) return null;
  if (!drawn) return inPlane(annotation, kind, images);
  const points = pointsOf(annotation, kind, drawn.slice);
  if (points.length < POINTS[kind]) return null; // still being drawn
  const knownMm = knownMmOf(annotation);
  if (kind === 'calibrated-length' && !knownMm) return null; // still being asked for
  const { series, slice } = drawn;
  const instance = series.instances[slice.instance] ?? {};
  return {
    uid: uidOf(annotation),
    kind,
    label: annotation.data.label ?? '',
    series_uid: series.uid,
    sop_uid: slice.sopUid,
    frame: slice.frame,
    frame_of_reference_uid: series.frameOfReference,
    points_px: points.map((p) => [...pixelOf(slice, p)] as [number, number]),
    points_lps_mm: slice.positionLpsMm && slice.axes ? points : null,
    values: knownMm
      ? [{ name: 'length', value: knownMm, unit: 'mm', method: '' }]
      : valuesOf(annotation, kind, {
          pixel: scalingOf(instance, series.modality).unit,
          length: slice.spacing ? 'mm' : 'px',
        }),
    calibration: calibrationOf(instance),
  };
}

/** A measurement in a plane through a volume: it lies in the patient, on no image. */
function inPlane(
  annotation: tools.Types.Annotation,
  kind: MeasurementKind,
  images: ReadonlyMap<string, Drawn>,
): Measurement | null {
  const volume = (annotation.metadata as { volumeId?: string } | undefined)?.volumeId ?? '';
  const series = [...images.values()].find(({ series: s }) => volume.includes(`:${s.uid}-`))?.series;
  const points = pointsOf(annotation, kind, null);
  if (!series || points.length < POINTS[kind]) return null;
  const unit = scalingOf(series.instances[0] ?? {}, series.modality).unit;
  return {
    uid: uidOf(annotation),
    kind,
    label: annotation.data.label ?? '',
    series_uid: series.uid,
    sop_uid: '',
    frame: 1,
    frame_of_reference_uid: series.frameOfReference,
    points_px: null,
    points_lps_mm: points,
    values: valuesOf(annotation, kind, { pixel: unit, length: 'mm' }),
    calibration: '',
  };
}

function pointsOf(annotation: tools.Types.Annotation, kind: MeasurementKind, slice: Slice | null): Point[] {
  const { handles, contour } = annotation.data;
  const points = (CONTOURS.has(kind) ? contour?.polyline : handles?.points) as Point[] | undefined;
  // A text has a second handle in the library, where its words stand.
  const wanted = kind === 'text' || kind === 'probe' ? points?.slice(0, 1) : points;
  const copied = (wanted ?? []).map((p) => [p[0], p[1], p[2]] as Point);
  const [a, b, c, d] = copied;
  if (annotation.metadata?.toolName === tools.CircleROITool.toolName && a && b) return ellipseOf(a, b, slice);
  // The library counts corners row by row; a rectangle goes round.
  return kind === 'rectangle' && a && b && c && d ? [a, b, d, c] : copied;
}

/** The ends of two axes of a circle given by its centre and a point of it. */
function ellipseOf(centre: Point, edge: Point, slice: Slice | null): Point[] {
  const along = unit(subtract(edge, centre));
  const row: Vec3 = slice?.axes?.row ?? [1, 0, 0];
  const column: Vec3 = slice?.axes?.column ?? [0, 1, 0];
  const across = unit(cross(cross(row, column), along));
  const radius = length(subtract(edge, centre));
  const at = (direction: Vec3, r: number): Point => [...add(centre, scale(direction, r))] as Point;
  return [at(along, radius), at(along, -radius), at(across, radius), at(across, -radius)];
}

function valuesOf(
  annotation: tools.Types.Annotation,
  kind: MeasurementKind,
  units: { pixel: string; length: 'mm' | 'px' },
): MeasuredValue[] {
  const [target, found] = Object.entries(annotation.data.cachedStats ?? {})[0] ?? [];
  if (!target || !found) return [];
  const stats = found as Stats;
  if (kind === 'probe') {
    const value = probedValue(stats, target);
    const unit = PIXEL_UNITS[units.pixel] ?? '1';
    return typeof value === 'number' ? [{ name: 'value', value, unit, method: '' }] : [];
  }
  return VALUES.flatMap(([key, ours, unitKey]) => {
    const value = stats[key];
    if (typeof value !== 'number' || !Number.isFinite(value)) return [];
    const name = kind === 'bidirectional' && ours === 'length' ? 'long_axis' : ours;
    const power = ours === 'area' ? '2' : '';
    const unit = !unitKey
      ? 'deg'
      : unitKey === 'modalityUnit'
        ? (PIXEL_UNITS[units.pixel] ?? '1')
        : `${units.length}${power}`;
    return [{ name, value, unit, method: '' }];
  });
}

const PIXEL_UNITS: Record<string, string> = { HU: "[hnsf'U]", SUVbw: 'g/ml{SUVbw}', 'Bq/ml': 'Bq/ml' };

/** A UID for life: the library's own name where it is one already, else one made from it (PS3.5 B.2). */
function uidOf(annotation: tools.Types.Annotation): string {
  const name = annotation.annotationUID ?? '';
  if (/^[0-9.]+$/.test(name)) return name;
  return /^[0-9a-f]{32}$/i.test(name.replace(/-/g, '')) ? uidOfUuid(name) : name;
}

/** Draw measurements again; those already there, or on images that are not shown, are left out. */
export function drawAgain(measurements: readonly Measurement[], images: ReadonlyMap<string, Drawn>): void {
  const byPlace = new Map(
    [...images].map(([imageId, { slice }]) => [`${slice.sopUid} ${slice.frame}`, imageId]),
  );
  const there = new Set(tools.annotation.state.getAllAnnotations().map(uidOf));
  for (const m of measurements) {
    const imageId = byPlace.get(`${m.sop_uid} ${m.frame}`);
    if (there.has(m.uid) || !TOOL_OF[m.kind]) continue;
    if (!imageId) {
      const planar = planarAnnotation(m, images);
      if (planar) draw(planar, m);
      continue;
    }
    draw(annotationOf(m, imageId, images.get(imageId) as Drawn), m);
  }
}

function draw(annotation: tools.Types.Annotation, { uid }: Measurement): void {
  once.add(uid);
  // Without an element it belongs to the space it names, whichever pane shows that.
  tools.annotation.state.addAnnotation(annotation, '');
}

/** A measurement in an axial, sagittal or coronal plane again; of others nothing says how their plane was turned. */
function planarAnnotation(m: Measurement, images: ReadonlyMap<string, Drawn>): tools.Types.Annotation | null {
  const points = m.points_lps_mm ?? [];
  const series = [...images.values()].find(({ series: s }) => s.uid === m.series_uid)?.series;
  const [first] = points;
  const axis = [2, 0, 1].find((k) => points.every((p) => Math.abs((p[k] ?? 0) - (first?.[k] ?? 0)) < 0.01));
  if (m.points_px || !series || !first || axis === undefined) return null;
  const normal: Point = [0, 0, 0];
  normal[axis] = axis === 2 ? -1 : 1;
  const annotation = annotationOf({ ...m, points_px: [] }, '', { series, slice: series.slices[0] as Slice });
  annotation.metadata = {
    toolName: TOOL_OF[m.kind],
    FrameOfReferenceUID: series.frameOfReference,
    viewPlaneNormal: normal,
    viewUp: axis === 2 ? [0, -1, 0] : [0, 0, 1],
    volumeId: volumeIdOf(series, 0),
  } as never;
  return annotation;
}

function annotationOf(m: Measurement, imageId: string, { series, slice }: Drawn): tools.Types.Annotation {
  const world =
    m.points_lps_mm ?? (m.points_px ?? []).map(([column, row]) => [...worldOf(slice, column, row)] as Point);
  const [a, b, c, d] = world;
  const points = m.kind === 'rectangle' && a && b && c && d ? [a, b, d, c] : world;
  const contour = CONTOURS.has(m.kind);
  return {
    annotationUID: m.uid,
    highlighted: false,
    invalidated: true,
    isLocked: m.kind === 'calibrated-length',
    isVisible: true,
    metadata: {
      toolName: TOOL_OF[m.kind],
      // As the engine has it, which gives an image without a space none.
      FrameOfReferenceUID: metaData.get('imagePlaneModule', imageId)?.frameOfReferenceUID,
      referencedImageId: imageId,
      ...(slice.axes && { viewUp: slice.axes.column.map((v) => -v) as Point }),
      ...(series.normal && { viewPlaneNormal: series.normal.map((v) => -v) as Point }),
    },
    data: {
      label: m.label,
      text: m.label,
      cachedStats: {},
      ...(m.kind === 'calibrated-length' && { knownMm: m.values[0]?.value }),
      ...(contour && { contour: { polyline: points, closed: true } }),
      handles: {
        points: contour ? [] : points,
        activeHandleIndex: null,
        ...(m.kind === 'arrow' && { arrowFirst: true }),
        textBox: {
          hasMoved: false,
          worldPosition: [0, 0, 0],
          worldBoundingBox: {
            topLeft: [0, 0, 0],
            topRight: [0, 0, 0],
            bottomLeft: [0, 0, 0],
            bottomRight: [0, 0, 0],
          },
        },
      },
    },
  } as tools.Types.Annotation;
}
