// Which step of the lesson is open, and how it is shown.
import { addressed, flag, integerBetween } from './address.js';

/** From 1; 0 while there is no lesson. */
export const lessonStep = addressed('lesson', integerBetween(0, 8), 0, { history: 'step' });

/** Large type, for a screen at the front of a room. */
export const presenting = addressed('present', flag, false);
