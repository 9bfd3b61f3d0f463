import { holdfastError } from '@holdfast/protocol';
import { delayBefore } from '../backoff.js';
import { consequenceOf, retryAfterOf } from '../classify.js';
import { lose } from './lose.js';
import {
  type Attempting,
  type Connected,
  inPhase,
  type Loss,
  type Step,
  type Surroundings,
  to,
  trailOf,
} from './state.js';
import { stateOf } from './view.js';

/*
 * Moving to another server, because this one is going down: the new connection is opened before the old one is
 * closed, and takes over with its WELCOME.
 */

export function moveOn(connection: Connected, { now }: Surroundings): Step {
  const trail = trailOf(connection);
  const moves = connection.moves + 1;
  const next = inPhase({ ...connection, ...trail, moves }, 'preparing', now);
  return to(next, { do: 'prepare', dial: trail.dial, attempt: moves });
}

/** The connection to move to has failed: what stands still stands, and nothing of this is said to the application. */
export function moveLater(connection: Connected, { error, code = 1000 }: Loss, around: Surroundings): Step {
  const wait = { attempt: connection.moves + 1, spreadMs: 0, retryAfterMs: retryAfterOf(error) };
  const moveAt = around.now + delayBefore(around.reconnect, wait, around.fraction);
  const { dial } = connection;
  return to(
    { ...connection, ...trailOf(connection), successor: undefined, moveAt },
    { do: 'hang-up', dial, code, reason: '' },
  );
}

type Successor = NonNullable<Connected['successor']>;

/** The old socket goes; the new one is all there is from here on. `seen`: unless told otherwise, nobody sees that. */
export function relieve(
  connection: Connected,
  { phase: status, deadlineAt }: Successor,
  { now }: Surroundings,
  seen: Pick<Attempting, 'shown' | 'lastError'> = { shown: stateOf(connection) },
): Step {
  const { attempt, dial, spreadMs, fault, socket } = connection;
  return to(
    {
      ...{ status, deadlineAt, dial, spreadMs, fault, attempt },
      ...{ since: Math.floor(now), downSince: now, ...seen },
    },
    { do: 'hang-up', dial: socket, code: 1000, reason: '' },
  );
}

/**
 * The connection ends, perhaps before the one to move to has taken over: that goes on, as the only one. What another
 * connection has taken over is lost for good only if none of our own is newer: one that was given up may have done it.
 */
export function leave(connection: Connected, loss: Loss, around: Surroundings): Step {
  const { successor, greeted } = connection;
  const isByUs = loss.error.code === 'ERR_SUPERSEDED' && greeted !== undefined;
  const error = isByUs ? holdfastError('ERR_CONNECTION_LOST', 'a newer connection took over') : loss.error;
  if (!successor || consequenceOf(error) !== 'retry') return lose(connection, { ...loss, error }, around);
  const isSeen = !isByUs || successor.phase !== 'handshaking';
  return relieve(connection, successor, around, isSeen ? { lastError: error } : undefined);
}
