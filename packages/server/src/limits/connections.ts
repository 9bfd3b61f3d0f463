import { addressGroup } from '../gateway/client-address.js';
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
  readonly #settings: ConnectionSettings;
  readonly #accepts: TokenBuckets;
  readonly #open = new Map<string, number>();
  readonly #strangers = new Map<string, number>();
  /** Connections by session, of each user: one that takes over from another is none more. */
  readonly #users = new Map<string, Map<string, number>>();

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    const perSecond = settings.addressAcceptPerSecond;
    this.#accepts = new TokenBuckets(perSecond, Math.max(1, SAVED_S * perSecond));
  }

  /** A connection has come from there: what it takes, until it leaves. */
  place(address: string): ConnectionPlace {
    const group = this.#settings.trustProxy === undefined ? undefined : addressGroup(address);
    let [isOpen, isStranger] = [false, false];
    let left = (): void => undefined;
    const known = (): void => {
      if (isStranger && group !== undefined) add(this.#strangers, group, -1);
      isStranger = false;
    };
    return {
      knock: (now) => {
        if (group === undefined) return undefined;
        const { connectionsPerAddress } = this.#settings;
        const isFull =
          (this.#open.get(group) ?? 0) >= connectionsPerAddress ||
          (this.#strangers.get(group) ?? 0) >= STRANGERS_PER_ADDRESS;
        if (isFull) return FULL_MS;
        const accepts = this.#accepts.of(group, now);
        if (!accepts.take(now)) return Math.max(1, Math.ceil(accepts.msUntil(1, now)));
        add(this.#open, group, 1);
        add(this.#strangers, group, 1);
        [isOpen, isStranger] = [true, true];
        return undefined;
      },
      enter: (user, sid) => {
        known();
        left();
        const sessions = this.#users.get(user) ?? new Map<string, number>();
        if (!sessions.has(sid) && sessions.size >= this.#settings.connectionsPerUser) return FULL_MS;
        this.#users.set(user, sessions);
        add(sessions, sid, 1);
        left = () => {
          add(sessions, sid, -1);
          if (sessions.size === 0) this.#users.delete(user);
          left = () => undefined;
        };
        return undefined;
      },
      leave: () => {
        known();
        if (isOpen && group !== undefined) add(this.#open, group, -1);
        isOpen = false;
        left();
      },
    };
  }
}

/** Of one connection. */
export interface ConnectionPlace {
  /** Undefined: it may stay; otherwise when to come again, ms. */
  knock(now: number): number | undefined;
  /** As `knock`, when it is known who it is and which session. */
  enter(user: string, sid: string): number | undefined;
  /** The connection is gone. */
  leave(): void;
}

/** What is 0 is forgotten. */
function add(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
