/** The oncology table: lesions by role down, time points across, then the sum, its changes and the category. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { CellView, LesionRow, NumberView, PointColumn, ResponseView } from '../../api';
import { day, figure, spread, unit as unitName } from '../../ui/format';
import { Icon } from '../../ui/icons';
import { QUANTITY, ROLES, STATES, since, toneOf } from './plan';

export type Place =
  | { kind: 'point'; at: string }
  | { kind: 'lesion'; lesion: string }
  | { kind: 'cell'; lesion: string; at: string }
  | { kind: 'category'; at: string };

interface TableProps {
  shown: ResponseView;
  chosen: string | null;
  onOpen: (place: Place) => void;
}

export function ResponseTable({ shown, chosen, onOpen }: TableProps) {
  const table = useRef<HTMLTableElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step || !table.current || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = neighbour(table.current, event.target as HTMLElement, step[0] ?? 0, step[1] ?? 0);
    if (!to) return;
    event.preventDefault();
    to.focus();
  };
  return (
    <div class="response-scroll">
      <table class={`response-table ${shown.kept ? '' : 'unkept'}`} ref={table} onKeyDown={move}>
        <caption class="sr-only">
          Lesions and response by {shown.criterion.title}; arrow keys move, Enter opens
        </caption>
        <thead>
          <tr>
            <th scope="col" class="corner">
              Lesion
            </th>
            {shown.points.map((point) => (
              <th scope="col" key={point.study_uid}>
                <Door
                  onOpen={() => onOpen({ kind: 'point', at: point.study_uid })}
                  title={point.exams.join(', ')}
                >
                  <strong>{day(point.date)}</strong>
                  <span class="muted">{since(point.day)}</span>
                </Door>
              </th>
            ))}
          </tr>
        </thead>
        {ROLES.map(([role, title]) => (
          <Group
            key={role}
            title={title}
            rows={shown.lesions.filter((lesion) => lesion.role === role)}
            shown={shown}
            onOpen={onOpen}
          />
        ))}
        <tfoot>
          <Sums shown={shown} />
          <tr class="categories">
            <th scope="row">Category</th>
            {shown.points.map((point) => (
              <td key={point.study_uid}>
                <Door
                  onOpen={() => onOpen({ kind: 'category', at: point.study_uid })}
                  pressed={chosen === point.study_uid}
                  title="Why"
                >
                  <Category point={point} />
                </Door>
              </td>
            ))}
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/** The button one row or column further; the last one where there is none so far along. */
function neighbour(
  table: HTMLTableElement,
  from: HTMLElement,
  down: number,
  along: number,
): HTMLElement | null {
  const rows = [...table.rows]
    .map((row) => [...row.querySelectorAll<HTMLElement>('button.door')])
    .filter((row) => row.length > 0);
  const y = rows.findIndex((row) => row.includes(from));
  if (y < 0) return null;
  const here = rows[y] ?? [];
  const cell = (button: HTMLElement) => (button.closest('td, th') as HTMLTableCellElement).cellIndex;
  if (along) return here[here.indexOf(from) + along] ?? null;
  const there = rows[y + down];
  return there?.find((button) => cell(button) >= cell(from)) ?? there?.at(-1) ?? null;
}

function Door({
  children,
  onOpen,
  title,
  pressed,
}: {
  children: ComponentChildren;
  onOpen: () => void;
  title?: string;
  pressed?: boolean;
}) {
  return (
    <button type="button" class="door" onClick={onOpen} title={title} aria-pressed={pressed}>
      {children}
    </button>
  );
}

function Group({
  title,
  rows,
  shown,
  onOpen,
}: { title: string; rows: LesionRow[] } & Omit<TableProps, 'chosen'>) {
  if (rows.length === 0) return null;
  return (
    <tbody>
      <tr class="group">
        <th scope="rowgroup" colSpan={shown.points.length + 1}>
          {title} <span class="muted">{rows.length}</span>
        </th>
      </tr>
      {rows.map((lesion) => (
        <tr key={lesion.tracking_uid}>
          <th scope="row">
            <Door
              onOpen={() => onOpen({ kind: 'lesion', lesion: lesion.tracking_uid })}
              title={`${lesion.code}: role, organ`}
            >
              <b class="code">{lesion.code}</b>
              <span>
                <bdi>{lesion.label}</bdi> <span class="muted">{lesion.organ || 'organ not named'}</span>
              </span>
            </Door>
          </th>
          {lesion.cells.map((cell) => (
            <td key={cell.study_uid}>
              <Door
                onOpen={() => onOpen({ kind: 'cell', lesion: lesion.tracking_uid, at: cell.study_uid })}
                title={wordsOf(cell, shown)}
              >
                <Cell cell={cell} lesion={lesion} kept={shown.kept} />
              </Door>
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  );
}

const SILENT = new Set(['measured']);

function Cell({ cell, lesion, kept }: { cell: CellView; lesion: LesionRow; kept: boolean }) {
  const numbers = lesion.shown.flatMap((name) => cell.values.filter((value) => value.quantity === name));
  if (!cell.state && isBefore(cell, lesion)) return <span class="muted">not yet seen</span>;
  if (!cell.state) {
    return (
      <span class="warning">
        <Icon name="question" /> not assessed
      </span>
    );
  }
  const state = STATES.find(([name]) => name === cell.state)?.[1] ?? cell.state;
  const word = SILENT.has(cell.state) && numbers.length > 0 ? null : state;
  return (
    <>
      {numbers.map((value) => (
        <Figure key={value.quantity} value={value} />
      ))}
      {word && <span class={cell.state === 'progressed' ? 'urgent' : 'muted'}>{word}</span>}
      {cell.change_percent !== null && lesion.cells[0] !== cell && <Change percent={cell.change_percent} />}
      {cell.origin === 'person' && (kept ? <Icon name="pencil" /> : <span class="proposed">◆</span>)}
    </>
  );
}

/** Whether a new lesion was seen only later. */
function isBefore(cell: CellView, lesion: LesionRow): boolean {
  const first = lesion.cells.findIndex((one) => one.state !== null);
  return lesion.role === 'new' && lesion.cells.indexOf(cell) < first;
}

/** A number with its unit and interval; an interval that is not of this measurement is in brackets of its own. */
function Figure({ value }: { value: NumberView }) {
  const interval = spread(value.value, value.low, value.high, figure);
  return (
    <span class="amount">
      {figure(value.value)} <span class="unit">{unitName(value.unit).replace("[hnsf'U]", 'HU')}</span>
      {interval && <span class={value.assumed ? 'unit assumed' : 'unit'}>{interval}</span>}
    </span>
  );
}

/** A change with sign and arrow; colour only tells the same once more. */
export function Change({ percent }: { percent: number }) {
  const rounded = Math.round(percent);
  const [icon, tone] =
    rounded > 0
      ? (['up', 'urgent'] as const)
      : rounded < 0
        ? (['down', 'good'] as const)
        : (['equal', ''] as const);
  return (
    <span class={`change ${tone}`}>
      <Icon name={icon} />
      {rounded > 0 ? '+' : rounded < 0 ? '−' : ''}
      {Math.abs(rounded)} %
    </span>
  );
}

function wordsOf(cell: CellView, shown: ResponseView): string {
  const origin = {
    finding: 'from the kept finding',
    person: shown.kept ? 'said by a person' : 'proposed: a comparison no longer saw it',
    none: 'nothing was said',
  }[cell.origin];
  const values = cell.values.map((value) => {
    const range =
      value.low === null || value.high === null
        ? ''
        : `, 95 % interval ${figure(value.low)} to ${figure(value.high)}`;
    const assumed = value.assumed ? ` (${shown.assumed_interval})` : '';
    return `${QUANTITY[value.quantity] ?? value.quantity} ${figure(value.value)} ${unitName(value.unit)}${range}${assumed}; ${value.method}`;
  });
  return [origin, ...values].join('\n');
}

function Sums({ shown }: { shown: ResponseView }) {
  if (!shown.points.some((point) => point.value !== null)) return null;
  const rows: [string, (point: PointColumn, k: number) => ComponentChildren][] = [
    [
      'Sum',
      (point) =>
        point.value === null ? (
          <span class="warning">not complete</span>
        ) : (
          <b class="amount">
            {figure(point.value)} <span class="unit">{unitName(point.unit).replace('mm2', 'mm²')}</span>
          </b>
        ),
    ],
    ['From baseline', (p, k) => k > 0 && p.change_percent !== null && <Change percent={p.change_percent} />],
    [
      'From nadir',
      (p, k) =>
        k > 0 &&
        p.nadir_change_percent !== null && (
          <>
            <Change percent={p.nadir_change_percent} />{' '}
            <span class="muted">
              of {figure(p.nadir ?? 0)} {unitName(p.unit).replace('mm2', 'mm²')}
            </span>
          </>
        ),
    ],
  ];
  return (
    <>
      {rows.map(([name, show]) => (
        <tr key={name} class="sum">
          <th scope="row">{name}</th>
          {shown.points.map((point, k) => (
            <td key={point.study_uid}>{show(point, k)}</td>
          ))}
        </tr>
      ))}
    </>
  );
}

/** The category; below it what else measurement error leaves possible. */
function Category({ point }: { point: PointColumn }) {
  const open = point.plausible.length > 1;
  return (
    <>
      <span class={`category ${toneOf(point.category)}`}>
        {point.category ?? 'not evaluated'}
        {point.provisional && ' ?'}
      </span>
      {point.provisional && <span class="small warning">needs another scan</span>}
      {point.disregarded && <span class="small muted">does not count</span>}
      {open && (
        <span class="small warning">
          may be {point.plausible.filter((c) => c !== point.category).join(' or ')}
        </span>
      )}
    </>
  );
}
