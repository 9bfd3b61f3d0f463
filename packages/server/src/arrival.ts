import type { Codec, LinkPosition, Transport, Window } from '@holdfast/protocol';
import type { Refusal } from './gateway/token.js';
import type { Identity } from './ports/ports.js';
import type { Answer, Attached, Membership, Ownership } from './ports/store.js';
import type { Handshake, User } from './types.js';

/** A connection and what the store said when it was bound to its session. */
export interface Binding {
  readonly transport: Transport;
  readonly owner: Ownership;
  readonly handshake: Handshake;
  /** From where its session goes on; undefined: it begins. */
  readonly position: LinkPosition | undefined;
  readonly window: Window;
  /** When the token expires; `Infinity`: never. */
  readonly expiresAt: number;
  readonly gate: Gate;
}

/** Who has let a connection in, and shows it out. */
export interface Gate {
  /** What comes breaks the protocol. */
  broken(error: unknown): void;
  /** The token does not count any more, or another one is refused. */
  refused(refusal: Refusal): void;
  /** Whom another token names; undefined: everybody is a guest. */
  readonly identify: ((token: string) => Answer<Identity>) | undefined;
}

/** The rooms of a session. */
export type Memberships = ReadonlyMap<string, Membership>;

/** Whom the store has bound to this connection. */
export interface Arrival extends Binding {
  readonly id: string;
  readonly user: User;
  readonly tokenId: string | undefined;
  readonly codec: Codec;
  readonly attached: Extract<Attached, { status: 'new' | 'resumed' }>;
}
