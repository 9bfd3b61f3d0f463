import type { Codec, Scopes, Transport } from '@holdfast/protocol';
import type { Arrival, Memberships } from '../arrival.js';
import type { Attachment } from '../attachment.js';
import type { Admission } from '../limits/admission.js';
import type { ConnectionLimits } from '../limits/connections.js';
import type { Observed } from '../observe/observer.js';
import type { ServerPorts } from '../ports/ports.js';
import type { Answer, OutboxRules, SessionStore } from '../ports/store.js';
import type { EnteringSession, Handshake } from '../types.js';
import type { EntrySurroundings, Upgraded } from './entry.js';

/** What comes in: where it is spoken, in which codec, and what the upgrade said. */
export interface Incoming extends Upgraded {
  readonly transport: Transport;
  readonly codec: Codec;
}

/** A connection, while it has no session. */
export interface Arriving {
  hangUp(code: number, reason: string): void;
}

/** What handshakes need of their server: the same for all of them, since there are many. */
export interface HandshakeSurroundings extends EntrySurroundings {
  readonly ports: ServerPorts;
  readonly store: SessionStore;
  readonly node: string;
  readonly admission: Admission;
  readonly connections: ConnectionLimits;
  readonly scopes: Scopes;
  readonly heartbeatMs: number;
  readonly sessionTtlMs: number;
  readonly maxMessageBytes: number;
  /** What may wait for a client. */
  readonly outbox: OutboxRules;
  /** What a session saves up of its rate, in messages. */
  readonly burst: number;
  readonly observe: Observed;
  /** Over how long clients are to spread when this server is lost, ms; undefined: that is too short to say. */
  spreadMs(): number | undefined;
  /** In which of its rooms a session that comes back still is; of those that it may not be in any more, it is out. */
  readmit(session: EnteringSession, rooms: Memberships, handshake: Handshake): Answer<Memberships>;
  /**
   * Binds the connection to its session here. `greet` writes the WELCOME, and what follows it at once. False if the session
   * has a newer one.
   */
  arrive(from: Arriving, arrival: Arrival, greet: (attachment: Attachment) => void): boolean;
  /** The connection ended before there was a session. */
  gone(connection: Arriving): void;
}
