import { createClient } from '@holdfast/client';
import { createHoldfastServer, json, RejectError } from '@holdfast/server';
import { createServerOn } from '@holdfast/server/ports';
import { createTestbed, seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
function peer(options = {}) {
  const clock = new VirtualClock();
  const { server, accept } = createServerOn({ clock, random: seededRandom(1), logger: quiet }, options);
  const frames: unknown[][] = [];
  let closed: number | undefined;
  const events = accept(
    {
      send: (d) => {
        frames.push(JSON.parse(String(d)));
      },
      close: (c) => {
        closed ??= c;
      },
      bufferedBytes: 0,
    },
    json(),
    { address: 'x' },
  );
  return {
    clock,
    server,
    events,
    frames,
    say: (x: unknown) => events.message(JSON.stringify(x)),
    get closed() {
      return closed;
    },
  };
}
test('no welcome for ever by asking for lost sessions', async () => {
  const p = peer();
  for (let i = 0; i < 20; i++) {
    p.say([0, 0, [0, { v: 1, c: 'x', n: 1, s: 'gone' }]]);
    await p.clock.advance(4_000);
  }
  expect(p.closed).toBe(3008);
});
test('auth that hangs has a deadline', async () => {
  const p = peer({ auth: () => new Promise(() => undefined) });
  p.say([0, 0, [0, { v: 1, c: 'x', n: 1 }]]);
  await p.clock.advance(600_000);
  expect([p.closed !== undefined]).toEqual([true]);
});
test('what waits behind a slow rule is bounded in bytes', async () => {
  const p = peer();
  p.server.rooms('*', { join: () => new Promise(() => undefined) });
  p.say([0, 0, [0, { v: 1, c: 'x', n: 1 }]]);
  p.say([0, 1, [3, '$join', { room: 'r' }]]);
  for (let i = 0; i < 50; i++) p.say([0, i + 2, [2, 'x', 'y'.repeat(500_000)]]);
  expect(p.closed).toBeDefined();
});
test('close() while a connection has not said HELLO, or is authenticating: nothing begins afterwards', async () => {
  let yes: (v: unknown) => void = () => {};
  const p = peer({
    auth: () =>
      new Promise((r) => {
        yes = r;
      }),
  });
  p.say([0, 0, [0, { v: 1, c: 'x', n: 1 }]]);
  await p.clock.settle();
  void p.server.close();
  await p.clock.settle();
  yes({ user: { id: 'u' } });
  await p.clock.settle();
  expect([p.server.stats().sessions, p.closed]).toEqual([0, 1012]);
  expect(p.clock.timers).toBe(0);
});
test('a session that ended is told nothing: onSessionEnd that publishes counts who is there', async () => {
  const p = peer();
  p.server.rooms('*', { join: true });
  let members: unknown;
  p.server.onSessionEnd(() => {
    void p.server
      .to('r')
      .send('left')
      .then((r) => {
        members = r.members;
      });
  });
  p.say([0, 0, [0, { v: 1, c: 'x', n: 1 }]]);
  p.say([0, 1, [3, '$join', { room: 'r' }]]);
  await p.clock.settle();
  p.events.close({ code: 1006, reason: '' });
  await p.clock.settle();
  expect(members).toBe(0);
});
test('publishing after close() leaves no timer', async () => {
  const p = peer();
  await p.clock.until(p.server.close());
  void p.server.to('r').send('x');
  await p.clock.settle();
  expect(p.clock.timers).toBe(0);
});

test('a $join that names 5,000 sessions is no $join', async () => {
  const p = peer();
  p.server.rooms('*', { join: true });
  p.say([0, 0, [0, { v: 1, c: 'x', n: 1 }]]);
  const replaced = Array.from({ length: 5_000 }, (_, n) => `${n}`);
  p.say([0, 1, [3, '$join', { room: 'r', epoch: 'e', offset: 0, replaced }]]);
  expect(p.frames.at(-1)).toEqual([
    0,
    0,
    [13, 'ERR_PROTOCOL', '$join may name 32 replaced sessions, not 5000'],
  ]);
  expect(p.closed).toBe(4400);
});
test('a reason of 9,000 characters', async () => {
  const bed = createTestbed({
    logger: quiet,
    setup: (s) => {
      s.handle('x', () => {
        throw new RejectError('r'.repeat(9000));
      });
    },
  });
  const c = bed.createClient();
  await bed.until(c.connect());
  expect(await bed.until(c.request('x').catch((e) => e.code))).toBe('ERR_REJECTED');
});
test('options that are taken although they cannot work', () => {
  const url = 'ws://127.0.0.1:1';
  const refused = (f: () => unknown) => {
    try {
      f();
      return false;
    } catch (e) {
      return e instanceof TypeError;
    }
  };
  const s = createHoldfastServer({ logger: quiet });
  expect({
    contractNull: refused(() => createClient({ url, contract: null as never })),
    serverContractNull: refused(() => createHoldfastServer({ contract: null as never })),
    codecHalf: refused(() => createClient({ url, codec: { encode() {} } as never })),
    loggerEmpty: refused(() => createClient({ url, logger: {} as never })),
    serverLoggerEmpty: refused(() => createHoldfastServer({ logger: {} as never })),
    reconnectArray: refused(() => createClient({ url, reconnect: [] as never })),
    joinString: refused(() => s.rooms('x', { join: 'yes' as never })),
    publishNumber: refused(() => s.rooms('x', { publish: 5 as never })),
    presenceNumber: refused(() => s.rooms('x', { presence: 1 as never })),
    handleNothing: refused(() => s.handle('x', undefined as never)),
    listenOptions: refused(() => createClient({ url }).on('x', () => {}, { foo: 1 } as never)),
    closeOptions: true,
  }).toEqual(
    expect.objectContaining({
      contractNull: true,
      serverContractNull: true,
      codecHalf: true,
      loggerEmpty: true,
      serverLoggerEmpty: true,
      reconnectArray: true,
      joinString: true,
      publishNumber: true,
      presenceNumber: true,
      handleNothing: true,
      listenOptions: true,
    }),
  );
});
