import { describe, expect, test } from 'vitest';
import { backTo, bareServer, itemsOf, type Peer } from './bare.js';
import { member, openBed, silent } from './people.js';

const [EVT, REQ, RES, ERR, CREDIT, VOL] = [2, 3, 4, 5, 9, 20];
const limits = { messagesPerSecond: 100, burst: 40 };

/** A server that hears `note`, and counts what was limited. */
function limitedServer(options: object = limits) {
  const counts = { limited: 0, dropped: 0 };
  const heard: unknown[] = [];
  const bare = bareServer({
    limits: options,
    observe: {
      limited: ({ limit }) => (limit === 'messages' ? counts.limited++ : 0),
      dropped: () => counts.dropped++,
    },
  });
  bare.server.on('note', (payload) => void heard.push(payload));
  const events = (peer: Peer, from: number, count: number): void =>
    peer.frame([0, from, ...Array.from({ length: count }, (_, n) => [EVT, 'note', from + n])]);
  return { ...bare, counts, heard, events };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

describe('a peer that sends more than it may', () => {
  test('first gets a smaller window, and the full one when it has been quiet', async () => {
    const { clock, dial, events, counts, heard } = limitedServer();
    const peer = dial();
    peer.hello();
    await clock.advance(0);
    expect(peer.heard[0]).toMatchObject([1, { w: [20, 1_048_576] }]);
    events(peer, 1, 30);
    await clock.advance(0);
    expect(itemsOf(peer, CREDIT)).toEqual([[CREDIT, 5, 1_048_576]]);
    await clock.advance(1_000);
    expect(itemsOf(peer, CREDIT).map(([, messages]) => messages)).toEqual([5, 10, 20]);
    expect([counts.limited, heard]).toEqual([0, upTo(30)]);
  });

  test('then each message beyond it is refused, once and before its ack; the others are handled in order', async () => {
    const { clock, dial, events, counts, heard } = limitedServer();
    const peer = dial();
    peer.hello();
    await clock.advance(0);
    events(peer, 1, 50);
    await clock.advance(300);
    events(peer, 51, 2);
    await clock.advance(200);
    const errors = itemsOf(peer, ERR);
    expect(errors.map(([, seq]) => seq)).toEqual([41, 42, 43, 44, 45, 46, 47, 48, 49, 50]);
    expect(errors[0]).toEqual([ERR, 41, 'ERR_RATE_LIMITED', 'too many messages', { retryAfterMs: 10 }]);
    expect(errors[9]?.[4]).toEqual({ retryAfterMs: 100 });
    expect(heard).toEqual([...upTo(40), 51, 52]);
    expect([counts.limited, peer.closed]).toEqual([10, undefined]);
  });

  test('a request is refused in the place of its answer; joins and leaves are not', async () => {
    const { clock, dial, server } = limitedServer({ messagesPerSecond: 1, burst: 1 });
    const peer = dial();
    peer.hello();
    await clock.advance(0);
    peer.frame([0, 1, [REQ, 'echo', 1], [REQ, 'echo', 2]]);
    await clock.advance(2_000);
    peer.frame([0, 3, [REQ, '$join', { room: 'lobby' }], [REQ, '$leave', { room: 'lobby' }]]);
    await clock.advance(100);
    expect(itemsOf(peer, RES).map(([, seq]) => seq)).toEqual([1, 3, 4]);
    expect(itemsOf(peer, ERR).map(([, seq, code]) => [seq, code])).toEqual([[2, 'ERR_RATE_LIMITED']]);
    expect(server.stats().rooms).toBe(0);
  });

  test('volatile ones are dropped, and counted', async () => {
    const { clock, dial, counts, heard } = limitedServer();
    const peer = dial();
    peer.hello();
    await clock.advance(0);
    peer.say(...Array.from({ length: 50 }, (_, n) => [VOL, 'note', n + 1]));
    await clock.advance(100);
    expect(heard).toEqual(upTo(40));
    expect([counts, itemsOf(peer, ERR)]).toEqual([{ limited: 10, dropped: 10 }, []]);
  });

  test('a flood ends the connection with the time to wait; the session waits, nothing is lost or doubled', async () => {
    const { clock, dial, events, heard, server } = limitedServer();
    const peer = dial();
    peer.hello();
    await clock.advance(0);
    events(peer, 1, 50);
    events(peer, 51, 35);
    await clock.advance(0);
    expect(peer.closed).toBe('4429 ra=400');
    expect(server.stats()).toMatchObject({ connections: 0, sessions: 1 });
    await clock.advance(400);
    const again = dial();
    again.hello(backTo(peer, 2));
    await clock.advance(0);
    // What was refused before is told now; what came with the flood was not taken.
    expect(again.heard[0]).toMatchObject([1, { q: 1, x: 50 }]);
    expect(itemsOf(again, ERR)).toHaveLength(10);
    events(again, 51, 35);
    await clock.advance(100);
    expect(heard).toEqual([...upTo(40), ...upTo(85).slice(50)]);
    expect([again.closed, itemsOf(again, ERR).length]).toEqual([undefined, 10]);
  });

  test('another connection of the same session has no more than the one before had left', async () => {
    const { clock, dial, events, heard } = limitedServer();
    const peer = dial();
    peer.hello();
    await clock.advance(0);
    events(peer, 1, 40);
    await clock.advance(0);
    const again = dial();
    again.hello(backTo(peer, 2));
    await clock.advance(0);
    expect(itemsOf(again, CREDIT)).toEqual([[CREDIT, 1, 1_048_576]]);
    events(again, 41, 1);
    await clock.advance(0);
    expect(itemsOf(again, ERR).map(([, seq]) => seq)).toEqual([41]);
    expect(heard).toHaveLength(40);
  });
});

describe('a client', () => {
  test('that has far more to send than it may is slowed down: everything arrives once, in order, none refused', async () => {
    const heard: unknown[] = [];
    let limited = 0;
    const bed = openBed({
      limits,
      latencyMs: 25,
      logger: silent,
      observe: { limited: () => limited++ },
      setup: (server) => server.on('note', (payload) => void heard.push(payload)),
    });
    const client = bed.createClient();
    await bed.until(client.connect());
    const began = bed.clock.now();
    const sendings = upTo(600).map((n) => client.send('note', n));
    await bed.advance(1_000);
    bed.cut(client);
    await bed.until(Promise.all(sendings));
    expect([heard, limited]).toEqual([upTo(600), 0]);
    expect(bed.clock.now() - began).toBeGreaterThan(4_000);
    expect(bed.clock.now() - began).toBeLessThan(60_000);
  });

  test('is told when it may ask again, and then it may', async () => {
    const bed = openBed({ limits: { messagesPerSecond: 1, burst: 1 }, logger: silent });
    const { client } = await member(bed);
    await bed.advance(1_000);
    await bed.until(client.request('echo', 1));
    const error = await bed.until(
      client.request('echo', 2).catch((refused: { code: string; retryAfterMs: number }) => refused),
    );
    expect(error).toMatchObject({
      code: 'ERR_RATE_LIMITED',
      delivery: 'rejected',
      retryable: true,
      retryAfterMs: expect.any(Number),
    });
    const { retryAfterMs } = error as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(900);
    await bed.advance(retryAfterMs);
    expect(await bed.until(client.request('echo', 3))).toBe(3);
  });
});
