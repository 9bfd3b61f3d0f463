import { holdfastError } from '@holdfast/protocol';
import { delayBefore } from '../backoff.js';
import { consequenceOf } from '../classify.js';
import { lose } from './lose.js';
import {
  type Connected,
  type ConnectionEvent,
  type ConnectionSettings,
  DEADLINE_MS,
  type Failed,
  type Phase,
  type Step,
  type Surroundings,
  stay,
  trailOf,
} from './state.js';
import { stateOf } from './view.js';

/**
 * Moving to another server, because this one is going down: the new connection is opened before the old one is
 * closed, and takes over with its WELCOME.
 */
export function moveOn(connection: Connected, { now }: Surroundings): Step {
  const trail = trailOf(connection);
  return {
    connection: { ...connection, ...trail, moves: connection.moves + 1, ...phaseOf('preparing', now) },
    effects: [{ do: 'prepare', dial: trail.dial, attempt: connection.moves + 1 }],
  };
}

const phaseOf = (phase: Phase, now: number): Pick<Connected, 'successor'> => ({
  successor: { phase, deadlineAt: now + DEADLINE_MS[phase] },
});

/** What becomes of the connection to move to. */
export function stepSuccessor(
  connection: Connected,
  event: ConnectionEvent & { readonly dial: number },
  around: Surroundings,
  { reconnect }: ConnectionSettings,
): Step {
  const { dial, successor } = connection;
  switch (event.type) {
    case 'prepared':
      if (successor?.phase !== 'preparing') return stay(connection);
      return {
        connection: { ...connection, ...phaseOf('dialing', around.now) },
        effects: [{ do: 'dial', dial }],
      };
    case 'opened':
      if (successor?.phase !== 'dialing') return stay(connection);
      return {
        connection: { ...connection, greeted: dial, ...phaseOf('handshaking', around.now) },
        effects: [{ do: 'hello', dial }],
      };
    case 'relieved':
      return relieve(connection, around);
    case 'failed': {
      // What stands still stands; nothing of this is said to the application.
      const retryAfterMs = 'retryAfterMs' in event.error ? event.error.retryAfterMs : undefined;
      const wait = { attempt: connection.moves + 1, spreadMs: 0, retryAfterMs };
      const moveAt = around.now + delayBefore(reconnect, wait, around.fraction);
      return {
        connection: { ...connection, ...trailOf(connection), successor: undefined, moveAt },
        effects: [{ do: 'hang-up', dial, code: event.code ?? 1000, reason: '' }],
      };
    }
    default:
      return stay(connection);
  }
}

/** The old socket goes; the new one is all there is from here on. */
function relieve(connection: Connected, { now }: Surroundings): Step {
  const { successor, attempt, dial, spreadMs, fault, socket } = connection;
  if (!successor) return stay(connection);
  const { phase: status, deadlineAt } = successor;
  return {
    connection: {
      ...{ status, dial, spreadMs, fault, attempt, since: Math.floor(now), deadlineAt, downSince: now },
      shown: stateOf(connection),
    },
    effects: [{ do: 'hang-up', dial: socket, code: 1000, reason: '' }],
  };
}

/**
 * The connection ends, perhaps before the one to move to has taken over: that goes on, as the only one. What another
 * connection has taken over is lost for good only if none of our own is newer: one that was given up may have done it.
 */
export function leave(
  connection: Connected,
  failed: Failed,
  around: Surroundings,
  settings: ConnectionSettings,
): Step {
  const { successor, greeted } = connection;
  const isByUs = failed.error.code === 'ERR_SUPERSEDED' && greeted !== undefined;
  const error = isByUs ? holdfastError('ERR_CONNECTION_LOST', 'a newer connection took over') : failed.error;
  if (!successor || consequenceOf(error) !== 'retry') {
    return lose(connection, { ...failed, error }, around, settings);
  }
  const { connection: next, effects } = relieve(connection, around);
  if (!('shown' in next) || (isByUs && successor.phase === 'handshaking'))
    return { connection: next, effects };
  const { shown: _, ...visible } = next;
  return { connection: { ...visible, lastError: error }, effects };
}
