import type { Transport } from '@holdfast/client/ports';
import { MemoryNetwork, VirtualClock, type Weather } from '@holdfast/testing';
import { expect, test } from 'vitest';

/** A link with both ends in hand. */
async function open(latencyMs: Weather['latencyMs'] = 10, late = false) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, { latencyMs, late });
  const got: unknown[] = [];
  const story: string[] = [];
  let server: Transport | undefined;
  network.listener = {
    connect: () => ({
      protocol: 'p',
      server: 'this',
      serve(transport) {
        server = transport;
        return {
          message: (data) => got.push(data),
          close: ({ code }) => story.push(`server ${code}`),
          drain: () => story.push('drain'),
        };
      },
    }),
  };
  const link = network.link('a');
  const client = link.dial('ws://x', ['p'], {
    open: () => story.push('open'),
    message: (data) => got.push(data),
    close: ({ code }) => story.push(`client ${code}`),
  });
  await clock.advance(20);
  expect(story.splice(0)).toEqual(['open']);
  return { clock, link, client, server: server as unknown as Transport, got, story };
}

test('what is sent arrives after the latency, in order', async () => {
  const { clock, client, got } = await open();
  client.send('1');
  await clock.advance(5);
  client.send('2');
  await clock.advance(5);
  expect(got).toEqual(['1']);
  await clock.advance(5);
  expect(got).toEqual(['1', '2']);
});

test('a link that freezes with something under way keeps its order, and heals with nothing lost', async () => {
  const { clock, link, client, got } = await open();
  client.send('before');
  await clock.advance(5);
  link.freeze();
  client.send('while');
  await clock.advance(60_000);
  client.send('just before the end');
  expect(got).toEqual([]);
  link.heal();
  client.send('after');
  await clock.advance(20);
  expect(got).toEqual(['before', 'while', 'just before the end', 'after']);
});

test('one direction can freeze alone', async () => {
  const { clock, link, client, server, got } = await open();
  link.freeze('up');
  client.send('up');
  server.send('down');
  await clock.advance(1_000);
  expect(got).toEqual(['down']);
});

test('a cut is told to both ends at once, a close to the other end as the network allows', async () => {
  const cut = await open();
  cut.link.cut();
  expect(cut.story).toEqual(['server 1006', 'client 1006']);
  const closed = await open();
  closed.client.close(4000, 'bye');
  closed.client.send('too late');
  await closed.clock.advance(9);
  expect(closed.story).toEqual([]);
  await closed.clock.advance(1);
  expect([closed.story, closed.got, closed.link.connections]).toEqual([['server 4000'], [], 0]);
});

test('who is refused is told so, until it heals', async () => {
  const { clock, link } = await open();
  link.refuse();
  const ends: number[] = [];
  const dial = () =>
    link.dial('ws://x', ['p'], {
      open: () => ends.push(0),
      message: () => undefined,
      close: ({ code }) => ends.push(code),
    });
  dial();
  await clock.advance(20);
  link.heal();
  dial();
  await clock.advance(20);
  expect(ends).toEqual([1006, 0]);
});

test('a cut of which one end only learns', async () => {
  for (const [told, story] of [
    ['client', ['client 1006']],
    ['server', ['server 1006']],
  ] as const) {
    const cut = await open();
    cut.link.cut(told);
    cut.client.send('into the void');
    cut.server.send('into the void');
    await cut.clock.advance(1_000);
    expect([cut.story, cut.got, cut.link.connections]).toEqual([story, [], 1]);
  }
});

test('a slow line holds back what it cannot carry, says how much, and when it has carried it', async () => {
  const { clock, link, server, got, story } = await open();
  link.throttle(0.1);
  server.send('12345');
  server.send('678');
  expect(server.bufferedBytes).toBe(8);
  await clock.advance(59);
  expect(got).toEqual([]);
  await clock.advance(1);
  expect([got, server.bufferedBytes]).toEqual([['12345'], 3]);
  await clock.advance(40);
  expect([got, server.bufferedBytes]).toEqual([['12345', '678'], 0]);
  expect(story).toEqual(['drain']);
  link.heal();
  server.send('fast again');
  expect(server.bufferedBytes).toBe(0);
});

test('with a latency that differs nothing overtakes', async () => {
  const latencies = [10, 10, 50, 1, 20];
  const { clock, client, got } = await open(() => latencies.shift() ?? 1);
  client.send('slow');
  client.send('fast');
  await clock.advance(49);
  expect(got).toEqual([]);
  await clock.advance(1);
  expect(got).toEqual(['slow', 'fast']);
});

test('stale events come to a client that has left, if the network is so', async () => {
  const { clock, client, server, got, story } = await open(10, true);
  server.send('under way');
  client.close(1000, '');
  await clock.advance(30);
  expect([got, story]).toEqual([['under way'], ['server 1000']]);
});

test('of several servers, the connections of one are reset', async () => {
  const { clock, link, server, got, story } = await open();
  link.reset('another');
  server.send('here');
  await clock.advance(10);
  expect([got, story]).toEqual([['here'], []]);
  link.reset('this');
  server.send('gone');
  await clock.advance(10);
  expect([got, story]).toEqual([['here'], ['client 1006']]);
});
