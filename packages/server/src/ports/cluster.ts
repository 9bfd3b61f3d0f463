import type { Clock, Random } from '@holdfast/protocol';
import type { SessionStore } from './store.js';

/**
 * What several servers share, so that a session may go on at another one: `redis()` of `@holdfast/redis`. What stands
 * behind it may change in a minor version until 1.0.
 */
export interface Cluster {
  readonly name: string;
}

/** What a `Cluster` is to a server. */
export interface ClusterPort extends Cluster {
  /** For one server. Does not wait for anything: a store that cannot be reached yet is one that fails. */
  connect(around: ClusterSurroundings): ClusterConnection;
}

export interface ClusterSurroundings {
  readonly clock: Clock;
  readonly random: Pick<Random, 'id'>;
  /** What carries notes cannot be reached until then, though the store may be. Not before `connect` has returned. */
  away(error: unknown, back: Promise<void>): void;
}

export interface ClusterConnection {
  readonly store: SessionStore;
  /** The server goes away; what it has asked is still answered. */
  close(): Promise<void>;
}
