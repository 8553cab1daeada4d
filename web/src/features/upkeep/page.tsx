/** Work that keeps what is held sound: checking, copying, packing. */
import { get, post } from '../../api';
import { archive, type Damage, type Page, type UpkeepTask } from '../../api/archive';
import { Frame } from '../../app/frame';
import { pathTo } from '../../app/router';
import { can } from '../../app/session';
import { grouped, percent, sizeText } from '../../ui/amounts';
import { count, moment } from '../../ui/format';
import { useLoaded } from '../../ui/load';
import { Button } from '../../ui/primitives';
import { Whole } from '../../ui/states';
import { tell, tellError } from '../../ui/toasts';
import '../archive/archive.css';

const EVERY_MS = 2000;

const TASKS: readonly { task: string; name: string; what: string; found: string }[] = [
  {
    task: 'scrub',
    name: 'Check integrity',
    what: 'Reads every object and compares it with the hash it came with; repairs from the second copy where there is one.',
    found: 'damaged',
  },
  {
    task: 'cold-copy',
    name: 'Cold copy',
    what: 'Copies to the second store what it does not have yet.',
    found: 'copied',
  },
  {
    task: 'transcode',
    name: 'Pack',
    what: 'Compresses without loss what came uncompressed, by the rules; every value stays as it was.',
    found: 'packed',
  },
];

export function UpkeepPage() {
  const loaded = useLoaded(
    async (signal) => {
      const [tasks, damages] = await Promise.all([
        get<UpkeepTask[]>(archive.upkeep, signal),
        get<Page<Damage>>(archive.damages, signal),
      ]);
      return { tasks, damages: damages.items };
    },
    'upkeep',
    EVERY_MS,
  );
  const act = async (address: string, words: string) => {
    try {
      await post(address);
      tell(words);
      await loaded.reload();
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <Frame title="Upkeep">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <main class="sheet" tabIndex={0}>
        <Whole loaded={loaded} what="upkeep">
          {({ tasks, damages }) => (
            <>
              <div class="cards">
                {TASKS.map(({ task, name, what, found }) => {
                  const state = tasks.find((t) => t.task === task) ?? null;
                  return (
                    <section key={task} class="card">
                      <h2>{name}</h2>
                      <p class="muted">{what}</p>
                      {state?.lacks && <p class="warning">▲ {state.lacks}</p>}
                      <TaskState state={state} found={found} />
                      {can('system.maintain') && !state?.lacks && (
                        <div class="decisions">
                          {isUnderWay(state) ? (
                            <Button
                              label={`Stop: ${name}`}
                              onClick={() =>
                                void act(
                                  archive.stopTask(task),
                                  'Stopped. Starting again goes on from there.',
                                )
                              }
                            >
                              Stop
                            </Button>
                          ) : (
                            <Button
                              label={`Start now: ${name}`}
                              onClick={() =>
                                void act(archive.upkeepTask(task), 'Started. It goes on in the background.')
                              }
                            >
                              Start now
                            </Button>
                          )}
                        </div>
                      )}
                    </section>
                  );
                })}
              </div>
              <Damages list={damages} />
            </>
          )}
        </Whole>
      </main>
    </Frame>
  );
}

const isUnderWay = (state: UpkeepTask | null): boolean =>
  state?.state === 'running' || state?.state === 'waiting';

function TaskState({ state, found }: { state: UpkeepTask | null; found: string }) {
  if (!state || state.state === 'never') return state?.lacks ? null : <p>Never run yet.</p>;
  const share = state.total ? percent(state.done, state.total) : null;
  const bad = found === 'damaged' && state.found > state.repaired;
  return (
    <div role="status">
      <p>
        <span class={state.state === 'failed' ? 'urgent' : ''}>{state.state}</span>{' '}
        {state.at && <span class="muted">· {moment(state.at)}</span>}
      </p>
      {state.error && <p class="urgent">✕ {state.error}</p>}
      {isUnderWay(state) && <progress max={100} value={share ?? undefined} aria-label="How far it is" />}
      <p class="muted">
        {grouped(state.done)}
        {state.total > 0 && ` of ${grouped(state.total)}`} {state.total === 1 ? 'object' : 'objects'}
        {state.bytes > 0 && ` · ${sizeText(state.bytes)}`}
        {share !== null && isUnderWay(state) && ` · ${share} %`}
      </p>
      <p class={bad ? 'urgent' : state.found > 0 ? '' : 'good'}>
        {bad ? '✕ ' : found === 'damaged' ? '✓ ' : ''}
        {found === 'damaged' && state.found === 0
          ? 'nothing damaged'
          : `${count(state.found, 'object')} ${found}`}
        {state.repaired > 0 && `, ${state.repaired} repaired`}
      </p>
    </div>
  );
}

const HARMS: Readonly<Record<Damage['kind'], string>> = {
  missing: 'its bytes are gone',
  damaged: 'its bytes have changed',
  orphan: 'bytes without an entry',
  unreadable: 'it could not be read',
};

/** What is broken at this moment; it is the one thing here that a person must act on. */
function Damages({ list }: { list: readonly Damage[] }) {
  if (list.length === 0) return null;
  return (
    <section>
      <h2 class="urgent">✕ {count(list.length, 'object')} to look after</h2>
      <p class="muted">Send the study again from where it came, or set up a second copy and check again.</p>
      <table class="plain wide">
        <thead>
          <tr>
            <th scope="col">Object</th>
            <th scope="col">What is wrong</th>
            <th scope="col">Found</th>
          </tr>
        </thead>
        <tbody>
          {list.map((damage) => (
            <tr key={damage.id}>
              <th scope="row">
                <code class="uid">{damage.sop_uid}</code>{' '}
                {damage.study && (
                  <a class="linked" href={pathTo.held(damage.study)}>
                    the study
                  </a>
                )}
              </th>
              <td class="urgent">{HARMS[damage.kind] ?? damage.kind}</td>
              <td class="muted">{moment(damage.at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
