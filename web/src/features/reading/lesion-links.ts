/**
 * Which findings of two dates are one lesion, as a person says it: confirmed, told apart, merged, split.
 *
 * Invariants: alignment only proposes; what a person said can be taken back, and change and curve follow at once.
 */
import { signal } from '@preact/signals';
import { api, type Candidate, type Finding, get, post, remove } from '../../api';
import { perform, tell, tellError } from '../../ui/toasts';
import { isDecidable } from './finding-store';

type Identity = 'same' | 'different' | 'merged' | 'split';

interface Reader {
  readonly refresh: () => Promise<void>;
  readonly flush: () => Promise<void>;
}

export class LesionLinks {
  /** The finding whose counterparts are being chosen. */
  readonly choosing = signal<string | null>(null);
  /** The findings of the prior that it could be; null while they are fetched. */
  readonly candidates = signal<readonly Candidate[] | null>(null);

  constructor(private readonly reader: Reader) {}

  /** Say what findings of the prior (`earlier`) and of this study are to each other. */
  async say(identity: Identity, earlier: readonly string[], later: readonly string[]): Promise<void> {
    let statement: string | null = null;
    await this.reader.flush();
    await perform(
      WORDS[identity],
      async () => {
        statement = (await post<{ statement: string }>(api.lesionLinks, { identity, earlier, later }))
          .statement;
        this.close();
        await this.reader.refresh();
      },
      async () => {
        if (statement) await remove(api.lesionLink(statement));
        await this.reader.refresh();
      },
    );
  }

  /** What alignment proposes is right. */
  confirm(finding: Finding): Promise<void> {
    return this.#sayOfPair('same', finding);
  }

  /** What alignment proposes, or somebody said, is another lesion. */
  tellApart(finding: Finding): Promise<void> {
    return this.#sayOfPair('different', finding);
  }

  /** Take back what was said of a finding. */
  async takeBack(finding: Finding): Promise<void> {
    const statement = finding.change?.statement;
    if (!statement) return;
    await this.reader.flush();
    try {
      await remove(api.lesionLink(statement));
      await this.reader.refresh();
      tell('Link taken back');
    } catch (error) {
      tellError(error);
    }
  }

  /** Offer what a finding could be linked with. */
  async choose(finding: Finding): Promise<void> {
    if (this.choosing.value === finding.id) return this.close();
    this.choosing.value = finding.id;
    this.candidates.value = null;
    if (!isDecidable(finding)) return; // of the prior: the findings of this study are here already
    try {
      const found = await get<Candidate[]>(api.candidates(finding.id));
      if (this.choosing.value === finding.id) this.candidates.value = found;
    } catch (error) {
      this.close();
      tellError(error);
    }
  }

  close(): void {
    this.choosing.value = null;
    this.candidates.value = null;
  }

  async #sayOfPair(identity: Identity, { current, prior }: Finding): Promise<void> {
    if (!current || !prior)
      return tell('This finding is not linked with one of the prior; choose one first.');
    await this.say(identity, [prior.finding_id], [current.finding_id]);
  }
}

const WORDS: Record<Identity, string> = {
  same: 'Said to be the same lesion',
  different: 'Said to be two lesions',
  merged: 'Said to have merged',
  split: 'Said to have split',
};

/** How a finding is linked, in a few words. */
export function linkWords({ change, prior }: Finding): { words: string; doubtful: boolean } {
  const by = change?.said_by ?? '';
  if (change?.said === 'same') return { words: `same lesion as in the prior, said ${by}`, doubtful: false };
  if (change?.said === 'merged')
    return { words: `several lesions of the prior became this one, said ${by}`, doubtful: false };
  if (change?.said === 'split')
    return { words: `part of a lesion of the prior, said ${by}`, doubtful: false };
  if (change?.said === 'different' && !prior)
    return { words: `not the lesion of the prior, said ${by}`, doubtful: false };
  if (change?.linked) return { words: 'same lesion as in the prior, by alignment', doubtful: false };
  if (prior && change) return { words: 'may be a lesion of the prior: a person decides', doubtful: true };
  return { words: 'not linked with the prior', doubtful: false };
}

/** What choosing so many findings of either study would say; or why it says nothing yet. */
export function identityOf(earlier: number, later: number): Identity | string {
  if (earlier === 1 && later === 1) return 'same';
  if (earlier > 1 && later === 1) return 'merged';
  if (earlier === 1 && later > 1) return 'split';
  return earlier && later
    ? 'Several of both cannot be told: say it in two steps.'
    : 'Choose a finding of each study.';
}
