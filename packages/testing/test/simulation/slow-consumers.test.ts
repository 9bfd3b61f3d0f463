import type { ServerOptions, ServerSession } from '@holdfast/server';
import { MemoryStore } from '@holdfast/server/ports';
import { seededRandom, type Testbed, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { bareServer } from './bare.js';
import { type Ending, endOf, openBed, silent } from './people.js';

const FULL = 'ERR_OUTBOX_FULL unsent';

/** One client, and a server that tells it numbers from 0 on. */
async function story(outbox: ServerOptions['outbox'], options: Parameters<typeof openBed>[0] = {}) {
  const sessions: ServerSession[] = [];
  const closes: number[] = [];
  const bed = openBed({
    outbox,
    setup(server) {
      server.onSession((session) => sessions.push(session));
      server.onDetach((_session, { code }) => closes.push(code));
    },
    ...options,
  });
  const client = bed.createClient({ logger: silent });
  /** Numbers, and holes: `gap 3`. */
  const heard: unknown[] = [];
  client.on('tell', (payload) => heard.push(payload));
  client.onGap(({ messages, reason, room }) => heard.push(`gap ${messages}${room ?? ''}`, reason));
  client.handle('ask', (input) => {
    heard.push(`ask ${input}`);
    return input;
  });
  await bed.until(client.connect());
  const [session] = sessions;
  if (!session) throw new Error('no session');
  const told: Ending[] = [];
  return {
    bed,
    client,
    session,
    heard,
    told,
    closes,
    tell(times: number): void {
      for (let left = times; left > 0; left--) told.push(endOf(session.send('tell', told.length)));
    },
    /** What was heard, without the reasons. */
    get got(): unknown[] {
      return heard.filter((one) => one !== 'outbox-full');
    },
    /** Each message arrived once, in order and acknowledged, or its sender has the error and the client the hole. */
    isTruthful(): void {
      let next = 0;
      for (const one of this.got) {
        const [word, size] = String(one).split(' ');
        if (word === 'ask') continue;
        if (word !== 'gap') {
          expect(one).toBe(next);
          expect(told[next]?.end, `of ${next}`).toBe('ok');
          next++;
          continue;
        }
        for (let left = Number(size); left > 0; left--) {
          expect(told[next]?.end, `of ${next}, in a gap`).toBe(FULL);
          next++;
        }
      }
      expect(next).toBe(told.length);
      expect(told.every(({ times }) => times === 1)).toBe(true);
    },
  };
}

const away = (bed: Testbed, client: Parameters<Testbed['cut']>[0]): void => {
  bed.cut(client);
  bed.refuse(client);
};

describe('drop-oldest', () => {
  test('who was away reads the newest, and is told how many are missing before them', async () => {
    const it = await story({ maxMessages: 10, overflow: 'drop-oldest' });
    away(it.bed, it.client);
    it.tell(25);
    await it.bed.settle();
    expect(it.told.map(({ end }) => end)).toEqual([...Array(15).fill(FULL), ...Array(10).fill('open')]);
    it.bed.heal(it.client);
    await it.bed.until(it.client.connect());
    await it.bed.advance(1_000);
    expect(it.got).toEqual(['gap 15', 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
    it.isTruthful();
  });

  test('who reads nothing has what was on the wire, a hole, and the newest; in bytes, too', async () => {
    const it = await story({ maxBytes: 1_000, overflow: 'drop-oldest' });
    it.bed.freeze(it.client, 'down');
    for (let n = 0; n < 30; n++) {
      it.tell(1);
      await it.bed.advance(10);
    }
    it.bed.heal(it.client);
    await it.bed.advance(2_000);
    const holes = it.got.filter((one) => typeof one === 'string');
    expect(holes).toHaveLength(1);
    expect(it.got.at(0)).toBe(0);
    expect(it.got.at(-1)).toBe(29);
    it.isTruthful();
  });

  test('cut and back, again and again, while more and more comes: nothing twice, nothing lost in silence', async () => {
    const it = await story({ maxMessages: 8, overflow: 'drop-oldest' });
    for (let round = 0; round < 20; round++) {
      it.tell(3 + (round % 7));
      if (round % 3 === 0) it.bed.freeze(it.client, 'down');
      it.tell(round % 5);
      await it.bed.advance(round % 4 === 0 ? 3 : 40);
      it.bed.cut(it.client);
      it.tell(round % 11);
      it.bed.heal(it.client);
      await it.bed.advance(round % 2 === 0 ? 700 : 5_000);
    }
    await it.bed.until(it.client.connect());
    await it.bed.advance(5_000);
    expect(it.told.filter(({ end }) => end === FULL).length).toBeGreaterThan(10);
    it.isTruthful();
  });

  test('a request among events stays, with its place; so does what it is answered', async () => {
    const it = await story({ maxMessages: 4, overflow: 'drop-oldest' });
    away(it.bed, it.client);
    it.tell(2);
    const asked = it.session.request('ask', 'you');
    it.tell(6);
    await it.bed.settle();
    it.bed.heal(it.client);
    await it.bed.until(it.client.connect());
    expect(await it.bed.until(asked)).toBe('you');
    await it.bed.advance(1_000);
    expect(it.got).toEqual(['gap 2', 'ask you', 'gap 3', 5, 6, 7]);
    it.isTruthful();
  });

  test('what a user is told gives way, too; all of it is counted', async () => {
    let dropped = 0;
    const it = await story(
      { maxMessages: 2, overflow: 'drop-oldest' },
      {
        auth: () => ({ user: { id: 'ann' } }),
        observe: {
          dropped: ({ reason, messages }) => {
            expect(reason).toBe('outbox-full');
            dropped += messages;
          },
        },
      },
    );
    away(it.bed, it.client);
    it.tell(1);
    const sent = ['a', 'b', 'c'].map((text) => it.bed.server.toUser('ann').send('tell', text));
    expect(await it.bed.until(Promise.all(sent))).toEqual(Array(3).fill({ members: 1 }));
    expect([it.told[0]?.end, dropped]).toEqual([FULL, 2]);
    it.bed.heal(it.client);
    await it.bed.until(it.client.connect());
    await it.bed.advance(1_000);
    expect(it.got).toEqual(['gap 2', 'b', 'c']);
  });

  test('nothing gives way to a client that reads', async () => {
    const it = await story({ maxMessages: 10, overflow: 'drop-oldest' });
    for (let round = 0; round < 50; round++) {
      it.tell(5);
      await it.bed.advance(100);
    }
    await it.bed.advance(1_000);
    expect(it.got).toEqual(Array.from({ length: 250 }, (_, n) => n));
    it.isTruthful();
  });
});

describe('disconnect', () => {
  const outbox = { maxMessages: 10, overflow: 'disconnect' } as const;

  test('a client for which too much waits is let go, comes back, and reads what waits and what is missing', async () => {
    const it = await story(outbox);
    it.bed.freeze(it.client, 'down');
    it.tell(10);
    await it.bed.advance(10);
    expect(it.closes).toEqual([]);
    it.tell(3);
    expect(it.closes).toEqual([4408]);
    it.bed.heal(it.client);
    await it.bed.advance(5_000);
    expect(it.client.getState()).toMatchObject({ status: 'connected', recovered: true });
    it.tell(1);
    await it.bed.advance(1_000);
    expect(it.got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 'gap 3', 13]);
    it.isTruthful();
    expect(it.closes).toEqual([4408]);
  });

  test('who comes back is not let go before it has taken half, however much comes meanwhile', async () => {
    const it = await story(outbox);
    away(it.bed, it.client);
    it.tell(20);
    it.bed.heal(it.client);
    await it.bed.until(it.client.connect());
    // What it acknowledges is still on its way.
    it.bed.freeze(it.client, 'up');
    for (let more = 0; more < 5; more++) {
      it.tell(1);
      await it.bed.advance(10);
    }
    expect(it.told.slice(20).map(({ end }) => end)).toEqual(Array(5).fill(FULL));
    expect(it.closes).not.toContain(4408);
    it.bed.heal(it.client);
    await it.bed.advance(1_000);
    it.bed.freeze(it.client, 'down');
    it.tell(11);
    expect(it.closes.at(-1)).toBe(4408);
    it.bed.heal(it.client);
    await it.bed.advance(20_000);
    it.isTruthful();
  });

  test('while more comes than it can take it goes on, connection by connection', async () => {
    const it = await story(outbox, { latencyMs: 100 });
    for (let tick = 0; tick < 2_000; tick++) {
      it.tell(1);
      await it.bed.advance(5);
    }
    await it.bed.advance(20_000);
    it.isTruthful();
    const cuts = it.closes.filter((code) => code === 4408).length;
    expect(cuts).toBeGreaterThan(1);
    expect(it.told.filter(({ end }) => end === 'ok').length).toBeGreaterThanOrEqual(5 * cuts);
    expect(it.bed.dials(it.client)).toBe(cuts + 1);
  });

  test('cut and back, again and again, while too much comes: nothing twice, nothing lost in silence', async () => {
    const it = await story({ maxMessages: 8, overflow: 'disconnect' });
    for (let round = 0; round < 20; round++) {
      it.tell(3 + (round % 7));
      if (round % 3 === 0) it.bed.freeze(it.client, 'down');
      it.tell(round % 5);
      await it.bed.advance(round % 4 === 0 ? 3 : 40);
      if (round % 2 === 0) it.bed.cut(it.client);
      it.tell(round % 11);
      it.bed.heal(it.client);
      await it.bed.advance(round % 2 === 0 ? 700 : 5_000);
    }
    await it.bed.until(it.client.connect());
    await it.bed.advance(5_000);
    expect(it.closes).toContain(4408);
    expect(it.told.filter(({ end }) => end === FULL).length).toBeGreaterThan(10);
    it.isTruthful();
  });

  test('a request that finds no place is refused, and lets the client go as well', async () => {
    const it = await story(outbox);
    it.bed.freeze(it.client, 'down');
    it.tell(10);
    const asked = endOf(it.session.request('ask', 'you'));
    await it.bed.settle();
    expect([asked.end, it.closes]).toEqual([FULL, [4408]]);
  });
});

describe('several servers with one store', () => {
  const both = async (overflow: 'drop-oldest' | 'disconnect') => {
    const clock = new VirtualClock();
    const store = new MemoryStore({ clock, random: seededRandom(1) });
    const options = { outbox: { maxMessages: 2, overflow } };
    const [here, there] = [1, 2].map((seed) => bareServer(options, { shared: { clock, store }, seed }));
    if (!here || !there) throw new Error('no servers');
    const sessions: ServerSession[] = [];
    here.server.onSession((session) => sessions.push(session));
    const peer = here.dial();
    peer.hello({ w: [1, 1_000] });
    const ends = [1, 2].map((n) => endOf(sessions[0]?.send('tell', n) ?? Promise.reject()));
    await clock.advance(100);
    return { clock, peer, ends, there };
  };

  test('what one of them has sent gives way to what another sends: its sender is told', async () => {
    const { clock, ends, there } = await both('drop-oldest');
    expect(await clock.until(there.server.toAll().send('tell', 3))).toEqual({ members: 1 });
    expect(ends.map(({ end }) => end)).toEqual(['open', FULL]);
  });

  test('what another one sends is too much: the one that has the connection lets it go', async () => {
    const { clock, peer, ends, there } = await both('disconnect');
    expect(await clock.until(there.server.toAll().send('tell', 3))).toEqual({ members: 0 });
    expect([peer.closed, ...ends.map(({ end }) => end)]).toEqual(['4408 too much waits', 'open', 'open']);
  });
});

test('how long a socket may be full is an option', async () => {
  const { clock, server, dial } = bareServer({ limits: { slowConsumerMs: 2_000, maxBufferedBytes: 1_024 } });
  const sessions: ServerSession[] = [];
  server.onSession((session) => sessions.push(session));
  const peer = dial();
  peer.hello();
  await clock.advance(100);
  peer.bufferedBytes = 2_000;
  void sessions[0]?.send('tell', 1);
  await clock.advance(1_990);
  expect(peer.closed).toBeUndefined();
  await clock.advance(20);
  expect(peer.closed).toBe('4408 reads too slowly');
});

test('answers to SYNC pile up for nobody who does not read', async () => {
  const { clock, dial } = bareServer();
  const peer = dial();
  peer.hello();
  await clock.advance(100);
  peer.bufferedBytes = 10_000_000;
  for (let n = 0; n < 1_000 && peer.closed === undefined; n++) {
    peer.say([15, Array.from({ length: 200 }, (_, m) => [`room ${n} ${m}`, 'e', 0])]);
    await clock.advance(1);
  }
  expect(peer.closed).toBe('4408 reads too slowly');
});

test('whoever publishes waits for no member: all is said before any time has passed', async () => {
  const bed = openBed();
  const members = [1, 2, 3].map(() => bed.createClient({ logger: silent }));
  for (const member of members) {
    await bed.until(member.connect());
    await bed.until(member.room('lobby').join());
  }
  bed.freeze(members[0] as (typeof members)[0]);
  const before = bed.clock.now();
  const said = Array.from({ length: 1_000 }, (_, n) => endOf(bed.server.to('lobby').send('message', n)));
  await bed.settle();
  expect([bed.clock.now() - before, said.filter(({ end }) => end !== 'ok')]).toEqual([0, []]);
});
