import { describe, expect, test } from 'vitest';
import { held, pair } from './asking.js';
import { endOf } from './people.js';

// How much may be asked at once, and that nobody waits for ever.

describe('bounds', () => {
  test('a hundred at once; one more is refused at once, and an answer makes room', async () => {
    const { bed, client, session, outcome } = await pair();
    const { handler, answers } = held();
    client.handle('slow', handler);
    const open = Array.from({ length: 100 }, () => session.request('slow'));
    expect(await outcome(session.request('slow'))).toBe('ERR_OUTBOX_FULL unsent');
    await bed.advance(10);
    expect(answers).toHaveLength(100);
    answers[0]?.(1);
    expect(await outcome(open[0] as Promise<unknown>)).toBe(1);
    open.push(session.request('slow'));
    expect(await outcome(session.request('slow'))).toBe('ERR_OUTBOX_FULL unsent');
    await bed.advance(10);
    for (const answer of answers) answer(2);
    await bed.until(Promise.all(open));
    expect(client.getState().status).toBe('connected');
  });

  test('one that was given up makes room, too, though its handler goes on', async () => {
    const { bed, client, session, outcome } = await pair();
    const { handler, answers } = held();
    client.handle('slow', handler);
    for (let round = 1; round <= 3; round++) {
      const ends = Array.from({ length: 101 }, () => endOf(session.request('slow', 1, { timeoutMs: 300 })));
      await bed.advance(400);
      const codes = ends.map(({ end }) => end);
      expect(codes).toEqual([...Array(100).fill('ERR_TIMEOUT unknown'), 'ERR_OUTBOX_FULL unsent']);
      expect(answers).toHaveLength(100 * round);
    }
    client.handle('echo', (input) => input);
    expect(await outcome(session.request('echo', 'still here'))).toBe('still here');
    expect(client.getState().status).toBe('connected');
  });

  test('of handlers that go on after they were cancelled there are never more than a thousand', async () => {
    const { bed, client, session } = await pair();
    const { handler, answers } = held();
    const errors: string[] = [];
    client.onError(({ message }) => errors.push(message));
    client.handle('slow', handler);
    const rounds = Array.from({ length: 11 }, () => ({ timeoutMs: 300 }));
    for (const options of rounds) {
      for (let left = 100; left > 0; left--) void session.request('slow', 1, options);
      await bed.advance(400);
    }
    expect(answers).toHaveLength(1_000);
    expect(errors).toHaveLength(100);
    expect(errors[0]).toContain('more than 1000 handlers run already');
  });
});

describe('nobody waits for ever', () => {
  test.each([1, 2])('handlers at both ends that ask each other, %i at once', async (concurrency) => {
    const { client, outcome } = await pair({
      concurrency,
      setup(server) {
        server.handle('chain', async (left, { session }) =>
          Number(left) > 0 ? await session.request('chain', Number(left) - 1) : 'done',
        );
      },
    });
    client.handle('chain', (left) => client.request('chain', left));
    const chains = Array.from({ length: 5 }, () => client.request('chain', 3));
    expect(await outcome(Promise.all(chains))).toEqual(Array(5).fill('done'));
  });

  test('a rule that asks the client whose publication it is about', async () => {
    const { bed, client, outcome } = await pair({
      setup(server) {
        server.rooms('*', {
          join: async (session) => (await session.request('sure?', 'join')) === 'yes',
          publish: async (session) => (await session.request('sure?', 'publish')) === 'yes',
        });
      },
    });
    client.handle('sure?', () => 'yes');
    const room = client.room('lobby');
    await bed.until(room.join());
    expect(await outcome(room.send('message', 'hi'))).toMatchObject({ outcome: 'acknowledged' });
  });

  test('an answer passes a window that is full', async () => {
    const release: ((value: unknown) => void)[] = [];
    const { bed, client, session, outcome } = await pair({
      concurrency: 1,
      limits: { messagesPerSecond: Infinity },
      setup(server) {
        server.on('hold', () => new Promise((resolve) => release.push(resolve)));
      },
    });
    client.handle('echo', (input) => input);
    for (let left = 1_000; left > 0; left--) void client.send('hold');
    await bed.advance(100);
    for (let left = 2; left > 0; left--) void client.send('hold');
    await bed.advance(100);
    expect(client.getOutbox()).toMatchObject({ messages: 1, inflight: 1_000 });
    // More answers than a client may have unaccepted.
    for (let round = 0; round < 30; round++) {
      const answers = Array.from({ length: 100 }, (_, index) => session.request('echo', index));
      expect(await outcome(Promise.all(answers))).toHaveLength(100);
    }
    expect(client.getState().status).toBe('connected');
    // Whoever asks, for each request one handler more may run, if one ran before.
    expect(release.length).toBeLessThanOrEqual(31);
  });

  test('with one at a time, handlers still run one after the other where nobody asks', async () => {
    const running: number[] = [];
    let now = 0;
    const { bed, client } = await pair({
      concurrency: 1,
      setup(server) {
        server.on('work', async (_payload, { session }) => {
          running.push(++now);
          await session.send('noted');
          now--;
        });
      },
    });
    client.on('noted', () => undefined);
    await bed.until(Promise.all(Array.from({ length: 5 }, () => client.send('work'))));
    await bed.advance(1_000);
    expect(running).toEqual([1, 1, 1, 1, 1]);
  });
});
