/** The viewer's face: loaded on demand, so that the first page never waits for it. */
export { EMPTY_VIEW, type PaneId, type PaneView, type ShowOptions, ViewerController } from './controller';
export { prefetch, registerSeries } from './engine';
export { exposeToTests } from './testing';
