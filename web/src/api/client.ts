/** Talks to the server: one function per kind of request, and one kind of error. */

export interface Problem {
  title: string;
  status: number;
  detail: string;
  code: string;
  facts?: Record<string, unknown>;
}

/** A refusal in the server's words (RFC 9457), or the plain fact that it did not answer (`status` 0). */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.status = problem.status;
    this.code = problem.code;
  }
}

const UNREACHABLE: Problem = {
  title: 'No answer',
  status: 0,
  detail: 'The server does not answer. What you see may be out of date; trying again.',
  code: 'unreachable',
};

let signedOut: () => void = () => {};

/** Say what happens when the server no longer knows who we are. */
export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> =>
  request<T>('GET', path, undefined, signal);
export const post = <T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> =>
  request<T>('POST', path, body, signal);
export const put = <T>(path: string, body?: unknown): Promise<T> => request<T>('PUT', path, body);
export const patch = <T>(path: string, body: unknown): Promise<T> => request<T>('PATCH', path, body);
export const remove = <T>(path: string): Promise<T> => request<T>('DELETE', path);

/** Send a piece of a file from where the upload stands. */
export async function patchPiece<T>(
  path: string,
  piece: Blob,
  offset: number,
  signal?: AbortSignal,
): Promise<T> {
  const answer = await send('PATCH', path, piece, signal, undefined, { 'Upload-Offset': String(offset) });
  return (await answer.json()) as T;
}

/** Send gzipped bytes. */
export async function postBytes<T>(path: string, gzipped: Blob): Promise<T> {
  const answer = await send('POST', path, gzipped, undefined, undefined, { 'Content-Encoding': 'gzip' });
  return (await answer.json()) as T;
}

/** Fetch little-endian float32 numbers. */
export async function getFloats(path: string, signal?: AbortSignal): Promise<Float32Array> {
  const answer = await send('GET', path, undefined, signal);
  const bytes = await answer.arrayBuffer();
  return new Float32Array(bytes, 0, Math.floor(bytes.byteLength / 4));
}

/** Ask for something and look only at the headers of the answer; a refusal is thrown as ever. */
export async function headersOf(path: string, signal?: AbortSignal): Promise<Headers> {
  const answer = await send('GET', path, undefined, signal);
  await answer.body?.cancel();
  return answer.headers;
}

/** Fetch bytes in one media type. */
export async function getBlob(path: string, mediaType: string, signal?: AbortSignal): Promise<Blob> {
  return (await send('GET', path, undefined, signal, mediaType)).blob();
}

/** Fetch a file in one media type and hand it to the browser to keep. */
export async function download(path: string, mediaType: string, name: string): Promise<void> {
  const answer = await send('GET', path, undefined, undefined, mediaType);
  const address = URL.createObjectURL(await answer.blob());
  const link = Object.assign(document.createElement('a'), { href: address, download: name });
  link.click();
  URL.revokeObjectURL(address);
}

async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await send(method, path, body, signal);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  accept?: string,
  more: Record<string, string> = {},
): Promise<Response> {
  const headers: Record<string, string> = { 'X-Sightline': '1', ...more };
  const octets = body instanceof Blob;
  if (accept) headers.Accept = accept;
  if (body !== undefined) headers['Content-Type'] = octets ? 'application/octet-stream' : 'application/json';
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      body: body === undefined ? null : octets ? body : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Refused(UNREACHABLE);
  }
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  if (answer.status === 401 && path !== '/api/session') signedOut();
  throw new Refused(problem);
}

async function problemOf(answer: Response): Promise<Problem> {
  const fallback: Problem = {
    title: `Error ${answer.status}`,
    status: answer.status,
    detail: `The server answered ${answer.status}. Try again; if it stays, tell your administrator.`,
    code: `http-${answer.status}`,
  };
  if (!answer.headers.get('Content-Type')?.includes('json')) return fallback;
  try {
    const said = (await answer.json()) as Partial<Problem>;
    return {
      ...fallback,
      ...(typeof said.title === 'string' && { title: said.title }),
      ...(typeof said.detail === 'string' && { detail: said.detail }),
      ...(typeof said.code === 'string' && { code: said.code }),
    };
  } catch {
    return fallback;
  }
}
