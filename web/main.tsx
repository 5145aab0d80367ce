// Puts the page together.
import { render } from 'preact';

import { showAlert } from './app/alerts.js';
import { acceptFiles } from './app/incoming.js';
import { loadFirst } from './app/network.js';
import { startOffline } from './app/offline.js';
import { loadSamples } from './app/photos.js';
import { watchEngine } from './app/recovery.js';
import { loadRuns } from './app/runs.js';
import { Shell } from './shell/shell.js';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no element "app"');
render(<Shell />, root);

acceptFiles();
watchEngine();
loadFirst().catch(showAlert);
loadSamples().catch(showAlert);
void loadRuns();
addEventListener('load', () => void startOffline());
