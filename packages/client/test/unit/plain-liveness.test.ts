import { describe, expect, test } from 'vitest';
import { plainWorld } from './plain-world.js';

const LOST = (ms: number) => `nothing heard for ${ms} ms, and no answer to a ping`;

describe('heartbeat', () => {
  test('without one, a connection lives as long as its socket says so', async () => {
    const { clock, opened, log, signal } = plainWorld();
    const dial = await opened();
    await clock.advance(3_600_000);
    for (const what of ['online', 'offline', 'visible', 'awake'] as const) signal(what);
    await clock.advance(60_000);
    expect([dial.sent, log, clock.timers]).toEqual([[], ['open'], 0]);
  });

  test('nothing is sent before there has been silence: the first word is the application’s', async () => {
    const { clock, socket, opened } = plainWorld({ heartbeat: { message: 'ping' } });
    socket.send('auth');
    const dial = await opened();
    await clock.advance(19_999);
    expect(dial.sent).toEqual(['auth']);
    await clock.advance(1);
    expect(dial.sent).toEqual(['auth', 'ping']);
  });

  test('a ping that is missed: error and close, and it is dialled again', async () => {
    const heartbeat = { message: 'ping', intervalMs: 8_000, timeoutMs: 3_000 };
    const { clock, opened, log, dials } = plainWorld({ heartbeat });
    const dial = await opened();
    await clock.advance(10_999);
    expect([dial.sent, log]).toEqual([['ping'], ['open']]);
    await clock.advance(1);
    expect(log).toEqual(['open', `error ${LOST(11_000)}`, `close 1006 ${LOST(11_000)} (unclean)`]);
    expect(dial.left).toMatch(/^\d{4}$/);
    await clock.advance(500);
    expect(dials.length).toBe(2);
  });

  test('maxMissed pings may be', async () => {
    const heartbeat = { message: 'ping', intervalMs: 8_000, timeoutMs: 3_000, maxMissed: 3 };
    const { clock, opened, log } = plainWorld({ heartbeat });
    const dial = await opened();
    await clock.advance(8_000 + 3 * 3_000 - 1);
    expect([dial.sent, log]).toEqual([['ping', 'ping', 'ping'], ['open']]);
    await clock.advance(1);
    expect(log.length).toBe(3);
  });

  test('the answer is not for the application; any message proves that the connection lives', async () => {
    const { clock, opened, log } = plainWorld({
      heartbeat: { message: 'ping', intervalMs: 8_000, timeoutMs: 3_000, isPong: (data) => data === 'pong' },
    });
    const dial = await opened();
    await clock.advance(8_000);
    dial.say('pong');
    await clock.advance(7_999);
    dial.say('news');
    await clock.advance(7_999);
    expect([dial.sent, log]).toEqual([['ping'], ['open', 'message news']]);
    await clock.advance(1);
    dial.say('more news');
    await clock.advance(7_999);
    expect([dial.sent, log]).toEqual([
      ['ping', 'ping'],
      ['open', 'message news', 'message more news'],
    ]);
  });

  test('a function makes each ping', async () => {
    let count = 0;
    const { clock, opened } = plainWorld({
      heartbeat: { message: () => `ping ${++count}`, intervalMs: 8_000, isPong: () => true },
    });
    const dial = await opened();
    for (let round = 0; round < 3; round++) {
      await clock.advance(8_000);
      dial.say('any');
    }
    expect(dial.sent).toEqual(['ping 1', 'ping 2', 'ping 3']);
  });

  test('functions that throw are told, and cost neither a message nor the connection', async () => {
    const { clock, opened, log, faults } = plainWorld({
      heartbeat: {
        intervalMs: 8_000,
        message: () => {
          throw new Error('no ping');
        },
        isPong: (data) => JSON.parse(String(data)) === 'pong',
      },
    });
    const dial = await opened();
    dial.say('no JSON');
    await clock.advance(17_000);
    expect(log).toEqual(['open', 'message no JSON']);
    expect(faults).toEqual([
      expect.stringContaining('Holdfast: heartbeat.isPong failed: Unexpected token'),
      'Holdfast: heartbeat.message failed: no ping',
      'Holdfast: heartbeat.message failed: no ping',
    ]);
  });
});

describe('signals', () => {
  test('online: a wait is over', async () => {
    const { clock, dialled, dials, signal } = plainWorld({ reconnect: { baseMs: 30_000 } });
    (await dialled()).end();
    await clock.advance(1_000);
    expect(dials.length).toBe(1);
    signal('online');
    await clock.advance(100);
    expect(dials.length).toBe(2);
  });

  test('awake: what is open must prove it', async () => {
    const { clock, opened, log, signal } = plainWorld({ heartbeat: { message: 'ping' } });
    const dial = await opened();
    signal('awake');
    expect(dial.sent).toEqual(['ping']);
    await clock.advance(2_000);
    expect(log).toEqual(['open', `error ${LOST(2_000)}`, `close 1006 ${LOST(2_000)} (unclean)`]);
  });

  test('offline: attempts become rare', async () => {
    const { clock, dialled, dials, signal } = plainWorld({ reconnect: { capMs: 10_000 } });
    await clock.settle();
    signal('offline');
    (await dialled()).end();
    await clock.advance(9_999);
    expect(dials.length).toBe(1);
    await clock.advance(1);
    expect(dials.length).toBe(2);
  });

  test('asleep: the socket goes, which is no error; awake: it comes back and sends what waited', async () => {
    const { clock, socket, opened, log, signal, dials } = plainWorld();
    const dial = await opened();
    signal('asleep');
    expect([dial.left, log]).toEqual(['1000', ['open', 'close 1000 the page was put away']]);
    socket.send('a');
    await clock.advance(10_000);
    expect(dials.length).toBe(1);
    signal('awake');
    await clock.advance(100);
    expect([(await opened()).sent, log.at(-1)]).toEqual([['a'], 'open']);
  });

  test('asleep while it dials: the same', async () => {
    const { dialled, log, signal } = plainWorld();
    const dial = await dialled();
    signal('asleep');
    expect([dial.left, log]).toEqual(['1000', ['close 1000 the page was put away']]);
  });

  test('nobody listens before it dials, after close() and after giving up', async () => {
    const { socket, dialled, clock, ears } = plainWorld({
      reconnect: { maxAttempts: 1 },
      autoConnect: false,
    });
    expect(ears.size).toBe(0);
    socket.reconnect();
    expect(ears.size).toBe(1);
    (await dialled()).end();
    expect(ears.size).toBe(0);
    socket.reconnect();
    expect(ears.size).toBe(1);
    socket.close();
    await clock.settle();
    expect([ears.size, clock.timers]).toEqual([0, 0]);
  });
});
