import { type Connection, timersOf } from '../core/connection.js';
import type { ClientPorts } from '../ports/ports.js';
import type { ConnectionState, Inspection } from '../types.js';
import type { Exchange } from './exchange.js';
import type { Journal } from './journal.js';
import type { Tokens } from './tokens.js';

interface Insides {
  readonly ports: ClientPorts;
  readonly state: ConnectionState;
  readonly exchange: Exchange;
  readonly tokens: Tokens;
}

/** What somebody who looks into a client gets to see. */
export function inspect(
  { ports, state, exchange, tokens }: Insides,
  connection: Connection,
  { transitions }: Journal,
): Inspection {
  const isUp = connection.status === 'connected';
  const timers = [
    ...timersOf(connection, exchange.awaitingSince),
    { name: 'messages', dueAt: exchange.deadlineAt(isUp) } as const,
    { name: 'refresh', dueAt: isUp ? tokens.refreshAt : Infinity } as const,
  ].filter(({ dueAt }) => dueAt < Infinity);
  timers.sort((a, b) => a.dueAt - b.dueAt);
  const rttMs = isUp ? connection.heartbeat.rttMs : undefined;
  return Object.freeze({ at: ports.clock.now(), state, timers, outbox: exchange.outbox, rttMs, transitions });
}
