/**
 * What is wrong with a hanging protocol, before it is kept or applied.
 *
 * The server checks the same (`sightline.care.hanging`); `tests/care/hanging/refused.json` holds both to it.
 */

/** Adds what is wrong with the value at a path. */
type Check = (value: unknown, path: string, faults: string[]) => void;
type Fields = Record<string, { check: Check; required?: boolean }>;

const MOST_FAULTS = 20;
const CONTROL = /\p{Cc}/u;

/** Each fault as `path: what is wrong`; none means that the protocol can be used. */
export function validateProtocol(json: unknown): string[] {
  const faults: string[] = [];
  protocol(json, '', faults);
  return faults.slice(0, MOST_FAULTS);
}

const say = (faults: string[], path: string, what: string) => {
  faults.push(`${path || 'protocol'}: ${what}`);
};

const text =
  (least: number, most: number, pattern?: RegExp): Check =>
  (value, path, faults) => {
    if (typeof value !== 'string') say(faults, path, 'should be text');
    else if (value.length < least || value.length > most)
      say(faults, path, `should have ${least} to ${most} characters`);
    else if (pattern && !pattern.test(value)) say(faults, path, `should match ${pattern.source}`);
    else if (CONTROL.test(value)) say(faults, path, 'should hold no control characters');
  };

const whole =
  (least: number, most: number): Check =>
  (value, path, faults) => {
    const fits = Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
    if (!fits) say(faults, path, `should be a whole number from ${least} to ${most}`);
  };

const real =
  (above: number, most: number): Check =>
  (value, path, faults) => {
    const fits = typeof value === 'number' && value > above && value <= most;
    if (!fits) say(faults, path, `should be a number above ${above} and up to ${most}`);
  };

const oneOf =
  (...words: string[]): Check =>
  (value, path, faults) => {
    if (!words.includes(value as string)) say(faults, path, `should be one of ${words.join(', ')}`);
  };

const yesNo: Check = (value, path, faults) => {
  if (typeof value !== 'boolean') say(faults, path, 'should be true or false');
};

const orNull =
  (check: Check): Check =>
  (value, path, faults) => {
    if (value !== null) check(value, path, faults);
  };

const list =
  (check: Check, least: number, most: number): Check =>
  (value, path, faults) => {
    if (!Array.isArray(value)) return say(faults, path, 'should be a list');
    if (value.length < least || value.length > most)
      say(faults, path, `should hold ${least} to ${most} entries`);
    value.slice(0, most).forEach((one, index) => {
      check(one, join(path, index), faults);
    });
  };

const record =
  (fields: Fields, also?: (value: Record<string, unknown>, path: string, faults: string[]) => void): Check =>
  (value, path, faults) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return say(faults, path, 'should be an object');
    const held = value as Record<string, unknown>;
    for (const name of Object.keys(held)) {
      if (!Object.hasOwn(fields, name)) say(faults, join(path, name.slice(0, 40)), 'is not known here');
    }
    for (const [name, { check, required }] of Object.entries(fields)) {
      if (held[name] !== undefined) check(held[name], join(path, name), faults);
      else if (required) say(faults, join(path, name), 'is missing');
    }
    also?.(held, path, faults);
  };

const join = (path: string, next: string | number): string => (path ? `${path}.${next}` : String(next));
const must = (check: Check) => ({ check, required: true });
const may = (check: Check) => ({ check });

const WORDS = list(text(1, 64), 0, 16);
const MODALITIES = list(text(1, 16, /^[A-Z0-9_]+$/), 0, 16);
const PLANE = ['axial', 'sagittal', 'coronal'];

const selector = record({
  modalities: may(MODALITIES),
  words: may(WORDS),
  not_words: may(WORDS),
  plane: may(orNull(oneOf(...PLANE))),
  laterality: may(orNull(oneOf('L', 'R'))),
  view: may(orNull(text(1, 16, /^[A-Z0-9]+$/))),
  contrast: may(orNull(yesNo)),
  most_images: may(yesNo),
  nth: may(whole(1, 20)),
});

const levels = record({ center: must(real(-1e7, 1e7)), width: must(real(0, 1e7)) });
const named = record({ preset: must(text(1, 40)) });
const window: Check = (value, path, faults) => {
  const isNamed = typeof value === 'object' && value !== null && 'preset' in value;
  (isNamed ? named : levels)(value, path, faults);
};

const pane = record({
  study: may(whole(0, 8)),
  series: must(orNull(selector)),
  show: may(oneOf('stack', ...PLANE, 'volume')),
  projection: may(
    orNull(record({ kind: must(oneOf('max', 'min', 'average')), slab_mm: must(real(0, 2000)) })),
  ),
  window: may(orNull(window)),
  invert: may(orNull(yesNo)),
  colour_map: may(orNull(text(1, 40))),
  fusion: may(orNull(selector)),
  scale: may(oneOf('fit', 'same', 'actual')),
  side: may(orNull(oneOf('left', 'right'))),
  link: may(orNull(text(1, 40))),
});

const stage = record(
  {
    name: must(text(1, 80)),
    rows: must(whole(1, 4)),
    columns: must(whole(1, 4)),
    panes: must(list(pane, 1, 16)),
  },
  ({ rows, columns, panes }, path, faults) => {
    const wanted = Number(rows) * Number(columns);
    if (Array.isArray(panes) && Number.isInteger(wanted) && panes.length !== wanted) {
      say(faults, path, `should hold one pane for each of its ${wanted} places`);
    }
  },
);

const priors = record(
  { least: may(whole(0, 8)), most: may(orNull(whole(0, 99))) },
  ({ least, most }, path, faults) => {
    if (typeof most === 'number' && most < Number(least ?? 0))
      say(faults, path, 'the most should not be below the least');
  },
);

const match = record({
  modalities: may(MODALITIES),
  body_parts: may(list(text(1, 32, /^[A-Z0-9 _-]+$/), 0, 16)),
  laterality: may(orNull(oneOf('L', 'R'))),
  words: may(WORDS),
  priors: may(priors),
});

const protocol = record({
  id: must(text(1, 64, /^[a-z0-9][a-z0-9-]*$/)),
  name: must(text(1, 80)),
  description: may(text(0, 400)),
  match: must(match),
  stages: must(list(stage, 1, 12)),
});
