import type { ServerSession } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { endOf, member, openBed, person, silent } from './people.js';

/** A server that notes what it handles, and answers slowly what is slow. */
function noting(options: Parameters<typeof openBed>[0] = {}) {
  const noted: unknown[] = [];
  const asked: unknown[] = [];
  const sessions: ServerSession[] = [];
  const attaches: boolean[] = [];
  const ended: string[] = [];
  const bed = openBed({
    setup(server) {
      server.rooms('*', { join: true, publish: true });
      server.on('note', (payload, { redelivered }) => noted.push(redelivered ? `again ${payload}` : payload));
      server.on('slow', async (payload, { redelivered }) => {
        noted.push(redelivered ? `again ${payload}` : payload);
        await new Promise<void>((yes) => bed.clock.setTimer(yes, 2_000));
      });
      server.handle('ask', async (input) => {
        asked.push(input);
        await new Promise<void>((yes) => bed.clock.setTimer(yes, 300));
        return input;
      });
      server.onSession((session) => sessions.push(session));
      server.onAttach((_session, { recovered }) => attaches.push(recovered));
      server.onSessionEnd((_session, { reason, undelivered }) => ended.push(`${reason} ${undelivered}`));
    },
    ...options,
  });
  return { bed, noted, asked, sessions, attaches, ended };
}

describe('a session goes on', () => {
  test('when nothing was ever said on it, five times in a row, and nothing comes twice', async () => {
    const { bed, sessions, attaches } = noting();
    const { client } = person(bed);
    const heard: unknown[] = [];
    client.on('tell', (payload) => heard.push(payload));
    const lost: unknown[] = [];
    client.onSessionLost((told) => lost.push(told));
    await bed.until(client.connect());
    for (let n = 0; n < 5; n++) {
      bed.cut(client);
      await bed.until(client.connect());
      await bed.advance(50);
      expect(client.getState()).toMatchObject({ status: 'connected', recovered: true });
    }
    void sessions[0]?.send('tell', 'once');
    await bed.advance(100);
    bed.cut(client);
    await bed.until(client.connect());
    await bed.advance(100);
    expect([heard, lost, sessions.length]).toEqual([['once'], [], 1]);
    expect(attaches).toEqual([false, true, true, true, true, true, true]);
    expect(bed.server.stats()).toMatchObject({ sessions: 1, connections: 1 });
  });

  // The answer is written 300 ms after the request has arrived, 5 ms later; each direction takes 5 ms.
  test.each([1, 4, 6, 11, 100, 303, 306, 309, 312])(
    'cut %i ms after a request: its handler runs once, its answer comes once',
    async (ms) => {
      const { bed, asked } = noting();
      const { client } = person(bed);
      await bed.until(client.connect());
      const answer = endOf(client.request('ask', 'this'));
      await bed.advance(ms);
      bed.cut(client);
      await bed.advance(10_000);
      expect([answer, asked]).toEqual([{ end: 'ok', times: 1 }, ['this']]);
    },
  );

  test.each([0, 3, 5, 8, 10, 12])(
    'what the server sends is settled by the client, cut after %i ms',
    async (ms) => {
      const { bed, sessions } = noting();
      const { client } = person(bed);
      const heard: unknown[] = [];
      client.on('tell', (payload) => heard.push(payload));
      await bed.until(client.connect());
      const [session] = sessions;
      if (!session) throw new Error('no session');
      const ends = [1, 2, 3].map((n) => endOf(session.send('tell', n)));
      await bed.advance(ms);
      bed.cut(client);
      ends.push(endOf(session.send('tell', 4)));
      await bed.advance(10_000);
      expect(heard).toEqual([1, 2, 3, 4]);
      expect(ends).toEqual(Array(4).fill({ end: 'ok', times: 1 }));
    },
  );

  test('whose first WELCOME was lost: its client finds it by its nonce, there is one session', async () => {
    const { bed, sessions, attaches } = noting();
    const { client } = person(bed);
    void client.connect();
    await bed.advance(11);
    // The HELLO is on its way up; what comes down is swallowed.
    bed.freeze(client, 'down');
    await bed.advance(20);
    expect(bed.server.stats().sessions).toBe(1);
    void sessions[0]?.send('tell', 'from the beginning');
    const heard: unknown[] = [];
    client.on('tell', (payload) => heard.push(payload));
    bed.cut(client);
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(100);
    expect([sessions.length, heard]).toEqual([1, ['from the beginning']]);
    expect(bed.server.stats()).toMatchObject({ sessions: 1, connections: 1 });
    expect(client.getState()).toMatchObject({ sessionId: sessions[0]?.id });
    expect(attaches).toEqual([false, false]);
  });

  test('whose WELCOME was lost on a resume, twice: the key presented stays good', async () => {
    const { bed, sessions, noted } = noting();
    const { client } = person(bed);
    await bed.until(client.connect());
    for (let n = 0; n < 2; n++) {
      bed.cut(client);
      void client.connect();
      await bed.advance(11);
      bed.freeze(client, 'down');
      await bed.advance(20);
      bed.cut(client);
      bed.heal(client);
    }
    await bed.until(client.connect());
    await bed.until(client.send('note', 'here'));
    expect([sessions.length, noted]).toEqual([1, ['here']]);
    expect(client.getState()).toMatchObject({ recovered: true, sessionId: sessions[0]?.id });
  });

  test('while the server still believes in the old connection, which says nothing any more', async () => {
    const { bed, noted } = noting();
    const { client } = person(bed);
    await bed.until(client.connect());
    bed.freeze(client, 'up');
    const first = endOf(client.send('note', 1));
    await bed.advance(8_000);
    expect(client.getState().status).toBe('reconnecting');
    // What was held back arrives, on a connection that is none any more.
    bed.heal(client);
    await bed.until(client.connect());
    await bed.until(client.send('note', 2));
    expect([noted, first.end]).toEqual([[1, 2], 'ok']);
    expect(bed.server.stats()).toMatchObject({ sessions: 1, connections: 1 });
  });

  test('on another server over the same store, with what was on the wire', async () => {
    const { bed, noted, attaches } = noting();
    const { client } = person(bed);
    const lost: unknown[] = [];
    client.onSessionLost((told) => lost.push(told));
    await bed.until(client.connect());
    await bed.until(client.send('note', 1));
    const under = endOf(client.send('note', 2));
    const asked = endOf(client.request('ask', 'q'));
    bed.stop();
    await bed.advance(1_000);
    bed.start();
    await bed.until(client.connect());
    await bed.until(client.send('note', 3));
    await bed.advance(1_000);
    expect([noted, lost, attaches]).toEqual([[1, 2, 3], [], [false, true]]);
    expect([under.end, asked.end]).toEqual(['ok', 'ok']);
    expect(client.getState()).toMatchObject({ recovered: true });
  });

  test('a server dies inside a handler: the next one runs it again and says so', async () => {
    const { bed, noted } = noting();
    const { client } = person(bed);
    await bed.until(client.connect());
    const sent = endOf(client.send('slow', 'x'));
    await bed.advance(200);
    expect(sent.end).toBe('ok');
    bed.restart();
    await bed.until(client.connect());
    await bed.advance(30_000);
    expect(noted).toEqual(['x', 'again x']);
  });
});

describe('a session is gone', () => {
  test('with its time: what had been handled is acknowledged, the rest is unknown, and told first', async () => {
    const { bed, noted, ended } = noting({ sessionTtlMs: 10_000 } as never);
    const { client } = person(bed);
    await bed.until(client.connect());
    bed.freeze(client, 'down');
    const handled = endOf(client.send('note', 'handled'));
    await bed.advance(20);
    bed.freeze(client);
    const unknown = endOf(client.send('note', 'unknown'));
    const story: string[] = [];
    client.onSessionLost(({ handled: count, unknown: messages }) =>
      story.push(`lost: ${count} handled, unknown ${messages.map(({ payload }) => payload)}`),
    );
    client.onState(({ status }) => story.push(status));
    await bed.advance(10);
    bed.cut(client);
    bed.refuse(client);
    await bed.advance(20_000);
    const later = endOf(client.send('note', 'later'));
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(100);
    expect([handled.end, unknown.end, later.end]).toEqual(['ok', 'ERR_SESSION_LOST unknown', 'ok']);
    const told = 'lost: 1 handled, unknown unknown';
    expect(story.filter((line) => line.startsWith('lost'))).toEqual([told]);
    expect(story.slice(story.indexOf(told)).slice(1, 2)).toEqual(['connected']);
    expect(noted).toEqual(['handled', 'later']);
    expect(ended).toEqual(['expired 0']);
    expect(client.getState()).toMatchObject({ recovered: false });
  });

  test('what was acknowledged and was still being handled is told as unknown, too', async () => {
    const { bed } = noting({ logger: silent } as never);
    const { client } = person(bed);
    await bed.until(client.connect());
    const sent = endOf(client.send('slow', 'half done'));
    await bed.advance(200);
    const unknown: unknown[] = [];
    client.onSessionLost((lost) => unknown.push(...lost.unknown.map(({ payload }) => payload)));
    bed.restart({ keepStore: false });
    await bed.until(client.connect());
    expect([sent.end, unknown]).toEqual(['ok', ['half done']]);
    await bed.advance(3_000);
  });

  test('what the server could not deliver is told to it', async () => {
    const { bed, sessions, ended } = noting({ sessionTtlMs: 10_000 } as never);
    const { client } = person(bed);
    await bed.until(client.connect());
    bed.freeze(client, 'down');
    const [session] = sessions;
    const ends = [1, 2].map((n) => endOf(session?.send('tell', n) ?? Promise.resolve()));
    await bed.advance(10);
    bed.cut(client);
    bed.refuse(client);
    ends.push(endOf(session?.send('tell', 3) ?? Promise.resolve()));
    await bed.advance(20_000);
    expect(ends.map(({ end }) => end)).toEqual([
      'ERR_SESSION_LOST unknown',
      'ERR_SESSION_LOST unknown',
      'ERR_CLOSED unsent',
    ]);
    expect(ended).toEqual(['expired 3']);
  });
});

describe('bounds', () => {
  test('too much waits for a client: refused to its sender, told to the client as a hole in its place', async () => {
    const { bed, sessions } = noting();
    const { client } = person(bed);
    const heard: unknown[] = [];
    client.on('tell', (payload) => heard.push(payload));
    client.onGap(({ messages, reason, room }) => heard.push(`gap ${messages} ${reason} ${room}`));
    await bed.until(client.connect());
    bed.cut(client);
    bed.refuse(client);
    const [session] = sessions;
    const ends = Array.from({ length: 1_005 }, (_, n) =>
      endOf(session?.send('tell', n) ?? Promise.resolve()),
    );
    await bed.settle();
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(1_000);
    if (session) await bed.until(session.send('tell', 'after'));
    expect(heard.slice(0, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    expect(heard.slice(1_000)).toEqual(['gap 5 outbox-full undefined', 'after']);
    expect(ends.slice(1_000).map(({ end }) => end)).toEqual(Array(5).fill('ERR_OUTBOX_FULL unsent'));
    expect(ends.slice(0, 1_000).every(({ end }) => end === 'ok')).toBe(true);
  });

  test('a server that is busy closes the window: the outbox fills, and `send` rejects or waits as chosen', async () => {
    const { bed, noted } = noting({ concurrency: 2 } as never);
    const small = { maxMessages: 10, maxBytes: 1_000_000 };
    const rejecting = person(bed, { outbox: small }).client;
    const waiting = person(bed, { outbox: { ...small, overflow: 'wait' } }).client;
    for (const client of [rejecting, waiting]) await bed.until(client.connect());
    const send = (client: typeof waiting) =>
      Array.from({ length: 1_020 }, (_, n) => endOf(client.send('slow', n)));
    const rejected = send(rejecting);
    await bed.settle();
    expect(rejected.filter(({ end }) => end === 'ERR_OUTBOX_FULL unsent')).toHaveLength(1_010);
    noted.length = 0;
    const waited = send(waiting);
    await bed.advance(1_000);
    // Two are being handled: what waits at the server is what the window allows, and no more.
    expect(waiting.getOutbox().inflight).toBeLessThanOrEqual(1_000);
    expect(waited.filter(({ end }) => end === 'ok')).toHaveLength(2);
    await bed.advance(1_100_000);
    expect(waited.every(({ end }) => end === 'ok')).toBe(true);
  });

  test('what timed out on the wire is not written again on the next connection', async () => {
    const { bed, noted } = noting();
    const { client } = person(bed);
    await bed.until(client.connect());
    bed.freeze(client, 'up');
    const ends = [
      endOf(client.send('note', 1)),
      endOf(client.send('note', 'given up', { timeoutMs: 50 })),
      endOf(client.send('note', 2)),
    ];
    await bed.advance(100);
    bed.cut(client);
    bed.heal(client);
    await bed.until(client.connect());
    await bed.advance(100);
    expect(ends.map(({ end }) => end)).toEqual(['ok', 'ERR_TIMEOUT unknown', 'ok']);
    expect(noted).toEqual([1, 2]);
    await bed.until(client.send('note', 3));
    expect(noted).toEqual([1, 2, 3]);
  });
});

describe('somebody else', () => {
  test('with the key and another token does not get the session; who had it still has it', async () => {
    const { bed, sessions } = noting({
      auth: (token: string | undefined) => ({ user: { id: token ?? '?' } }),
    } as never);
    const ada = person(bed, { auth: 'ada' }).client;
    await bed.until(ada.connect());
    const before = sessions[0]?.id;
    // The same client with another token presents session and key of the first.
    const lost: string[] = [];
    ada.onSessionLost(({ sessionId }) => lost.push(sessionId));
    await bed.until(ada.connect({ auth: 'eve' }));
    expect(lost).toEqual([before]);
    expect(ada.getState()).toMatchObject({ userId: 'eve', recovered: false });
    expect(sessions.map(({ user }) => user.id)).toEqual(['ada', 'eve']);
    expect(bed.server.stats()).toMatchObject({ sessions: 2, connections: 1 });
  });

  test('a member of a room who comes back finds it as it was, with those who came and went', async () => {
    const bed = openBed({
      auth: (token = 'nobody') => ({ user: { id: token } }),
      setup: (server) => void server.rooms('*', { join: true, publish: true, presence: true }),
    });
    const ada = await member(bed, { auth: 'ada' });
    const bob = await member(bed, { auth: 'bob' });
    bed.cut(ada.client);
    bed.refuse(ada.client);
    await bed.advance(5_100);
    expect(bob.room.members.map(({ userId }) => userId)).toEqual(['bob']);
    const cy = await member(bed, { auth: 'cy' });
    await bob.client.close();
    await bed.until(cy.say('while ada was away'));
    bed.heal(ada.client);
    await bed.until(ada.client.connect());
    await bed.advance(100);
    expect(ada.heard).toEqual(['while ada was away']);
    const there = ({ room }: typeof ada) => room.members.map(({ userId }) => userId).sort();
    expect([there(ada), there(cy)]).toEqual([
      ['ada', 'cy'],
      ['ada', 'cy'],
    ]);
    expect(ada.room.getState().status).toBe('joined');
  });
});
