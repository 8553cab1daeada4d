/** Asks for a few words: on the image, or the name of something kept. */
import { useState } from 'preact/hooks';
import { Button, Dialog } from '../../ui/primitives';
import type { PanesStore, Question } from './panes';

export function TextDialog({ panes }: { panes: PanesStore }) {
  const asking = panes.asking.value;
  return asking ? <Asking {...asking} /> : null;
}

function Asking({ title, before, answer }: Question) {
  const [text, setText] = useState(before);
  return (
    <Dialog title={title} onClose={() => answer(null)}>
      <form
        class="edit-form"
        onSubmit={(e) => {
          e.preventDefault();
          answer(text.trim() || null);
        }}
      >
        <input
          class="field"
          autofocus
          aria-label={title}
          maxLength={200}
          value={text}
          onInput={(e) => setText(e.currentTarget.value)}
        />
        <div class="decisions">
          <Button kind="primary" type="submit">
            Keep it
          </Button>
          <Button onClick={() => answer(null)}>Leave it</Button>
        </div>
      </form>
    </Dialog>
  );
}
