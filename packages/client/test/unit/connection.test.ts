import { CloseCode, holdfastError } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import {
  type Connection,
  type ConnectionEvent,
  type ConnectionSettings,
  deadlineOf,
  initialConnection,
  type Step,
  stateOf,
  step,
} from '../../src/core/connection.js';

const NOW = 100_000;
const settings: ConnectionSettings = {
  reconnect: { baseMs: 500, capMs: 30_000, minUptimeMs: 5_000, maxAttempts: 3, maxElapsedMs: Infinity },
  heartbeat: { intervalMs: 0, timeoutMs: 5_000, maxMissed: 1 },
};
const lost = holdfastError('ERR_CONNECTION_LOST', 'lost');
const refused = holdfastError('ERR_AUTH_REFUSED', 'refused', { reason: 'expired' });
const takenOver = holdfastError('ERR_SUPERSEDED', 'taken over');
const expired = holdfastError('ERR_AUTH_EXPIRED', 'expired');
const otherVersion = holdfastError('ERR_PROTOCOL_VERSION', 'other version');
const welcome = { sessionId: 's', userId: 'u', heartbeatMs: 20_000, spreadMs: 0, recovered: false };

function run(connection: Connection, event: ConnectionEvent, now = NOW): Step {
  const around = { now, fraction: 0.5, awaitingSince: undefined, isOffline: false, canRenewToken: false };
  return step(connection, event, { ...around, ...settings });
}
/** The state after these events, each at NOW. */
function after(...events: ConnectionEvent[]): Connection {
  return events.reduce((connection, event) => run(connection, event).connection, initialConnection);
}

const connect: ConnectionEvent = { type: 'connect', anew: false };
const prepared: ConnectionEvent = { type: 'prepared', dial: 1 };
const opened: ConnectionEvent = { type: 'opened', dial: 1 };
const up = [connect, prepared, opened, { type: 'welcomed', dial: 1, welcome }] as const;
const goaway: ConnectionEvent = { type: 'goaway', dial: 1, afterMs: 0 };
const moving = (...then: ConnectionEvent[]): Connection =>
  after(...up, goaway, { type: 'tick' }, { type: 'prepared', dial: 2 }, ...then);
const states = {
  idle: initialConnection,
  preparing: after(connect),
  dialing: after(connect, prepared),
  handshaking: after(connect, prepared, opened),
  connected: after(...up),
  // With a second connection under way, in each of its phases.
  movingPreparing: after(...up, goaway, { type: 'tick' }),
  movingDialing: moving(),
  movingHandshaking: moving({ type: 'opened', dial: 2 }),
  waiting: after(connect, { type: 'failed', dial: 1, error: lost }),
  'needs-auth': after(connect, { type: 'failed', dial: 1, error: refused }),
  failed: after(connect, { type: 'failed', dial: 1, error: otherVersion }),
  closed: after(connect, { type: 'close', reason: 'done' }),
} as const;
type Name = keyof typeof states;
const names = Object.keys(states) as Name[];
const attempts = ['preparing', 'dialing', 'handshaking'] as const;
const movings = ['movingPreparing', 'movingDialing', 'movingHandshaking'] as const;

/** The same for several states. */
function each<N extends Name>(these: readonly N[], cell: string): { [name in N]: string } {
  return Object.fromEntries(these.map((name) => [name, cell])) as { [name in N]: string };
}

type Row = { readonly [name in Name]?: string };
/** The dial that stands, or is under way. */
const socketOf = (connection: Connection): number =>
  connection.status === 'connected' ? connection.socket : connection.dial;

/**
 * Each event, told of the dial that stands, and what becomes of each state by it: status and effects. What is not named
 * does not change, and nothing is done.
 */
const table: { readonly [event: string]: { make(dial: number): ConnectionEvent; to: Row } } = {
  connect: {
    make: () => connect,
    to: each(['idle', 'waiting', 'needs-auth', 'failed'], 'preparing prepare'),
  },
  'connect anew': {
    make: () => ({ type: 'connect', anew: true }),
    to: {
      ...each(['idle', 'waiting', 'needs-auth', 'failed'], 'preparing prepare'),
      ...each([...attempts, 'connected'], 'preparing hang-up prepare'),
      ...each(movings, 'preparing hang-up hang-up prepare'),
    },
  },
  disconnect: {
    make: () => ({ type: 'disconnect' }),
    to: {
      ...each(['idle', 'waiting', 'needs-auth', 'failed'], 'idle -'),
      ...each([...attempts, 'connected'], 'idle hang-up'),
      ...each(movings, 'idle hang-up hang-up'),
    },
  },
  close: {
    make: () => ({ type: 'close', reason: 'x' }),
    to: {
      ...each(['idle', 'waiting', 'needs-auth', 'failed'], 'closed -'),
      ...each(['preparing', 'dialing'], 'closed hang-up'),
      ...each(['handshaking', 'connected'], 'closed bye hang-up'),
      ...each(movings, 'closed bye hang-up hang-up'),
    },
  },
  prepared: { make: (dial) => ({ type: 'prepared', dial }), to: { preparing: 'dialing dial' } },
  opened: { make: (dial) => ({ type: 'opened', dial }), to: { dialing: 'handshaking hello' } },
  relieved: { make: (dial) => ({ type: 'relieved', dial }), to: {} },
  welcomed: {
    make: (dial) => ({ type: 'welcomed', dial, welcome }),
    to: { handshaking: 'connected' },
  },
  'failed for a while': {
    make: (dial) => ({ type: 'failed', dial, error: lost }),
    to: {
      ...each([...attempts, 'connected'], 'waiting hang-up'),
      movingPreparing: 'preparing hang-up',
      movingDialing: 'dialing hang-up',
      movingHandshaking: 'handshaking hang-up',
    },
  },
  'failed because it was taken over': {
    make: (dial) => ({ type: 'failed', dial, error: takenOver }),
    to: {
      ...each([...attempts, 'connected'], 'failed hang-up'),
      ...each(['movingPreparing', 'movingDialing'], 'failed hang-up hang-up'),
      movingHandshaking: 'handshaking hang-up',
    },
  },
  'failed for want of a token': {
    make: (dial) => ({ type: 'failed', dial, error: refused }),
    to: {
      ...each([...attempts, 'connected'], 'needs-auth hang-up'),
      ...each(movings, 'needs-auth hang-up hang-up'),
    },
  },
  'failed for a token that cannot be renewed': {
    make: (dial) => ({ type: 'failed', dial, error: expired }),
    to: {
      ...each([...attempts, 'connected'], 'needs-auth hang-up'),
      ...each(movings, 'needs-auth hang-up hang-up'),
    },
  },
  'failed for good': {
    make: (dial) => ({ type: 'failed', dial, error: otherVersion }),
    to: {
      ...each([...attempts, 'connected'], 'failed hang-up'),
      ...each(movings, 'failed hang-up hang-up'),
    },
  },
  'failed without hope': {
    make: (dial) => ({ type: 'failed', dial, error: lost, hopeless: true }),
    to: {
      ...each([...attempts, 'connected'], 'failed hang-up'),
      movingPreparing: 'preparing hang-up',
      movingDialing: 'dialing hang-up',
      movingHandshaking: 'handshaking hang-up',
    },
  },
  goaway: {
    make: (dial) => ({ type: 'goaway', dial, afterMs: 1_000 }),
    to: { connected: 'connected -' },
  },
  heard: { make: (dial) => ({ type: 'heard', dial }), to: each(['connected', ...movings], 'connected -') },
  'ping-came': {
    make: (dial) => ({ type: 'ping-came', dial }),
    // Our own ping goes with the answer.
    to: each(['connected', ...movings], 'connected pong ping'),
  },
  'pong-came': {
    make: (dial) => ({ type: 'pong-came', dial }),
    to: each(['connected', ...movings], 'connected -'),
  },
  hurry: {
    make: () => ({ type: 'hurry' }),
    to: { ...each(['connected', ...movings], 'connected ping'), waiting: 'waiting -' },
  },
  doubt: { make: () => ({ type: 'doubt' }), to: each(['connected', ...movings], 'connected ping') },
  sleep: {
    make: () => ({ type: 'sleep', bye: false }),
    to: {
      waiting: 'waiting -',
      ...each([...attempts, 'connected'], 'waiting hang-up'),
      ...each(movings, 'waiting hang-up hang-up'),
    },
  },
  'sleep for good': {
    make: () => ({ type: 'sleep', bye: true }),
    to: {
      waiting: 'waiting -',
      ...each(['preparing', 'dialing'], 'waiting hang-up'),
      ...each(['handshaking', 'connected'], 'waiting bye hang-up'),
      ...each(movings, 'waiting bye hang-up hang-up'),
    },
  },
  'tick too early': { make: () => ({ type: 'tick' }), to: {} },
};

describe('every event in every state', () => {
  const cells = Object.entries(table).flatMap(([event, { make, to }]) =>
    names.map((name) => ({ event, name, make, expected: to[name] ?? '= -' })),
  );
  test.each(cells)('$event in $name: $expected', ({ name, make, expected }) => {
    const before = states[name];
    const { connection, effects } = run(before, make(socketOf(before)));
    const [status, ...does] = expected.split(' ');
    if (status === '=') expect(connection).toBe(before);
    else expect(connection.status).toBe(status);
    expect(effects.map((effect) => effect.do)).toEqual(does.filter((effect) => effect !== '-'));
  });

  test.each(cells)('$event of an older dial in $name changes nothing', ({ name, make }) => {
    const before = states[name];
    const event = make(socketOf(before) - 1);
    if ('dial' in event) expect(run(before, event)).toEqual({ connection: before, effects: [] });
  });
});

describe('deadlines', () => {
  test('every state that the outside world should leave has one', () => {
    const bare = new Set<Name>(['idle', 'needs-auth', 'failed', 'closed']);
    for (const name of names) {
      expect([name, deadlineOf(states[name], undefined) === undefined]).toEqual([name, bare.has(name)]);
    }
  });

  test('a dial that nobody answers fails after 10 s, and so does a welcome that never comes', () => {
    const dialing = run(states.dialing, { type: 'tick' }, NOW + 10_000);
    expect(dialing.connection).toMatchObject({ status: 'waiting', lastError: { code: 'ERR_DIAL_TIMEOUT' } });
    const handshaking = run(states.handshaking, { type: 'tick' }, NOW + 10_000);
    expect(handshaking.connection).toMatchObject({
      status: 'waiting',
      lastError: { code: 'ERR_WELCOME_TIMEOUT' },
    });
    expect(handshaking.effects).toEqual([{ do: 'hang-up', dial: 1, code: CloseCode.TIMEOUT, reason: '' }]);
  });

  test('a wait ends in the next dial, with a number of its own', () => {
    const { waiting } = states;
    const { connection, effects } = run(waiting, { type: 'tick' }, deadlineOf(waiting, undefined));
    expect(connection).toMatchObject({ status: 'preparing', attempt: 2, lastError: lost });
    expect(effects).toEqual([{ do: 'prepare', dial: connection.dial, attempt: 2 }]);
    expect(connection.dial).toBeGreaterThan(waiting.dial);
  });
});

describe('attempts', () => {
  const failAt = (connection: Connection, now: number) =>
    run(connection, { type: 'failed', dial: connection.dial, error: lost }, now).connection;

  test('are counted on by a connection that did not last', () => {
    expect(failAt(states.connected, NOW + 4_999)).toMatchObject({ status: 'waiting', attempt: 2 });
  });

  test('begin anew after one that did', () => {
    expect(failAt(states.connected, NOW + 5_000)).toMatchObject({ status: 'waiting', attempt: 1 });
  });

  test('end where the application has set an end', () => {
    let connection: Connection = states.dialing;
    for (let attempt = 2; attempt <= 3; attempt++) {
      connection = failAt(connection, NOW);
      expect(connection).toMatchObject({ status: 'waiting', attempt });
      connection = run(connection, { type: 'tick' }, deadlineOf(connection, undefined)).connection;
    }
    connection = failAt(connection, NOW);
    expect(connection).toMatchObject({ status: 'failed', error: { code: 'ERR_GAVE_UP', cause: lost } });
    expect(run(connection, connect).connection).toMatchObject({ status: 'preparing', attempt: 1 });
  });
});

const shownConnected = {
  ...{ status: 'connected', recovered: false, sessionId: 's', userId: 'u' },
  ...{ since: NOW, health: 'good' },
} as const;

describe('what the application is shown', () => {
  test.each([
    ['idle', { status: 'idle' }],
    ['preparing', { status: 'connecting', attempt: 1, phase: 'preparing', since: NOW }],
    ['dialing', { status: 'connecting', attempt: 1, phase: 'dialing', since: NOW }],
    ['handshaking', { status: 'connecting', attempt: 1, phase: 'handshaking', since: NOW }],
    ['connected', shownConnected],
    ['movingHandshaking', shownConnected],
    [
      'waiting',
      {
        status: 'reconnecting',
        attempt: 2,
        waitingFor: 'timer',
        retryAt: NOW + 525,
        since: NOW,
        lastError: lost,
      },
    ],
    ['needs-auth', { status: 'needs-auth', error: refused }],
    ['failed', { status: 'failed', error: otherVersion }],
    ['closed', { status: 'closed', reason: 'done' }],
  ] as const)('%s', (name, shown) => {
    expect(stateOf(states[name])).toEqual(shown);
  });

  test('a later attempt is a reconnect that waits for an answer', () => {
    const { connection } = run(states.waiting, { type: 'tick' }, NOW + 525);
    expect(stateOf(connection)).toEqual({
      status: 'reconnecting',
      attempt: 2,
      waitingFor: 'answer',
      since: NOW + 525,
      lastError: lost,
    });
  });

  test('the round-trip time, as HELLO and WELCOME have shown it, and then as each pong does', () => {
    const welcomed = after(...up.slice(0, 3), {
      type: 'welcomed',
      dial: 1,
      welcome: { ...welcome, rttMs: 45.67 },
    });
    expect(stateOf(welcomed)).toMatchObject({ rttMs: 45.7 });
    const { connection: asked } = run(welcomed, { type: 'ping-came', dial: 1 });
    const { connection } = run(asked, { type: 'pong-came', dial: 1 }, NOW + 12.34);
    expect(stateOf(connection)).toMatchObject({ rttMs: 12.3 });
  });

  test('none, where there were no HELLO and WELCOME', () => {
    expect(stateOf(states.connected)).not.toHaveProperty('rttMs');
  });
});
