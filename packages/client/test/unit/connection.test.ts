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
  reconnect: { baseMs: 500, capMs: 30_000, minUptimeMs: 5_000, maxAttempts: 3 },
  heartbeat: { intervalMs: 0, timeoutMs: 5_000, maxMissed: 1 },
};
const lost = holdfastError('ERR_CONNECTION_LOST', 'lost');
const refused = holdfastError('ERR_AUTH_REFUSED', 'refused', { reason: 'expired' });
const otherVersion = holdfastError('ERR_PROTOCOL_VERSION', 'other version');
const welcome = { sessionId: 's', userId: 'u', heartbeatMs: 20_000, recovered: false };

function run(connection: Connection, event: ConnectionEvent, now = NOW): Step {
  return step(connection, event, { now, fraction: 0.5, awaitingSince: undefined }, settings);
}
/** The state after these events, each at NOW. */
function after(...events: ConnectionEvent[]): Connection {
  return events.reduce((connection, event) => run(connection, event).connection, initialConnection);
}

const connect: ConnectionEvent = { type: 'connect', anew: false };
const states = {
  idle: initialConnection,
  dialing: after(connect),
  handshaking: after(connect, { type: 'opened', dial: 1 }),
  connected: after(connect, { type: 'opened', dial: 1 }, { type: 'welcomed', dial: 1, welcome }),
  waiting: after(connect, { type: 'failed', dial: 1, error: lost }),
  'needs-auth': after(connect, { type: 'failed', dial: 1, error: refused }),
  failed: after(connect, { type: 'failed', dial: 1, error: otherVersion }),
  closed: after(connect, { type: 'close', reason: 'done' }),
} as const;
type Name = keyof typeof states;
const names = Object.keys(states) as Name[];

/** Each event, told of the dial that the state has; and what becomes of each state by it. */
const table: {
  readonly [event: string]: { make(dial: number): ConnectionEvent; to: { readonly [name in Name]: string } };
} = {
  connect: {
    make: () => connect,
    to: row('dialing dial', '= -', '= -', '= -', 'dialing dial', 'dialing dial', 'dialing dial'),
  },
  'connect anew': {
    make: () => ({ type: 'connect', anew: true }),
    to: row(
      'dialing dial',
      'dialing hang-up dial',
      'dialing hang-up dial',
      'dialing hang-up dial',
      'dialing dial',
      'dialing dial',
      'dialing dial',
    ),
  },
  disconnect: {
    make: () => ({ type: 'disconnect' }),
    to: row('idle -', 'idle hang-up', 'idle hang-up', 'idle hang-up', 'idle -', 'idle -', 'idle -'),
  },
  close: {
    make: () => ({ type: 'close', reason: 'x' }),
    to: row(
      'closed -',
      'closed hang-up',
      'closed bye hang-up',
      'closed bye hang-up',
      'closed -',
      'closed -',
      'closed -',
    ),
  },
  opened: {
    make: (dial) => ({ type: 'opened', dial }),
    to: row('= -', 'handshaking hello', '= -', '= -', '= -', '= -', '= -'),
  },
  welcomed: {
    make: (dial) => ({ type: 'welcomed', dial, welcome }),
    to: row('= -', '= -', 'connected ping', '= -', '= -', '= -', '= -'),
  },
  'failed for a while': {
    make: (dial) => ({ type: 'failed', dial, error: lost }),
    to: row('= -', 'waiting hang-up', 'waiting hang-up', 'waiting hang-up', '= -', '= -', '= -'),
  },
  'failed for want of a token': {
    make: (dial) => ({ type: 'failed', dial, error: refused }),
    to: row('= -', 'needs-auth hang-up', 'needs-auth hang-up', 'needs-auth hang-up', '= -', '= -', '= -'),
  },
  'failed for good': {
    make: (dial) => ({ type: 'failed', dial, error: otherVersion }),
    to: row('= -', 'failed hang-up', 'failed hang-up', 'failed hang-up', '= -', '= -', '= -'),
  },
  heard: {
    make: (dial) => ({ type: 'heard', dial }),
    to: row('= -', '= -', '= -', 'connected -', '= -', '= -', '= -'),
  },
  'ping-came': {
    make: (dial) => ({ type: 'ping-came', dial }),
    // The first ping of our own is still without its pong.
    to: row('= -', '= -', '= -', 'connected pong', '= -', '= -', '= -'),
  },
  'pong-came': {
    make: (dial) => ({ type: 'pong-came', dial }),
    to: row('= -', '= -', '= -', 'connected -', '= -', '= -', '= -'),
  },
  hurry: {
    make: () => ({ type: 'hurry' }),
    to: row('= -', '= -', '= -', 'connected ping', 'dialing dial', '= -', '= -'),
  },
  'tick too early': {
    make: () => ({ type: 'tick' }),
    to: row('= -', '= -', '= -', '= -', '= -', '= -', '= -'),
  },
};

function row(
  idle: string,
  dialing: string,
  handshaking: string,
  connected: string,
  waiting: string,
  needsAuth: string,
  failed: string,
) {
  return { idle, dialing, handshaking, connected, waiting, 'needs-auth': needsAuth, failed, closed: '= -' };
}

describe('every event in every state', () => {
  const cells = Object.entries(table).flatMap(([event, { make, to }]) =>
    names.map((name) => ({ event, name, make, expected: to[name] })),
  );
  test.each(cells)('$event in $name: $expected', ({ name, make, expected }) => {
    const before = states[name];
    const { connection, effects } = run(before, make(before.dial));
    const [status, ...does] = expected.split(' ');
    if (status === '=') expect(connection).toBe(before);
    else expect(connection.status).toBe(status);
    expect(effects.map((effect) => effect.do)).toEqual(does.filter((effect) => effect !== '-'));
  });

  test.each(cells)('$event of an older dial in $name changes nothing', ({ name, make }) => {
    const before = states[name];
    const event = make(before.dial - 1);
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
    expect(handshaking.effects).toEqual([{ do: 'hang-up', code: CloseCode.TIMEOUT, reason: '' }]);
  });

  test('a wait ends in the next dial, with a number of its own', () => {
    const { waiting } = states;
    const { connection, effects } = run(waiting, { type: 'tick' }, deadlineOf(waiting, undefined));
    expect(connection).toMatchObject({ status: 'dialing', attempt: 2, lastError: lost });
    expect(effects).toEqual([{ do: 'dial', dial: connection.dial }]);
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
    expect(run(connection, connect).connection).toMatchObject({ status: 'dialing', attempt: 1 });
  });
});

describe('what the application is shown', () => {
  test.each([
    ['idle', { status: 'idle' }],
    ['dialing', { status: 'connecting', attempt: 1, phase: 'dialing', since: NOW }],
    ['handshaking', { status: 'connecting', attempt: 1, phase: 'handshaking', since: NOW }],
    ['connected', { status: 'connected', recovered: false, sessionId: 's', userId: 'u', since: NOW }],
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

  test('the round-trip time, once a pong has come', () => {
    const { connection } = run(states.connected, { type: 'pong-came', dial: 1 }, NOW + 12.34);
    expect(stateOf(connection)).toMatchObject({ rttMs: 12.3 });
  });
});
