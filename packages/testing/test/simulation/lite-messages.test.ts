import { json, RejectError } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { liteBed } from './lite-bed.js';
import { endOf } from './people.js';

/** What no codec can say. */
const circle: { self?: unknown } = {};
circle.self = circle;

/** A server that writes down what it was told, and has a handler for each way to answer. */
function noting(options: Parameters<typeof liteBed>[0] = {}) {
  const noted: unknown[] = [];
  const bed = liteBed({
    ...options,
    setup(server) {
      server.on('note', (payload) => noted.push(payload));
      server.on('no', () => {
        throw new RejectError('no-name', { data: { field: 'name' } });
      });
      server.handle('echo', (input) => input);
      server.handle('refuse', () => {
        throw new RejectError('not-you');
      });
      server.handle('fail', () => {
        throw new Error('secret');
      });
      server.handle('slow', (_input, { signal }) => {
        signal.addEventListener('abort', () => noted.push('aborted'));
        return new Promise((resolve) => bed.clock.setTimer(() => resolve('late'), 1_000));
      });
    },
  });
  return { bed, noted };
}

describe('send', () => {
  test('settles once, with a receipt that has the id known at once', async () => {
    const { bed, noted } = noting();
    const { client } = await bed.connected();
    const sending = client.send('note', { a: 1 }, { id: 'mine' });
    const ending = endOf(sending);
    expect(sending.id).toBe('mine');
    expect(await bed.until(sending)).toEqual({ id: 'mine', outcome: 'acknowledged' });
    await bed.until(client.send('note'));
    expect([noted, ending.times]).toEqual([[{ a: 1 }, undefined], 1]);
  });

  test('what waits while not connected goes in order, as it was when it was said', async () => {
    const { bed, noted } = noting();
    const { client } = bed.guest();
    const payload = { n: 0 };
    for (let n = 0; n < 5; n++) {
      payload.n = n;
      void client.send('note', payload);
    }
    await bed.until(client.connect());
    await bed.advance(100);
    expect(noted).toEqual([0, 1, 2, 3, 4].map((n) => ({ n })));
  });

  test('3,000 in one task go through the window, in order', async () => {
    const { bed, noted } = noting();
    const { client } = await bed.connected({ outbox: { maxMessages: 3_000 } });
    const numbers = Array.from({ length: 3_000 }, (_, n) => n);
    await bed.until(Promise.all(numbers.map((n) => client.send('note', n))));
    expect(noted).toEqual(numbers);
  });

  test('refused by a handler: rejected, with reason and data', async () => {
    const { bed } = noting();
    const { client, undelivered } = await bed.connected();
    await expect(bed.until(client.send('no'))).rejects.toMatchObject({
      code: 'ERR_REJECTED',
      delivery: 'rejected',
      reason: 'no-name',
      data: { field: 'name' },
    });
    expect(undelivered).toEqual(['no ERR_REJECTED rejected']);
  });

  test('too big, before and after the server has said what it takes', async () => {
    const { bed, noted } = noting({ limits: { maxMessageBytes: 10_000 } });
    const { client } = bed.guest();
    const ends = [client.send('note', 'x'.repeat(30_000)), client.send('note', 'fits')].map(endOf);
    expect(ends.map(({ end }) => end)).toEqual(['open', 'open']);
    await bed.until(client.connect());
    await bed.advance(100);
    const error: unknown = await bed.until(client.send('note', 'x'.repeat(30_000)).catch((one) => one));
    expect(error).toMatchObject({ code: 'ERR_TOO_BIG', delivery: 'unsent', maxBytes: expect.any(Number) });
    expect([ends.map(({ end }) => end), noted]).toEqual([['ERR_TOO_BIG unsent', 'ok'], ['fits']]);
  });

  test('what cannot be encoded ends at once, and stops nothing', async () => {
    const { bed, noted } = noting();
    const { client, undelivered } = await bed.connected();
    const bad = [client.send('note', circle), client.request('echo', circle)].map(endOf);
    await bed.until(client.send('note', 'good'));
    expect(bad.map(({ end }) => end)).toEqual(Array(2).fill('ERR_INVALID_PAYLOAD unsent'));
    expect([undelivered.length, noted]).toEqual([2, ['good']]);
  });

  test('beyond the bound of the outbox: at once, and told', async () => {
    const { bed, noted } = noting();
    const { client, undelivered } = bed.guest({ outbox: { maxMessages: 2 } });
    const ends = [1, 2, 3].map((n) => endOf(client.send('note', n)));
    await bed.until(client.connect());
    await bed.advance(100);
    expect(ends.map(({ end }) => end)).toEqual(['ok', 'ok', 'ERR_OUTBOX_FULL unsent']);
    expect([noted, undelivered]).toEqual([[1, 2], ['note ERR_OUTBOX_FULL unsent']]);
  });

  test.each([
    ['not connected', -1, 'unsent', []],
    ['on the wire', 3, 'unknown', ['x']],
    ['acknowledged, but not known here', 7, 'unknown', ['x']],
  ] as const)('timeout while %s', async (_when, ms, delivery, arrived) => {
    const { bed, noted } = noting();
    const { client } = ms < 0 ? bed.guest() : await bed.connected();
    const sent = endOf(client.send('note', 'x', { timeoutMs: Math.max(1, ms) }));
    await bed.advance(Math.max(1, ms));
    expect(sent).toEqual({ end: `ERR_TIMEOUT ${delivery}`, times: 1 });
    if (ms < 0) await bed.until(client.connect());
    await bed.advance(1_000);
    expect([noted, sent.times]).toEqual([arrived, 1]);
  });

  test('what timed out on the wire is not written again on the next connection', async () => {
    const { bed, noted } = noting();
    const { client, link } = await bed.connected();
    link.freeze('up');
    const sent = endOf(client.send('note', 'gone', { timeoutMs: 100 }));
    const next = endOf(client.send('note', 'next'));
    await bed.advance(200);
    link.cut();
    link.heal();
    await bed.advance(10_000);
    expect([sent.end, next.end, noted]).toEqual(['ERR_TIMEOUT unknown', 'ok', ['next']]);
  });
});

describe('request', () => {
  test('answered, refused, failed, unknown: each says so', async () => {
    const { bed } = noting();
    const { client, undelivered } = await bed.connected();
    const asked = ['echo', 'refuse', 'fail', 'nothing'].map((method) => endOf(client.request(method, 1)));
    expect(await bed.until(client.request('echo', { deep: [1] }))).toEqual({ deep: [1] });
    await bed.advance(100);
    expect(asked.map(({ end }) => end)).toEqual([
      'ok',
      'ERR_REJECTED rejected',
      'ERR_HANDLER_FAILED rejected',
      'ERR_NO_HANDLER rejected',
    ]);
    expect(undelivered).toHaveLength(3);
  });

  test('that is too late is cancelled at the server, and its late answer changes nothing', async () => {
    const { bed, noted } = noting();
    const { client } = await bed.connected();
    const slow = endOf(client.request('slow', 1, { timeoutMs: 100 }));
    await bed.advance(200);
    expect([slow.end, noted]).toEqual(['ERR_TIMEOUT unknown', ['aborted']]);
    await bed.advance(2_000);
    expect(slow.times).toBe(1);
    expect(await bed.until(client.request('echo', 'still there'))).toBe('still there');
  });

  test('has 30 s by default, also while nobody is there', async () => {
    const { bed } = noting();
    const asked = endOf(bed.guest().client.request('echo'));
    await bed.advance(29_999);
    expect(asked.end).toBe('open');
    await bed.advance(1);
    expect(asked.end).toBe('ERR_TIMEOUT unsent');
  });

  test('outlives a cut, and its handler runs once', async () => {
    let calls = 0;
    const bed = liteBed({
      setup: (server) =>
        server.handle('slow', () => {
          calls++;
          return new Promise((resolve) => bed.clock.setTimer(() => resolve('done'), 3_000));
        }),
    });
    const { client, link } = await bed.connected();
    const asked = client.request('slow');
    await bed.advance(100);
    link.cut();
    expect([await bed.until(asked), calls]).toEqual(['done', 1]);
  });

  test('asked while nobody is there goes out when somebody is', async () => {
    const { bed } = noting();
    const { client } = bed.guest();
    const asked = client.request('echo', 7);
    void client.connect();
    expect(await bed.until(asked)).toBe(7);
  });
});

describe('handle', () => {
  test('answers the server; the same method twice is a TypeError until the first is taken away', async () => {
    const bed = liteBed();
    const { client } = bed.guest();
    const off = client.handle('add', (input) => (input as number) + 1);
    expect(() => client.handle('add', () => 0)).toThrow(TypeError);
    await bed.until(client.connect());
    expect(await bed.until(bed.session.request('add', 1))).toBe(2);
    off();
    await expect(bed.until(bed.session.request('add', 1))).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
    client.handle('add', async (input) => input === undefined);
    expect(await bed.until(bed.session.request('add'))).toBe(true);
    client.handle('nothing', () => undefined);
    expect(await bed.until(bed.session.request('nothing'))).toBeUndefined();
  });

  test('throws, refuses, answers what cannot be said: the server is told, nobody is left waiting', async () => {
    const bed = liteBed();
    const { client, errors } = bed.guest();
    client.handle('fail', () => {
      throw new Error('secret');
    });
    client.handle('refuse', async () => {
      throw new RejectError('not-now', { data: { until: 5 } });
    });
    client.handle('refuse with what cannot be said', () => {
      throw new RejectError('not-now', { data: circle });
    });
    client.handle('say what cannot be said', () => circle);
    client.handle('say too much', () => 'x'.repeat(2_000_000));
    await bed.until(client.connect());
    const ask = async (method: string): Promise<string> =>
      bed.until(bed.session.request(method)).then(
        () => 'ok',
        ({ code, message }) => `${code} ${String(message).includes('secret')}`,
      );
    expect(await ask('fail')).toBe('ERR_HANDLER_FAILED false');
    await expect(bed.until(bed.session.request('refuse'))).rejects.toMatchObject({
      reason: 'not-now',
      data: { until: 5 },
    });
    expect(await ask('refuse with what cannot be said')).toBe('ERR_HANDLER_FAILED false');
    expect(await ask('say what cannot be said')).toBe('ERR_HANDLER_FAILED false');
    expect(await ask('say too much')).toBe('ERR_HANDLER_FAILED false');
    expect(errors).toEqual(Array(4).fill('ERR_LISTENER_FAILED'));
    expect(client.getState().status).toBe('connected');
  });

  test('is told when nobody waits any more; what it then says is for nobody', async () => {
    const bed = liteBed();
    const { client, errors } = bed.guest();
    const aborted: string[] = [];
    client.handle('slow', (name, { signal }) => {
      signal.addEventListener('abort', () => aborted.push(String(name)));
      return new Promise((resolve) => bed.clock.setTimer(() => resolve('late'), 1_000));
    });
    client.handle('fail late', (_input, { signal }) => {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('mine'))));
    });
    await bed.until(client.connect());
    const ends = ['slow', 'fail late'].map((method) =>
      endOf(bed.session.request(method, method, { timeoutMs: 100 })),
    );
    await bed.advance(5_000);
    expect(ends.map(({ end }) => end)).toEqual(Array(2).fill('ERR_TIMEOUT unknown'));
    expect([aborted, errors, client.getState().status]).toEqual([['slow'], [], 'connected']);
  });

  test('answers on the next connection what was asked on the one before', async () => {
    const bed = liteBed();
    const { client, link } = bed.guest();
    client.handle('slow', () => new Promise((resolve) => bed.clock.setTimer(() => resolve('done'), 1_000)));
    await bed.until(client.connect());
    const asked = bed.session.request('slow');
    await bed.advance(100);
    link.cut();
    expect(await bed.until(asked)).toBe('done');
  });

  test('what was asked in a session that is lost is no answer to what the next one asks', async () => {
    const bed = liteBed({
      setup: (server) =>
        server.onSession((session) => {
          asked.push(session.request('who', asked.length));
        }),
    });
    const asked: Promise<unknown>[] = [];
    const { client } = bed.guest();
    const aborted: unknown[] = [];
    client.handle('who', (n, { signal }) => {
      signal.addEventListener('abort', () => aborted.push(n));
      return new Promise((resolve) => bed.clock.setTimer(() => resolve(n), 20_000));
    });
    await bed.until(client.connect());
    await bed.advance(10_000);
    asked[0]?.catch(() => undefined);
    bed.stop();
    bed.start({ keepStore: false });
    // The answer to the first one is there before that to the second.
    await bed.advance(15_000);
    expect([asked.length, aborted]).toEqual([2, [0]]);
    expect(await bed.until(asked[1] as Promise<unknown>)).toBe(1);
  });

  test('close() aborts', async () => {
    const bed = liteBed();
    const { client } = bed.guest();
    let reason = 'none';
    client.handle('slow', (_input, { signal }) => {
      signal.addEventListener('abort', () => (reason = 'aborted'));
      return new Promise(() => undefined);
    });
    await bed.until(client.connect());
    void bed.session.request('slow').catch(() => undefined);
    await bed.advance(100);
    await client.close();
    expect(reason).toBe('aborted');
  });
});

test('another codec', async () => {
  const codec = { ...json(), name: 'other' };
  const { bed, noted } = noting({ codecs: [codec] });
  const { client } = await bed.connected({ codec });
  await bed.until(client.send('note', 1));
  expect(noted).toEqual([1]);
  const wrong = bed.guest();
  void wrong.client.connect();
  await bed.advance(1_000);
  expect(wrong.client.getState()).toMatchObject({ status: 'reconnecting' });
});
