/** What is kept but no longer shown: rejected for a reason, or in the trash until it is deleted. */
import { useState } from 'preact/hooks';
import { get, post } from '../../api';
import { archive, type Page, type RejectionReason, type Withheld } from '../../api/archive';
import { Frame } from '../../app/frame';
import { pathTo } from '../../app/router';
import { can } from '../../app/session';
import { sizeText } from '../../ui/amounts';
import { FormDialog } from '../../ui/form';
import { count, day, moment, wait } from '../../ui/format';
import { useLoaded } from '../../ui/load';
import { personName } from '../../ui/names';
import { Button } from '../../ui/primitives';
import { Nothing, Whole } from '../../ui/states';
import { tell, tellError } from '../../ui/toasts';
import './archive.css';

export const RejectedPage = () => <WithheldPage kind="rejected" />;
export const TrashPage = () => <WithheldPage kind="trashed" />;

/** What a person decided against in a conflict, and what they put something else in the place of. */
const DECIDED_AGAINST = 'conflict';
const CODES: Readonly<Record<string, string>> = {
  [DECIDED_AGAINST]: 'Decided against in a conflict',
  replaced: 'Replaced by another object of its UID',
};

const WORDS = {
  rejected: {
    title: 'Rejected',
    empty: 'Nothing is rejected.',
    hint: 'Studies and series that are rejected for quality or for being of the wrong patient appear here.',
  },
  trashed: {
    title: 'Trash',
    empty: 'The trash is empty.',
    hint: 'Studies put into the trash can be restored here until they are deleted.',
  },
} as const;

function WithheldPage({ kind }: { kind: Withheld['kind'] }) {
  const words = WORDS[kind];
  const [emptying, setEmptying] = useState(false);
  const [more, setMore] = useState<Page<Withheld> | null>(null);
  const loaded = useLoaded(async (signal) => {
    const [page, reasons] = await Promise.all([
      get<Page<Withheld>>(archive.withheld(kind, null), signal),
      kind === 'rejected'
        ? get<RejectionReason[]>(archive.rejectionReasons, signal).catch(() => [])
        : Promise.resolve([]),
    ]);
    setMore(null);
    return { page, reasons: new Map(reasons.map((r) => [r.code, r.meaning])) };
  }, kind);
  const items = [...(loaded.data?.page.items ?? []), ...(more?.items ?? [])];
  const next = (more ?? loaded.data?.page)?.next ?? null;
  const fetchMore = async () => {
    try {
      const page = await get<Page<Withheld>>(archive.withheld(kind, next));
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (error) {
      tellError(error);
    }
  };
  const restore = async (item: Withheld) => {
    try {
      await post(archive.restore(item.study_uid), { kind });
      tell(
        item.code === DECIDED_AGAINST
          ? 'It is to be decided again: see Conflicts.'
          : 'Restored: it is in the archive again.',
      );
      await loaded.reload();
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <Frame
      title={words.title}
      foot={loaded.data ? count(items.length, 'study', 'studies') + (next ? ' and more' : '') : null}
      tools={
        kind === 'trashed' &&
        can('archive.delete') &&
        items.length > 0 && <Button onClick={() => setEmptying(true)}>Empty the trash</Button>
      }
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <main class="sheet" tabIndex={0}>
        <Whole loaded={loaded} what={words.title.toLowerCase()}>
          {({ reasons }) =>
            items.length === 0 ? (
              <Nothing title={words.empty}>
                <p>{words.hint}</p>
              </Nothing>
            ) : (
              <>
                <WithheldTable items={items} kind={kind} reasons={reasons} restore={restore} />
                {next && <Button onClick={() => void fetchMore()}>Show more</Button>}
              </>
            )
          }
        </Whole>
      </main>
      {emptying && (
        <EmptyDialog
          items={items}
          more={next !== null}
          onClose={() => setEmptying(false)}
          reload={loaded.reload}
        />
      )}
    </Frame>
  );
}

interface TableProps {
  items: readonly Withheld[];
  kind: Withheld['kind'];
  reasons: ReadonlyMap<string, string>;
  restore: (item: Withheld) => Promise<void>;
}

function WithheldTable({ items, kind, reasons, restore }: TableProps) {
  const may = can(kind === 'rejected' ? 'archive.reject' : 'archive.delete');
  return (
    <table class="plain wide">
      <thead>
        <tr>
          <th scope="col">Patient</th>
          <th scope="col">Study</th>
          <th scope="col" class="number">
            Objects
          </th>
          <th scope="col" class="number">
            Size
          </th>
          <th scope="col">Why</th>
          <th scope="col">Who and when</th>
          {kind === 'trashed' && <th scope="col">Deleted</th>}
          <th scope="col">
            <span class="sr-only">What to do</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={`${item.study_uid}${item.at}`}>
            <th scope="row">
              <bdi>{personName(item.patient.name) || 'No name'}</bdi>{' '}
              <span class="muted">{item.patient.patient_id}</span>
            </th>
            <td>
              {item.modalities.join(' ')} {item.description} <span class="muted">{day(item.date)}</span>
            </td>
            <td class="number">{item.instances}</td>
            <td class="number">{sizeText(item.bytes)}</td>
            <td>
              {item.code && <>{reasons.get(item.code) ?? CODES[item.code] ?? item.code} </>}
              <span class="muted">{item.note}</span>
            </td>
            <td>
              {item.author} <span class="muted">{moment(item.at)}</span>
            </td>
            {kind === 'trashed' && <td>{purgeText(item.purge_after, Date.now())}</td>}
            <td class="end">
              {may && (
                <Button
                  label={`Restore the study of ${personName(item.patient.name)}`}
                  onClick={() => void restore(item)}
                >
                  Restore
                </Button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** When it will be gone. */
export function purgeText(at: string | null, now: number): string {
  if (!at) return 'never by itself';
  return Date.parse(at) <= now
    ? 'soon'
    : `${day(at)}, in ${wait(new Date(now).toISOString(), Date.parse(at))}`;
}

function EmptyDialog({
  items,
  more,
  onClose,
  reload,
}: {
  items: readonly Withheld[];
  more: boolean;
  onClose: () => void;
  reload: () => Promise<void>;
}) {
  const bytes = items.reduce((n, item) => n + item.bytes, 0);
  return (
    <FormDialog
      title="Empty the trash"
      act="Delete for good"
      onClose={onClose}
      onSubmit={async () => {
        await post(archive.emptyTrash);
        tell('The trash is being emptied; what came in the last two hours goes when it is two hours old.');
        await reload();
      }}
    >
      <p>
        <b>
          {more ? 'More than ' : ''}
          {count(items.length, 'study', 'studies')}, {sizeText(bytes)}
        </b>{' '}
        are deleted for good, with their images. This cannot be undone.
      </p>
      <p class="muted">
        What is on hold stays. Bytes that came within the last two hours go when they are two hours old, in
        case they are being sent again; until then they can be restored. Who did it is kept in the audit
        trail. See{' '}
        <a class="linked" href={pathTo.storage}>
          storage
        </a>{' '}
        for the space this frees.
      </p>
    </FormDialog>
  );
}
