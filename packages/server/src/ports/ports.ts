import type { Clock, Codec, Logger, Random, Transport, TransportEvents } from '@holdfast/protocol';
import type { Handshake, User } from '../types.js';
import type { SessionStore } from './store.js';

/** All that the server takes from the world outside. */
export interface ServerPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** A digest that cannot be turned back, as text (SHA-256, base64url): names and keys are stored only so. */
  digest(text: string): string;
  /** Where sessions outlive their connections; absent: in the memory of this server. */
  readonly store?: SessionStore | undefined;
  /** Where log lines go unless the application gives its own logger. */
  readonly logger: Logger;
}

/** Whom a token names. */
export interface Identity {
  readonly user: User;
  /** Until when it counts, ms since 1970; `Infinity`: for ever, as far as `auth` knows. */
  readonly expiresAt: number;
  /** Of the token (`jti`), if it has one. */
  readonly tokenId?: string | undefined;
  /** Ms since 1970, if it says so. */
  readonly issuedAt?: number | undefined;
}

/**
 * Takes a connection that stands; what it returns is to be told what happens on it. `token`: what the upgrade brought,
 * for a HELLO without one; `identity`: whom `auth` has said it to name, if it was asked.
 */
export type Acceptor = (
  transport: Transport,
  codec: Codec,
  handshake: Omit<Handshake, 'resumed'>,
  token?: string,
  identity?: Identity,
) => Pick<TransportEvents, 'message' | 'close' | 'drain'>;
