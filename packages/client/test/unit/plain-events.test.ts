import { describe, expect, test } from 'vitest';
import { plainWorld } from './plain-world.js';

const { CONNECTING, OPEN, CLOSING, CLOSED } = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };

describe('what is told, in order', () => {
  test('the first connection: dialled after its maker has had time to listen', async () => {
    const { socket, log, dials, clock, last } = plainWorld({ protocols: ['chat', 'text'] });
    expect([dials.length, socket.readyState, socket.url]).toEqual([0, CONNECTING, 'ws://x/']);
    await clock.settle();
    expect([last().url, last().protocols]).toEqual(['ws://x/', ['chat', 'text']]);
    expect([log, socket.readyState]).toEqual([[], CONNECTING]);
    last().open('chat');
    expect([log, socket.readyState, socket.protocol]).toEqual([['open'], OPEN, 'chat']);
  });

  test('a loss: error and close while it is being dialled again, then open', async () => {
    const { socket, log, clock, opened, dials } = plainWorld();
    const states: number[] = [];
    socket.addEventListener('close', () => states.push(socket.readyState));
    const first = await opened();
    first.say('a');
    await clock.advance(5_000);
    first.end(1006, '', { cause: new Error('reset') });
    expect([log, states]).toEqual([['open', 'message a', 'error', 'close 1006 (unclean)'], [CONNECTING]]);
    await clock.advance(499);
    expect(dials.length).toBe(1);
    await clock.advance(1);
    (await opened()).say('b');
    expect(log.slice(4)).toEqual(['open', 'message b']);
  });

  test('a server that says goodbye: no error, its code and reason', async () => {
    const { log, opened } = plainWorld();
    (await opened()).end(4000, 'lunch');
    expect(log).toEqual(['open', 'close 4000 lunch']);
  });

  test('an attempt that fails: error with its cause, and close', async () => {
    const { socket, log, dialled, clock, dials } = plainWorld();
    const causes: unknown[] = [];
    socket.addEventListener('error', (event) => causes.push((event as ErrorEvent).error));
    const cause = new Error('refused');
    (await dialled()).end(1006, '', { cause });
    expect([log, causes]).toEqual([['error', 'close 1006 (unclean)'], [cause]]);
    await clock.advance(999);
    expect(dials.length).toBe(1);
    await clock.advance(1);
    expect(dials.length).toBe(2);
  });

  test('a dial that nobody answers is left after 10 s', async () => {
    const { log, clock, dialled } = plainWorld();
    const dial = await dialled();
    await clock.advance(9_999);
    expect([log, dial.left]).toEqual([[], undefined]);
    await clock.advance(1);
    expect(log).toEqual([
      'error no connection within 10000 ms',
      'close 1006 no connection within 10000 ms (unclean)',
    ]);
    expect(dial.left).toBe('1000');
    dial.open();
    dial.end();
    expect(log.length).toBe(2);
  });

  test('an address that no socket can have: no further attempt', async () => {
    const { socket, log, clock, dials } = plainWorld({
      dialler: () => {
        throw new Error('no such port');
      },
    });
    await clock.advance(60_000);
    expect(log).toEqual([
      'error no such port',
      'close 1006 no such port (unclean)',
      'close 1006 no such port (unclean)',
    ]);
    expect([dials.length, socket.readyState]).toEqual([0, CLOSED]);
  });

  test('maxAttempts: the close of the last attempt, then one at which it is CLOSED', async () => {
    const { socket, log, clock, dialled } = plainWorld({ reconnect: { maxAttempts: 2 } });
    const states: number[] = [];
    socket.addEventListener('close', () => states.push(socket.readyState));
    (await dialled()).end();
    await clock.advance(1_000);
    expect(socket.retryCount).toBe(1);
    (await dialled()).end();
    expect([socket.readyState, socket.retryCount]).toEqual([CLOSING, 2]);
    await clock.settle();
    const last = 'close 1006 gave up after 2 attempts: the connection was lost (code 1006) (unclean)';
    expect(log).toEqual([...Array(2).fill(['error', 'close 1006 (unclean)']).flat(), last]);
    expect(states).toEqual([CONNECTING, CLOSING, CLOSED]);
    expect([socket.readyState, clock.timers]).toEqual([CLOSED, 0]);
  });

  test('a policy is told the close code, and may end it', async () => {
    const seen: unknown[] = [];
    const { socket, log, clock, opened } = plainWorld({
      reconnect: {
        policy: ({ attempt, error }) => {
          seen.push([attempt, error.code, error.cause]);
          return null;
        },
      },
    });
    const dial = await opened();
    await clock.advance(5_000);
    dial.end(4401, 'go');
    await clock.settle();
    expect(seen).toEqual([[1, 'ERR_CONNECTION_LOST', { code: 4401, reason: 'go' }]]);
    expect(log[1]).toBe('close 4401 go');
    expect(socket.readyState).toBe(CLOSED);
  });

  test('retryCount: attempts in a row that have failed', async () => {
    const { socket, clock, dialled, opened } = plainWorld();
    expect(socket.retryCount).toBe(0);
    (await dialled()).end();
    expect(socket.retryCount).toBe(1);
    await clock.advance(1_000);
    (await dialled()).end();
    expect(socket.retryCount).toBe(2);
    await clock.advance(2_000);
    const dial = await opened();
    expect(socket.retryCount).toBe(0);
    // Accepted and dropped at once is no success.
    dial.end();
    expect(socket.retryCount).toBe(3);
  });
});

describe('close()', () => {
  const endOf = async (world: ReturnType<typeof plainWorld>) => {
    const { socket, clock, log } = world;
    const before = log.length;
    socket.close(3_000, 'enough');
    const during = socket.readyState;
    await clock.settle();
    socket.close(4_000);
    await clock.settle();
    return [during, socket.readyState, log.slice(before)];
  };
  const once = [CLOSING, CLOSED, ['close 3000 enough']];

  test('before it has dialled: it never does', async () => {
    const world = plainWorld();
    expect(await endOf(world)).toEqual(once);
    expect(world.dials).toEqual([]);
  });

  test('while it dials: the dial is left, and that is no error', async () => {
    const world = plainWorld();
    const dial = await world.dialled();
    expect(await endOf(world)).toEqual(once);
    expect(dial.left).toBe('3000 enough');
  });

  test('while the address is being found', async () => {
    let give = (_url: string): void => undefined;
    const world = plainWorld({ url: () => new Promise<string>((resolve) => (give = resolve)) });
    await world.clock.settle();
    expect(await endOf(world)).toEqual(once);
    give('ws://late/');
    await world.clock.settle();
    expect(world.dials).toEqual([]);
  });

  test('while it is open: the server hears code and reason', async () => {
    const world = plainWorld();
    const dial = await world.opened();
    expect(await endOf(world)).toEqual(once);
    expect(dial.left).toBe('3000 enough');
  });

  test('while it waits for the next attempt', async () => {
    const world = plainWorld();
    (await world.dialled()).end();
    expect(await endOf(world)).toEqual(once);
  });

  test('in a listener of close: stops there', async () => {
    const { socket, log, clock, opened, dials } = plainWorld();
    socket.onclose = ({ code }) => code === 4401 && socket.close();
    (await opened()).end(4401);
    await clock.advance(60_000);
    expect([log, dials.length, socket.readyState]).toEqual([['open', 'close 4401', 'close 1000'], 1, CLOSED]);
  });

  test('nothing comes after it: what the socket still says is not told', async () => {
    const { socket, log, clock, opened } = plainWorld();
    const dial = await opened();
    socket.close();
    dial.say('late');
    dial.end(1000);
    await clock.settle();
    expect(log).toEqual(['open', 'close 1000']);
  });
});

describe('reconnect()', () => {
  test('before it has dialled: dials once', async () => {
    const { socket, dials, clock, log } = plainWorld();
    socket.reconnect();
    await clock.settle();
    expect([dials.length, log]).toEqual([1, []]);
  });

  test('while it dials: leaves that, which is no error', async () => {
    const { socket, dialled, log, dials } = plainWorld();
    const first = await dialled();
    socket.reconnect();
    expect([first.left, log, dials.length]).toEqual(['1000', ['close 1000'], 2]);
    first.open();
    expect(socket.readyState).toBe(CONNECTING);
    (await dialled()).open();
    expect(log).toEqual(['close 1000', 'open']);
  });

  test('while it is open: close is told before the next dial', async () => {
    const { socket, opened, log, dials } = plainWorld();
    const first = await opened();
    const dialled: number[] = [];
    socket.onclose = () => dialled.push(dials.length);
    socket.reconnect();
    expect([first.left, log, dialled, dials.length]).toEqual(['1000', ['open', 'close 1000'], [1], 2]);
    await opened();
    expect(log.at(-1)).toBe('open');
  });

  test('while it waits: at once, and as for the first time', async () => {
    const { socket, dialled, clock, dials, log } = plainWorld({ reconnect: { maxAttempts: 2 } });
    (await dialled()).end();
    socket.reconnect();
    expect([dials.length, socket.retryCount]).toEqual([2, 0]);
    (await dialled()).end();
    await clock.settle();
    expect([log.length, socket.readyState]).toEqual([4, CONNECTING]);
  });

  test('after close(): a new life', async () => {
    const { socket, opened, clock, log } = plainWorld();
    await opened();
    socket.close();
    await clock.settle();
    socket.reconnect();
    expect(socket.readyState).toBe(CONNECTING);
    (await opened()).say('a');
    expect([log, socket.readyState]).toEqual([['open', 'close 1000', 'open', 'message a'], OPEN]);
  });

  test('right behind close(): that is told, and does not end the new life', async () => {
    const { socket, opened, clock, log } = plainWorld();
    await opened();
    socket.close(3_000);
    socket.reconnect();
    await clock.settle();
    expect(socket.readyState).toBe(CONNECTING);
    await opened();
    expect([log, socket.readyState]).toEqual([['open', 'close 3000', 'open'], OPEN]);
  });

  test('right behind close(), in a listener', async () => {
    const { socket, opened, clock, log } = plainWorld();
    socket.addEventListener('message', () => {
      socket.close(3_000);
      socket.reconnect();
    });
    const first = await opened();
    first.say('again');
    await clock.settle();
    expect([first.left, socket.readyState]).toEqual(['3000', CONNECTING]);
    await opened();
    expect([log, socket.readyState]).toEqual([['open', 'message again', 'close 3000', 'open'], OPEN]);
  });

  test('after it has given up', async () => {
    const { socket, dialled, opened, clock, log } = plainWorld({ reconnect: { maxAttempts: 1 } });
    (await dialled()).end();
    await clock.settle();
    expect(socket.readyState).toBe(CLOSED);
    socket.reconnect();
    await opened();
    expect([log.at(-1), socket.readyState]).toEqual(['open', OPEN]);
  });

  test('in the listener that hears of the last attempt: a new life', async () => {
    const { socket, dialled, opened, clock, log } = plainWorld({ reconnect: { maxAttempts: 1 } });
    socket.addEventListener('close', () => socket.reconnect(), { once: true });
    (await dialled()).end();
    await clock.settle();
    expect(socket.readyState).toBe(CONNECTING);
    await opened();
    expect([log.at(-1), socket.readyState]).toEqual(['open', OPEN]);
  });

  test('close() there: it is over as it is, and said to be once', async () => {
    const { socket, dialled, clock, log } = plainWorld({ reconnect: { maxAttempts: 1 } });
    socket.addEventListener('close', () => socket.close());
    (await dialled()).end();
    await clock.settle();
    expect(log.map((said) => said.slice(0, 18))).toEqual([
      'error',
      'close 1006 (unclea',
      'close 1006 gave up',
    ]);
  });

  test('in each listener of close: dials each time, and does not go in circles', async () => {
    const { socket, opened, dials, log } = plainWorld();
    socket.onclose = () => socket.reconnect();
    (await opened()).end();
    expect(dials.length).toBe(2);
    socket.reconnect();
    expect(dials.length).toBe(3);
    expect(log).toEqual(['open', 'error', 'close 1006 (unclean)', 'close 1000']);
    socket.onclose = null;
  });
});

describe('autoConnect: false', () => {
  test('is CLOSED and keeps what is sent until reconnect()', async () => {
    const { socket, dials, clock, opened, log } = plainWorld({ autoConnect: false });
    await clock.advance(60_000);
    expect([socket.readyState, dials.length]).toEqual([CLOSED, 0]);
    socket.close();
    socket.send('a');
    await clock.settle();
    expect(log).toEqual([]);
    socket.reconnect();
    expect(socket.readyState).toBe(CONNECTING);
    expect([(await opened()).sent, log]).toEqual([['a'], ['open']]);
  });
});
