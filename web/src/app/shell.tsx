/** The frame: which page is shown, and the actions every page has. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { LoginPage } from '../features/identity/login';
import { loadPage } from '../features/reading/load-page';
import { WorklistPage } from '../features/worklist/page';
import { type Action, offer } from '../ui/keys';
import { keysOpen, Overlays, paletteOpen } from '../ui/overlays';
import { Button, Notice } from '../ui/primitives';
import { redoLast, undoLast } from '../ui/toasts';
import { dock } from './dock';
import { everyPlace, places } from './places';
import { navigate, type Place, pathTo, route } from './router';
import { can, me, sessionProblem, signOut, whoAmI } from './session';

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
  ...everyPlace.map((place) => ({
    id: `to-${place.page}`,
    label: `Go to: ${place.name}`,
    keys: place.keys ? [place.keys] : [],
    group: 'Everywhere',
    when: () => can(place.needs) && route.value.page !== place.page,
    run: () => navigate(place.path),
  })),
  {
    id: 'to-response',
    label: 'Go to: Tumour response of this patient',
    keys: ['Alt-r'],
    group: 'Everywhere',
    when: () => route.value.page === 'patient',
    run: () => route.value.page === 'patient' && navigate(pathTo.response(route.value.patient)),
  },
  {
    id: 'to-timeline',
    label: 'Go to: Timeline of this patient',
    keys: ['Alt-t'],
    group: 'Everywhere',
    when: () => route.value.page === 'response',
    run: () => route.value.page === 'response' && navigate(pathTo.patient(route.value.patient)),
  },
  { id: 'sign-out', label: 'Sign out', keys: [], group: 'Everywhere', run: () => void signOut() },
];

const loadReading = () => loadPage().then((m) => m.ReadingPage);
const loadTimeline = () => import('../features/timeline/page').then((m) => m.TimelinePage);
const loadResponse = () => import('../features/response/page').then((m) => m.ResponsePage);
const loadAudit = () => import('../features/audit/page').then((m) => m.AuditPage);
const loadSetup = () => import('../features/identity/setup').then((m) => m.SetupPage);
const loadArchive = () => import('../features/archive/page').then((m) => m.ArchivePage);
const loadPlace: Record<Place, () => Promise<ComponentType>> = {
  rules: () => import('../features/archive/rules').then((m) => m.ArchiveRulesPage),
  conflicts: () => import('../features/archive/conflicts').then((m) => m.ConflictsPage),
  rejected: () => import('../features/archive/withheld').then((m) => m.RejectedPage),
  trash: () => import('../features/archive/withheld').then((m) => m.TrashPage),
  storage: () => import('../features/archive/storage').then((m) => m.StoragePage),
  transfers: () => import('../features/transfers/page').then((m) => m.TransfersPage),
  peers: () => import('../features/peers/page').then((m) => m.PeersPage),
  upkeep: () => import('../features/upkeep/page').then((m) => m.UpkeepPage),
  orders: () => import('../features/orders/page').then((m) => m.OrdersPage),
};

export function Shell() {
  const signedIn = me.value;
  const Dock = dock.value;
  useEffect(() => (signedIn ? offer('everywhere', EVERYWHERE) : undefined), [signedIn]);
  return (
    <>
      <Page />
      {signedIn && Dock && <Dock />}
      <Overlays />
    </>
  );
}

function Page() {
  const to = route.value;
  if (to.page === 'login') return <LoginPage next={to.next} />;
  if (to.page === 'setup') return <Lazy key="setup" load={loadSetup} token={to.token} />;
  if (sessionProblem.value) return <Unreachable />;
  if (to.page === 'study') return <Lazy key={to.study} load={loadReading} study={to.study} />;
  if (!me.value) return <div class="page-loading" aria-busy="true" />;
  if (to.page === 'worklist') return can('worklist.read') ? <WorklistPage /> : <FirstPlace />;
  if (to.page === 'patient') return <Lazy key={to.patient} load={loadTimeline} patient={to.patient} />;
  if (to.page === 'response') return <Lazy key={to.patient} load={loadResponse} patient={to.patient} />;
  if (to.page === 'audit') return <Lazy key="audit" load={loadAudit} />;
  if (to.page === 'archive') return <Lazy key="archive" load={loadArchive} />;
  if (to.page !== 'nowhere') return <Lazy key={to.page} load={loadPlace[to.page]} />;
  return (
    <main class="centre">
      <Notice title="There is nothing at this address.">
        <a href={pathTo.worklist}>Go to the worklist</a>
      </Notice>
    </main>
  );
}

/** Who has no worklist begins on the first page that is theirs. */
function FirstPlace() {
  const first = places()[0];
  useEffect(() => {
    if (first) navigate(first.path, { replace: true });
  }, [first]);
  if (first) return null;
  return (
    <main class="centre">
      <Notice title="There is nothing here for you yet.">
        <p>Your account has no role that shows a page. Ask your administrator for one.</p>
        <Button onClick={() => void signOut()}>Sign out</Button>
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
