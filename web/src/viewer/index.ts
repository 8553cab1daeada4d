/** The viewer's face: loaded on demand, so that the first page never waits for it. */
export { type PaneId, type ShowOptions, type Step, ViewerController, type ViewerEvents } from './controller';
export { prefetch, registerSeries } from './engine';
export { exposeToTests } from './testing';
export { EMPTY_VIEW, type PaneKind, type PaneView, type Presentation } from './view';
