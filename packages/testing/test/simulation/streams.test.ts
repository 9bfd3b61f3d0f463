import { defineContract, type HoldfastClient, isHoldfastError, type Schema } from '@holdfast/client';
import { stream } from '@holdfast/client/stream';
import { type HoldfastServer, RejectError, type ServerContext } from '@holdfast/server';
import { createTestbed } from '@holdfast/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openBed, silent } from './people.js';

// The client opens, the server yields: `stream()` and `server.handleStream()`.

/** A generator that counts, and says what became of it. */
function counter(until = Infinity) {
  const seen = { asked: 0, left: 0, signals: [] as AbortSignal[], inputs: [] as unknown[] };
  async function* count(input: unknown, { signal }: Pick<ServerContext, 'signal'>) {
    seen.signals.push(signal);
    seen.inputs.push(input);
    try {
      for (let n = 1; n <= until; n++) {
        seen.asked = n;
        yield n;
      }
    } finally {
      seen.left++;
    }
  }
  return { seen, count };
}

async function connected(setup: (server: HoldfastServer) => void, more: Parameters<typeof openBed>[0] = {}) {
  const bed = openBed({ logger: silent, ...more, setup });
  const client = bed.createClient();
  await bed.until(client.connect());
  return { bed, client };
}

/** What is read, and how it ends. */
async function readAll(items: AsyncIterable<unknown>): Promise<{ read: unknown[]; end: unknown }> {
  const read: unknown[] = [];
  try {
    for await (const item of items) read.push(item);
    return { read, end: 'done' };
  } catch (error) {
    return {
      read,
      end: isHoldfastError(error) && 'delivery' in error ? `${error.code} ${error.delivery}` : error,
    };
  }
}
const numbers = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);

describe('a stream', () => {
  test('is read item by item, to its end', async () => {
    const { seen, count } = counter(50);
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    expect(await bed.until(readAll(stream(client, 'count', { from: 1 })))).toEqual({
      read: numbers(50),
      end: 'done',
    });
    expect(seen.inputs).toEqual([{ from: 1 }]);
    expect(seen.left).toBe(1);
  });

  test('is asked for when the first item is wanted, and not before', async () => {
    const { seen, count } = counter();
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const items = stream(client, 'count');
    await bed.advance(1_000);
    expect(seen.signals).toEqual([]);
    expect(await bed.until(items.next())).toEqual({ done: false, value: 1 });
    expect(seen.inputs).toEqual([undefined]);
  });

  test('is at most 16 items ahead of its reader, however slow that is', async () => {
    const { seen, count } = counter();
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const items = stream(client, 'count');
    await bed.until(items.next());
    await bed.advance(60_000);
    expect(seen.asked).toBe(16);
    for (let n = 2; n <= 100; n++) {
      expect(await bed.until(items.next())).toEqual({ done: false, value: n });
      await bed.advance(100);
      expect(seen.asked - n).toBeLessThanOrEqual(16);
    }
  });

  test('may carry undefined and null, and end at once', async () => {
    const { bed, client } = await connected((server) => {
      server.handleStream('odd', async function* () {
        yield undefined;
        yield null;
      });
      server.handleStream('empty', async function* () {});
    });
    expect(await bed.until(readAll(stream(client, 'odd')))).toEqual({ read: [undefined, null], end: 'done' });
    expect(await bed.until(readAll(stream(client, 'empty')))).toEqual({ read: [], end: 'done' });
  });

  test('gives to each of several readers its own, in order', async () => {
    const { count } = counter(3);
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const items = stream(client, 'count');
    const all = Promise.all([items.next(), items.next(), items.next(), items.next(), items.next()]);
    expect((await bed.until(all)).map(({ value }) => value)).toEqual([1, 2, 3, undefined, undefined]);
  });

  test('holds up neither the other messages of its session nor its other streams', async () => {
    const { count } = counter();
    const { bed, client } = await connected(
      (server) => {
        server.handleStream('count', count);
        server.handle('ask', () => 'answer');
      },
      { concurrency: 1 },
    );
    for (let n = 0; n < 10; n++) await bed.until(stream(client, 'count').next());
    expect(await bed.until(client.request('ask'))).toBe('answer');
  });
});

describe('who leaves a stream', () => {
  test('with break ends the handler, which is told by its signal, too', async () => {
    const { seen, count } = counter();
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const leave = async (): Promise<unknown> => {
      for await (const item of stream(client, 'count')) if (item === 5) return item;
      return 'ended';
    };
    expect(await bed.until(leave())).toBe(5);
    await bed.advance(100);
    expect(seen.left).toBe(1);
    expect(seen.signals[0]?.aborted).toBe(true);
  });

  test('with a signal is told at once, whatever has come', async () => {
    const { seen, count } = counter();
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const aborter = new AbortController();
    const items = stream(client, 'count', undefined, { signal: aborter.signal });
    await bed.until(items.next());
    await bed.advance(100);
    const why = new Error('enough');
    aborter.abort(why);
    await expect(items.next()).rejects.toBe(why);
    expect(await items.next()).toEqual({ done: true, value: undefined });
    await bed.advance(100);
    expect(seen.left).toBe(1);
  });

  test('before anything was asked asks nothing', async () => {
    const { seen, count } = counter();
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    await stream(client, 'count').return?.();
    const before = stream(client, 'count', undefined, { signal: AbortSignal.abort(new Error('never')) });
    await expect(before.next()).rejects.toThrow('never');
    await bed.advance(1_000);
    expect(seen.signals).toEqual([]);
    expect(client.getOutbox()).toMatchObject({ messages: 0, inflight: 0 });
  });

  test('while the handler waits for something ends it by the signal alone', async () => {
    const ended: unknown[] = [];
    const { bed, client } = await connected((server) =>
      server.handleStream('slow', async function* (_input, { signal }) {
        try {
          yield 1;
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        } finally {
          ended.push(signal.reason);
        }
      }),
    );
    const items = stream(client, 'slow');
    await bed.until(items.next());
    await items.return?.();
    await bed.advance(100);
    expect(ended).toEqual([expect.objectContaining({ reason: 'cancelled' })]);
  });

  test('by closing the client, or for good, leaves no handler behind', async () => {
    const { seen, count } = counter();
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const items = stream(client, 'count');
    await bed.until(items.next());
    const end = readAll(items);
    await bed.until(client.close());
    expect((await bed.until(end)).end).toBe('ERR_CLOSED unknown');
    await bed.advance(1_000);
    expect(seen.left).toBe(1);
  });
});

describe('a cut', () => {
  test('loses and doubles no item, in the middle of many', async () => {
    const { seen, count } = counter(400);
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const end = readAll(
      (async function* () {
        for await (const item of stream(client, 'count')) {
          if (Number(item) % 40 === 0) bed.cut(client);
          yield item;
        }
      })(),
    );
    expect(await bed.until(end)).toEqual({ read: numbers(400), end: 'done' });
    expect(seen.inputs.length).toBe(1);
  });

  test('with a reader that reads on meanwhile: the credit is told again', async () => {
    const { count } = counter();
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const items = stream(client, 'count');
    await bed.until(items.next());
    await bed.advance(100);
    bed.cut(client);
    for (let n = 2; n <= 16; n++) expect(await items.next()).toEqual({ done: false, value: n });
    expect(await bed.until(items.next())).toEqual({ done: false, value: 17 });
  });

  test('and a session that is lost breaks it off, by name', async () => {
    const { count } = counter();
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const items = stream(client, 'count');
    await bed.until(items.next());
    await bed.advance(100);
    bed.stop();
    bed.start({ keepStore: false });
    expect(await bed.until(readAll(items))).toEqual({
      read: numbers(16).slice(1),
      end: 'ERR_SESSION_LOST unknown',
    });
  });

  test('and a stream that is left when its session is lost already says nothing in the next one', async () => {
    const { count } = counter();
    const { bed, client } = await connected((server) => {
      server.handleStream('count', count);
      server.handle('echo', (input) => input);
    });
    for (const n of numbers(5)) await bed.until(client.request('echo', n));
    const items = stream(client, 'count');
    await bed.until(items.next());
    await bed.advance(100);
    bed.restart({ keepStore: false });
    await bed.until(client.connect());
    await items.return?.();
    // One of them has the number that the stream had.
    for (const n of numbers(10)) expect(await bed.until(client.request('echo', n))).toBe(n);
  });

  test('and a server whose successor goes on with the session breaks it off, by another name', async () => {
    const { seen, count } = counter();
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const items = stream(client, 'count');
    await bed.until(items.next());
    await bed.advance(100);
    bed.stop();
    bed.start();
    expect(await bed.until(readAll(items))).toEqual({
      read: numbers(16).slice(1),
      end: 'ERR_STREAM_LOST unknown',
    });
    expect(seen.inputs.length).toBe(1);
    expect(await bed.until(stream(client, 'count').next())).toEqual({ done: false, value: 1 });
  });
});

describe('a stream that is none', () => {
  test('breaks off with the reason of the handler, after the items before', async () => {
    const errors: string[] = [];
    const { bed, client } = await connected((server) => {
      server.onError((error, { name }) => errors.push(`${name}: ${String(error)}`));
      server.handleStream('refuse', async function* () {
        yield 1;
        throw new RejectError('enough', { data: { after: 1 } });
      });
      server.handleStream('break', async function* () {
        yield 1;
        throw new Error('secret');
      });
      server.handleStream('unspeakable', async function* () {
        yield 1;
        yield () => 'secret';
      });
      server.handleStream('nothing', () => undefined as never);
    });
    expect(await bed.until(readAll(stream(client, 'refuse')))).toEqual({
      read: [1],
      end: 'ERR_REJECTED rejected',
    });
    expect(errors).toEqual([]);
    for (const method of ['break', 'unspeakable']) {
      expect(await bed.until(readAll(stream(client, method)))).toEqual({
        read: [1],
        end: 'ERR_HANDLER_FAILED rejected',
      });
    }
    expect((await bed.until(readAll(stream(client, 'nothing')))).end).toBe('ERR_HANDLER_FAILED rejected');
    expect(errors).toEqual([
      'break: Error: secret',
      expect.stringContaining('unspeakable: '),
      expect.stringContaining('nothing: TypeError'),
    ]);
  });

  test('is refused: nobody yields it, it is a request, or too many are open', async () => {
    const { count } = counter();
    const { bed, client } = await connected((server) => {
      server.handleStream('count', count);
      server.handle('ask', () => 1);
    });
    const noHandler = { read: [], end: 'ERR_NO_HANDLER rejected' };
    expect(await bed.until(readAll(stream(client, 'other')))).toEqual(noHandler);
    expect(await bed.until(readAll(stream(client, 'ask')))).toEqual(noHandler);
    await expect(bed.until(client.request('count'))).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
    const open = numbers(100).map(() => stream(client, 'count'));
    for (const one of open) await bed.until(one.next());
    expect((await bed.until(readAll(stream(client, 'count')))).end).toBe('ERR_REJECTED rejected');
    await open[0]?.return?.();
    await bed.advance(100);
    expect(await bed.until(stream(client, 'count').next())).toEqual({ done: false, value: 1 });
  });

  test('is misuse, and says so', async () => {
    const { bed, client } = await connected(() => undefined);
    expect(() => stream(client, '$count')).toThrow("begins with '$'");
    expect(() => stream({} as HoldfastClient, 'count')).toThrow('not a client made by createClient()');
    expect(() => stream(client, 'count', 1, { signal: {} as AbortSignal })).toThrow('signal');
    await expect(stream(client, 'count', 1, { tmeoutMs: 1 } as never).next()).rejects.toThrow('tmeoutMs');
    await bed.advance(1);
  });

  test('ends by its deadline, if it has one', async () => {
    const { seen, count } = counter();
    const { bed, client } = await connected((server) => server.handleStream('count', count));
    const items = stream(client, 'count', undefined, { timeoutMs: 5_000 });
    await bed.until(items.next());
    const { read, end } = await bed.until(readAll(slowly(bed, items)));
    expect(end).toBe('ERR_TIMEOUT unknown');
    expect(read.length).toBeGreaterThan(20);
    await bed.advance(100);
    expect(seen.left).toBe(1);
  });
});

/** An item every 100 ms. */
async function* slowly(bed: ReturnType<typeof openBed>, items: AsyncIterable<unknown>) {
  for await (const item of items) {
    yield item;
    await new Promise<void>((resolve) => bed.clock.setTimer(resolve, 100));
  }
}

describe('with a contract', () => {
  const number: Schema<number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof value === 'number' ? { value: value + 0.5 } : { issues: [{ message: 'not a number' }] },
    },
  };
  const contract = defineContract({ streams: { count: { input: number, output: number } } });

  test('input and items are checked, and come as the schema gives them', async () => {
    const yielded: (number | string)[] = [1, 2];
    const inputs: unknown[] = [];
    const bed = createTestbed<typeof contract>({
      logger: silent,
      contract,
      setup: (server) =>
        server.handleStream('count', async function* (input) {
          inputs.push(input);
          yield* yielded as number[];
        }),
    });
    onTestFinished(() => bed[Symbol.asyncDispose]());
    const client = bed.createClient({ contract });
    await bed.until(client.connect());
    const typed: AsyncIterableIterator<number> = stream(client, 'count', 1);
    expect(await bed.until(readAll(typed))).toEqual({ read: [1.5, 2.5], end: 'done' });
    expect(inputs).toEqual([1.5]);
    expect((await bed.until(readAll(stream(client, 'count', 'one' as never)))).end).toBe(
      'ERR_INVALID_PAYLOAD unsent',
    );
    expect(() => stream(client, 'other' as never, 1 as never)).toThrow('the contract has no such stream');
    yielded.push('three', 4);
    expect(await bed.until(readAll(stream(client, 'count', 1)))).toEqual({
      read: [1.5, 2.5],
      end: 'ERR_HANDLER_FAILED rejected',
    });
  });
});
