/** Who is signed in. */
import { signal } from '@preact/signals';
import { api, get, type Me, onSignedOut, post, Refused, remove } from '../api';
import { navigate, parseRoute } from './router';

/** `undefined` until the server has answered. */
export const me = signal<Me | null | undefined>(undefined);

/** The server could not be asked who we are; the words to show. */
export const sessionProblem = signal<string | null>(null);

export function startSession(): void {
  onSignedOut(() => {
    me.value = null;
    goToLogin();
  });
  void whoAmI();
}

export async function whoAmI(): Promise<void> {
  sessionProblem.value = null;
  try {
    me.value = await get<Me>(api.me);
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return;
    sessionProblem.value = error instanceof Error ? error.message : String(error);
  }
}

export async function signIn(username: string, password: string): Promise<void> {
  me.value = await post<Me>(api.session, { username, password });
}

/** Choose a password through a one-time link; the person is then signed in. */
export async function setUp(token: string, password: string): Promise<void> {
  me.value = await post<Me>(api.setup, { token, password });
}

export async function signOut(): Promise<void> {
  await remove(api.session);
  me.value = null;
  navigate('/login');
}

/** What pages ask of a person's rights; the server decides, this only keeps the offer honest. */
export type Permission =
  | 'worklist.read'
  | 'analysis.run'
  | 'archive.read'
  | 'archive.correct'
  | 'archive.delete'
  | 'archive.export'
  | 'archive.hold'
  | 'archive.label'
  | 'archive.reject'
  | 'archive.store'
  | 'chart.edit'
  | 'chart.read'
  | 'order.edit'
  | 'order.read'
  | 'peer.manage'
  | 'peer.read'
  | 'response.edit'
  | 'system.maintain'
  | 'audit.read';

/** Whether the person may do something, as the server says. */
export const can = (permission: Permission): boolean => me.value?.actions.includes(permission) ?? false;

function goToLogin(): void {
  const here = location.pathname + location.search;
  if (/^(login|setup)$/.test(parseRoute(location.pathname).page)) return;
  navigate(`/login?next=${encodeURIComponent(here)}`, { replace: true });
}
