import type { Clock, Codec, Logger, Random, Transport, TransportEvents } from '@holdfast/protocol';
import type { Handshake } from '../types.js';

/** All that the server takes from the world outside. */
export interface ServerPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** Where log lines go unless the application gives its own logger. */
  readonly logger: Logger;
}

/** Takes a connection that stands; what it returns is to be told what happens on it. */
export type Acceptor = (
  transport: Transport,
  codec: Codec,
  handshake: Handshake,
) => Pick<TransportEvents, 'message' | 'close'>;
