import { createTestbed, type Testbed, type TestbedOptions } from '@holdfast/testing';
import { afterEach, expect, test } from 'vitest';

let bed: Testbed;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const open = (options: TestbedOptions = {}): Testbed => {
  bed = createTestbed({
    logger: quiet,
    setup(server) {
      server.rooms('*', { join: true, publish: true });
      server.on('note', () => undefined);
      server.handle('echo', (input) => input);
    },
    ...options,
  });
  return bed;
};
afterEach(async () => {
  try {
    await bed[Symbol.asyncDispose]();
  } catch {}
});
type Client = ReturnType<Testbed['createClient']>;
async function member(room = 'lobby', options = {}): Promise<{ client: Client; heard: string[] }> {
  const client = bed.createClient(options);
  const heard: string[] = [];
  client.onGap((g) => heard.push(`gap ${g.messages} ${g.reason}`));
  client.room(room).on('message', (p) => heard.push(String(p)));
  await bed.until(client.connect());
  await bed.until(client.room(room).join());
  return { client, heard };
}

test('own publication comes back after two cuts without traffic', async () => {
  open();
  const a = await member();
  await bed.until(a.client.room('lobby').send('message', 'mine'));
  for (let i = 0; i < 2; i++) {
    bed.cut(a.client);
    await bed.advance(20_000);
  }
  expect(a.heard).toEqual([]);
});

test('own publication of a slow rule comes back live in the next session', async () => {
  open({
    setup(server) {
      server.rooms('*', {
        join: true,
        publish: () => new Promise((yes) => bed.clock.setTimer(() => yes(true), 5_000)),
      });
    },
  });
  const a = await member();
  const b = await member();
  void a.client.room('lobby').send('message', 'mine');
  await bed.advance(100);
  bed.cut(a.client);
  await bed.advance(20_000);
  expect(a.heard).toEqual([]);
  expect(b.heard.length).toBeLessThan(2);
});

test('join after close() rejects at once and leaves no timer', async () => {
  open();
  const a = await member();
  await a.client.close();
  const j = a.client.room('other').join();
  await bed.settle();
  let end = 'none';
  j.then(
    () => (end = 'ok'),
    (e) => (end = e.code),
  );
  await bed.advance(1000);
  expect([end, a.client.room('other').getState().status]).toEqual(['ERR_CLOSED', 'idle']);
});

test('rejoin from a room listener during close leaves no timer', async () => {
  open();
  const a = await member();
  const room = a.client.room('lobby');
  room.onState((s) => {
    if (s.status === 'left') void room.join();
  });
  await a.client.close();
  await bed.server.close();
  await bed.advance(1000);
  expect(bed.clock.timers).toBe(0);
});

test('leave() and cut in one task, join() while away: the server has it in', async () => {
  open();
  const a = await member();
  const b = await member();
  const room = a.client.room('lobby');
  void room.leave();
  bed.cut(a.client);
  await bed.settle();
  const j = room.join();
  await bed.until(j);
  await bed.advance(1000);
  await bed.until(b.client.room('lobby').send('message', 'hi'));
  await bed.advance(100);
  expect([room.getState().status, a.heard]).toEqual(['joined', ['hi']]);
});

test('leave/join with a slow rule: what is published after join() resolved arrives', async () => {
  open({
    setup(server) {
      server.rooms('*', {
        join: () => new Promise((yes) => bed.clock.setTimer(() => yes(true), 1_000)),
        publish: true,
      });
    },
  });
  const b = await member();
  const a = bed.createClient();
  const heard: unknown[] = [];
  await bed.until(a.connect());
  const room = a.room('lobby');
  room.on('message', (p) => heard.push(p));
  void room.join();
  await bed.settle();
  void room.leave();
  await bed.until(room.join());
  await bed.advance(20);
  await bed.until(b.client.room('lobby').send('message', 'after join'));
  await bed.advance(3000);
  expect(heard).toEqual(['after join']);
});

test('connect() inside the listener of failed is judged by its own dial', async () => {
  open();
  const a = bed.createClient({ reconnect: { maxAttempts: 1 } });
  bed.refuse(a);
  let second: Promise<void> | undefined;
  a.onState((s) => {
    if (s.status === 'failed' && !second) {
      bed.heal(a);
      second = a.connect();
    }
  });
  await expect(bed.until(a.connect())).rejects.toThrow();
  await bed.advance(1000);
  expect(a.getState().status).toBe('connected');
  await bed.until(second as Promise<void>);
});

test('connect() inside the listener of idle', async () => {
  open();
  const a = bed.createClient();
  await bed.until(a.connect());
  let second: Promise<void> | undefined;
  a.onState((s) => {
    if (s.status === 'idle') second = a.connect();
  });
  a.disconnect();
  await bed.until(second as Promise<void>);
});

test('disconnect() before autoConnect stays down', async () => {
  open();
  const a = bed.createClient({ autoConnect: true });
  a.disconnect();
  await bed.advance(1000);
  expect(bed.dials(a)).toBe(0);
});

test('a long reason of a RejectError reaches the client', async () => {
  open({
    setup(server) {
      server.handle('no', () => {
        throw new (class extends Error {})();
      });
    },
  });
  const { RejectError } = await import('@holdfast/server');
  bed.server.handle('long', () => {
    throw new RejectError('x'.repeat(200));
  });
  const a = bed.createClient();
  await bed.until(a.connect());
  const error = await bed.until(a.request('long').catch((e) => e));
  expect(error).toMatchObject({ code: 'ERR_REJECTED' });
});

test('many issues reach the client', async () => {
  const schema = {
    '~standard': {
      version: 1,
      vendor: 't',
      validate: (v: unknown) =>
        v === 'ok'
          ? { value: v }
          : {
              issues: Array.from({ length: 10 }, (_, i) => ({
                message: `field ${i} must be a string`,
                path: ['a', i],
              })),
            },
    },
  } as const;
  const { defineContract } = await import('@holdfast/server');
  const contract = defineContract({ events: { note: schema } });
  open({
    contract: contract as never,
    setup(s) {
      s.on('note', () => {});
    },
  });
  const a = bed.createClient();
  await bed.until(a.connect());
  const error = await bed.until(a.send('note', 'bad').catch((e) => e));
  expect(error).toMatchObject({ code: 'ERR_INVALID_PAYLOAD' });
});

test('a schema that throws does not stop the client', async () => {
  const { defineContract } = await import('@holdfast/server');
  const schema = {
    '~standard': {
      version: 1,
      vendor: 't',
      validate: (v: unknown) => {
        if (v === 'boom') throw new Error('boom');
        return { value: v };
      },
    },
  } as const;
  const contract = defineContract({ events: { note: schema } });
  open({
    setup(s) {
      s.onSession((x) => {
        void x.send('note', 'boom');
        void x.send('note', 'fine');
      });
      s.handle('echo', (x) => x);
    },
  });
  const a = bed.createClient({ contract: contract as never });
  const heard: unknown[] = [];
  const errors: unknown[] = [];
  a.onError((e) => errors.push(e.code));
  a.on('note', (p) => heard.push(p));
  await bed.until(a.connect());
  await bed.advance(100);
  expect([heard, errors]).toEqual([['fine'], ['ERR_LISTENER_FAILED']]);
});

test('a codec that throws what it likes does not stop the client', async () => {
  const { json } = await import('@holdfast/server');
  let bad = false;
  const codec = {
    ...json(),
    decode: (d: string | Uint8Array) => {
      if (bad) {
        bad = false;
        throw new RangeError('out of bytes');
      }
      return json().decode(d);
    },
  };
  open();
  const a = bed.createClient({ codec });
  await bed.until(a.connect());
  await bed.advance(100);
  bad = true;
  const p = a.request('echo', 1).catch((e) => e.code);
  expect(await bed.until(p)).toBe(1);
});

test('up frozen, room is busy: an unacknowledged send is noticed within 8 s', async () => {
  open();
  const a = await member();
  await bed.advance(1_000);
  const tick = (): void => {
    void bed.server.to('lobby').send('message', 'x');
    bed.clock.setTimer(tick, 500);
  };
  tick();
  bed.freeze(a.client, 'up');
  void a.client.send('note', 1);
  await bed.advance(8_000);
  expect(a.client.getState().status).not.toBe('connected');
});

test('onUndelivered that resends does not overflow the stack', async () => {
  open();
  const a = bed.createClient({ outbox: { maxMessages: 1 } });
  let depth = 0;
  let max = 0;
  let n = 0;
  a.onUndelivered((m) => {
    depth++;
    max = Math.max(max, depth);
    if (n++ < 50) void a.resend(m);
    depth--;
  });
  void a.send('note', 1);
  void a.send('note', 2);
  await bed.settle();
  expect(max).toBe(1);
});

test('room.send to a room that is not joined is told to onUndelivered', async () => {
  open();
  const a = bed.createClient();
  const told: string[] = [];
  a.onUndelivered((_m, e) => told.push(e.code));
  const s = a.room('x').send('message', 1);
  await s.catch(() => {});
  expect([told, s.id.length > 0]).toEqual([['ERR_NOT_JOINED'], true]);
});

test('a bad signal is misuse: nothing is sent', async () => {
  open();
  const a = bed.createClient();
  expect(() => a.send('note', 1, { signal: 5 as never })).toThrow(/signal/);
  expect(a.getOutbox().messages).toBe(0);
});

test('what was taken before the welcome and is too big for this server ends ERR_TOO_BIG', async () => {
  open({
    limits: { maxMessageBytes: 8_192 },
    setup(s) {
      s.on('note', () => {});
    },
  });
  const a = bed.createClient();
  const big = a.send('note', 'x'.repeat(9_000)).catch((e) => e.code);
  await bed.until(a.connect());
  expect(await bed.until(big)).toBe('ERR_TOO_BIG');
});

test('gap counts messages, not changes of members', async () => {
  open({
    setup(s) {
      s.rooms('*', { join: true, publish: true, presence: true });
    },
  });
  const a = await member();
  await member();
  bed.freeze(a.client);
  bed.cut(a.client);
  bed.refuse(a.client);
  await bed.advance(50_000); // the server notices
  for (let i = 0; i < 10; i++) {
    const c = bed.createClient();
    await bed.until(c.connect());
    await bed.until(c.room('lobby').join());
    await c.close();
    await bed.advance(50);
  }
  for (let i = 0; i < 300; i++) await bed.until(bed.server.to('lobby').send('message', i));
  bed.heal(a.client);
  await bed.advance(60_000);
  expect(a.heard[0]).toBe('gap 44 trimmed');
});

test('a request that was undelivered is told as one, and not resent as an event', async () => {
  open();
  const a = bed.createClient();
  const told: unknown[] = [];
  a.onUndelivered((m) => told.push(m));
  await bed.until(a.request('echo', 1, { timeoutMs: 10 }).catch(() => {}));
  expect(told).toMatchObject([{ kind: 'request', event: 'echo' }]);
  expect(() => a.resend(told[0] as never)).toThrow("resend(): 'echo' is a request");
});

test('close() in the task of a send: what cannot arrive is unsent, what arrives is not unsent', async () => {
  const got: unknown[] = [];
  open({
    setup(s) {
      s.on('note', (p) => got.push(p));
    },
  });
  const a = bed.createClient();
  await bed.until(a.connect());
  const s = a.send('note', 1).catch((e) => e.delivery);
  await a.close();
  await bed.advance(1000);
  expect([await s, got]).toEqual(['unsent', []]);
});
