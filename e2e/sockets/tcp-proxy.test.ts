import { connect, createServer } from 'node:net';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { expect, test } from 'vitest';
import { aWhile, line, speakers } from './line.js';
import { eventually, listening, soon } from './peers.js';

const directions = ['up', 'down'] as const;

async function unusedPort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('what nobody disturbs arrives, both ways, with its end', async () => {
  const { proxy, pair } = await line();
  const { client, server } = await pair();
  const long = '0123456789'.repeat(100_000);
  client.socket.end(long);
  server.socket.write('hello');
  await Promise.all([server.hears(long), client.hears('hello')]);
  await eventually(() => server.over === 'end', 'the half-close arrives');
  expect(proxy.connections.map(({ id, carried, held }) => ({ id, carried, held }))).toEqual([
    { id: 1, carried: { up: 1_000_000, down: 5 }, held: { up: 0, down: 0 } },
  ]);
  server.socket.end('late');
  await client.hears('hellolate');
  await eventually(() => proxy.connections.length === 0, 'the proxy forgets it');
});

test('an end that is reset resets the other', async () => {
  const { pair } = await line();
  const first = await pair();
  first.client.socket.resetAndDestroy();
  await eventually(() => first.server.over === 'ECONNRESET', 'the server hears of it');
  const second = await pair();
  second.server.socket.resetAndDestroy();
  await eventually(() => second.client.over === 'ECONNRESET', 'the client hears of it');
});

test('nobody listens behind the proxy: the client is reset', async () => {
  const { dial } = await line({ target: { port: await unusedPort() } });
  const client = dial();
  await eventually(() => client.over === 'ECONNRESET', 'the client hears of it');
});

for (const direction of directions) {
  for (const [how, heard] of [
    ['reset', 'ECONNRESET'],
    ['end', 'end'],
  ] as const) {
    test(`cut ${direction} after some bytes: exactly those arrive, then both hear ${how}`, async () => {
      const { proxy, pair } = await line();
      const ends = await pair();
      const { speaker, hearer } = speakers(ends, direction);
      const done = proxy.cut({ how, after: 7, direction });
      speaker.socket.write('0123');
      await hearer.hears('0123');
      expect([ends.client.over, ends.server.over]).toEqual([undefined, undefined]);
      speaker.socket.write('456789');
      expect(await soon(done, 'the cut')).toBe(1);
      await hearer.hears('0123456');
      await eventually(() => speaker.over === heard, `${how} where nothing came before it`);
      // A reset that is read together with bytes in front of it is taken for an end: Node's way of reading.
      await eventually(() => hearer.over === heard || hearer.over === 'end', `${how} behind bytes`);
    });
  }

  test(`cut ${direction} in silence: nothing gets through any more, nobody hears, and healing changes nothing`, async () => {
    const one = await line();
    const ends = await one.pair();
    const { speaker, hearer } = speakers(ends, direction);
    speaker.socket.write('0123456789');
    await hearer.hears('0123456789');
    const done = one.proxy.cut({ how: 'silent', after: 3, direction });
    speaker.socket.write('abcdef');
    expect(await soon(done, 'the cut')).toBe(1);
    await hearer.hears('0123456789abc');
    one.proxy.heal();
    ends.client.socket.write('up');
    ends.server.socket.end('down');
    await aWhile();
    expect(hearer.text).toBe('0123456789abc');
    expect([ends.client.over, ends.server.over, one.proxy.connections.length]).toEqual([
      undefined,
      undefined,
      1,
    ]);
    // New ones pass, as after a change of networks; the old one can be ended later.
    const next = await one.pair();
    next.client.socket.write('through');
    await next.server.hears('through');
    await one.proxy.cut({ which: one.proxy.connections.find(({ id }) => id === 1) });
    await eventually(
      () => ends.client.over !== undefined && ends.server.over !== undefined,
      'the late reset',
    );
    expect([next.client.over, next.server.over]).toEqual([undefined, undefined]);
  });

  test(`frozen ${direction}: held back without a word, the other way goes on; healed: all of it, in order`, async () => {
    const { proxy, pair } = await line();
    const ends = await pair();
    const { speaker, hearer, opposite } = speakers(ends, direction);
    proxy.freeze(direction);
    const numbers = Array.from({ length: 1_000 }, (_, n) => `${n};`);
    for (const number of numbers) speaker.socket.write(number);
    speaker.socket.end();
    hearer.socket.write('still here');
    await speaker.hears('still here');
    expect([hearer.text, hearer.over]).toEqual(['', undefined]);
    const [{ carried } = { carried: undefined }] = proxy.connections;
    expect(carried).toEqual({ [direction]: 0, [opposite]: 10 });
    proxy.heal();
    await hearer.hears(numbers.join(''));
    await eventually(() => hearer.over === 'end', 'the end, behind the bytes');
  });

  test(`frozen ${direction}: an end that gives up is held back like its bytes`, async () => {
    const one = await line();
    const { speaker, hearer } = speakers(await one.pair(), direction);
    one.proxy.freeze(direction);
    speaker.socket.resetAndDestroy();
    // Into nowhere: the proxy learns that the speaker is gone, its network would not.
    hearer.socket.write('are you there?');
    await aWhile();
    expect([hearer.over, one.proxy.connections.length]).toEqual([undefined, 1]);
    one.proxy.heal();
    await eventually(() => hearer.over === 'ECONNRESET', 'the reset, at last');
  });

  test(`an end that is gone while ${direction === 'up' ? 'down' : 'up'} is frozen: the other feels it, and the proxy keeps nothing`, async () => {
    const one = await line();
    const { speaker, hearer, opposite } = speakers(await one.pair(), direction);
    one.proxy.freeze(opposite);
    hearer.socket.resetAndDestroy();
    const size = 64 * 1_048_576;
    speaker.socket.write(Buffer.alloc(size));
    await aWhile();
    await aWhile();
    expect(one.proxy.connections[0]?.held[direction]).toBeLessThanOrEqual(65_536);
    expect(speaker.socket.writableLength).toBe(size);
    expect(speaker.over).toBe(undefined);
    one.proxy.heal();
    await eventually(() => speaker.over !== undefined, 'the reset, at last');
  });

  test(`frozen ${direction}: the proxy stops reading, and the sender feels it`, async () => {
    const { proxy, pair } = await line();
    const { speaker, hearer } = speakers(await pair(), direction);
    proxy.freeze(direction);
    const size = 64 * 1_048_576;
    speaker.socket.write(Buffer.alloc(size, 'x'));
    await aWhile();
    expect(speaker.socket.writableLength).toBe(size);
    expect(proxy.connections[0]?.held[direction]).toBeLessThanOrEqual(65_536);
    proxy.heal();
    await eventually(() => hearer.bytes === size, 'all of it');
  });

  test(`delayed ${direction}: no less than that, in order, whatever happens to the delay`, async () => {
    const { proxy, pair } = await line();
    const { speaker, hearer, opposite } = speakers(await pair(), direction);
    proxy.delay(150, direction);
    const start = performance.now();
    speaker.socket.write('late');
    await hearer.hears('late');
    expect(performance.now() - start).toBeGreaterThanOrEqual(149);
    proxy.delay(60_000, direction);
    hearer.socket.write('at once');
    await speaker.hears('at once');
    speaker.socket.write('never, as it seems');
    await eventually(() => proxy.connections[0]?.held[direction] === 18, 'it is under way');
    expect(proxy.connections[0]?.held[opposite]).toBe(0);
    proxy.delay(0, direction);
    await hearer.hears('latenever, as it seems');
    const numbers = Array.from({ length: 300 }, (_, n) => `${n};`);
    for (const [n, number] of numbers.entries()) {
      proxy.delay((n * 7) % 20, direction);
      speaker.socket.write(number);
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await hearer.hears(`latenever, as it seems${numbers.join('')}`);
  });

  test(`delayed ${direction}: an end with nothing in front of it is no quicker`, async () => {
    const { proxy, pair } = await line();
    const { speaker, hearer } = speakers(await pair(), direction);
    proxy.delay(150, direction);
    const start = performance.now();
    speaker.socket.end();
    await eventually(() => hearer.over === 'end', 'the end');
    expect(performance.now() - start).toBeGreaterThanOrEqual(149);
  });

  test(`delayed ${direction}: what is under way is bounded, and so is what the proxy holds`, async () => {
    const { proxy, pair } = await line();
    const { speaker, hearer } = speakers(await pair(), direction);
    proxy.delay(60_000, direction);
    speaker.socket.write(Buffer.alloc(8 * 1_048_576));
    speaker.socket.end();
    const held = () => proxy.connections[0]?.held[direction] ?? 0;
    await eventually(() => held() >= 262_144, 'it fills up');
    await aWhile();
    expect(held()).toBeLessThan(262_144 + 65_537);
    proxy.heal();
    await eventually(() => hearer.bytes === 8 * 1_048_576 && hearer.over === 'end', 'all of it');
  });

  test(`throttled ${direction}: most is outstanding when the first bytes arrive; order is kept`, async () => {
    const { proxy, pair } = await line();
    const { speaker, hearer } = speakers(await pair(), direction);
    proxy.throttle(2_000, direction);
    const text = Array.from({ length: 4_000 }, (_, n) => `${n};`).join('');
    const start = performance.now();
    speaker.socket.write(text);
    hearer.socket.write(text);
    await eventually(() => hearer.bytes >= 300, 'the first bytes');
    // Two slices of 100 may be saved up before the clock runs.
    expect(hearer.bytes).toBeLessThanOrEqual(200 + 2 * (performance.now() - start));
    expect(hearer.bytes).toBeLessThan(text.length);
    await speaker.hears(text);
    proxy.throttle(Infinity, direction);
    await hearer.hears(text);
  });
}

test('a cut that one end is told of: the other one is left with half a connection', async () => {
  for (const [told, untold] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    const one = await line();
    const ends = await one.pair();
    await one.proxy.cut({ told });
    await eventually(() => ends[told].over === 'ECONNRESET', `the ${told} hears of it`);
    ends[untold].socket.write('are you there?');
    await aWhile();
    expect([ends[untold].over, one.proxy.connections.length]).toEqual([undefined, 1]);
  }
});

test('the same seed cuts at the same places', async () => {
  const places = async (seed: number): Promise<number[]> => {
    const { proxy, pair } = await line({ seed });
    const lengths: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const { client, server } = await pair();
      const done = proxy.cut({ how: 'end', within: 100_000, direction: 'up' });
      client.socket.write(Buffer.alloc(100_000));
      await soon(done, 'the cut');
      await eventually(() => server.over === 'end', 'the end');
      lengths.push(server.bytes);
      await proxy.cut();
    }
    return lengths;
  };
  const once = await places(7);
  expect(new Set(once).size).toBe(5);
  expect(await places(7)).toEqual(once);
  expect(await places(8)).not.toEqual(once);
});

test('what was cut in silence can be told later, but no byte of it be waited for', async () => {
  const { proxy, pair } = await line();
  const { client } = await pair();
  expect(await proxy.cut({ how: 'silent' })).toBe(1);
  expect(await soon(proxy.cut({ after: 1 }), 'a cut of what is cut')).toBe(0);
  expect([client.over, await proxy.cut({ how: 'end' })]).toEqual([undefined, 1]);
  await eventually(() => client.over === 'end', 'the end, at last');
});

test('a cut whose bytes never come counts nobody', async () => {
  const { proxy, pair } = await line();
  const { client, server } = await pair();
  const done = proxy.cut({ after: 1_000 });
  client.socket.end('less');
  server.socket.end('less');
  expect(await soon(done, 'the cut')).toBe(0);
  await eventually(() => client.over === 'end', 'its end');
  expect(await proxy.cut()).toBe(0);
});

test('while a direction is frozen nobody new reaches the server; healed, they do', async () => {
  for (const direction of directions) {
    const one = await line();
    one.proxy.freeze(direction);
    const client = one.dial();
    client.socket.write('hello');
    await eventually(() => one.proxy.connections.length === 1, 'the proxy has accepted');
    await aWhile();
    expect(one.served.length).toBe(0);
    one.proxy.heal();
    const server = await eventually(() => one.served[0] ?? false, 'the server is reached');
    await server.hears('hello');
  }
});

test('refused: new connections are reset, or hang for ever; those that stand go on', async () => {
  const one = await line();
  const { proxy, dial, served } = one;
  const { client, server } = await one.pair();
  proxy.refuse();
  const refused = dial();
  await eventually(() => refused.over === 'ECONNRESET', 'the reset');
  proxy.refuse('hang');
  const hung = dial();
  hung.socket.write('hello?');
  await eventually(() => proxy.connections.length === 2, 'the proxy has accepted');
  client.socket.write('still here');
  await server.hears('still here');
  proxy.heal();
  const { client: later } = await one.pair();
  expect([hung.over, hung.text, later.over, served.length]).toEqual([undefined, '', undefined, 2]);
});

test('what makes no sense is said at once', async () => {
  const { proxy } = await line();
  expect(() => proxy.delay(-1)).toThrow('delay(ms) must be from 0 to 2^31 ms, not -1');
  expect(() => proxy.throttle(0)).toThrow('throttle() must be at least 1 B/s, not 0');
  await expect(proxy.cut({ after: 0.5 })).rejects.toThrow('cut({ after }) must be a whole number of bytes');
  await expect(createTcpProxy({ target: { port: 1 }, port: proxy.port })).rejects.toThrow('EADDRINUSE');
});

test('closing ends all sockets, whatever was done to them', async () => {
  const { proxy, pair, dial } = await line();
  const ends = [await pair(), await pair()].flatMap(({ client, server }) => [client, server]);
  proxy.delay(60_000);
  ends[0]?.socket.write('under way');
  await eventually(() => proxy.connections[0]?.held.up === 9, 'it is under way');
  await proxy.cut({ how: 'silent', which: proxy.connections[1] });
  proxy.freeze();
  const waiting = dial();
  await eventually(() => proxy.connections.length === 3, 'one more that waits');
  await soon(Promise.all([proxy.close(), proxy.close()]), 'the proxy closes');
  expect(proxy.connections).toEqual([]);
  await eventually(() => [...ends, waiting].every(({ over }) => over !== undefined), 'everybody hears of it');
  const late = dial();
  await eventually(() => late.over === 'ECONNREFUSED', 'nobody listens any more');
});

test('1,000 connections, ended in every way, leave no socket and no timer behind', async () => {
  const count = (kind: RegExp) => process.getActiveResourcesInfo().filter((name) => kind.test(name)).length;
  const sockets = () => count(/^TCP/);
  const timers = () => count(/^Timeout/);
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  const target = await listening(server);
  const before = sockets();
  const proxy = await createTcpProxy({ target: { port: target } });
  proxy.throttle(10_000);
  for (let batch = 0; batch < 20; batch++) {
    const clients = Array.from({ length: 50 }, () => {
      const client = connect(proxy.port, proxy.host);
      return client.on('error', () => undefined).resume();
    });
    const gone = Promise.all(
      clients.map((client) => new Promise((resolve) => client.once('close', resolve))),
    );
    await eventually(() => proxy.connections.length === 50, 'all are there');
    const cut = batch % 4 === 0 ? proxy.cut({ after: 3, direction: 'down' }) : undefined;
    for (const client of clients) client.write('hello');
    await cut;
    if (batch % 4 === 1) for (const client of clients) client.destroy();
    if (batch % 4 === 2) await proxy.cut({ how: 'end' });
    if (batch % 4 === 3) {
      await proxy.cut({ how: 'silent' });
      await proxy.cut({ how: 'reset' });
    }
    await soon(gone, 'all are gone');
    await eventually(() => proxy.connections.length === 0, 'the proxy has forgotten them');
  }
  // Each holds bytes for a minute, so each has a timer; the test's runner has a few that come and go.
  proxy.delay(60_000);
  for (let more = 0; more < 20; more++) {
    connect(proxy.port, proxy.host)
      .on('error', () => undefined)
      .write('late');
  }
  await eventually(
    () => proxy.connections.filter(({ held }) => held.up === 4).length === 20,
    'more is under way',
  );
  const running = timers();
  await proxy.close();
  await eventually(() => sockets() <= before, 'no socket is left');
  await eventually(() => timers() <= running - 20, 'no timer is left');
  await new Promise((resolve) => server.close(resolve));
});
