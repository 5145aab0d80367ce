// The layer that is looked at, the same on every view.
import { addressed, text } from './address.js';

/** The name of a layer; empty for none chosen. A link may name a layer that another network does not have. */
export const layer = addressed('layer', text, '');
