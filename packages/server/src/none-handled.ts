import type { Handled } from './ports/store.js';

/** Of a session whose client has said nothing: one for all of them. */
export const NONE_HANDLED: Handled = { low: 0, above: [] };
