/** Where the person is: the address bar is the truth, a signal mirrors it. */
import { signal } from '@preact/signals';

export type Route =
  | { page: 'login'; next: string }
  | { page: 'setup'; token: string }
  | { page: 'worklist' }
  | { page: 'study'; study: string; finding: string | null }
  | { page: 'patient'; patient: string }
  | { page: 'response'; patient: string }
  | { page: 'audit' }
  | { page: 'archive'; study: string | null }
  | { page: Place }
  | { page: 'nowhere' };

/** The pages of those who keep the archive, by address. */
const PLACES = {
  '/archive/conflicts': 'conflicts',
  '/archive/rules': 'rules',
  '/archive/rejected': 'rejected',
  '/archive/trash': 'trash',
  '/archive/transfers': 'transfers',
  '/archive/storage': 'storage',
  '/admin/peers': 'peers',
  '/admin/upkeep': 'upkeep',
  '/orders': 'orders',
} as const;

export type Place = (typeof PLACES)[keyof typeof PLACES];

/** Read an address; anything unknown is `nowhere`. */
export function parseRoute(path: string, search = ''): Route {
  const parts = path.split('/').filter(Boolean).map(decode);
  const [first, second, third] = parts;
  if (parts.length === 0 || (parts.length === 1 && first === 'worklist')) return { page: 'worklist' };
  if (first === 'login') return { page: 'login', next: safeNext(new URLSearchParams(search).get('next')) };
  if (first === 'setup') return { page: 'setup', token: new URLSearchParams(search).get('token') ?? '' };
  if (first === 'study' && second && parts.length === 2)
    return { page: 'study', study: second, finding: new URLSearchParams(search).get('finding') };
  if (first === 'patient' && second && parts.length === 2) return { page: 'patient', patient: second };
  if (first === 'patient' && second && third === 'response' && parts.length === 3)
    return { page: 'response', patient: second };
  if (first === 'admin' && second === 'audit') return { page: 'audit' };
  if (first === 'archive' && parts.length === 1)
    return { page: 'archive', study: new URLSearchParams(search).get('study') };
  const place = PLACES[`/${parts.join('/')}` as keyof typeof PLACES];
  if (place) return { page: place };
  return { page: 'nowhere' };
}

/** Only paths of our own; anything else leads to the worklist. */
export function safeNext(next: string | null): string {
  if (!next?.startsWith('/') || next.startsWith('//') || next.includes('\\')) return '/worklist';
  return /^\/(login|setup)/.test(next) ? '/worklist' : next;
}

export const pathTo = {
  worklist: '/worklist',
  study: (uid: string) => `/study/${encodeURIComponent(uid)}`,
  /** A study at one of its findings. */
  finding: (study: string, finding: string) =>
    `/study/${encodeURIComponent(study)}?finding=${encodeURIComponent(finding)}`,
  patient: (id: string) => `/patient/${encodeURIComponent(id)}`,
  response: (id: string) => `/patient/${encodeURIComponent(id)}/response`,
  audit: '/admin/audit',
  archive: '/archive',
  held: (study: string) => `/archive?study=${encodeURIComponent(study)}`,
  conflicts: '/archive/conflicts',
  rules: '/archive/rules',
  rejected: '/archive/rejected',
  trash: '/archive/trash',
  transfers: '/archive/transfers',
  storage: '/archive/storage',
  orders: '/orders',
  peers: '/admin/peers',
  upkeep: '/admin/upkeep',
} as const;

const here = (): Route =>
  typeof location === 'undefined' ? { page: 'nowhere' } : parseRoute(location.pathname, location.search);

export const route = signal<Route>(here());

/** Go to a page of the application without loading it anew. */
export function navigate(path: string, options: { replace?: boolean } = {}): void {
  history[options.replace ? 'replaceState' : 'pushState'](null, '', path);
  route.value = here();
}

/** Follow the browser's own back and forward, and clicks on our links. */
export function startRouting(): void {
  addEventListener('popstate', () => {
    route.value = here();
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
      return;
    const link = (event.target as Element).closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || parseRoute(link.pathname).page === 'nowhere') return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
