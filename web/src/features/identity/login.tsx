/** Sign in by name and password. */
import { useState } from 'preact/hooks';
import { navigate } from '../../app/router';
import { signIn } from '../../app/session';
import { Button, Notice, useFirstFocus } from '../../ui/primitives';

export function LoginPage({ next }: { next: string }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const first = useFirstFocus();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setProblem(null);
    try {
      await signIn(String(form.get('username') ?? ''), String(form.get('password') ?? ''));
      navigate(next, { replace: true });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <form onSubmit={submit} aria-labelledby="login-title">
        <img src="/favicon.svg" alt="" width="40" height="40" />
        <h1 id="login-title">Sightline</h1>
        <p class="muted">Reading room</p>
        <label>
          Name
          <input
            class="field"
            name="username"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            ref={first}
          />
        </label>
        <label>
          Password
          <input class="field" name="password" type="password" autocomplete="current-password" required />
        </label>
        {problem && <Notice tone="error">{problem}</Notice>}
        <Button type="submit" kind="primary" disabled={busy}>
          {busy ? 'Signing in' : 'Sign in'}
        </Button>
        <p class="muted small">Research software, not a medical device. Every access is recorded.</p>
      </form>
    </main>
  );
}
