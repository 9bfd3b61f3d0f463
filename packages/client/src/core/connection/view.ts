import type { ConnectionState, Timer } from '../../types.js';
import { heartbeatDueAt } from '../heartbeat.js';
import type { Connected, Connection } from './state.js';

/** When the machine needs a `tick`; undefined in the states that only the application leaves. */
export function deadlineOf(connection: Connection, awaitingSince: number | undefined): number | undefined {
  if (connection.status === 'connected') {
    return Math.min(heartbeatDueAt(connection.heartbeat, awaitingSince), moveDueAt(connection));
  }
  if (connection.status === 'waiting') return connection.retryAt;
  return 'deadlineAt' in connection ? connection.deadlineAt : undefined;
}

/** When the move to another server goes on, or its attempt ends. */
function moveDueAt({ successor, moveAt = Infinity }: Connected): number {
  return successor?.deadlineAt ?? moveAt;
}

const TIMER_NAMES: { readonly [status: string]: Timer['name'] } = {
  preparing: 'token',
  dialing: 'dial',
  handshaking: 'welcome',
  waiting: 'attempt',
};

/** What is waited for, by name. */
export function timersOf(connection: Connection, awaitingSince: number | undefined): Timer[] {
  const { status } = connection;
  if (status !== 'connected') {
    const name = TIMER_NAMES[status];
    return name ? [{ name, dueAt: deadlineOf(connection, awaitingSince) ?? Infinity }] : [];
  }
  const { heartbeat } = connection;
  const name = heartbeat.deadlineAt === undefined ? 'ping' : 'pong';
  const move = moveDueAt(connection);
  return [
    { name, dueAt: heartbeatDueAt(heartbeat, awaitingSince) },
    ...(move < Infinity ? [{ name: 'move', dueAt: move } as const] : []),
  ];
}

/** What the application is shown. */
export function stateOf(connection: Connection): ConnectionState {
  switch (connection.status) {
    case 'preparing':
    case 'dialing':
    case 'handshaking': {
      const { attempt, since, lastError, shown, status: phase } = connection;
      if (shown) return shown;
      return lastError
        ? { status: 'reconnecting', attempt, waitingFor: 'answer', since, lastError }
        : { status: 'connecting', attempt, phase, since };
    }
    case 'connected': {
      const { status, sessionId, userId, recovered, since, heartbeat } = connection;
      const { asked = 'routine', rttMs } = heartbeat;
      const health = asked === 'routine' ? 'good' : 'suspect';
      const measured = rttMs !== undefined && { rttMs: Math.round(rttMs * 10) / 10 };
      return { status, recovered, sessionId, userId, since, health, ...measured };
    }
    case 'waiting': {
      const { attempt, retryAt, since, lastError } = connection;
      const waitingFor = connection.waitingFor === 'server' ? 'timer' : connection.waitingFor;
      return { status: 'reconnecting', attempt, waitingFor, retryAt, since, lastError };
    }
    default: {
      const { dial, spreadMs, fault, ...shown } = connection;
      return shown;
    }
  }
}

/** Heartbeats make a new connection at each frame, but the application is told only of what it can see. */
export function sameState(a: ConnectionState, b: ConnectionState): boolean {
  const keys = Object.keys(b) as (keyof ConnectionState)[];
  return keys.length === Object.keys(a).length && keys.every((key) => a[key] === b[key]);
}
