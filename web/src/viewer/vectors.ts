/** Three numbers in patient space, and the little arithmetic that needs no library. */
export type Vec3 = readonly [number, number, number];

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec3, by: number): Vec3 => [a[0] * by, a[1] * by, a[2] * by];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const length = (a: Vec3): number => Math.hypot(a[0], a[1], a[2]);
/** The same direction, one long. */
export const unit = (a: Vec3): Vec3 => scale(a, 1 / Math.max(length(a), 1e-12));
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** Drop the part of `a` that lies along the unit vector `normal`. */
export const inPlane = (a: Vec3, normal: Vec3): Vec3 => subtract(a, scale(normal, dot(a, normal)));

/** Rotate a vector about a unit axis (Rodrigues). */
export function rotate(v: Vec3, axis: Vec3, degrees: number): Vec3 {
  const angle = (degrees * Math.PI) / 180;
  const along = scale(axis, dot(axis, v) * (1 - Math.cos(angle)));
  return add(add(scale(v, Math.cos(angle)), scale(cross(axis, v), Math.sin(angle))), along);
}
