import type { Clock, Logger, Random } from '@holdfast/protocol';
import type { Signals } from './signals.js';
import type { Dialer } from './transport.js';

/** All that the client takes from the world outside. */
export interface ClientPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly dialer: Dialer;
  readonly signals: Signals;
  /** Where log lines go unless the application gives its own logger. */
  readonly logger: Logger;
  /** Address of the page, against which a relative `url` is resolved; absent outside of pages. */
  readonly baseUrl?: string | undefined;
}
