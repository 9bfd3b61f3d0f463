import { CloseCode } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { liteBed } from './lite-bed.js';
import { endOf } from './people.js';
import { type Call, playLite } from './scripted.js';

const [EVT, REQ, RES, ERR, PUB, PING, CREDIT, GAP, BYE, SYNC] = [2, 3, 4, 5, 6, 7, 9, 12, 13, 15];

const itemsOf = (call: Call | undefined, type: number) => call?.heard.filter(([one]) => one === type) ?? [];

/** Connected to a server that the test plays. */
async function connected(...options: Parameters<typeof playLite>) {
  const played = playLite(...options);
  await played.clock.until(played.client.connect());
  const [call] = played.calls;
  if (!call) throw new Error('no call');
  return { ...played, call };
}

describe('a server that does not let in', () => {
  test('no WELCOME within 10 s; then the next attempt', async () => {
    const { client, clock, calls } = playLite({}, (call, n) => n > 1 && call.welcome());
    void client.connect();
    await clock.advance(10_010);
    expect(client.getState()).toMatchObject({ lastError: { code: 'ERR_WELCOME_TIMEOUT' } });
    await clock.advance(5_000);
    expect([client.getState().status, calls.length]).toEqual(['connected', 2]);
  });

  test('nobody takes the connection within 10 s', async () => {
    const bed = liteBed();
    const { client, link } = bed.guest();
    link.freeze();
    void client.connect();
    await bed.advance(10_000);
    expect(client.getState()).toMatchObject({ lastError: { code: 'ERR_DIAL_TIMEOUT' } });
  });

  test('another version of the protocol: failed, for good', async () => {
    const { client, clock, calls } = playLite({}, (call) => call.welcome({ v: 2 }));
    const connecting = endOf(client.connect());
    await clock.advance(600_000);
    expect([connecting.end, client.getState().status, calls.length]).toEqual([
      ...['ERR_PROTOCOL_VERSION', 'failed', 1],
    ]);
  });

  test('something else first: a fault, and two of them in a row are no chance', async () => {
    const { client, clock, calls } = playLite({}, (call) => call.say([EVT, 'hello', 1, {}]));
    const connecting = endOf(client.connect());
    await clock.advance(60_000);
    expect([connecting.end, client.getState().status, calls.length]).toEqual(['ERR_PROTOCOL', 'failed', 2]);
    expect(calls.map(({ hungUp }) => hungUp)).toEqual([CloseCode.BAD_FRAME, CloseCode.BAD_FRAME]);
  });

  test('busy: it is asked again when it said, and no signal makes that sooner', async () => {
    const { client, clock, calls, signal } = playLite({}, (call, n) => {
      if (n === 1) call.end(1013, 'ra=20000');
      else call.welcome();
    });
    void client.connect();
    await clock.advance(100);
    expect(client.getState()).toMatchObject({ lastError: { code: 'ERR_SERVER_BUSY', retryAfterMs: 20_000 } });
    signal('online');
    await clock.advance(18_000);
    expect(calls).toHaveLength(1);
    await clock.advance(5_000);
    expect(client.getState().status).toBe('connected');
  });
});

describe('a server that ends the connection', () => {
  test('draining: the client waits to be cut, and comes back to its session', async () => {
    const { client, clock, call, calls, statuses } = await connected();
    call.goaway(1_000);
    await clock.advance(5_000);
    expect([client.getState().status, calls.length]).toEqual(['connected', 1]);
    call.end(1012);
    await clock.advance(5_000);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: true });
    expect(statuses).toContain('reconnecting');
  });

  test('because another connection has taken over: failed', async () => {
    const { client, clock, call } = await connected();
    call.end(CloseCode.SUPERSEDED);
    await clock.advance(60_000);
    expect(client.getState()).toMatchObject({ status: 'failed', error: { code: 'ERR_SUPERSEDED' } });
  });

  test('with words in band, which count more than the code', async () => {
    const { client, clock, call } = await connected();
    call.say([BYE, 'ERR_CONTRACT_VERSION', 'too old', 7]);
    await clock.advance(60_000);
    expect(client.getState()).toMatchObject({ error: { code: 'ERR_CONTRACT_VERSION', serverVersion: 7 } });
  });
});

describe('what cannot be read', () => {
  test.each([
    'no JSON',
    '{}',
    '[]',
    '[0]',
    '[-1,0]',
    '[0,0,5]',
    '[0,0,[22]]',
    '[0,0,[0,{}]]',
    '[0,0,[19,1,1]]',
  ])('%s ends this connection and nothing else', async (data) => {
    const { client, clock, call, calls, lostSessions } = await watched();
    call.sayRaw(data);
    await clock.advance(5_000);
    expect([call.hungUp, calls.length, lostSessions]).toEqual([CloseCode.BAD_FRAME, 2, 0]);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: true });
  });

  test('an item of an extension is ignored', async () => {
    const { client, clock, call } = await connected();
    call.say([32, 'x']);
    await clock.advance(1_000);
    expect([call.hungUp, client.getState().status]).toEqual([undefined, 'connected']);
  });

  test('a hole in the numbers: closed, so that what is missing comes again', async () => {
    const { clock, call, client } = await connected();
    const heard: unknown[] = [];
    client.on('n', (n) => heard.push(n));
    call.sayFrom(1, [EVT, 'n', 1]);
    call.sayFrom(3, [EVT, 'n', 3]);
    await clock.advance(20);
    expect([call.hungUp, heard]).toEqual([CloseCode.GAP, [1]]);
  });

  test('a number again: heard once', async () => {
    const { clock, call, client } = await connected();
    const heard: unknown[] = [];
    client.on('n', (n) => heard.push(n));
    call.sayFrom(1, [EVT, 'n', 1], [EVT, 'n', 2]);
    call.sayFrom(2, [EVT, 'n', 2], [EVT, 'n', 3]);
    await clock.advance(100);
    expect([call.hungUp, heard]).toEqual([undefined, [1, 2, 3]]);
  });

  test('more requests at once than it was told it may send: a fault', async () => {
    const { clock, call, client } = await connected();
    client.handle('never', () => new Promise(() => undefined));
    for (let n = 1; n <= 101; n++) call.sayFrom(n, [REQ, 'never', n]);
    await clock.advance(100);
    expect(call.hungUp).toBe(CloseCode.BAD_FRAME);
  });
});

/** Connected, and how many sessions were lost. */
async function watched(...options: Parameters<typeof playLite>) {
  const made = await connected(...options);
  let lostSessions = 0;
  made.client.onSessionLost(() => lostSessions++);
  return {
    ...made,
    get lostSessions() {
      return lostSessions;
    },
  };
}

describe('bounds', () => {
  test('a window that is closed holds back, and one that opens lets go', async () => {
    const { clock, call, client } = await connected();
    call.say([CREDIT, 2, 1_000_000]);
    await clock.advance(10);
    for (let n = 1; n <= 5; n++) void client.send('note', n);
    await clock.advance(100);
    expect(itemsOf(call, EVT)).toHaveLength(2);
    call.acknowledge(2);
    await clock.advance(100);
    expect(itemsOf(call, EVT)).toHaveLength(4);
    call.say([CREDIT, 100, 1_000_000]);
    // What is held back goes with the next thing that happens.
    call.acknowledge(4);
    await clock.advance(100);
    expect(itemsOf(call, EVT).map(([, , n]) => n)).toEqual([1, 2, 3, 4, 5]);
  });

  test('more requests than the server takes at once: the next one ends at once', async () => {
    const { clock, call, client } = await connected();
    const ends = Array.from({ length: 101 }, () => client.request('never').then(() => undefined, String));
    await clock.advance(100);
    expect(itemsOf(call, REQ)).toHaveLength(100);
    const full = endOf(client.request('never'));
    call.say([RES, 1, 'done']);
    await clock.advance(100);
    expect(full.end).toBe('ERR_OUTBOX_FULL unsent');
    expect(itemsOf(call, REQ)).toHaveLength(100);
    expect(ends).toHaveLength(101);
  });

  test('pings: never more than one in a second, whatever the server proposes', async () => {
    let pings = 0;
    const { clock } = await connected({}, (call) => {
      const take = call.take.bind(call);
      call.take = (data) => {
        if (String(data).includes(`[${PING}]`)) pings++;
        take(data);
      };
      call.welcome({ h: 1 });
    });
    await clock.advance(60_000);
    expect(pings).toBeGreaterThan(10);
    expect(pings).toBeLessThan(60);
  });
});

describe('told by the server', () => {
  test('a gap of the session; not one that nobody misses', async () => {
    const { clock, call, client } = await connected();
    const gaps: unknown[] = [];
    client.onGap((gap) => gaps.push(gap));
    call.sayFrom(1, [GAP, 1, 3, 'outbox-full']);
    call.sayFrom(4, [GAP, 4, 4, 'abandoned']);
    await clock.advance(100);
    expect(gaps).toEqual([{ messages: 3, reason: 'outbox-full', room: undefined }]);
  });

  test('that what it had acknowledged was refused: onUndelivered, not the promise', async () => {
    const { clock, call, client } = await connected();
    const told: string[] = [];
    client.onUndelivered(({ payload }, { code }) => told.push(`${payload} ${code}`));
    const sent = endOf(client.send('note', 'x'));
    await clock.advance(10);
    call.acknowledge(1);
    call.sayFrom(1, [ERR, 1, 'ERR_REJECTED', 'after all']);
    await clock.advance(100);
    expect([sent, told]).toEqual([{ end: 'ok', times: 1 }, ['x ERR_REJECTED']]);
  });

  test('that it has lost what it had acknowledged, while it says that it resumes: the session is lost', async () => {
    const { clock, call, client } = await connected({}, (one, n) => one.welcome(n === 2 ? { x: 0 } : {}));
    const lost: unknown[] = [];
    client.onSessionLost(({ unknown }) => lost.push(unknown.map(({ payload }) => payload)));
    const sent = endOf(client.send('note', 'x'));
    await clock.advance(10);
    call.acknowledge(1);
    await clock.advance(10);
    call.end(1006);
    await clock.advance(10_000);
    expect([sent.end, lost]).toEqual(['ok', [['x']]]);
    expect(client.getState()).toMatchObject({ status: 'connected', recovered: false });
  });

  test('a join, and the connection breaks behind the answer: the next one is told where we stand', async () => {
    const { clock, calls, client } = await connected({}, undefined, (call, n) => {
      if (n === 1 && itemsOf(call, REQ).length > 0 && call.hungUp === undefined) {
        call.sayFrom(1, [RES, 1, { epoch: 'log', offset: 7, members: [] }]);
        call.end(1006);
      }
    });
    const joining = endOf(client.room('lobby').join());
    await clock.advance(5_000);
    expect(joining.end).toBe('ok');
    expect(itemsOf(calls[1], SYNC)).toEqual([[SYNC, [['lobby', 'log', 7]]]]);
  });

  test('a publication again, or one of the protocol’s own: not heard', async () => {
    const { clock, call, client, errors } = await connected({}, undefined, (one) => {
      if (itemsOf(one, REQ).length === 1) one.sayFrom(1, [RES, 1, { epoch: 'log', offset: 7, members: [] }]);
    });
    const room = client.room('lobby');
    const heard: unknown[] = [];
    room.on('said', (n) => heard.push(n));
    void room.join();
    await clock.advance(100);
    call.say([SYNC, [['lobby', 'log', 7, 1]]]);
    call.say(
      [PUB, 1, 7, 'said', 7],
      [PUB, 1, 8, 'said', 8],
      [PUB, 1, 8, 'said', 8],
      [PUB, 1, 9, '$joined', {}],
    );
    call.say([PUB, 2, 9, 'said', 'elsewhere'], [PUB, 1, 10, 'said', 10]);
    await clock.advance(100);
    expect([heard, errors]).toEqual([[8, 10], []]);
  });

  test('leave() ends with the answer, or at once where nobody is there to give it', async () => {
    const { clock, call, client } = await connected({}, undefined, (one) => {
      if (itemsOf(one, REQ).length === 1) one.sayFrom(1, [RES, 1, { epoch: 'log', offset: 7, members: [] }]);
    });
    const room = client.room('lobby');
    void room.join();
    await clock.advance(100);
    const leaving = endOf(room.leave());
    await clock.advance(100);
    expect([room.getState().status, leaving.end]).toEqual(['left', 'open']);
    call.sayFrom(2, [RES, 2, null]);
    await clock.advance(100);
    expect(leaving.end).toBe('ok');
    void room.join();
    await client.disconnect();
    await room.leave();
  });

  test('which never says what it has handled: as much of that is remembered as the whole client does', async () => {
    const { clock, call, calls, client } = await connected({}, (one, n) =>
      one.welcome(n > 1 ? { q: 2 } : {}),
    );
    const unknown: unknown[] = [];
    client.onSessionLost((lost) => unknown.push(...lost.unknown.map(({ payload }) => payload)));
    for (let n = 1; n <= 1_001; n++) {
      void client.send('note', n);
      if (n % 500 === 0) await clock.advance(10);
      if (n % 500 === 0) call.acknowledge(n);
    }
    await clock.advance(100);
    call.acknowledge(1_001);
    await clock.advance(100);
    call.end(1006);
    await clock.until(client.connect());
    await clock.advance(5_000);
    expect([calls.length > 1, unknown.length, unknown[0], unknown[999]]).toEqual([true, 1_000, 2, 1_001]);
  });
});
