/** Starts the application. */
import './ui/tokens.css'; // first: it sets the order of the layers

import { render } from 'preact';
import { parseRoute, startRouting } from './app/router';
import { startSession } from './app/session';
import { Shell } from './app/shell';
import { loadPage } from './features/reading/load-page';
import { prepare } from './features/reading/open';
import { startKeys } from './ui/keys';
import { keysOpen, paletteOpen } from './ui/overlays';
import './ui/base.css';

// Opening a study directly: fetch what the first image needs while the page is still being set up.
const start = parseRoute(location.pathname);
if (start.page === 'study') {
  prepare(start.study);
  void loadPage();
}

startRouting();
startKeys(() => paletteOpen.value || keysOpen.value);
startSession();

const root = document.getElementById('app');
if (root) render(<Shell />, root);
