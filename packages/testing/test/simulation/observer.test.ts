import type { Observer } from '@holdfast/server';
import { RejectError } from '@holdfast/server';
import { prometheus } from '@holdfast/server/metrics';
import { describe, expect, test, vi } from 'vitest';
import { openBed, silent } from './people.js';

/** An observer that writes down each hook with what it was told; `messages` and `acknowledged` are summed up. */
function notebook() {
  const lines: string[] = [];
  const sums = { in: 0, out: 0, acknowledged: 0 };
  const times: number[] = [];
  const note =
    (hook: string) =>
    (what: object): void => {
      const { sessionId: _id, address: _address, ms, ...rest } = what as Record<string, unknown>;
      if (typeof ms === 'number') times.push(ms);
      lines.push(`${hook} ${Object.values(rest).join(' ')}`.trim());
    };
  const observer: Observer = {
    greeted: note('greeted'),
    refused: note('refused'),
    limited: note('limited'),
    detached: note('detached'),
    ended: note('ended'),
    messages: (direction, count) => {
      sums[direction] += count;
    },
    acknowledged: (ms) => {
      sums.acknowledged++;
      times.push(ms);
    },
    handled: note('handled'),
    rejected: note('rejected'),
    dropped: note('dropped'),
    failed: note('failed'),
  };
  return { observer, lines, sums, times };
}

/** A server and its client, after an event, a greeting, an answer that took 70 ms, and a refusal. */
async function talked(observer: Observer) {
  const bed = openBed({
    observe: observer,
    setup(server) {
      server.rooms('*', { join: true });
      server.on('note', () => undefined);
      server.handle('slow', () => new Promise((resolve) => bed.clock.setTimer(() => resolve('done'), 70)));
      server.handle('no', () => Promise.reject(new RejectError('no')));
      server.onSession((session) => void session.send('welcome', {}));
    },
  });
  const client = bed.createClient();
  client.on('welcome', () => undefined);
  await bed.until(client.connect());
  await bed.until(client.send('note', 1));
  await bed.until(client.request('slow'));
  await bed.until(client.request('no').catch(() => undefined));
  await bed.advance(1_000);
  return { bed, client };
}

describe('an observer hears', () => {
  test('a session from its first connection to its end', async () => {
    const { observer, lines } = notebook();
    const bed = openBed({ observe: observer, sessionTtlMs: 5_000 });
    const client = bed.createClient();
    await bed.until(client.connect());
    bed.cut(client);
    await bed.until(client.connect());
    const { server } = bed;
    server.onSession((session) => void session.send('news', 1));
    const other = bed.createClient();
    await bed.until(other.connect());
    bed.freeze(other);
    await bed.advance(60_000);
    expect(lines).toContain('dropped session-ended 1');
    await bed.until(client.close());
    await bed.advance(100);
    expect(lines.filter((line) => !line.startsWith('dropped'))).toEqual([
      'greeted new',
      'detached 1006',
      'greeted resumed',
      'greeted new',
      'detached 3008 nothing heard',
      'ended expired 1',
      'detached 1000',
      'ended closed 0',
    ]);
  });

  test('that a session is lost, and who breaks the protocol', async () => {
    const { observer, lines } = notebook();
    const bed = openBed({ observe: observer, auth: () => Promise.reject(new RejectError('banned')) });
    const client = bed.createClient();
    await bed.until(client.connect().catch(() => undefined));
    expect(lines).toEqual(['refused ERR_AUTH_REFUSED']);

    const second = notebook();
    const forgetful = openBed({ observe: second.observer, logger: silent });
    const lost = forgetful.createClient();
    await forgetful.until(lost.connect());
    forgetful.restart({ keepStore: false });
    await forgetful.until(lost.connect());
    expect(second.lines.filter((line) => line.startsWith('greeted'))).toEqual([
      'greeted new',
      'greeted lost',
      'greeted new',
    ]);
  });

  test('messages, their acks, and how long handlers took by the clock of the server', async () => {
    const { observer, lines, sums, times } = notebook();
    const { bed } = await talked(observer);
    expect(lines.filter((line) => /^(handled|rejected)/.test(line))).toEqual([
      'handled event note',
      'handled request slow',
      'rejected no ERR_REJECTED',
      'handled request no ERR_REJECTED',
    ]);
    expect(times).toContain(70);
    // One event and two requests; the greeting and two answers, each acknowledged.
    expect(sums).toEqual({ in: 3, out: 3, acknowledged: 3 });
    expect(bed.server.stats()).toMatchObject({ messagesIn: 3, messagesOut: 3, errors: 0, outboxBytes: 0 });
  });

  test('nothing of names that nobody handles but their refusal: there may be any number of them', async () => {
    const { observer, lines } = notebook();
    const bed = openBed({
      observe: observer,
      setup: (server) => server.rooms('*', { join: true, publish: true }),
    });
    const client = bed.createClient();
    await bed.until(client.connect());
    const room = client.room('lobby');
    await bed.until(room.join());
    await bed.until(room.send('made-up', 1));
    await bed.until(client.send('made-up', 1).catch(() => undefined));
    expect(lines.filter((line) => /^(handled|rejected)/.test(line))).toEqual([
      'handled request $join',
      'rejected made-up ERR_NO_HANDLER',
    ]);
  });

  test('what is dropped, and why', async () => {
    const { observer, lines } = notebook();
    const bed = openBed({ observe: observer });
    const client = bed.createClient();
    const sessions: { send(name: string, payload: unknown, options?: object): unknown }[] = [];
    bed.server.onSession((session) => sessions.push(session));
    await bed.until(client.connect());
    bed.cut(client);
    bed.refuse(client);
    await bed.advance(100);
    const [session] = sessions;
    session?.send('cursor', 1, { delivery: 'volatile' });
    session?.send('price', 1, { delivery: 'latest' });
    session?.send('price', 2, { delivery: 'latest' });
    expect(bed.server.stats().outboxBytes).toBeGreaterThan(10);
    for (let n = 0; n < 1_000; n++) session?.send('note', n);
    expect(lines.filter((line) => line.startsWith('dropped'))).toEqual([
      'dropped volatile 1',
      'dropped superseded 1',
      'dropped outbox-full 1',
    ]);
  });

  test('what a limit has refused, and what has failed', async () => {
    const { observer, lines } = notebook();
    const bed = openBed({
      observe: observer,
      limits: { acceptPerSecond: 1 },
      setup: (server) => {
        server.onError(() => undefined);
        server.handle('broken', () => {
          throw new Error('a defect');
        });
      },
    });
    const clients = [1, 2, 3].map(() => bed.createClient({ logger: silent }));
    await bed.until(Promise.all(clients.map((client) => client.connect())));
    expect(lines.filter((line) => line === 'limited handshakes').length).toBeGreaterThanOrEqual(1);
    await bed.until((clients[0] as (typeof clients)[0]).request('broken').catch(() => undefined));
    expect(lines.slice(-3)).toEqual([
      'failed broken',
      'rejected broken ERR_HANDLER_FAILED',
      'handled request broken ERR_HANDLER_FAILED',
    ]);
  });
});

test('a scrape of Prometheus says what the server has done', async () => {
  const metrics = prometheus();
  const { bed, client } = await talked(metrics);
  await bed.until(client.room('lobby').join());
  await bed.until(client.send('made\nup', 1).catch(() => undefined));
  await bed.advance(1_000);
  bed.cut(client);
  await bed.until(client.connect());
  await bed.advance(1_000);
  const text = await metrics.metrics();
  for (const line of [
    'holdfast_connections 1',
    'holdfast_sessions 1',
    'holdfast_users 1',
    'holdfast_rooms 1',
    'holdfast_outbox_bytes 0',
    'holdfast_draining 0',
    'holdfast_attaches_total{verdict="new"} 1',
    'holdfast_attaches_total{verdict="resumed"} 1',
    'holdfast_attaches_total{verdict="lost"} 0',
    'holdfast_detaches_total{code="1006"} 1',
    'holdfast_messages_total{direction="in"} 5',
    'holdfast_messages_total{direction="out"} 5',
    'holdfast_dropped_messages_total{reason="outbox-full"} 0',
    'holdfast_limited_total{limit="handshakes"} 0',
    'holdfast_errors_total{code="ERR_REJECTED"} 1',
    'holdfast_errors_total{code="ERR_NO_HANDLER"} 1',
    'holdfast_failures_total 0',
    'holdfast_handshake_seconds_count 2',
    'holdfast_handshake_seconds_bucket{le="0.05"} 2',
    'holdfast_ack_seconds_count 5',
    'holdfast_ack_seconds_bucket{le="0.25"} 5',
    'holdfast_handler_seconds_sum{kind="request",name="slow"} 0.07',
    'holdfast_handler_seconds_count{kind="event",name="note"} 1',
    'holdfast_handler_seconds_count{kind="request",name="$join"} 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).not.toContain('made');
  expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
});

test('an observer that throws is reported, and stops nothing', async () => {
  const error = vi.fn();
  const broken: Observer = {
    messages: () => {
      throw new Error('a broken observer');
    },
    failed: () => {
      throw new Error('a broken observer');
    },
    handled: async () => {
      throw new Error('broken later');
    },
  };
  const bed = openBed({ observe: broken, logger: { ...silent, error } });
  const client = bed.createClient({ logger: silent });
  await bed.until(client.connect());
  expect(await bed.until(client.request('echo', 1))).toBe(1);
  expect(error).toHaveBeenCalledWith('Holdfast: an observer failed', new Error('a broken observer'));
  expect(error).toHaveBeenCalledWith('Holdfast: an observer failed', new Error('broken later'));
  expect(bed.server.stats().messagesIn).toBe(1);
});

test('what is no observer is refused where it is given', () => {
  expect(() => openBed({ observe: 'loud' as never })).toThrow("observe must be an object, not 'loud'");
  expect(() => openBed({ observe: { messages: 3 } as never })).toThrow('observe.messages must be a function');
});

test('a logger that throws stops nothing', async () => {
  const broken = (): never => {
    throw new Error('the disk is full');
  };
  const logger = { debug: broken, info: broken, warn: broken, error: broken };
  const bed = openBed({
    logger,
    observe: { handled: broken },
    setup(server) {
      server.on('note', broken);
      server.handle('echo', (input) => (input === 'x' ? broken() : input));
      server.onError(broken);
    },
  });
  const client = bed.createClient();
  await bed.until(client.connect());
  await expect(bed.until(client.send('note', 1))).resolves.toMatchObject({ outcome: 'acknowledged' });
  await expect(bed.until(client.request('echo', 'x'))).rejects.toMatchObject({ code: 'ERR_HANDLER_FAILED' });
  expect(await bed.until(client.request('echo', 'y'))).toBe('y');
});
