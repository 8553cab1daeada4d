/**
 * Edits of a response plan, and the words and colours of what it says.
 *
 * Invariants: an edit returns a new plan and leaves the old one as it was; a lesion that changes its role keeps
 * what was said of it; a study stands in one time point only.
 */
import type { Judgement, Plan, PlannedLesion, PlannedPoint } from '../../api';

export type Role = PlannedLesion['role'];

export const pointsOf = (plan: Plan): PlannedPoint[] => plan.points ?? [];
export const lesionsOf = (plan: Plan): PlannedLesion[] => plan.lesions ?? [];
export const idOf = (point: PlannedPoint): string => point.studies[0] ?? '';

/** Change one lesion. */
export function withLesion(plan: Plan, uid: string, change: Partial<PlannedLesion>): Plan {
  const lesions = lesionsOf(plan).map((one) => (one.tracking_uid === uid ? { ...one, ...change } : one));
  return { ...plan, lesions };
}

/** Take a lesion out; it is not offered again. */
export function withoutLesion(plan: Plan, uid: string): Plan {
  const lesions = lesionsOf(plan).filter((one) => one.tracking_uid !== uid);
  return { ...plan, lesions, left_out: [...(plan.left_out ?? []), uid] };
}

/** Add a lesion that no finding stands for, or one that was left out. */
export function withNewLesion(plan: Plan, lesion: PlannedLesion): Plan {
  const left_out = (plan.left_out ?? []).filter((uid) => uid !== lesion.tracking_uid);
  return { ...plan, lesions: [...lesionsOf(plan), lesion], left_out };
}

/** Say something of a lesion at a time point, or take it back with null: the finding then speaks again. */
export function withJudgement(plan: Plan, uid: string, at: string, said: Judgement | null): Plan {
  const lesion = lesionsOf(plan).find((one) => one.tracking_uid === uid);
  const { [at]: _before, ...others } = lesion?.judgements ?? {};
  return withLesion(plan, uid, { judgements: said ? { ...others, [at]: said } : others });
}

/** Change what a time point says beside the lesions. */
export function withPoint(plan: Plan, id: string, change: Partial<PlannedPoint>): Plan {
  return { ...plan, points: pointsOf(plan).map((one) => (idOf(one) === id ? { ...one, ...change } : one)) };
}

/** Choose the studies and which of them is the baseline; studies of one day are one time point. */
export function withStudies(
  plan: Plan,
  chosen: readonly { uid: string; date: string }[],
  baseline: string,
): Plan {
  const days = new Map<string, string[]>();
  for (const study of chosen) days.set(study.date, [...(days.get(study.date) ?? []), study.uid]);
  const before = pointsOf(plan);
  const points = [...days].sort().map(([, studies]) => {
    const same = before.find((point) => point.studies.some((uid) => studies.includes(uid)));
    const first = same && studies.includes(idOf(same)) ? idOf(same) : studies[0];
    const ordered = [first ?? '', ...studies.filter((uid) => uid !== first)];
    return { ...(same ?? {}), studies: ordered };
  });
  const start = points.findIndex((point) => point.studies.includes(baseline));
  const kept = points.slice(Math.max(start, 0));
  const ids = new Set(kept.map(idOf));
  const lesions = lesionsOf(plan).map((lesion) => ({
    ...lesion,
    judgements: Object.fromEntries(Object.entries(lesion.judgements ?? {}).filter(([at]) => ids.has(at))),
  }));
  return { ...plan, points: kept, lesions };
}

/** Set aside what was offered: its studies and lesions are not offered again. */
export function withoutOffer(plan: Plan, offered: Plan): Plan {
  const studies = new Set(pointsOf(plan).flatMap((point) => point.studies));
  const lesions = new Set(lesionsOf(plan).map((lesion) => lesion.tracking_uid));
  const aside = [
    ...pointsOf(offered).flatMap((point) => point.studies.filter((uid) => !studies.has(uid))),
    ...lesionsOf(offered).flatMap((one) => (lesions.has(one.tracking_uid) ? [] : [one.tracking_uid])),
  ];
  return { ...plan, left_out: [...(plan.left_out ?? []), ...aside] };
}

/** A UID of our own making: `2.25.` and a random UUID as a number (PS3.5 B.2). */
export function newUid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return `2.25.${bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)}`;
}

export type Tone = 'good' | 'plain' | 'urgent' | 'warning';

/** How a category looks; what it amounts to is in its letters. */
export function toneOf(category: string | null): Tone {
  if (!category || category === 'baseline') return 'plain';
  if (/^i?(CR|PR)$|^(CMR|PMR|MR)$/.test(category)) return 'good';
  if (/PD$|^PMD$|UPD$/.test(category) && !/^non/.test(category)) return 'urgent';
  return category.startsWith('NE') ? 'warning' : 'plain';
}

export const STATES = [
  ['', 'as the finding says'],
  ['measured', 'measured'],
  ['too-small', 'there, too small to measure'],
  ['present', 'there, not measured'],
  ['absent', 'absent'],
  ['progressed', 'unequivocally progressed'],
  ['equivocal', 'perhaps there'],
  ['not-assessable', 'not assessable'],
  ['split', 'split into others'],
  ['merged', 'merged into another'],
] as const;

export const ROLES: readonly (readonly [Role, string, string])[] = [
  ['target', 'Targets', 'target'],
  ['non-target', 'Non-targets', 'non-target'],
  ['new', 'New lesions', 'new'],
];

export const QUANTITY: Record<string, string> = {
  'long-axis': 'long axis',
  'short-axis': 'short axis',
  'viable-long-axis': 'viable long axis',
  volume: 'volume',
  density: 'density',
  'sul-peak': 'SULpeak',
  tlg: 'TLG',
};

const DAYS_A_WEEK = 7;

/** `week 13`, `day 10`: how long after the baseline. */
export const since = (days: number): string =>
  days === 0
    ? 'baseline'
    : Math.abs(days) < 4 * DAYS_A_WEEK
      ? `day ${days}`
      : `week ${Math.round(days / DAYS_A_WEEK)}`;
