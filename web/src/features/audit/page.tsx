/** The audit trail: who did what, and the proof that nothing is missing. */
import { useEffect, useState } from 'preact/hooks';
import { api, get, post, type Trail, type Verification } from '../../api';
import { pathTo } from '../../app/router';
import { moment } from '../../ui/format';
import { Button, Notice, Skeleton } from '../../ui/primitives';
import { tellError } from '../../ui/toasts';
import './audit.css';

export function AuditPage() {
  const [page, setPage] = useState<Trail | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [on, setOn] = useState(new URLSearchParams(location.search).get('on') ?? '');
  const load = async (about: string) => {
    setProblem(null);
    try {
      setPage(await get<Trail>(api.audit({ limit: '200', ...(about && { on: about }) })));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  useEffect(() => {
    document.title = 'Audit trail · Sightline';
    void load(on);
  }, []);
  return (
    <div class="audit">
      <header class="bar top">
        <a class="brand" href={pathTo.worklist}>
          Sightline
        </a>
        <h1>Audit trail</h1>
        <span class="spacer" />
        <form
          class="search"
          onSubmit={(e) => {
            e.preventDefault();
            void load(on);
          }}
        >
          <input
            class="field"
            type="search"
            aria-label="Show entries on this object"
            placeholder="Study or object identifier"
            value={on}
            onInput={(e) => setOn(e.currentTarget.value)}
          />
          <Button type="submit">Show</Button>
        </form>
      </header>
      <main>
        {problem && (
          <Notice tone="error" title="The audit trail cannot be shown.">
            <p>{problem}</p>
          </Notice>
        )}
        {page && <Proof page={page} onVerified={() => void load(on)} />}
        {!page && !problem && <Skeleton lines={10} />}
        {page && <Entries page={page} />}
      </main>
    </div>
  );
}

function Proof({ page, onVerified }: { page: Trail; onVerified: () => void }) {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<Verification | null>(null);
  const verify = async () => {
    setBusy(true);
    try {
      setResult(await post<Verification>(api.verification));
      onVerified();
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <ProofFigures page={page} />
      <div class="decisions">
        <Button onClick={() => void verify()} disabled={busy}>
          {busy ? 'Verifying' : 'Verify the whole trail now'}
        </Button>
        {result && (
          <span class={result.ok ? 'good' : 'error'} role="status">
            {result.ok ? '✓' : '✕'} {result.text}
          </span>
        )}
      </div>
    </>
  );
}

function ProofFigures({ page }: { page: Trail }) {
  return (
    <dl class="proof">
      <div>
        <dt>Entries</dt>
        <dd>{page.size}</dd>
      </div>
      <div>
        <dt>Root of the log (RFC 6962)</dt>
        <dd>
          <code>{page.root}</code>
        </dd>
      </div>
      <div>
        <dt>Last verified</dt>
        <dd>
          {page.verified_at ? (
            <span class="good">✓ {moment(page.verified_at)}</span>
          ) : (
            <span class="warning">not yet</span>
          )}
        </dd>
      </div>
    </dl>
  );
}

function Entries({ page }: { page: Trail }) {
  if (page.items.length === 0) return <p class="empty">No entries.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
    <section class="scroll" tabIndex={0} aria-label="Entries">
      <table>
        <thead>
          <tr>
            <th scope="col">No.</th>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">Act</th>
            <th scope="col">On</th>
            <th scope="col">What</th>
          </tr>
        </thead>
        <tbody>
          {page.items.map((entry) => (
            <tr key={entry.seq}>
              <td class="number">{entry.seq}</td>
              <td>{moment(entry.at)}</td>
              <td>{entry.by}</td>
              <td>{entry.act}</td>
              <td class="uid">{entry.on}</td>
              <td>{entry.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
