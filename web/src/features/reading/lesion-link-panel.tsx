/** How a finding is linked over time, and what a person can say of that. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Finding } from '../../api';
import { figure } from '../../ui/format';
import type { Action } from '../../ui/keys';
import { Button, Skeleton } from '../../ui/primitives';
import { isDecidable } from './finding-store';
import { identityOf, linkWords } from './lesion-links';
import type { ReadingStore } from './store';

export function LinkLine({ finding, store }: { finding: Finding; store: ReadingStore }) {
  const { links } = store;
  const { words, doubtful } = linkWords(finding);
  const pair = finding.current && finding.prior && finding.change;
  const said = finding.change?.said;
  if (!store.reading.value?.comparison) return null;
  return (
    <div class="lesion-link">
      <p class={`why ${doubtful ? 'warning' : ''}`}>
        <span aria-hidden="true">{doubtful ? '▲ ' : ''}</span>
        {words}
      </p>
      {!store.locked.value && (
        <div class="decisions">
          {pair && said !== 'same' && said !== 'merged' && said !== 'split' && (
            <Button keys="Alt-s" onClick={() => void links.confirm(finding)}>
              Same
            </Button>
          )}
          {pair && !said && (
            <Button keys="Alt-d" onClick={() => void links.tellApart(finding)}>
              Not the same
            </Button>
          )}
          {said && (
            <Button kind="quiet" onClick={() => void links.takeBack(finding)}>
              Take back
            </Button>
          )}
          <Button
            kind="quiet"
            keys="Alt-l"
            pressed={links.choosing.value === finding.id}
            onClick={() => void links.choose(finding)}
          >
            {pair ? 'Another …' : 'Link …'}
          </Button>
        </div>
      )}
      {links.choosing.value === finding.id && <Chooser key={finding.id} finding={finding} store={store} />}
    </div>
  );
}

interface Row {
  id: string;
  words: string;
  size: number | undefined;
  note: string;
}

/** Boxes to tick: of the prior, and of this study. What they say together stands on the button. */
function Chooser({ finding, store }: { finding: Finding; store: ReadingStore }) {
  const { links } = store;
  const ofPrior = !isDecidable(finding);
  const [earlier, setEarlier] = useState<ReadonlySet<string>>(new Set(ofPrior ? [finding.id] : []));
  const [later, setLater] = useState<ReadonlySet<string>>(new Set(ofPrior ? [] : [finding.id]));
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.scrollIntoView({ block: 'nearest' }), [links.candidates.value]);
  const identity = identityOf(earlier.size, later.size);
  const usable = identity in BUTTONS;
  const candidates = links.candidates.value;
  const now = store.findings.list.value.filter((f) => isDecidable(f) && f.state !== 'rejected');
  return (
    <form
      class="lesion-chooser"
      ref={form}
      onSubmit={(e) => {
        e.preventDefault();
        if (usable) void links.say(identity as keyof typeof BUTTONS, [...earlier], [...later]);
      }}
      onKeyDown={(e) => {
        if (e.key !== 'Escape') return;
        e.stopPropagation();
        links.close();
      }}
    >
      {!ofPrior && !candidates && <Skeleton lines={2} />}
      {!ofPrior && candidates && (
        <Boxes
          legend="In the prior"
          chosen={earlier}
          choose={setEarlier}
          rows={candidates.map((c) => ({
            id: c.finding_id,
            words: `P${c.number} ${c.label}`,
            size: c.long_axis?.value,
            note: c.away_mm === null ? '' : `${figure(c.away_mm)} mm away`,
          }))}
        />
      )}
      <Boxes
        legend="In this study"
        chosen={later}
        choose={setLater}
        rows={now.map((f) => ({
          id: f.id,
          words: `${f.number} ${f.label}`,
          size: f.current?.long_axis?.value,
          note: '',
        }))}
      />
      <div class="decisions">
        <Button type="submit" kind="primary" disabled={!usable}>
          {usable ? BUTTONS[identity as keyof typeof BUTTONS] : 'Link'}
        </Button>
        <Button onClick={() => links.close()}>Cancel</Button>
      </div>
      {!usable && <p class="why">{identity}</p>}
    </form>
  );
}

const BUTTONS = {
  same: 'Same lesion',
  merged: 'Merged into one',
  split: 'Split into these',
} as const;

interface BoxesProps {
  legend: string;
  rows: readonly Row[];
  chosen: ReadonlySet<string>;
  choose: (chosen: ReadonlySet<string>) => void;
}

function Boxes({ legend, rows, chosen, choose }: BoxesProps) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {rows.length === 0 && <p class="why">No findings.</p>}
      {rows.map(({ id, words, size, note }) => (
        <label key={id}>
          <input
            type="checkbox"
            checked={chosen.has(id)}
            onChange={(e) => {
              const next = new Set(chosen);
              if (e.currentTarget.checked) next.add(id);
              else next.delete(id);
              choose(next);
            }}
          />
          <span class="label">{words}</span>
          <span class="muted">
            {size !== undefined && `${figure(size)} mm`} {note && `· ${note}`}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** What can be said by key of the selected finding. */
export function linkActions(store: ReadingStore): Action[] {
  const act = (id: string, label: string, key: string, run: (finding: Finding) => void): Action => ({
    id: `lesion-${id}`,
    label,
    keys: [key],
    group: 'Findings',
    when: () => store.findings.chosen !== null && !store.locked.value && !!store.reading.value?.comparison,
    run: () => {
      const finding = store.findings.chosen;
      store.panel.value = true;
      if (finding) run(finding);
    },
  });
  return [
    act('same', 'The same lesion as in the prior', 'Alt-s', (f) => void store.links.confirm(f)),
    act('different', 'Not the same lesion as in the prior', 'Alt-d', (f) => void store.links.tellApart(f)),
    act('choose', 'Link with another finding, merge or split', 'Alt-l', (f) => void store.links.choose(f)),
  ];
}
