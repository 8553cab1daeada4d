/** What stays at the edge of every page while work goes on, such as the queue of uploads. */
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';

/** Set by the part that has something to show, so that its code is loaded only with it. */
export const dock = signal<ComponentType | null>(null);
