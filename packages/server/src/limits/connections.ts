import { addressGroup } from '../gateway/client-address.js';
import { Groups } from '../groups.js';
import { TokenBuckets } from './token-bucket.js';

export interface ConnectionSettings {
  readonly connectionsPerUser: number;
  readonly connectionsPerAddress: number;
  readonly addressAcceptPerSecond: number;
  /** Undefined: nothing is counted by address. */
  readonly trustProxy: number | undefined;
}

/** Of one address, before it is known who they are; more are nobody who means well. */
const STRANGERS_PER_ADDRESS = 20;
/** What an address saves up, in seconds of its rate. */
const SAVED_S = 5;
/** Somebody else has to go first. */
const FULL_MS = 10_000;

/** Counts connections by user and by address. */
export class ConnectionLimits {
  readonly settings: ConnectionSettings;
  readonly accepts: TokenBuckets;
  readonly open = new Map<string, number>();
  readonly strangers = new Map<string, number>();
  /** Sessions with a connection, of each user: one that takes over from another is none more. */
  readonly users = new Groups();

  constructor(settings: ConnectionSettings) {
    this.settings = settings;
    const perSecond = settings.addressAcceptPerSecond;
    this.accepts = new TokenBuckets(perSecond, Math.max(1, SAVED_S * perSecond));
  }

  /** A connection has come from there: what it takes, until it leaves. */
  place(address: string): ConnectionPlace {
    return new ConnectionPlace(this, address);
  }
}

/** What one connection takes of the limits. */
export class ConnectionPlace {
  readonly #limits: ConnectionLimits;
  /** Undefined: nothing is counted by address. */
  readonly #group: string | undefined;
  #stage: 'new' | 'stranger' | 'known' = 'new';
  #user: string | undefined;
  #sid = '';

  constructor(limits: ConnectionLimits, address: string) {
    this.#limits = limits;
    this.#group = limits.settings.trustProxy === undefined ? undefined : addressGroup(address);
  }

  /** Undefined: it may stay; otherwise when to come again, ms. */
  knock(now: number): number | undefined {
    const group = this.#group;
    if (group === undefined) return undefined;
    const { settings, open, strangers, accepts } = this.#limits;
    const isFull =
      (open.get(group) ?? 0) >= settings.connectionsPerAddress ||
      (strangers.get(group) ?? 0) >= STRANGERS_PER_ADDRESS;
    if (isFull) return FULL_MS;
    const bucket = accepts.of(group, now);
    if (!bucket.take(now)) return Math.max(1, Math.ceil(bucket.msUntil(1, now)));
    add(open, group, 1);
    add(strangers, group, 1);
    this.#stage = 'stranger';
    return undefined;
  }

  /** As `knock`, when it is known who it is and which session. */
  enter(user: string, sid: string): number | undefined {
    this.#known();
    this.#left();
    const { settings, users } = this.#limits;
    if (!users.has(user, sid) && users.size(user) >= settings.connectionsPerUser) return FULL_MS;
    users.add(user, sid);
    this.#user = user;
    this.#sid = sid;
    return undefined;
  }

  /** The connection is gone. */
  leave(): void {
    this.#known();
    if (this.#stage === 'known' && this.#group !== undefined) add(this.#limits.open, this.#group, -1);
    this.#stage = 'new';
    this.#left();
  }

  #known(): void {
    if (this.#stage !== 'stranger' || this.#group === undefined) return;
    this.#stage = 'known';
    add(this.#limits.strangers, this.#group, -1);
  }

  #left(): void {
    if (this.#user !== undefined) this.#limits.users.delete(this.#user, this.#sid);
    this.#user = undefined;
  }
}

/** What is 0 is forgotten. */
function add(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
