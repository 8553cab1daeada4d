/** Objects that came under a UID that is held with other content: a person decides which one is right. */
import { useEffect, useState } from 'preact/hooks';
import { get, post } from '../../api';
import { archive, type Conflict, type ConflictDecision, type Page } from '../../api/archive';
import { Frame } from '../../app/frame';
import { pathTo } from '../../app/router';
import { can } from '../../app/session';
import { count, moment } from '../../ui/format';
import { offer } from '../../ui/keys';
import { useLoaded } from '../../ui/load';
import { personName } from '../../ui/names';
import { Button } from '../../ui/primitives';
import { Nothing, Whole } from '../../ui/states';
import { tell, tellError } from '../../ui/toasts';
import './archive.css';

const EVERY_MS = 15_000;

interface Choice {
  decision: ConflictDecision;
  words: string;
  hint: string;
}

const KEEP: Choice = {
  decision: 'keep-held',
  words: 'Keep what is held',
  hint: 'The new object goes into the trash.',
};

/** What can be decided, by what the two disagree in. */
const CHOICES: Readonly<Record<string, readonly Choice[]>> = {
  content: [
    KEEP,
    {
      decision: 'replace',
      words: 'Take the new one',
      hint: 'The held one is rejected, and can be restored.',
    },
    { decision: 'store-apart', words: 'Keep both', hint: 'The new one is given a UID of its own.' },
  ],
  patient: [
    KEEP,
    { decision: 'replace', words: 'The new patient is right', hint: 'The whole study is given to them.' },
    { decision: 'store-apart', words: 'They are two studies', hint: 'The new one is given UIDs of its own.' },
    { decision: 'adopt', words: 'The held patient is right', hint: 'The new object joins the study held.' },
  ],
  series: [
    KEEP,
    { decision: 'adopt', words: 'Put it with its series', hint: 'It joins the study that holds the series.' },
    { decision: 'store-apart', words: 'They are two series', hint: 'The new one is given UIDs of its own.' },
  ],
};

const KINDS: Readonly<Record<string, string>> = {
  content: 'Another object under a held UID',
  patient: 'Another patient in a held study',
  series: 'A series that is held in another study',
};

const choicesOf = ({ kind }: Pick<Conflict, 'kind'>): readonly Choice[] =>
  CHOICES[kind] ?? CHOICES.content ?? [];

export function ConflictsPage() {
  const loaded = useLoaded((signal) => get<Page<Conflict>>(archive.conflicts, signal), 'conflicts', EVERY_MS);
  const [chosen, choose] = useState<number | null>(null);
  const items = loaded.data?.items ?? [];
  const at = Math.max(
    0,
    items.findIndex((c) => c.id === chosen),
  );
  const conflict = items[at];
  const step = (by: number) => choose(items[Math.min(Math.max(at + by, 0), items.length - 1)]?.id ?? null);
  useEffect(() =>
    offer('conflicts', [
      {
        id: 'conflict-down',
        label: 'Next conflict',
        keys: ['ArrowDown'],
        group: 'Conflicts',
        run: () => step(1),
      },
      {
        id: 'conflict-up',
        label: 'Previous conflict',
        keys: ['ArrowUp'],
        group: 'Conflicts',
        run: () => step(-1),
      },
      ...(conflict ? choicesOf(conflict) : []).map(({ decision, words }, k) => ({
        id: `conflict-${decision}`,
        label: words,
        keys: [String(k + 1)],
        group: 'Conflicts',
        when: () => can('archive.correct'),
        run: () => document.getElementById(`decide-${decision}`)?.click(),
      })),
    ]),
  );
  return (
    <Frame
      title="Conflicts"
      hints={[
        ['ArrowUp ArrowDown', 'move'],
        ['1', 'keep held'],
        ['2 3 4', 'decide otherwise'],
      ]}
      foot={loaded.data ? `${count(items.length, 'conflict')} to decide` : null}
    >
      <main class="sheet conflicts">
        <Whole loaded={loaded} what="conflicts">
          {() =>
            conflict ? (
              <div class="beside">
                <List items={items} at={at} choose={choose} />
                <Decide key={conflict.id} conflict={conflict} reload={loaded.reload} />
              </div>
            ) : (
              <Nothing title="No conflicts.">
                <p>An object that comes again with other content under the same UID appears here.</p>
              </Nothing>
            )
          }
        </Whole>
      </main>
    </Frame>
  );
}

interface ListProps {
  items: readonly Conflict[];
  at: number;
  choose: (id: number) => void;
}

function List({ items, at, choose }: ListProps) {
  return (
    <ul class="picks" aria-label="Conflicts">
      {items.map((c, k) => (
        <li key={c.id}>
          <button type="button" aria-current={k === at ? 'true' : undefined} onClick={() => choose(c.id)}>
            <b>{personName(c.held.name || c.new.name || '') || 'No name'}</b>
            <span>
              {KINDS[c.kind] ?? c.reason}
              {c.new.series_description ? ` · ${c.new.series_description}` : ''}
              {c.new.number ? ` · image ${c.new.number}` : ''}
            </span>
            <span class="muted">
              {sourceText(c.source)} · {moment(c.received_at)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Decide({ conflict, reload }: { conflict: Conflict; reload: () => Promise<void> }) {
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const decide = async (decision: ConflictDecision, words: string) => {
    if (!reason.trim()) {
      document.getElementById('decide-reason')?.focus();
      return tell('Give a reason first; it is kept with the decision.', 'error');
    }
    setBusy(true);
    try {
      await post(archive.decision(conflict.id), { decision, reason: reason.trim() });
      tell(`Decided: ${words.toLowerCase()}.`);
      await reload();
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="decide" aria-label="The conflict">
      <h2>{conflict.reason}</h2>
      <p class="muted">
        From {sourceText(conflict.source)}, {moment(conflict.received_at)} ·{' '}
        <code class="uid">{conflict.sop_uid}</code> ·{' '}
        <a class="linked" href={pathTo.held(conflict.study_uid)}>
          the study
        </a>
      </p>
      <Compare conflict={conflict} />
      {can('archive.correct') && (
        <form class="form" onSubmit={(e) => e.preventDefault()}>
          <label class="form-field">
            <span>Reason</span>
            <input
              id="decide-reason"
              class="field"
              value={reason}
              maxLength={500}
              autocomplete="off"
              onInput={(e) => setReason(e.currentTarget.value)}
            />
          </label>
          <div class="choices">
            {choicesOf(conflict).map(({ decision, words, hint }, k) => (
              <button
                type="button"
                key={decision}
                id={`decide-${decision}`}
                class="button choice"
                aria-keyshortcuts={String(k + 1)}
                disabled={busy}
                onClick={() => void decide(decision, words)}
              >
                <span>
                  <kbd class="kbd">{k + 1}</kbd> {words}
                </span>
                <small class="muted">{hint}</small>
              </button>
            ))}
          </div>
        </form>
      )}
    </section>
  );
}

function Compare({ conflict }: { conflict: Conflict }) {
  const [all, setAll] = useState(false);
  const rows = comparison(conflict);
  const same = rows.filter((r) => !r.differs).length;
  return (
    <>
      <table class="plain compare">
        <thead>
          <tr>
            <th scope="col">Attribute</th>
            <th scope="col">Held</th>
            <th scope="col">New</th>
          </tr>
        </thead>
        <tbody>
          {rows
            .filter((r) => all || r.differs)
            .map((r) => (
              <tr key={r.tag} class={r.differs ? 'differs' : ''}>
                <th scope="row">
                  {r.differs && <span aria-hidden="true">≠ </span>}
                  {r.name} {r.tag && <small class="muted">{r.tag}</small>}
                </th>
                <td>{r.held ?? <span class="muted">absent</span>}</td>
                <td>{r.new ?? <span class="muted">absent</span>}</td>
              </tr>
            ))}
        </tbody>
      </table>
      {conflict.kind === 'content' && <Pixels conflict={conflict} shown={rows.some((r) => r.differs)} />}
      {same > 0 && (
        <Button kind="quiet" pressed={all} onClick={() => setAll(!all)}>
          {all ? 'Hide' : 'Show'} {same} that agree
        </Button>
      )}
    </>
  );
}

/** Whether the images are the same: what a person must know before all else. */
function Pixels({ conflict, shown }: { conflict: Conflict; shown: boolean }) {
  if (conflict.pixels_differ === true) {
    return <p class="warning">▲ The pixels differ: these are two images.</p>;
  }
  if (conflict.pixels_differ === null) {
    return (
      <p class="warning">
        ▲ Whether the pixels differ is not known: they are stored in different ways, or too large to compare
        here.
      </p>
    );
  }
  return (
    <p class="muted">
      The pixels are the same.{shown ? '' : ' What differs is a private or binary value that is not shown.'}
    </p>
  );
}

interface Compared {
  name: string;
  tag: string;
  held: string | null;
  new: string | null;
  differs: boolean;
}

/** What tells two objects apart, as the server names it, and where DICOM keeps it. */
const LISTED: readonly (readonly [key: string, words: string, tag: string])[] = [
  ['name', 'Patient name', '00100010'],
  ['patient_id', 'Patient ID', '00100020'],
  ['issuer', 'Issuer of patient ID', '00100021'],
  ['birth_date', 'Birth date', '00100030'],
  ['sex', 'Sex', '00100040'],
  ['date', 'Study date', '00080020'],
  ['accession', 'Accession number', '00080050'],
  ['description', 'Study description', '00081030'],
  ['study_uid', 'Study UID', '0020000D'],
  ['series_uid', 'Series UID', '0020000E'],
  ['series_description', 'Series description', '0008103E'],
  ['number', 'Image number', '00200013'],
];

/** What differs first, then what is shown of both and agrees. */
export function comparison({ held, new: fresh, differs }: Conflict): Compared[] {
  const listed = LISTED.map(([key, name, tag]) => {
    const [a, b] = [held[key] ?? null, fresh[key] ?? null];
    return { name, tag, held: a, new: b, differs: (a ?? '') !== (b ?? '') };
  });
  const tags = new Set(listed.map((row) => row.tag));
  const others = differs
    .filter(({ tag }) => !tags.has(tag))
    .map((d) => ({ name: d.keyword || 'Private', tag: d.tag, held: d.held, new: d.new, differs: true }));
  return [...listed, ...others]
    .sort((a, b) => Number(b.differs) - Number(a.differs))
    .map((row) => ({ ...row, tag: tagText(row.tag) }));
}

const tagText = (tag: string): string =>
  /^[0-9A-Fa-f]{8}$/.test(tag) ? `(${tag.slice(0, 4)},${tag.slice(4)})` : tag;

/** `CT1` from `dimse:CT1`: the way something came by says less than who sent it. */
const sourceText = (source: string): string => source.replace(/^[a-z]+:(?=.)/, '');
