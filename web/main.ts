// Puts the page together.
import { App } from './app.js';
import { mountClassifyCard } from './cards/classify-card.js';
import { mountModelCard } from './cards/model-card.js';
import { mountQuantizeCard } from './cards/quantize-card.js';

const app = new App();
mountQuantizeCard(app);
mountClassifyCard(app);
mountModelCard(app); // last: it starts to load, and the others want to see that
