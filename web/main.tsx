// Puts the page together.
import { render } from 'preact';

import { showAlert } from './app/alerts.js';
import { acceptFiles } from './app/incoming.js';
import { loadBundled } from './app/network.js';
import { loadSamples } from './app/photos.js';
import { Shell } from './shell/shell.js';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no element "app"');
render(<Shell />, root);

acceptFiles();
loadBundled().catch(showAlert);
loadSamples().catch(showAlert);
