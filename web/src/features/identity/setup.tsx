/** Choose a password through a one-time link. */
import { useState } from 'preact/hooks';
import { navigate, pathTo } from '../../app/router';
import { setUp } from '../../app/session';
import { Button, Notice, useFirstFocus } from '../../ui/primitives';

export function SetupPage({ token }: { token: string }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const first = useFirstFocus();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const password = String(form.get('password') ?? '');
    if (password !== form.get('repeated')) return setProblem('The two passwords differ. Type them again.');
    setBusy(true);
    setProblem(null);
    try {
      await setUp(token, password);
      navigate(pathTo.worklist, { replace: true });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <form onSubmit={submit} aria-labelledby="setup-title">
        <img src="/favicon.svg" alt="" width="40" height="40" />
        <h1 id="setup-title">Choose a password</h1>
        <p class="muted">This link works once. You are then signed in.</p>
        <label>
          New password
          <input
            class="field"
            name="password"
            type="password"
            autocomplete="new-password"
            required
            ref={first}
          />
        </label>
        <label>
          The same again
          <input class="field" name="repeated" type="password" autocomplete="new-password" required />
        </label>
        {!token && <Notice tone="error">The link is not complete. Open it again as it was printed.</Notice>}
        {problem && <Notice tone="error">{problem}</Notice>}
        <Button type="submit" kind="primary" disabled={busy || !token}>
          Save and sign in
        </Button>
      </form>
    </main>
  );
}
