import type { ConnectionState, Timer } from '../../types.js';
import { heartbeatDueAt } from '../heartbeat.js';
import type { Connected, Connection } from './state.js';

/** When the machine needs a `tick`; undefined in the states that only the application leaves. */
export function deadlineOf(connection: Connection, awaitingSince: number | undefined): number | undefined {
  switch (connection.status) {
    case 'preparing':
    case 'dialing':
    case 'handshaking':
      return connection.deadlineAt;
    case 'waiting':
      return connection.retryAt;
    case 'connected':
      return Math.min(heartbeatDueAt(connection.heartbeat, awaitingSince), moveDueAt(connection));
    default:
      return undefined;
  }
}

/** When the move to another server goes on, or its attempt ends. */
export function moveDueAt({ successor, moveAt = Infinity }: Connected): number {
  return successor?.deadlineAt ?? moveAt;
}

/** What is waited for, by name. */
export function timersOf(connection: Connection, awaitingSince: number | undefined): Timer[] {
  const dueAt = deadlineOf(connection, awaitingSince);
  if (dueAt === undefined) return [];
  if (connection.status !== 'connected') {
    const names = {
      preparing: 'token',
      dialing: 'dial',
      handshaking: 'welcome',
      waiting: 'attempt',
    } as const;
    return connection.status in names
      ? [{ name: names[connection.status as keyof typeof names], dueAt }]
      : [];
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
      const { sessionId, userId, recovered, since, heartbeat } = connection;
      const rttMs = heartbeat.rttMs === undefined ? undefined : Math.round(heartbeat.rttMs * 10) / 10;
      const health = (heartbeat.asked ?? 'routine') === 'routine' ? 'good' : 'suspect';
      const seen = { recovered, sessionId, userId, since, health } as const;
      return { status: 'connected', ...seen, ...(rttMs === undefined ? {} : { rttMs }) };
    }
    case 'waiting': {
      const { attempt, retryAt, since, lastError } = connection;
      const waitingFor = connection.waitingFor === 'server' ? 'timer' : connection.waitingFor;
      return { status: 'reconnecting', attempt, waitingFor, retryAt, since, lastError };
    }
    case 'idle':
      return { status: 'idle' };
    case 'closed':
      return { status: 'closed', reason: connection.reason };
    case 'needs-auth':
      return { status: 'needs-auth', error: connection.error };
    case 'failed':
      return { status: 'failed', error: connection.error };
  }
}

/** Heartbeats make a new connection at each frame, but the application is told only of what it can see. */
export function sameState(a: ConnectionState, b: ConnectionState): boolean {
  const keys = Object.keys(b) as (keyof ConnectionState)[];
  return keys.length === Object.keys(a).length && keys.every((key) => a[key] === b[key]);
}
