import type { AuthError, HoldfastError } from '@holdfast/protocol';
import type { ConnectionState } from '../../types.js';
import type { BackoffSettings } from '../backoff.js';
import type { Heartbeat } from '../heartbeat.js';

/** Where the connection is, with the data of just that state. */
export type Connection =
  | (Trail & { readonly status: 'idle' })
  | Attempting
  | Connected
  | Waiting
  | (Trail & { readonly status: 'needs-auth'; readonly error: AuthError })
  | (Trail & { readonly status: 'failed'; readonly error: HoldfastError })
  | (Trail & { readonly status: 'closed'; readonly reason: string });

/** What is remembered from state to state. */
export interface Trail {
  /** Number of the newest dial: what an older one has to say changes nothing. */
  readonly dial: number;
  /** Told by the last WELCOME: over how long to spread the first attempt after a loss, ms. */
  readonly spreadMs: number;
  /** Close code of the last fault that a second attempt cannot mend, and when it came. */
  readonly fault?: { readonly code: number; readonly at: number } | undefined;
}

/** Fetching the address and the token, dialling, or waiting for the WELCOME. */
export type Phase = 'preparing' | 'dialing' | 'handshaking';

export interface Attempting extends Trail {
  readonly status: Phase;
  /** Counted from 1, from `connect()` or the last connection that was stable. */
  readonly attempt: number;
  readonly since: number;
  readonly deadlineAt: number;
  /** Since when there has been no connection. */
  readonly downSince: number;
  /** Absent on the first attempt. */
  readonly lastError?: HoldfastError | undefined;
  /** What the application goes on seeing: the connection before made way for this one. */
  readonly shown?: ConnectionState | undefined;
}

export interface Connected extends Trail {
  readonly status: 'connected';
  /** Number of the dial whose socket this is; there may be newer ones, to move to. */
  readonly socket: number;
  readonly attempt: number;
  readonly since: number;
  readonly sessionId: string;
  readonly userId: string;
  readonly recovered: boolean;
  readonly heartbeat: Heartbeat;
  /** The server has asked us to go elsewhere: when to dial there. */
  readonly moveAt?: number | undefined;
  /** How often that has been tried. */
  readonly moves: number;
  /** The newest dial to move to that has said HELLO. */
  readonly greeted?: number | undefined;
  /** The connection that is to follow; its dial is the newest. */
  readonly successor?: { readonly phase: Phase; readonly deadlineAt: number } | undefined;
}

interface Waiting extends Trail {
  readonly status: 'waiting';
  /** The attempt that is waited for. */
  readonly attempt: number;
  readonly since: number;
  readonly downSince: number;
  readonly retryAt: number;
  /** `server`: it has said when, so that nothing but the application may hurry it. */
  readonly waitingFor: 'timer' | 'online' | 'visible' | 'server';
  readonly lastError: HoldfastError;
}

export interface Welcomed {
  readonly sessionId: string;
  readonly userId: string;
  /** A session of an earlier connection goes on. */
  readonly recovered: boolean;
  readonly heartbeatMs: number;
  readonly spreadMs: number;
  /** How long HELLO and WELCOME were on their way, if there were any. */
  readonly rttMs?: number | undefined;
}

export type ConnectionEvent =
  /** The application wants to be up: dial, or try now. `anew`: leave the connection that stands. */
  | { readonly type: 'connect'; readonly anew: boolean }
  | { readonly type: 'disconnect' }
  /** `code`: told to the socket with the reason; absent: a plain goodbye. */
  | { readonly type: 'close'; readonly reason: string; readonly code?: number }
  /** Address and token of this dial are there. */
  | { readonly type: 'prepared'; readonly dial: number }
  /** The socket of this dial stands. */
  | { readonly type: 'opened'; readonly dial: number }
  /** The WELCOME of the connection to move to has come: the one before may go. */
  | { readonly type: 'relieved'; readonly dial: number }
  | { readonly type: 'welcomed'; readonly dial: number; readonly welcome: Welcomed }
  | Failed
  /** The server asks for a connection elsewhere. */
  | { readonly type: 'goaway'; readonly dial: number; readonly afterMs: number }
  /** A frame came, with a ping or pong in it or not. */
  | { readonly type: 'heard'; readonly dial: number }
  | { readonly type: 'ping-came'; readonly dial: number }
  | { readonly type: 'pong-came'; readonly dial: number }
  /** The network or the page is back: a wait is over, and a connection must prove itself. */
  | { readonly type: 'hurry' }
  /** The network is said to be gone: a connection must prove itself. */
  | { readonly type: 'doubt' }
  /** The page is put away. `bye`: for good, so that its session need not wait. */
  | { readonly type: 'sleep'; readonly bye: boolean }
  /** The time of `deadlineOf` has come, or somebody thinks so. */
  | { readonly type: 'tick' };

/** A dial or connection has failed. */
interface Failed extends Loss {
  readonly type: 'failed';
  readonly dial: number;
}

export interface Loss {
  readonly error: HoldfastError;
  /** Told to the socket that is left. */
  readonly code?: number | undefined;
  /** What its end said. */
  readonly endCode?: number | undefined;
  /** No further attempt can do better, such as one to an address that no socket can have. */
  readonly hopeless?: boolean | undefined;
}

export type ConnectionEffect =
  /** Fetch the address and the token. */
  | { readonly do: 'prepare'; readonly dial: number; readonly attempt: number }
  | { readonly do: 'dial'; readonly dial: number }
  | { readonly do: 'hello'; readonly dial: number }
  | { readonly do: 'ping' }
  | { readonly do: 'pong' }
  | { readonly do: 'bye'; readonly dial: number }
  /** Leave the socket of this dial at once, or stop preparing it: what it says from now on is stale. */
  | { readonly do: 'hang-up'; readonly dial: number; readonly code: number; readonly reason: string };

export interface ConnectionSettings {
  readonly reconnect: BackoffSettings & {
    readonly minUptimeMs: number;
    readonly maxAttempts: number;
    readonly maxElapsedMs: number;
    readonly policy?: ReconnectPolicy | undefined;
  };
  readonly heartbeat: {
    /** 0: what the server proposes. */
    readonly intervalMs: number;
    readonly timeoutMs: number;
    readonly maxMissed: number;
  };
}

/** The application's own delay before an attempt, in ms; null: give up; undefined: it has none. Never throws. */
type ReconnectPolicy = (context: {
  readonly attempt: number;
  readonly elapsedMs: number;
  readonly error: HoldfastError;
}) => number | null | undefined;

/** What a step may ask for, beside its state and event. */
export interface Surroundings extends ConnectionSettings {
  readonly now: number;
  /** From 0 to 1, for jitter. */
  readonly fraction: number;
  /** When the oldest unacknowledged message was written. */
  readonly awaitingSince: number | undefined;
  /** The platform says that there is no network. */
  readonly isOffline: boolean;
  /** Another token can be asked for. */
  readonly canRenewToken: boolean;
}

export interface Step {
  readonly connection: Connection;
  readonly effects: readonly ConnectionEffect[];
}

/** How long each phase of an attempt may take. */
export const PHASE_MS = 10_000;

export const initialConnection: Connection = { status: 'idle', dial: 0, spreadMs: 0 };

export const to = (connection: Connection, ...effects: ConnectionEffect[]): Step => ({ connection, effects });

/** Nothing changes. */
export const stay = (connection: Connection): Step => to(connection);

/** What goes from any state to any other; with a dial of its own, so that whatever there was is stale. */
export function trailOf({ dial, spreadMs, fault }: Trail): Trail {
  return { dial: dial + 1, spreadMs, fault };
}

/** The attempt that is under way comes to this phase. */
export function inPhase(connection: Attempting | Connected, phase: Phase, now: number): Connection {
  const deadlineAt = now + PHASE_MS;
  if (connection.status !== 'connected') return { ...connection, status: phase, deadlineAt };
  const greeted = phase === 'handshaking' ? connection.dial : connection.greeted;
  return { ...connection, greeted, successor: { phase, deadlineAt } };
}

/** The dial whose socket the connection that stands has; undefined without one. */
export const socketOf = (connection: Connection): number | undefined =>
  connection.status === 'connected' ? connection.socket : undefined;

/** How far the attempt is that is under way, by itself or beside the connection that stands. */
export function phaseOf(connection: Connection): Phase | undefined {
  if (connection.status === 'connected') return connection.successor?.phase;
  return 'deadlineAt' in connection ? connection.status : undefined;
}

/** Leaves whatever socket there is, or two. */
export function hangUp(connection: Connection, code: number = 1000, reason = ''): ConnectionEffect[] {
  const dials = connection.status === 'connected' ? [connection.socket] : [];
  if (phaseOf(connection)) dials.push(connection.dial);
  return dials.map((dial) => ({ do: 'hang-up', dial, code, reason }));
}
