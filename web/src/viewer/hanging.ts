/**
 * Hanging protocols: which one a study gets; what its panes show is in `hanging-fill`.
 *
 * Invariant: the same protocols and facts always give the same answer, with its reason.
 */
import { hasWord, protocolFacts } from './hanging-facts';
import { type FilledStage, stagesThatFill } from './hanging-fill';
import type { Facts, Match, OwnedProtocol, Owner, Protocol, StudyFacts } from './hanging-types';

export { validateProtocol } from './hanging-check';
export { protocolFacts, seriesFacts, studyFacts } from './hanging-facts';
export { type FilledStage, fillStage, stagesThatFill } from './hanging-fill';
export { type Arrangement, type PlacedPane, protocolFromPanes, protocolId, withRegion } from './hanging-make';
export type * from './hanging-types';

export interface Choice extends OwnedProtocol {
  /** Why this one, in one line for the reader. */
  why: string;
}

const OWNERS: readonly Owner[] = ['mine', 'site', 'built-in'];
const OWNER_WORDS: Record<Owner, string> = { mine: 'yours', site: "the site's", 'built-in': 'built in' };

/**
 * The protocol for a study: a person's own before all others that fit, then the most specific (modality, region or
 * words, side), among equals the site's before the built-in ones, then the one that asks for more priors, then the
 * one with fewer alternatives, then by id. Null when none fits.
 */
export function chooseProtocol(protocols: readonly OwnedProtocol[], facts: Facts): Choice | null {
  const fitting = protocols.flatMap((owned) => {
    const reasons = reasonsFor(owned.protocol.match, facts);
    return reasons ? [{ owned, reasons }] : [];
  });
  const [best] = fitting.sort(
    (a, b) =>
      Number(b.owned.owner === 'mine') - Number(a.owned.owner === 'mine') ||
      b.reasons.length - a.reasons.length ||
      OWNERS.indexOf(a.owned.owner) - OWNERS.indexOf(b.owned.owner) ||
      leastPriors(b.owned.protocol) - leastPriors(a.owned.protocol) ||
      alternatives(a.owned.protocol.match) - alternatives(b.owned.protocol.match) ||
      (a.owned.protocol.id < b.owned.protocol.id ? -1 : 1),
  );
  if (!best) return null;
  const { owner, protocol } = best.owned;
  const reasons = [...best.reasons, ...priorReason(protocol, facts)];
  return {
    owner,
    protocol,
    why: `${protocol.name} (${OWNER_WORDS[owner]}): ${reasons.join(', ') || 'fits any study'}`,
  };
}

export interface Hung {
  choice: Choice;
  stages: FilledStage[];
}

/**
 * The protocol for these studies with its stages filled: the best one of which a stage shows something. Null when
 * there is nothing to show. The current study comes first, then its chosen prior, then those before.
 */
export function hang(protocols: readonly OwnedProtocol[], studies: readonly StudyFacts[]): Hung | null {
  const facts = protocolFacts(studies);
  let left = [...protocols];
  for (;;) {
    const choice = chooseProtocol(left, facts);
    if (!choice) return null;
    const stages = stagesThatFill(choice.protocol, studies);
    if (stages.length) return { choice, stages };
    left = left.filter(({ protocol }) => protocol !== choice.protocol);
  }
}

/** What of a study fits, one entry for each criterion that is set; null when one does not. */
function reasonsFor(match: Match, facts: Facts): string[] | null {
  const reasons: (string | null)[] = [];
  const { modalities = [], body_parts = [], words = [], laterality, priors } = match;
  if (facts.priors < (priors?.least ?? 0) || facts.priors > (priors?.most ?? Number.POSITIVE_INFINITY))
    return null;
  if (modalities.length) reasons.push(modalities.find((m) => facts.modalities.includes(m)) ?? null);
  if (body_parts.length || words.length) reasons.push(regionReason(body_parts, words, facts));
  if (laterality)
    reasons.push(facts.laterality === laterality ? (laterality === 'L' ? 'left' : 'right') : null);
  return reasons.every((reason) => reason !== null) ? reasons : null;
}

/** Devices often leave the body part out or keep a wrong one, so a word of the examination counts as much. */
function regionReason(bodyParts: string[], words: string[], facts: Facts): string | null {
  const tight = (part: string) => part.toUpperCase().replace(/[^A-Z0-9]/g, '');
  const part = bodyParts.find((p) => facts.bodyParts.some((held) => tight(held).includes(tight(p))));
  if (part) return part.toLowerCase();
  const word = words.find((w) => hasWord(facts.words, w));
  return word ? `“${word}”` : null;
}

function priorReason(protocol: Protocol, facts: Facts): string[] {
  const { least = 0, most = null } = protocol.match.priors ?? {};
  if (facts.priors === 0 && most === 0) return ['no prior'];
  return least > 0 ? [facts.priors === 1 ? 'with its prior' : `with ${facts.priors} priors`] : [];
}

const leastPriors = (protocol: Protocol): number => protocol.match.priors?.least ?? 0;

const alternatives = (match: Match): number =>
  (match.modalities?.length ?? 0) + (match.body_parts?.length ?? 0) + (match.words?.length ?? 0);
