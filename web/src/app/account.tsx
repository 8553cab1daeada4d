/** Who is signed in, and where they can go from here. */
import { Button } from '../ui/primitives';
import { places } from './places';
import { route } from './router';
import { me, signOut } from './session';

/** The menu under the person's name; `pages` adds the pages where no row of links shows them. */
export function Account({ pages = true }: { pages?: boolean }) {
  return (
    <details
      class="account"
      onKeyDown={(e) => {
        if (e.key !== 'Escape' || !e.currentTarget.open) return;
        e.stopPropagation();
        e.currentTarget.open = false;
        e.currentTarget.querySelector('summary')?.focus();
      }}
    >
      <summary>{me.value?.name || me.value?.username}</summary>
      <div class="menu">
        {pages &&
          places()
            .filter((place) => place.page !== route.value.page)
            .map((place) => (
              <a key={place.page} class="button quiet" href={place.path}>
                {place.name}
              </a>
            ))}
        <Button kind="quiet" onClick={() => void signOut()}>
          Sign out
        </Button>
      </div>
    </details>
  );
}
