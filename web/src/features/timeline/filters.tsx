/** What is shown: quantity, axis, region, organ, modality, lesion, state; kept in the address. */
import { useId } from 'preact/hooks';
import { Button } from '../../ui/primitives';
import { quantityName } from './curves';
import { choices, EVERYTHING, organsOf, printShown } from './query';
import type { TimelineStore } from './store';

export function Filters({ store }: { store: TimelineStore }) {
  const line = store.line.value;
  const { shown } = store;
  if (!line) return null;
  const lesions = line.lesions.map((l) => [l.tracking_uid, l.label] as const);
  const regions = choices([...line.studies, ...line.lesions].flatMap((s) => s.regions));
  const modalities = choices(line.studies.map((s) => s.modality));
  const named = (values: readonly string[]) => values.map((v) => [v, v.replaceAll('-', ' ')] as const);
  const filtered = printShown({ ...shown.value, quantity: '', log: false }) !== printShown(EVERYTHING);
  return (
    <section class="bar filters" aria-label="What is shown">
      {store.quantities.value.length > 0 && (
        <Pick
          label="Quantity"
          value={store.quantity.value}
          options={store.quantities.value.map((q) => [q, quantityName(q)] as const)}
          onPick={(quantity) => store.show({ quantity })}
        />
      )}
      <Button keys="l" pressed={shown.value.log} onClick={() => store.show({ log: !shown.value.log })}>
        log axis
      </Button>
      <Pick
        label="Region"
        value={shown.value.region}
        all="all regions"
        options={named(regions)}
        onPick={(region) => store.show({ region })}
      />
      <Pick
        label="Organ"
        value={shown.value.organ}
        all="all organs"
        options={named(organsOf(line.lesions))}
        onPick={(organ) => store.show({ organ })}
      />
      <Pick
        label="Modality"
        value={shown.value.modality}
        all="all modalities"
        options={modalities.map((m) => [m, m] as const)}
        onPick={(modality) => store.show({ modality })}
      />
      <Pick
        label="Lesion"
        value={shown.value.lesion}
        all="all lesions"
        options={lesions}
        onPick={(lesion) => store.show({ lesion })}
      />
      <Button
        label="Accepted only: what a person stands behind"
        pressed={shown.value.accepted}
        onClick={() => store.show({ accepted: !shown.value.accepted })}
      >
        accepted only
      </Button>
      {filtered && (
        <Button kind="quiet" keys="x" onClick={() => store.showEverything()}>
          show everything
        </Button>
      )}
      <span class="spacer" />
      <Button kind="quiet" icon="minus" label="Zoom out" keys="-" onClick={() => store.zoom(false)} />
      <Button kind="quiet" icon="plus" label="Zoom in" keys="+" onClick={() => store.zoom(true)} />
      <Button
        kind="quiet"
        icon="fit"
        label="All studies, then all that is known"
        keys="0"
        onClick={() => store.fit()}
      />
    </section>
  );
}

interface PickProps {
  label: string;
  value: string;
  /** Words for no choice; none when one is always chosen. */
  all?: string;
  options: readonly (readonly [value: string, words: string])[];
  onPick: (value: string) => void;
}

function Pick({ label, value, all, options, onPick }: PickProps) {
  const id = useId();
  if (all && options.length < 2 && !value) return null;
  return (
    <span class="pick">
      <label for={id}>{label}</label>
      <select id={id} class="field" onChange={(event) => onPick(event.currentTarget.value)}>
        {all && (
          <option value="" selected={value === ''}>
            {all}
          </option>
        )}
        {options.map(([option, words]) => (
          <option key={option} value={option} selected={option === value}>
            {words}
          </option>
        ))}
      </select>
    </span>
  );
}
