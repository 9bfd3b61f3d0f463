import { describe, expect, test } from 'vitest';
import { endOf, openBed, person } from './people.js';

/** Payloads that the server's listener of `note` was given. */
function noting() {
  const noted: unknown[] = [];
  const bed = openBed({
    setup(server) {
      server.on('note', (payload) => noted.push(payload));
      server.handle('echo', (input) => input);
      server.handle('slow', (_input, { signal }) => {
        signal.addEventListener('abort', () => noted.push('aborted'));
        return new Promise((resolve) => bed.clock.setTimer(() => resolve('late'), 1_000));
      });
    },
  });
  return { bed, noted };
}

// One more than `maxMessages` is in outbox-table.test.ts.
describe('bounds of the outbox', () => {
  test('maxBytes counts bytes, not characters, and frees them again', async () => {
    const { bed } = noting();
    const { client } = person(bed, { outbox: { maxBytes: 1_000 } });
    const umlauts = endOf(client.send('note', 'ü'.repeat(400), { ttlMs: 10 }));
    const tooMuch = endOf(client.send('note', 'ü'.repeat(100)));
    await bed.settle();
    expect([umlauts.end, tooMuch.end]).toEqual(['open', 'ERR_OUTBOX_FULL unsent']);
    await bed.advance(20);
    expect(umlauts.end).toBe('ERR_EXPIRED unsent');
    expect(client.getOutbox()).toEqual({ messages: 0, bytes: 0, inflight: 0 });
    void client.send('note', 'ü'.repeat(400));
    expect(client.getOutbox().messages).toBe(1);
  });

  test('5,000 in one task on a connection that stands: the window goes on, all in order', async () => {
    const { bed, noted } = noting();
    const { client } = person(bed, { outbox: { maxMessages: 5_000 } });
    await bed.until(client.connect());
    const all = Promise.all(Array.from({ length: 5_000 }, (_, n) => client.send('note', n)));
    await bed.settle();
    expect(client.getOutbox().inflight).toBeLessThanOrEqual(1_000);
    await bed.until(all);
    expect(noted).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
  });
});

describe('time to live, timeout, abort', () => {
  test('what expires while waiting never arrives; what is on the wire does not expire', async () => {
    const { bed, noted } = noting();
    const { client } = person(bed);
    await bed.until(client.connect());
    bed.freeze(client, 'down');
    const written = endOf(client.send('note', 'written', { ttlMs: 100 }));
    await bed.settle();
    bed.cut(client);
    bed.refuse(client);
    const waiting = endOf(client.send('note', 'ghost', { ttlMs: 100 }));
    await bed.advance(99);
    expect([written.end, waiting.end]).toEqual(['open', 'open']);
    await bed.advance(2);
    expect([written.end, waiting.end]).toEqual(['open', 'ERR_EXPIRED unsent']);
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(1_000);
    expect(written).toEqual({ end: 'ok', times: 1 });
    expect(noted).toEqual(['written']);
    expect(noted).not.toContain('ghost');
  });

  test.each([
    ['not connected', -1, 'unsent', []],
    ['on the wire', 3, 'unknown', ['x']],
    ['acknowledged, but not known here', 7, 'unknown', ['x']],
  ] as const)('timeout while %s', async (_when, ms, delivery, arrived) => {
    const { bed, noted } = noting();
    const { client } = person(bed);
    if (ms >= 0) await bed.until(client.connect());
    const sent = endOf(client.send('note', 'x', { timeoutMs: Math.max(1, ms) }));
    await bed.advance(Math.max(1, ms));
    expect(sent.end).toBe(`ERR_TIMEOUT ${delivery}`);
    if (ms < 0) await bed.until(client.connect());
    await bed.advance(1_000);
    expect(noted).toEqual(arrived);
    expect(sent.times).toBe(1);
    expect(client.getOutbox()).toEqual({ messages: 0, bytes: 0, inflight: 0 });
  });

  test.each([
    ['before', -2, []],
    ['while it waits', -1, []],
    ['in the task of the send', 0, []],
    ['on the wire', 3, ['x']],
    ['when all is over', 200, ['x']],
  ] as const)('aborted %s', async (_when, ms, arrived) => {
    const { bed, noted } = noting();
    const { client } = person(bed);
    const aborter = new AbortController();
    if (ms >= 0) await bed.until(client.connect());
    if (ms === -2) aborter.abort(new Error('mine'));
    const sent = endOf(client.send('note', 'x', { signal: aborter.signal }));
    if (ms > 0) await bed.advance(ms);
    aborter.abort(new Error('mine'));
    await bed.until(client.connect());
    await bed.advance(1_000);
    expect(sent).toEqual({ end: ms === 200 ? 'ok' : 'mine', times: 1 });
    expect(noted).toEqual(arrived);
    expect(client.getOutbox()).toEqual({ messages: 0, bytes: 0, inflight: 0 });
  });

  test('a request that is aborted or times out is cancelled at the server, and its late answer changes nothing', async () => {
    const { bed, noted } = noting();
    const { client } = person(bed);
    await bed.until(client.connect());
    const aborter = new AbortController();
    const ends = [
      endOf(client.request('slow', 1, { timeoutMs: 100 })),
      endOf(client.request('slow', 2, { signal: aborter.signal })),
      endOf(client.request('slow', 3)),
    ];
    await bed.advance(200);
    aborter.abort(new Error('mine'));
    await bed.advance(2_000);
    expect(ends.map(({ end, times }) => `${end} ${times}`)).toEqual([
      'ERR_TIMEOUT unknown 1',
      'mine 1',
      'ok 1',
    ]);
    expect(noted).toEqual(['aborted', 'aborted']);
    expect(client.getState().status).toBe('connected');
  });

  test('requests without an answer end after 30 s, and those of a lost session with it', async () => {
    const bed = openBed({
      setup: (server) => void server.handle('never', () => new Promise(() => undefined)),
    });
    const { client } = person(bed);
    await bed.until(client.connect());
    const patient = endOf(client.request('never'));
    await bed.advance(29_990);
    expect(patient.end).toBe('open');
    await bed.advance(20);
    expect(patient.end).toBe('ERR_TIMEOUT unknown');
    const lost = endOf(client.request('never'));
    await bed.advance(10);
    bed.restart({ keepStore: false });
    await bed.advance(5_000);
    expect(lost).toEqual({ end: 'ERR_SESSION_LOST unknown', times: 1 });
  });
});

describe('sent in the middle of trouble', () => {
  test('nothing acknowledged is lost or doubled, nothing unsent arrives, over fifty cuts', async () => {
    const { bed, noted } = noting();
    const { client } = person(bed, { reconnect: { baseMs: 50, capMs: 200 } });
    const ends: ReturnType<typeof endOf>[] = [];
    void client.connect();
    for (let n = 0; n < 500; n++) {
      ends.push(endOf(client.send('note', n, n % 7 === 0 ? { ttlMs: 40 } : {})));
      if (n % 10 === 3) bed.cut(client);
      await bed.advance(n % 11);
    }
    await bed.advance(60_000);
    expect(ends.filter(({ times }) => times !== 1)).toEqual([]);
    ends.forEach(({ end }, n) => {
      const arrivals = noted.filter((payload) => payload === n).length;
      if (end === 'ok') expect(arrivals, `acknowledged ${n}`).toBe(1);
      else {
        expect(end).toBe('ERR_EXPIRED unsent');
        expect(arrivals, `unsent ${n}`).toBe(0);
      }
    });
    const order = noted as number[];
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(new Set(ends.map(({ end }) => end)).size).toBe(2);
  });

  test('unknown messages are told in order, can be sent again with their ids, and are acknowledged', async () => {
    const { bed, noted } = noting();
    const { client } = person(bed);
    await bed.until(client.connect());
    const again: string[] = [];
    client.onSessionLost(({ unknown }) => {
      for (const message of unknown) {
        again.push(message.id);
        void client.resend(message);
      }
    });
    bed.freeze(client, 'up');
    const sendings = [1, 2, 3].map((n) => client.send('note', n));
    await bed.settle();
    bed.restart({ keepStore: false });
    bed.heal(client);
    const later = client.send('note', 'later');
    await bed.until(later);
    await bed.advance(1_000);
    expect(again).toEqual(sendings.map(({ id }) => id));
    expect(noted).toEqual(['later', 1, 2, 3]);
  });

  test('what the application changes after send() does not change what is sent', async () => {
    const { bed, noted } = noting();
    const { client } = person(bed);
    const payload = { text: 'as sent' };
    void client.send('note', payload);
    payload.text = 'changed';
    await bed.until(client.connect());
    await bed.advance(100);
    expect(noted).toEqual([{ text: 'as sent' }]);
  });

  const unspeakable: { readonly [what: string]: () => unknown } = {
    'a cycle': () => {
      const loop: unknown[] = [];
      loop.push(loop);
      return loop;
    },
    'an invalid Date': () => new Date(Number.NaN),
    'a function': () => () => undefined,
    'a toJSON that throws': () => ({ toJSON: (): never => expect.unreachable() }),
  };
  test.each(Object.entries(unspeakable))(
    '%s is an outcome, not an exception, and holds nothing up',
    async (_what, make) => {
      const { bed, noted } = noting();
      const { client } = person(bed);
      await bed.until(client.connect());
      const bad = endOf(client.send('note', make()));
      const good = endOf(client.send('note', 'good'));
      await bed.advance(200);
      expect([bad.end, good.end]).toEqual(['ERR_INVALID_PAYLOAD unsent', 'ok']);
      expect(noted).toEqual(['good']);
    },
  );
});
