/** What the archive holds in figures: by modality, by month, against disk and quota. */
import { get } from '../../api';
import { archive, type Storage } from '../../api/archive';
import { Frame } from '../../app/frame';
import { pathTo } from '../../app/router';
import { grouped, percent, size, sizeText } from '../../ui/amounts';
import { count } from '../../ui/format';
import { useLoaded } from '../../ui/load';
import { Whole } from '../../ui/states';
import './archive.css';

const EVERY_MS = 30_000;
const TIGHT = 85;

export function StoragePage() {
  const loaded = useLoaded((signal) => get<Storage>(archive.storage, signal), 'storage', EVERY_MS);
  return (
    <Frame title="Storage">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <main class="sheet storage" tabIndex={0}>
        <Whole loaded={loaded} what="storage use">
          {(data) => (
            <>
              <Figures data={data} />
              <div class="two">
                <ByModality data={data} />
                <ByMonth data={data} />
              </div>
            </>
          )}
        </Whole>
      </main>
    </Frame>
  );
}

function Figures({ data }: { data: Storage }) {
  const { disk, quota, trash, rejected } = data;
  const used = disk ? disk.total - disk.free : 0;
  return (
    <div class="figures">
      <Figure name="Held" bytes={data.bytes}>
        {grouped(data.studies)} studies · {grouped(data.series)} series · {grouped(data.instances)} objects
      </Figure>
      {disk && (
        <Figure name="Disk free" bytes={disk.free} part={used} whole={disk.total}>
          of {sizeText(disk.total)}, {percent(used, disk.total)} % used{fullIn(data)}
        </Figure>
      )}
      <Figure name="Quota" bytes={quota.used} part={quota.used} whole={quota.bytes}>
        {quota.bytes === null ? 'used; no quota is set' : `of ${sizeText(quota.bytes)} used`}
      </Figure>
      <Figure name="Trash" bytes={trash.bytes}>
        <a href={pathTo.trash}>{count(trash.studies, 'study', 'studies')}</a>
      </Figure>
      <Figure name="Rejected" bytes={rejected.bytes}>
        <a href={pathTo.rejected}>{count(rejected.studies, 'study', 'studies')}</a>
      </Figure>
    </div>
  );
}

interface FigureProps {
  name: string;
  bytes: number;
  part?: number;
  whole?: number | null;
  children: preact.ComponentChildren;
}

function Figure({ name, bytes, part, whole, children }: FigureProps) {
  const { value, unit } = size(bytes);
  const share = part !== undefined && whole ? percent(part, whole) : null;
  const tight = share !== null && share >= TIGHT;
  return (
    <section class="figure">
      <h2>{name}</h2>
      <p class="big">
        {value} <span class="unit">{unit}</span>
      </p>
      {share !== null && (
        <progress
          class={tight ? 'tight' : ''}
          max={100}
          value={share}
          aria-label={`${share} per cent used`}
        />
      )}
      <p class="muted">
        {tight && <span class="warning">▲ nearly full: </span>}
        {children}
      </p>
    </section>
  );
}

/** When the disk will be full if it goes on as in the last whole months. */
export function fullIn({ disk, by_month }: Pick<Storage, 'disk' | 'by_month'>): string {
  const months = [...by_month]
    .sort((a, b) => a.month.localeCompare(b.month))
    .slice(0, -1)
    .slice(-3);
  if (!disk || months.length < 2) return '';
  const perMonth = months.reduce((n, m) => n + m.bytes, 0) / months.length;
  const left = perMonth > 0 ? disk.free / perMonth : Number.POSITIVE_INFINITY;
  if (left > 60) return '';
  return ` · full in about ${left < 1.5 ? 'a month' : `${Math.round(left)} months`}`;
}

function ByModality({ data }: { data: Storage }) {
  const rows = [...data.by_modality].sort((a, b) => b.bytes - a.bytes);
  const most = Math.max(...rows.map((r) => r.bytes), 1);
  return (
    <section>
      <h2>By modality</h2>
      {rows.length === 0 && <p class="muted">Nothing is held yet.</p>}
      {rows.length > 0 && (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Modality</th>
              <th scope="col">Share</th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col" class="number">
                Studies
              </th>
              <th scope="col" class="number">
                Objects
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((r) => (
              <tr key={r.modality}>
                <th scope="row">{r.modality || 'none'}</th>
                <td class="share">
                  <i style={{ width: `${(100 * r.bytes) / most}%` }} />
                </td>
                <td class="number">{sizeText(r.bytes)}</td>
                <td class="number">{grouped(r.studies)}</td>
                <td class="number muted">{grouped(r.instances)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const MONTHS = 24;

function ByMonth({ data }: { data: Storage }) {
  const rows = [...data.by_month].sort((a, b) => a.month.localeCompare(b.month)).slice(-MONTHS);
  const most = Math.max(...rows.map((r) => r.bytes), 1);
  return (
    <section>
      <h2>
        By month received <span class="muted">· largest {sizeText(most)}</span>
      </h2>
      {rows.length === 0 && <p class="muted">Nothing was received yet.</p>}
      {rows.length > 0 && (
        <div class="months">
          <ol>
            {rows.map((r) => (
              <li key={r.month} title={`${monthName(r.month)}: ${sizeText(r.bytes)}, ${r.instances} objects`}>
                <i style={{ height: `${Math.max(1, (100 * r.bytes) / most)}%` }} />
                <span class="sr-only">
                  {monthName(r.month)}: {sizeText(r.bytes)}
                </span>
              </li>
            ))}
          </ol>
          <p class="muted" aria-hidden="true">
            <span>{monthName(rows[0]?.month ?? '')}</span>
            {rows.length > 1 && <span>{monthName(rows.at(-1)?.month ?? '')}</span>}
          </p>
        </div>
      )}
    </section>
  );
}

function monthName(month: string): string {
  const [year, number] = month.split('-').map(Number);
  if (!year || !number) return month;
  return new Date(Date.UTC(year, number - 1)).toLocaleDateString('en-GB', {
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  });
}
