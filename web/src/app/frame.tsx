/** The frame of the pages of those who keep the archive: where one is, where one can go, and the keys. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { AllKeys } from '../ui/overlays';
import { Kbd } from '../ui/primitives';
import { Account } from './account';
import './frame.css';
import { places } from './places';
import { pathTo, route } from './router';

interface FrameProps {
  title: string;
  /** Stands at the right of the links, such as a search field. */
  tools?: ComponentChildren;
  hints?: readonly (readonly [keys: string, words: string])[];
  foot?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

/** On a narrow screen the links scroll sideways. */
const inSight = (link: HTMLElement | null) => link?.scrollIntoView({ block: 'nearest', inline: 'nearest' });

export function Frame({ title, tools, hints = [], foot, class: more = '', children }: FrameProps) {
  useEffect(() => {
    document.title = `${title} · Sightline`;
  }, [title]);
  return (
    <div class={`frame ${more}`}>
      <header class="bar top">
        <a class="brand" href={pathTo.worklist}>
          Sightline
        </a>
        <h1 class="sr-only">{title}</h1>
        <nav class="places" aria-label="Pages">
          {places().map((place) => (
            <a
              key={place.page}
              href={place.path}
              ref={route.value.page === place.page ? inSight : null}
              aria-current={route.value.page === place.page ? 'page' : undefined}
              title={place.keys ? `${place.name} (${place.keys.replace('-', ' ').toUpperCase()})` : undefined}
            >
              {place.name}
            </a>
          ))}
        </nav>
        <span class="spacer" />
        {tools}
        <Account pages={false} />
      </header>
      {children}
      <Foot hints={hints}>{foot}</Foot>
    </div>
  );
}

interface FootProps {
  hints: NonNullable<FrameProps['hints']>;
  children?: ComponentChildren;
}

/** The last line of a page: its most used keys, the way to all of them, and a word on what is shown. */
export function Foot({ hints, children }: FootProps) {
  return (
    <footer class="bar bottom">
      <span class="hints optional">
        {hints.map(([keys, words]) => (
          <span key={keys}>
            {keys.split(' ').map((k) => (
              <Kbd key={k} keys={k} />
            ))}
            {words}
          </span>
        ))}
      </span>
      <AllKeys />
      <span class="spacer" />
      <span class="muted foot-words">{children}</span>
    </footer>
  );
}
