import type { ClientPorts } from '../../ports/ports.js';
import { systemClock } from './clock.js';
import { systemRandom } from './random.js';
import { platformSignals } from './signals.js';
import { webSocketDialer } from './websocket.js';

/** What browsers, workers and Node give us. Called when a client is made, not at import: a page may not be there yet. */
export function systemPorts(): ClientPorts {
  return {
    clock: systemClock,
    random: systemRandom,
    dialer: webSocketDialer,
    signals: platformSignals,
    logger: console,
    // A file: or about: page has no address to speak of.
    baseUrl: globalThis.location?.origin?.startsWith('http') ? globalThis.location.href : undefined,
  };
}
