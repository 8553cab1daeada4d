/** What was ordered: the steps the modalities are offered, and what they said they performed. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { patch, post } from '../../api';
import { archive, type Order, type OrderStatus, type OrderStep, type Page } from '../../api/archive';
import { Frame } from '../../app/frame';
import { pathTo } from '../../app/router';
import { can } from '../../app/session';
import { count, day, moment } from '../../ui/format';
import { offer } from '../../ui/keys';
import { useLoaded } from '../../ui/load';
import { personName } from '../../ui/names';
import { Button, Kbd } from '../../ui/primitives';
import { Nothing, Whole } from '../../ui/states';
import { tell, tellError } from '../../ui/toasts';
import '../archive/archive.css';
import { OrderDialog } from './entering';

const EVERY_MS = 10_000;
const TYPING_MS = 160;

const STATES: readonly (readonly [string, string])[] = [
  ['open', 'Open'],
  ['completed', 'Completed'],
  ['cancelled', 'Cancelled'],
  ['', 'All'],
];

export function OrdersPage() {
  const [status, setStatus] = useState('open');
  const [text, setText] = useState('');
  const [chosen, choose] = useState<string | null>(null);
  const [entering, enter] = useState(false);
  const [more, setMore] = useState<Page<Order> | null>(null);
  const typing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const loaded = useLoaded(
    async (signal) => {
      const page = await post<Page<Order>>(archive.searchOrders, { text, status, limit: 100 }, signal);
      setMore(null);
      return page;
    },
    `${status}|${text}`,
    more ? 0 : EVERY_MS,
  );
  const items = [...(loaded.data?.items ?? []), ...(more?.items ?? [])];
  const next = more ? more.next : (loaded.data?.next ?? null);
  const at = items.findIndex((o) => o.id === chosen);
  const order = items[at] ?? null;
  const step = (by: number) => choose(items[Math.min(Math.max(at + by, 0), items.length - 1)]?.id ?? null);
  const cancel = async (one: Order) => {
    try {
      await post(archive.cancelOrder(one.id));
      tell('Cancelled: modalities are no longer offered it.');
      await loaded.reload();
    } catch (error) {
      tellError(error);
    }
  };
  const fetchMore = async () => {
    try {
      const page = await post<Page<Order>>(archive.searchOrders, {
        text,
        status,
        limit: 100,
        after: next ?? '',
      });
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (error) {
      tellError(error);
    }
  };
  useEffect(() =>
    offer('orders', [
      { id: 'order-down', label: 'Next order', keys: ['ArrowDown'], group: 'Orders', run: () => step(1) },
      { id: 'order-up', label: 'Previous order', keys: ['ArrowUp'], group: 'Orders', run: () => step(-1) },
      {
        id: 'order-enter',
        label: 'Enter an order',
        keys: ['n'],
        group: 'Orders',
        when: () => can('order.edit'),
        run: () => enter(true),
      },
      {
        id: 'order-search',
        label: 'Search orders',
        keys: ['/'],
        group: 'Orders',
        run: () => document.getElementById('order-search')?.focus(),
      },
    ]),
  );
  return (
    <Frame
      title="Orders"
      class="orders"
      hints={[
        ['ArrowUp ArrowDown', 'move'],
        ['n', 'enter an order'],
        ['/', 'search'],
      ]}
      foot={loaded.data ? count(items.length, 'order') + (next ? ' and more' : '') : null}
      tools={
        <>
          <label class="search">
            <span class="sr-only">Search orders by name, patient ID or accession number</span>
            <input
              id="order-search"
              class="field"
              type="search"
              placeholder="Name, ID, accession"
              autocomplete="off"
              onInput={(e) => {
                const words = e.currentTarget.value.trim();
                clearTimeout(typing.current);
                typing.current = setTimeout(() => setText(words), TYPING_MS);
              }}
              onKeyDown={(e) => {
                if (e.key === 'Enter' || e.key === 'Escape') e.currentTarget.blur();
              }}
            />
            <Kbd keys="/" />
          </label>
          {can('order.edit') && (
            <Button kind="primary" keys="n" onClick={() => enter(true)}>
              New order
            </Button>
          )}
        </>
      }
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <main class="sheet" tabIndex={0}>
        <div class="chips" role="group" aria-label="State">
          {STATES.map(([value, words]) => (
            <button
              type="button"
              key={value}
              class="chip"
              aria-pressed={status === value}
              onClick={() => setStatus(value)}
            >
              {words}
            </button>
          ))}
        </div>
        <Whole loaded={loaded} what="orders">
          {() =>
            items.length === 0 ? (
              <Nothing title={text ? 'No order matches.' : 'No orders here.'}>
                <p>
                  {text
                    ? 'Names match from their beginning; IDs and accession numbers in whole.'
                    : 'An order that is entered is offered to the modalities at once.'}
                </p>
              </Nothing>
            ) : (
              <>
                <OrderTable items={items} chosen={chosen} choose={choose} />
                {next && <Button onClick={() => void fetchMore()}>Show more</Button>}
              </>
            )
          }
        </Whole>
      </main>
      {order && (
        <OrderDetail order={order} close={() => choose(null)} cancel={cancel} reload={loaded.reload} />
      )}
      {entering && (
        <OrderDialog
          onClose={() => enter(false)}
          onEntered={async (id) => {
            setStatus('open');
            await loaded.reload();
            choose(id);
          }}
        />
      )}
    </Frame>
  );
}

const URGENT = new Set(['stat', 'high']);

function OrderTable({
  items,
  chosen,
  choose,
}: {
  items: readonly Order[];
  chosen: string | null;
  choose: (id: string) => void;
}) {
  return (
    <table class="plain wide picked">
      <thead>
        <tr>
          <th scope="col">Patient</th>
          <th scope="col">Procedure</th>
          <th scope="col">Scheduled</th>
          <th scope="col">Where</th>
          <th scope="col">State</th>
          <th scope="col">Accession</th>
        </tr>
      </thead>
      <tbody>
        {items.map((order) => {
          const first = order.steps[0];
          return (
            <tr key={order.id} class={order.id === chosen ? 'selected' : ''} onClick={() => choose(order.id)}>
              <th scope="row">
                <button type="button" class="as-text" aria-pressed={order.id === chosen}>
                  <bdi>{personName(order.patient.name)}</bdi>
                </button>{' '}
                <span class="muted">{order.patient.patient_id}</span>
              </th>
              <td>
                {URGENT.has(order.priority) && <span class="urgent">! {order.priority} </span>}
                {order.requested_procedure.description || first?.description}
              </td>
              <td>
                {moment(first?.scheduled_at)}
                {order.steps.length > 1 && <span class="muted"> +{order.steps.length - 1}</span>}
              </td>
              <td>
                {first?.modality} <span class="muted">{first?.station_ae || first?.station_name}</span>
              </td>
              <td>
                <Status status={order.status} />
              </td>
              <td class="muted">{order.accession}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const TONES: Readonly<Record<OrderStatus, readonly [tone: string, glyph: string]>> = {
  scheduled: ['', ''],
  arrived: ['', '● '],
  started: ['warning', '▶ '],
  completed: ['good', '✓ '],
  discontinued: ['urgent', '✕ '],
  cancelled: ['muted', '✕ '],
};

function Status({ status }: { status: OrderStatus }) {
  const [tone, glyph] = TONES[status] ?? ['', ''];
  return (
    <span class={tone}>
      {glyph}
      {status}
    </span>
  );
}

const OVER = new Set<OrderStatus>(['completed', 'discontinued', 'cancelled']);

interface DetailProps {
  order: Order;
  close: () => void;
  cancel: (order: Order) => Promise<void>;
  reload: () => Promise<void>;
}

function OrderDetail({ order, close, cancel, reload }: DetailProps) {
  const { patient } = order;
  const may = can('order.edit');
  const images = order.performed.reduce((n, p) => n + p.images, 0);
  const arrive = async (step: OrderStep) => {
    try {
      await patch(archive.order(order.id), { steps: [{ id: step.id, status: 'arrived' }] });
      await reload();
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <aside class="detail" aria-label="Selected order">
      <header class="heading">
        <div>
          <h2>
            <bdi>{personName(patient.name)}</bdi>
          </h2>
          <p class="muted">
            {[patient.patient_id, patient.sex, patient.birth_date && `born ${day(patient.birth_date)}`]
              .filter(Boolean)
              .join(' · ')}
          </p>
          <p>
            {order.requested_procedure.description} · <Status status={order.status} />
          </p>
        </div>
        <Button kind="quiet" icon="cross" label="Close" onClick={close} />
      </header>
      <div class="decisions">
        {images > 0 && can('archive.read') && (
          <a class="button primary" href={pathTo.held(order.study_uid)}>
            Its images
          </a>
        )}
        {may && !OVER.has(order.status) && (
          <Button onClick={() => void cancel(order)}>Cancel the order</Button>
        )}
      </div>
      {order.indication && (
        <section class="part">
          <h3>Indication</h3>
          <div>{order.indication}</div>
        </section>
      )}
      <section class="part">
        <h3>Steps</h3>
        <ul class="trail">
          {order.steps.map((step) => (
            <li key={step.id}>
              <b>{step.modality}</b> {step.description} · <Status status={step.status} />
              <span class="muted">
                {' '}
                {moment(step.scheduled_at)}
                {(step.station_ae || step.station_name) && ` · ${step.station_ae || step.station_name}`}
                {step.performer && ` · ${personName(step.performer)}`}
              </span>
              {may && step.status === 'scheduled' && (
                <Button kind="quiet" onClick={() => void arrive(step)}>
                  Patient arrived
                </Button>
              )}
            </li>
          ))}
        </ul>
      </section>
      <section class="part">
        <h3>Performed</h3>
        {order.performed.length === 0 && <p class="muted">No modality has reported anything yet.</p>}
        <ul class="trail">
          {order.performed.map((p) => (
            <li key={p.uid}>
              {p.status}: {count(p.images, 'image')} in {count(p.series, 'series', 'series')}
              <span class="muted">
                {' '}
                {moment(p.started_at)}
                {p.ended_at && ` – ${moment(p.ended_at)}`}
              </span>
            </li>
          ))}
        </ul>
      </section>
      <section class="part">
        <h3>Numbers</h3>
        <dl class="facts">
          <div>
            <dt>Accession</dt>
            <dd>{order.accession}</dd>
          </div>
          <div>
            <dt>Referring</dt>
            <dd>{personName(order.referring) || <span class="muted">not given</span>}</dd>
          </div>
          <div>
            <dt>Study UID</dt>
            <dd>
              <code class="uid">{order.study_uid}</code>
            </dd>
          </div>
        </dl>
      </section>
    </aside>
  );
}
