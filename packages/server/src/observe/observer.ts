import { isPromiseLike } from '@holdfast/protocol';
import type { ServerStats } from './stats.js';

/**
 * Hears what a server does, at once and where it happens: for metrics, traces and logs. Every method may be missing; one
 * that throws, at once or later, is reported to the logger, and stops nothing. Called on hot paths, so each should do little. What is given
 * holds no token and no payload. Names, codes and reasons may come from a client: whoever prints them must escape them,
 * and whoever counts by them must bound how many there are, unless it is said here that they are bounded.
 */
export interface Observer {
  /** The server is made; `stats` may be called at any time. */
  serving?(stats: () => ServerStats): void;
  /** A handshake has ended in a WELCOME. */
  greeted?(what: {
    readonly sessionId: string;
    /** `lost`: the client has been told that the session it asked for is gone. */
    readonly verdict: 'new' | 'resumed' | 'lost';
    /** Since the connection stood, with the time that `auth` and the store took. */
    readonly ms: number;
  }): void;
  /** A connection was refused, or broken off because of what came on it. */
  refused?(what: {
    /** Bounded: a code of docs/errors.md, or `http_<status>` at the upgrade. */
    readonly code: string;
    readonly address: string;
  }): void;
  /** Somebody has asked for more than a limit allows, and is told to wait. */
  limited?(what: {
    /**
     * Bounded. `handshakes`: `limits.acceptPerSecond`. `renewals`: fresh tokens on one connection. `messages`: one that was
     * refused or, volatile, dropped (`limits.messagesPerSecond`). `user-connections`, `address-connections`: more than one user, one address may have.
     */
    readonly limit: 'handshakes' | 'renewals' | 'messages' | 'user-connections' | 'address-connections';
  }): void;
  /** A session has lost its connection, and waits for its client. */
  detached?(what: { readonly sessionId: string; readonly code: number; readonly reason: string }): void;
  /** A session has ended. */
  ended?(what: {
    readonly sessionId: string;
    /** As `onSessionEnd` tells it; bounded. */
    readonly reason: string;
    readonly undelivered: number;
  }): void;
  /** `in`: events and requests came from a client. `out`: events, replies and publications were written to one. */
  messages?(direction: 'in' | 'out', count: number): void;
  /** A client has acknowledged a message, so many ms after it was last written. */
  acknowledged?(ms: number): void;
  /** A listener or handler of the application has ended. */
  handled?(what: {
    readonly sessionId: string;
    readonly kind: 'event' | 'request';
    /** Bounded: only what the application listens to or handles, `$join` and `$leave`. */
    readonly name: string;
    /** From its start to the end of all that it awaited. */
    readonly ms: number;
    /** Why it was refused, if it was; bounded. */
    readonly code: string | undefined;
  }): void;
  /** A message of a client was refused. */
  rejected?(what: {
    readonly sessionId: string;
    readonly name: string;
    /** Bounded. */
    readonly code: string;
  }): void;
  /** Messages will not arrive; whoever has to know has been told, unless they were `volatile`. */
  dropped?(what: {
    readonly sessionId: string;
    /**
     * Bounded. `outbox-full`: too much waited for the client. `superseded`: a newer `latest` one took its place.
     * `volatile`: could not go, or be heard, at once. `room-log`: the room's log did not reach back far enough for a
     * client that came back. `session-ended`: not acknowledged when the session ended.
     */
    readonly reason: 'outbox-full' | 'superseded' | 'volatile' | 'room-log' | 'session-ended';
    readonly messages: number;
  }): void;
  /** A store that does not answer at once, as one in memory does, has answered or failed. What failed is asked again, but for `attach`. */
  storeAsked?(what: {
    /** Bounded: an operation of the store's port, `accept` for instance. */
    readonly operation: string;
    readonly ms: number;
    readonly outcome: 'answered' | 'failed';
  }): void;
  /**
   * The store has begun to fail, or to be slow (no answer within a second), or has been well again for three seconds. Told
   * once for each change.
   */
  storeChanged?(
    what:
      | {
          readonly state: 'degraded';
          readonly reason: 'failing' | 'slow';
          /** Bounded: what it was asked. */
          readonly operation: string;
        }
      | {
          readonly state: 'well';
          /** How long it was not. */
          readonly ms: number;
        },
  ): void;
  /** Something of the application's own failed, or the store did: as told to `onError`. */
  failed?(what: { readonly name: string; readonly sessionId?: string | undefined }): void;
}

/** What the server itself tells: every method is there. */
export type Observed = Required<Observer>;

export const HOOKS = [
  'serving',
  'greeted',
  'refused',
  'limited',
  'detached',
  'ended',
  'messages',
  'acknowledged',
  'handled',
  'rejected',
  'dropped',
  'storeAsked',
  'storeChanged',
  'failed',
] as const satisfies readonly (keyof Observer)[];

const nothing = (): void => undefined;

/** Tells all of them. One that throws, at once or later, is reported, and stops nothing. */
export function tellAll(observers: readonly Observer[], report: (error: unknown) => void): Observed {
  const hook = (name: (typeof HOOKS)[number]): ((what: unknown, count?: unknown) => void) => {
    type Hook = (what: unknown, count?: unknown) => unknown;
    // Looked up once: under a name that changes from hook to hook, each call would look for it anew.
    const hearing = observers.flatMap(
      (observer) => (observer[name] as Hook | undefined)?.bind(observer) ?? [],
    );
    if (hearing.length === 0) return nothing;
    // Two at most: a list of them for each call costs more than the call.
    return (what, count) => {
      for (const hear of hearing) {
        try {
          const told = hear(what, count);
          if (isPromiseLike(told)) told.then(undefined, report);
        } catch (error) {
          report(error);
        }
      }
    };
  };
  return Object.fromEntries(HOOKS.map((name) => [name, hook(name)])) as unknown as Observed;
}
