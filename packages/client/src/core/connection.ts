import { CloseCode, holdfastError } from '@holdfast/protocol';
import { lose } from './connection/lose.js';
import { leave, moveLater, moveOn, relieve } from './connection/move.js';
import {
  type Attempting,
  type Connected,
  type Connection,
  type ConnectionEffect,
  type ConnectionEvent,
  hangUp,
  inPhase,
  type Loss,
  PHASE_MS,
  type Phase,
  phaseOf,
  type Step,
  type Surroundings,
  stay,
  to,
  trailOf,
  type Welcomed,
} from './connection/state.js';
import { deadlineOf } from './connection/view.js';
import {
  ask,
  type Heartbeat,
  heard,
  heartbeatNeed,
  isNews,
  patience,
  pinged,
  ponged,
  startHeartbeat,
} from './heartbeat.js';

/*
 * The client's connection as a pure machine: `step` takes a state and an event and gives the next state and what
 * is to be done. It holds no socket and no timer: the runtime carries out the effects and sends a `tick` when
 * `deadlineOf` says so.
 */

export * from './connection/state.js';
export { deadlineOf, sameState, stateOf, timersOf } from './connection/view.js';

const MIN_HEARTBEAT_MS = 1_000;
/** Several clients of one machine come back at once, but not in one instant. */
const HURRY_MS = 100;

type Told = Extract<ConnectionEvent, { readonly dial: number }>;

export function step(connection: Connection, event: ConnectionEvent, around: Surroundings): Step {
  if (connection.status === 'closed') return stay(connection);
  if (!('dial' in event)) return decide(connection, event, around);
  if (connection.status === 'connected') {
    if (event.dial === connection.socket) return hear(connection, event, around);
  } else if (!('deadlineAt' in connection)) return stay(connection);
  // The attempt that is under way; what an older dial has to say changes nothing.
  return event.dial === connection.dial ? proceed(connection, event, around) : stay(connection);
}

/** What the application, the platform or the clock say. */
function decide(connection: Connection, event: Exclude<ConnectionEvent, Told>, around: Surroundings): Step {
  switch (event.type) {
    case 'connect': {
      const isUnderWay = connection.status === 'connected' || 'deadlineAt' in connection;
      return isUnderWay && !event.anew ? stay(connection) : dial(connection, around);
    }
    case 'disconnect':
      return to({ ...trailOf(connection), status: 'idle' }, ...hangUp(connection));
    case 'close': {
      const { reason, code } = event;
      const hungUp = hangUp(connection, code, code === undefined ? '' : reason);
      return to({ ...trailOf(connection), status: 'closed', reason }, ...bye(connection), ...hungUp);
    }
    case 'hurry':
      return connection.status === 'waiting' ? hurry(connection, around) : doubt(connection, around);
    case 'doubt':
      return doubt(connection, around);
    case 'sleep':
      return sleep(connection, event.bye, around);
    case 'tick':
      return tick(connection, around);
  }
}

/** What the dial says that is under way, by itself or beside the connection that stands. */
function proceed(connection: Attempting | Connected, event: Told, around: Surroundings): Step {
  const { dial } = connection;
  const { now } = around;
  const phase = phaseOf(connection);
  if (event.type === 'prepared' && phase === 'preparing') {
    return to(inPhase(connection, 'dialing', now), { do: 'dial', dial });
  }
  if (event.type === 'opened' && phase === 'dialing') {
    return to(inPhase(connection, 'handshaking', now), { do: 'hello', dial });
  }
  if (connection.status === 'connected') {
    const { successor } = connection;
    if (event.type === 'relieved' && successor) return relieve(connection, successor, around);
    return event.type === 'failed' && successor ? moveLater(connection, event, around) : stay(connection);
  }
  if (event.type === 'welcomed' && phase === 'handshaking') {
    return establish(connection, event.welcome, around);
  }
  return event.type === 'failed' ? lose(connection, event, around) : stay(connection);
}

/** What the socket of a connection that stands says. */
function hear(connection: Connected, event: Told, around: Surroundings): Step {
  const { now } = around;
  const heartbeat = heard(connection.heartbeat, now);
  switch (event.type) {
    case 'failed':
      return leave(connection, event, around);
    case 'goaway':
      return connection.moveAt === undefined
        ? to({ ...connection, moveAt: now + event.afterMs })
        : stay(connection);
    case 'heard':
      return to({ ...connection, heartbeat });
    case 'pong-came':
      return to({ ...connection, heartbeat: ponged(heartbeat, now) });
    case 'ping-came':
      // Answered here, from the message event, which browsers do not throttle. Our own ping goes with the answer
      // and costs no frame; it keeps the round-trip time fresh.
      return heartbeat.pingedAt === undefined
        ? ping(connection, pinged(heartbeat, now, 'routine'), { do: 'pong' })
        : to({ ...connection, heartbeat }, { do: 'pong' });
    default:
      return stay(connection);
  }
}

/** Whether a frame that comes now changes anything: one that came a moment ago has said the same. */
export function hearsNews(connection: Connection, now: number): boolean {
  return connection.status !== 'connected' || isNews(connection.heartbeat, now);
}

const ping = (connection: Connected, heartbeat: Heartbeat, ...before: ConnectionEffect[]): Step =>
  to({ ...connection, heartbeat }, ...before, { do: 'ping' });

/** BYE also before the WELCOME: the session that it would bring is over, then. */
function bye(connection: Connection): ConnectionEffect[] {
  if (connection.status === 'connected') return [{ do: 'bye', dial: connection.socket }];
  return connection.status === 'handshaking' ? [{ do: 'bye', dial: connection.dial }] : [];
}

function dial(from: Connection, { now }: Surroundings): Step {
  const trail = trailOf(from);
  const first = { attempt: 1, downSince: now, lastError: undefined };
  const { attempt, downSince, lastError } = from.status === 'waiting' ? from : first;
  return to(
    {
      ...{ ...trail, status: 'preparing', attempt, downSince, lastError },
      ...{ since: Math.floor(now), deadlineAt: now + PHASE_MS },
    },
    ...hangUp(from),
    { do: 'prepare', dial: trail.dial, attempt },
  );
}

function establish(
  { dial, fault, attempt }: Attempting,
  { heartbeatMs, rttMs, ...welcome }: Welcomed,
  { now, heartbeat: settings }: Surroundings,
): Step {
  // Whatever a server proposes must not become a storm of pings.
  const intervalMs = settings.intervalMs || Math.max(heartbeatMs, MIN_HEARTBEAT_MS);
  const heartbeat = startHeartbeat({ ...settings, intervalMs, rttMs }, now);
  const own = { dial, socket: dial, fault, attempt, moves: 0, since: Math.floor(now) };
  return to({ status: 'connected', ...own, ...welcome, heartbeat });
}

function hurry(
  connection: Extract<Connection, { status: 'waiting' }>,
  { now, fraction }: Surroundings,
): Step {
  const { retryAt, waitingFor } = connection;
  if (waitingFor === 'server') return stay(connection);
  const soon = Math.floor(now + fraction * HURRY_MS);
  return to({ ...connection, retryAt: Math.min(retryAt, soon), waitingFor: 'timer' });
}

/** `readyState` proves nothing after a wake: the connection is asked, and has a short time to answer. */
function doubt(connection: Connection, { now }: Surroundings): Step {
  if (connection.status !== 'connected') return stay(connection);
  const { heartbeat } = connection;
  return ping(connection, pinged(heartbeat, now, 'wake', patience(heartbeat)));
}

/**
 * A page that is put away keeps its session but not its socket, which the browser would cut or hold it back for.
 * Should it not sleep after all, it comes back after a while.
 */
function sleep(connection: Connection, isForGood: boolean, { now, reconnect }: Surroundings): Step {
  if (!('attempt' in connection)) return stay(connection);
  const retryAt = Math.floor(now) + reconnect.capMs;
  if (connection.status === 'waiting') {
    // Without a socket there is nothing to give up; what the server has ordered stands.
    if (connection.waitingFor === 'server') return stay(connection);
    return to({ ...connection, waitingFor: 'visible', retryAt: Math.max(connection.retryAt, retryAt) });
  }
  const lastError = holdfastError('ERR_CONNECTION_LOST', 'the page was put away');
  const { attempt, downSince } =
    connection.status === 'connected' ? { attempt: 1, downSince: now } : connection;
  return to(
    {
      ...{ ...trailOf(connection), status: 'waiting', attempt, since: Math.floor(now), downSince },
      ...{ retryAt, waitingFor: 'visible', lastError },
    },
    ...(isForGood ? bye(connection) : []),
    ...hangUp(connection),
  );
}

function tick(connection: Connection, around: Surroundings): Step {
  const { now, awaitingSince } = around;
  if (now < (deadlineOf(connection, awaitingSince) ?? Infinity)) return stay(connection);
  if (connection.status === 'connected') return beat(connection, around);
  return 'deadlineAt' in connection
    ? lose(connection, tooLate(connection.status), around)
    : dial(connection, around);
}

function tooLate(phase: Phase): Loss {
  const within = `within ${PHASE_MS} ms`;
  if (phase === 'preparing') {
    return { error: holdfastError('ERR_TOKEN_SOURCE', `auth (or url) gave nothing ${within}`) };
  }
  if (phase === 'dialing') return { error: holdfastError('ERR_DIAL_TIMEOUT', `no connection ${within}`) };
  return { error: holdfastError('ERR_WELCOME_TIMEOUT', `no welcome ${within}`), code: CloseCode.TIMEOUT };
}

/** Something is due: the heartbeat, or else the move. */
function beat(connection: Connected, around: Surroundings): Step {
  const { heartbeat, successor } = connection;
  const { now, awaitingSince } = around;
  const need = heartbeatNeed(heartbeat, now, awaitingSince);
  if (need === 'ping') return ping(connection, ask(heartbeat, now, awaitingSince));
  if (need === 'nothing') {
    return successor ? moveLater(connection, tooLate(successor.phase), around) : moveOn(connection, around);
  }
  const silentMs = Math.round(now - heartbeat.heardAt);
  const text = `nothing heard for ${silentMs} ms, and no answer to a ping`;
  return leave(
    connection,
    { error: holdfastError('ERR_CONNECTION_LOST', text), code: CloseCode.TIMEOUT },
    around,
  );
}
