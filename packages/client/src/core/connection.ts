import { CloseCode, holdfastError } from '@holdfast/protocol';
import { lose } from './connection/lose.js';
import { leave, moveOn, stepSuccessor } from './connection/move.js';
import {
  type Attempting,
  type Connected,
  type Connection,
  type ConnectionEvent,
  type ConnectionSettings,
  DEADLINE_MS,
  hangUp,
  type Phase,
  type Step,
  type Surroundings,
  stay,
  trailOf,
  type Welcomed,
} from './connection/state.js';
import { deadlineOf, moveDueAt } from './connection/view.js';
import {
  ask,
  heard,
  heartbeatDueAt,
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

export function step(
  connection: Connection,
  event: ConnectionEvent,
  around: Surroundings,
  settings: ConnectionSettings,
): Step {
  if (connection.status === 'closed') return stay(connection);
  if (!('dial' in event)) return decide(connection, event, around, settings);
  if (connection.status === 'connected' && event.dial !== connection.socket) {
    const isSuccessor = connection.successor && event.dial === connection.dial;
    return isSuccessor ? stepSuccessor(connection, event, around, settings) : stay(connection);
  }
  if (connection.status !== 'connected' && event.dial !== connection.dial) return stay(connection);
  return hear(connection, event, around, settings);
}

type Told = Extract<ConnectionEvent, { readonly dial: number }>;

/** What the application, the platform or the clock say. */
function decide(
  connection: Connection,
  event: Exclude<ConnectionEvent, Told>,
  around: Surroundings,
  settings: ConnectionSettings,
): Step {
  switch (event.type) {
    case 'connect':
      return connect(connection, event.anew, around);
    case 'disconnect':
      return { connection: { ...trailOf(connection), status: 'idle' }, effects: hangUp(connection) };
    case 'close': {
      const { reason, code } = event;
      return {
        connection: { ...trailOf(connection), status: 'closed', reason },
        effects: [...bye(connection), ...hangUp(connection, code, code === undefined ? '' : reason)],
      };
    }
    case 'hurry':
      return hurry(connection, around);
    case 'doubt':
      return doubt(connection, around);
    case 'sleep':
      return sleep(connection, event.bye, around, settings);
    case 'tick':
      return tick(connection, around, settings);
  }
}

/** What the socket says. */
function hear(connection: Connection, event: Told, around: Surroundings, settings: ConnectionSettings): Step {
  const { status, dial } = connection;
  switch (event.type) {
    case 'prepared':
      return status === 'preparing'
        ? { connection: inPhase(connection, 'dialing', around), effects: [{ do: 'dial', dial }] }
        : stay(connection);
    case 'opened':
      return status === 'dialing'
        ? { connection: inPhase(connection, 'handshaking', around), effects: [{ do: 'hello', dial }] }
        : stay(connection);
    case 'welcomed':
      return status === 'handshaking'
        ? establish(connection, event.welcome, around, settings)
        : stay(connection);
    case 'failed':
      if (status === 'connected') return leave(connection, event, around, settings);
      return 'deadlineAt' in connection ? lose(connection, event, around, settings) : stay(connection);
    case 'goaway':
      if (status !== 'connected' || connection.moveAt !== undefined) return stay(connection);
      return stay({ ...connection, moveAt: around.now + event.afterMs });
    case 'relieved':
      return stay(connection);
    case 'heard':
    case 'ping-came':
    case 'pong-came':
      return status === 'connected' ? listen(connection, event.type, around) : stay(connection);
  }
}

/** Whether a frame that comes now changes anything: one that came a moment ago has said the same. */
export function hearsNews(connection: Connection, now: number): boolean {
  return connection.status !== 'connected' || isNews(connection.heartbeat, now);
}

function inPhase(connection: Attempting, status: Phase, { now }: Surroundings): Attempting {
  return { ...connection, status, deadlineAt: now + DEADLINE_MS[status] };
}

/** BYE also before the WELCOME: the session that it would bring is over, then. */
function bye(connection: Connection): Step['effects'] {
  if (connection.status === 'connected') return [{ do: 'bye', dial: connection.socket }];
  return connection.status === 'handshaking' ? [{ do: 'bye', dial: connection.dial }] : [];
}

function connect(connection: Connection, anew: boolean, around: Surroundings): Step {
  switch (connection.status) {
    case 'waiting':
      return dial(connection, around, connection);
    case 'preparing':
    case 'dialing':
    case 'handshaking':
    case 'connected':
      return anew ? dial(connection, around) : stay(connection);
    default:
      return dial(connection, around);
  }
}

function dial(
  from: Connection,
  { now }: Surroundings,
  { attempt, downSince, lastError }: Pick<Attempting, 'attempt' | 'downSince' | 'lastError'> = {
    attempt: 1,
    downSince: now,
  },
): Step {
  const trail = trailOf(from);
  const status = 'preparing';
  return {
    connection: {
      ...{ ...trail, status, attempt, downSince, lastError },
      ...{ since: Math.floor(now), deadlineAt: now + DEADLINE_MS[status] },
    },
    effects: [...hangUp(from), { do: 'prepare', dial: trail.dial, attempt }],
  };
}

function establish(
  { dial, fault, attempt }: Attempting,
  { sessionId, userId, recovered, heartbeatMs, spreadMs }: Welcomed,
  { now }: Surroundings,
  { heartbeat: settings }: ConnectionSettings,
): Step {
  // Whatever a server proposes must not become a storm of pings.
  const intervalMs = settings.intervalMs || Math.max(heartbeatMs, MIN_HEARTBEAT_MS);
  // Asks at once, so that the round-trip time is known from the start.
  const heartbeat = pinged(startHeartbeat({ ...settings, intervalMs }, now), now, 'routine');
  const who = { sessionId, userId, recovered };
  return {
    connection: {
      ...{ status: 'connected', dial, socket: dial, spreadMs, fault, moves: 0 },
      ...{ attempt, since: Math.floor(now), ...who, heartbeat },
    },
    effects: [{ do: 'ping' }],
  };
}

function listen(
  connection: Connected,
  what: 'heard' | 'ping-came' | 'pong-came',
  { now }: Surroundings,
): Step {
  const heartbeat = heard(connection.heartbeat, now);
  switch (what) {
    case 'heard':
      return stay({ ...connection, heartbeat });
    case 'pong-came':
      return stay({ ...connection, heartbeat: ponged(heartbeat, now) });
    case 'ping-came': {
      // Answered here, from the message event, which browsers do not throttle. Our own ping goes with the answer
      // and costs no frame; it keeps the round-trip time fresh.
      if (heartbeat.pingedAt !== undefined)
        return { connection: { ...connection, heartbeat }, effects: [{ do: 'pong' }] };
      return {
        connection: { ...connection, heartbeat: pinged(heartbeat, now, 'routine') },
        effects: [{ do: 'pong' }, { do: 'ping' }],
      };
    }
  }
}

function hurry(connection: Connection, around: Surroundings): Step {
  if (connection.status !== 'waiting') return doubt(connection, around);
  const { retryAt, waitingFor } = connection;
  if (waitingFor === 'server') return stay(connection);
  const soon = Math.floor(around.now + around.fraction * HURRY_MS);
  return stay({ ...connection, retryAt: Math.min(retryAt, soon), waitingFor: 'timer' });
}

/** `readyState` proves nothing after a wake: the connection is asked, and has a short time to answer. */
function doubt(connection: Connection, { now }: Surroundings): Step {
  if (connection.status !== 'connected') return stay(connection);
  const { heartbeat } = connection;
  return {
    connection: { ...connection, heartbeat: pinged(heartbeat, now, 'wake', patience(heartbeat)) },
    effects: [{ do: 'ping' }],
  };
}

/**
 * A page that is put away keeps its session but not its socket, which the browser would cut or hold it back for.
 * Should it not sleep after all, it comes back after a while.
 */
function sleep(
  connection: Connection,
  isForGood: boolean,
  { now }: Surroundings,
  { reconnect }: ConnectionSettings,
): Step {
  if (!('attempt' in connection)) return stay(connection);
  const retryAt = Math.floor(now) + reconnect.capMs;
  if (connection.status === 'waiting') {
    // Without a socket there is nothing to give up; what the server has ordered stands.
    if (connection.waitingFor === 'server') return stay(connection);
    return stay({ ...connection, waitingFor: 'visible', retryAt: Math.max(connection.retryAt, retryAt) });
  }
  const lastError = holdfastError('ERR_CONNECTION_LOST', 'the page was put away');
  const { attempt, downSince } =
    connection.status === 'connected' ? { attempt: 1, downSince: now } : connection;
  return {
    connection: {
      ...{ ...trailOf(connection), status: 'waiting', attempt, since: Math.floor(now), downSince },
      ...{ retryAt, waitingFor: 'visible', lastError },
    },
    effects: [...(isForGood ? bye(connection) : []), ...hangUp(connection)],
  };
}

function tick(connection: Connection, around: Surroundings, settings: ConnectionSettings): Step {
  const deadlineAt = deadlineOf(connection, around.awaitingSince);
  if (deadlineAt === undefined || around.now < deadlineAt) return stay(connection);
  switch (connection.status) {
    case 'waiting':
      return dial(connection, around, connection);
    case 'preparing':
    case 'dialing':
    case 'handshaking':
      return lose(connection, tooLate(connection.status), around, settings);
    case 'connected':
      return beat(connection, around, settings);
    default:
      return stay(connection);
  }
}

function tooLate(phase: Phase) {
  const within = `within ${DEADLINE_MS[phase]} ms`;
  if (phase === 'preparing') {
    return { error: holdfastError('ERR_TOKEN_SOURCE', `auth (or url) gave nothing ${within}`) };
  }
  if (phase === 'dialing') return { error: holdfastError('ERR_DIAL_TIMEOUT', `no connection ${within}`) };
  return { error: holdfastError('ERR_WELCOME_TIMEOUT', `no welcome ${within}`), code: CloseCode.TIMEOUT };
}

function beat(connection: Connected, around: Surroundings, settings: ConnectionSettings): Step {
  const { heartbeat, successor, dial } = connection;
  const { now, awaitingSince } = around;
  if (now < heartbeatDueAt(heartbeat, awaitingSince) && now >= moveDueAt(connection)) {
    if (!successor) return moveOn(connection, around);
    const late = { type: 'failed', dial, ...tooLate(successor.phase) } as const;
    return stepSuccessor(connection, late, around, settings);
  }
  switch (heartbeatNeed(heartbeat, now, awaitingSince)) {
    case 'nothing':
      return stay(connection);
    case 'ping':
      return {
        connection: { ...connection, heartbeat: ask(heartbeat, now, awaitingSince) },
        effects: [{ do: 'ping' }],
      };
    case 'give-up': {
      const silentMs = Math.round(now - heartbeat.heardAt);
      const text = `nothing heard for ${silentMs} ms, and no answer to a ping`;
      const error = holdfastError('ERR_CONNECTION_LOST', text);
      const failed = { type: 'failed', dial: connection.socket, error, code: CloseCode.TIMEOUT } as const;
      return hear(connection, failed, around, settings);
    }
  }
}
