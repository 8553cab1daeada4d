/** The frame: which page is shown, and the actions every page has. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { LoginPage } from '../features/identity/login';
import { SetupPage } from '../features/identity/setup';
import { WorklistPage } from '../features/worklist/page';
import { type Action, offer } from '../ui/keys';
import { keysOpen, Overlays, paletteOpen } from '../ui/overlays';
import { Button, Notice } from '../ui/primitives';
import { redoLast, undoLast } from '../ui/toasts';
import { navigate, pathTo, route } from './router';
import { isAdministrator, me, sessionProblem, signOut, whoAmI } from './session';

const EVERYWHERE: readonly Action[] = [
  {
    id: 'palette',
    label: 'Find an action',
    keys: ['Ctrl-k'],
    group: 'Everywhere',
    inFields: true,
    run: () => {
      paletteOpen.value = true;
    },
  },
  {
    id: 'keys',
    label: 'Show the keys',
    keys: ['?'],
    group: 'Everywhere',
    run: () => {
      keysOpen.value = true;
    },
  },
  { id: 'undo', label: 'Undo', keys: ['Ctrl-z'], group: 'Everywhere', run: () => void undoLast() },
  { id: 'redo', label: 'Redo', keys: ['Ctrl-Shift-z'], group: 'Everywhere', run: () => void redoLast() },
  {
    id: 'to-worklist',
    label: 'Go to the worklist',
    keys: ['Alt-w'],
    group: 'Everywhere',
    when: () => route.value.page !== 'worklist',
    run: () => navigate(pathTo.worklist),
  },
  {
    id: 'to-audit',
    label: 'Open the audit trail',
    keys: [],
    group: 'Everywhere',
    when: isAdministrator,
    run: () => navigate(pathTo.audit),
  },
  { id: 'sign-out', label: 'Sign out', keys: [], group: 'Everywhere', run: () => void signOut() },
];

const loadReading = () => import('../features/reading/page').then((m) => m.ReadingPage);
const loadTimeline = () => import('../features/timeline/page').then((m) => m.TimelinePage);
const loadAudit = () => import('../features/audit/page').then((m) => m.AuditPage);

export function Shell() {
  const signedIn = me.value;
  useEffect(() => (signedIn ? offer('everywhere', EVERYWHERE) : undefined), [signedIn]);
  return (
    <>
      <Page />
      <Overlays />
    </>
  );
}

function Page() {
  const to = route.value;
  if (to.page === 'login') return <LoginPage next={to.next} />;
  if (to.page === 'setup') return <SetupPage token={to.token} />;
  if (sessionProblem.value) return <Unreachable />;
  if (to.page === 'study') return <Lazy key={to.study} load={loadReading} study={to.study} />;
  if (!me.value) return <div class="page-loading" aria-busy="true" />;
  if (to.page === 'worklist') return <WorklistPage />;
  if (to.page === 'patient') return <Lazy key={to.patient} load={loadTimeline} patient={to.patient} />;
  if (to.page === 'audit') return <Lazy load={loadAudit} />;
  return (
    <main class="centre">
      <Notice title="There is nothing at this address.">
        <a href={pathTo.worklist}>Go to the worklist</a>
      </Notice>
    </main>
  );
}

function Unreachable() {
  return (
    <main class="centre">
      <Notice tone="error" title="Sightline cannot be reached.">
        <p>{sessionProblem.value}</p>
        <Button kind="primary" onClick={() => void whoAmI()}>
          Try again
        </Button>
      </Notice>
    </main>
  );
}

/** A page that comes in its own file. */
function Lazy<P extends object>({ load, ...props }: { load: () => Promise<ComponentType<P>> } & P) {
  const [Loaded, setLoaded] = useState<{ page: ComponentType<P> } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    load().then(
      (page) => setLoaded({ page }),
      () => setFailed(true),
    );
  }, [load]);
  if (failed) {
    return (
      <main class="centre">
        <Notice tone="error" title="A part of the application could not be loaded.">
          <p>The server was perhaps updated. Load the page again.</p>
          <Button kind="primary" onClick={() => location.reload()}>
            Load again
          </Button>
        </Notice>
      </main>
    );
  }
  if (!Loaded) return <div class="page-loading" aria-busy="true" />;
  return <Loaded.page {...(props as unknown as P)} />;
}
