import { RejectError } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { type Bare, backTo, bareServer, itemsOf, type Peer, welcomeOf } from './bare.js';

// The server's half of tokens: who speaks here is no client of ours.

const AUTH = 10;
const BYE = 13;
const GRACE_MS = 25_000;

/** Tokens are `user`, or `user for ms`: they count for so long from now on. */
function tokens(): Bare & { readonly asked: string[] } {
  const asked: string[] = [];
  const bare = bareServer({
    auth(token = 'guest') {
      asked.push(token);
      if (token === 'expired' || token === 'banned') throw new RejectError(token);
      if (token === 'broken') throw new Error('the database is down');
      if (token === 'hangs') return new Promise<never>(() => undefined);
      const [id = '', , ms] = token.split(' ');
      return { user: { id }, expiresAt: ms === undefined ? undefined : bare.clock.now() + Number(ms) };
    },
  });
  return { ...bare, asked };
}

async function greeted(bare: Bare, fields: object): Promise<Peer> {
  const peer = bare.dial();
  peer.hello(fields);
  await bare.clock.settle();
  return peer;
}

/** Keeps the connection alive over so many ms. */
async function pass(bare: Bare, peer: Peer, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    if (peer.closed === undefined) peer.say([8]);
    await bare.clock.advance(Math.min(left, 1_000));
  }
}

describe('a token that expires', () => {
  test('WELCOME tells when; without it nothing', async () => {
    const bare = tokens();
    expect(welcomeOf(await greeted(bare, { a: 'ada for 60000.7' })).exp).toBe(60_000);
    expect(welcomeOf(await greeted(bare, { a: 'ada' }))).not.toHaveProperty('exp');
    expect(welcomeOf(await greeted(bare, { a: 'ada for -1000' })).exp).toBe(0);
  });

  test('25 s later the connection ends, and the session waits', async () => {
    const bare = tokens();
    const peer = await greeted(bare, { a: 'ada for 60000' });
    await pass(bare, peer, 60_000 + GRACE_MS - 1);
    expect(peer.closed).toBeUndefined();
    await bare.clock.advance(1);
    expect([peer.closed, itemsOf(peer, BYE)]).toEqual([
      '3000 ERR_AUTH_EXPIRED',
      [[BYE, 'ERR_AUTH_EXPIRED', 'the token has expired']],
    ]);
    expect(bare.server.stats()).toMatchObject({ sessions: 1, connections: 0, errors: 0 });
    const back = await greeted(bare, { a: 'ada', ...backTo(peer, 2) });
    expect(welcomeOf(back).q).toBe(1);
  });

  test('one that is out of date by more than the grace is not let in', async () => {
    const bare = tokens();
    const peer = await greeted(bare, { a: `ada for ${-GRACE_MS}` });
    expect([peer.closed, peer.heard.map(([type]) => type)]).toEqual(['3000 ERR_AUTH_EXPIRED', [BYE]]);
    expect(bare.server.stats().sessions).toBe(0);
  });

  test("RejectError('expired') at HELLO: 3000; any other reason: 3003", async () => {
    const bare = tokens();
    const [expired, banned] = [await greeted(bare, { a: 'expired' }), await greeted(bare, { a: 'banned' })];
    expect([expired.closed, itemsOf(expired, BYE)[0]?.[1]]).toEqual([
      '3000 ERR_AUTH_EXPIRED',
      'ERR_AUTH_EXPIRED',
    ]);
    expect([banned.closed, itemsOf(banned, BYE)]).toEqual([
      '3003 ERR_AUTH_REFUSED',
      [[BYE, 'ERR_AUTH_REFUSED', 'banned']],
    ]);
  });

  test.each([['soon'], [Number.NaN], [null]])(
    'an expiresAt that is none (%s) is a failure of auth',
    async (expiresAt) => {
      const auth = () => ({ user: { id: 'ada' }, expiresAt: expiresAt as number });
      const bare = bareServer({ auth });
      const peer = await greeted(bare, { a: 'ada' });
      expect([peer.closed, bare.errors]).toEqual(['1011 ERR_HANDLER_FAILED', [expect.any(TypeError)]]);
    },
  );
});

describe('AUTH on a connection that stands', () => {
  test('the same user: told how long it counts, and the end moves', async () => {
    const bare = tokens();
    const peer = await greeted(bare, { a: 'ada for 60000' });
    await pass(bare, peer, 50_000);
    peer.say([AUTH, 'ada for 60000']);
    await bare.clock.settle();
    expect(itemsOf(peer, AUTH)).toEqual([[AUTH, 60_000]]);
    await pass(bare, peer, 60_000 + GRACE_MS - 1);
    expect(peer.closed).toBeUndefined();
    await bare.clock.advance(1);
    expect(peer.closed).toBe('3000 ERR_AUTH_EXPIRED');
  });

  test('one that never expires is told without a time; a shorter one ends sooner', async () => {
    const bare = tokens();
    const peer = await greeted(bare, { a: 'ada for 60000' });
    peer.say([AUTH, 'ada']);
    await pass(bare, peer, 200_000);
    expect([peer.closed, itemsOf(peer, AUTH)]).toEqual([undefined, [[AUTH]]]);
    peer.say([AUTH, 'ada for 1000']);
    await pass(bare, peer, 1_000 + GRACE_MS);
    expect(peer.closed).toBe('3000 ERR_AUTH_EXPIRED');
  });

  test.each([
    ['eve', '4401 ERR_SESSION_LOST', 'ERR_SESSION_LOST'],
    ['expired', '3000 ERR_AUTH_EXPIRED', 'ERR_AUTH_EXPIRED'],
    ['banned', '3003 ERR_AUTH_REFUSED', 'ERR_AUTH_REFUSED'],
  ])('%s: %s, and the session waits for its user', async (token, closed, code) => {
    const bare = tokens();
    const peer = await greeted(bare, { a: 'ada' });
    peer.say([AUTH, token]);
    await bare.clock.settle();
    expect([peer.closed, itemsOf(peer, BYE).map(([, said]) => said)]).toEqual([closed, [code]]);
    const back = await greeted(bare, { a: 'ada', ...backTo(peer, 2) });
    expect([welcomeOf(back).q, bare.server.stats()]).toMatchObject([1, { sessions: 1, errors: 0 }]);
  });

  test.each([
    ['throws', 'broken', 'the database is down'],
    ['does not answer', 'hangs', 'auth has not answered within 10000 ms'],
  ])(
    'where auth %s it is told to onError, and the token before goes on counting',
    async (_what, token, message) => {
      const bare = tokens();
      const peer = await greeted(bare, { a: 'ada for 60000' });
      peer.say([AUTH, token]);
      await pass(bare, peer, 10_000);
      expect(bare.errors).toEqual([expect.objectContaining({ message })]);
      expect([peer.closed, itemsOf(peer, AUTH)]).toEqual([undefined, []]);
      peer.say([AUTH, 'ada for 1000']);
      await bare.clock.settle();
      expect(itemsOf(peer, AUTH)).toEqual([[AUTH, 1_000]]);
    },
  );

  test('one is checked at a time; of those that come meanwhile only the newest', async () => {
    const answers: ((id: string) => void)[] = [];
    const asked: unknown[] = [];
    const bare = bareServer({
      auth: (token) => {
        asked.push(token);
        if (token === 'ada') return { user: { id: 'ada' } };
        return new Promise((resolve) =>
          answers.push((id) => resolve({ user: { id }, expiresAt: bare.clock.now() + 1_000 })),
        );
      },
    });
    const peer = await greeted(bare, { a: 'ada' });
    for (const token of ['1', '2', '3', '4']) peer.say([AUTH, token]);
    await bare.clock.settle();
    expect(asked).toEqual(['ada', '1']);
    answers[0]?.('ada');
    await bare.clock.settle();
    expect(asked).toEqual(['ada', '1', '4']);
    answers[1]?.('ada');
    await bare.clock.settle();
    expect([itemsOf(peer, AUTH), asked.length]).toEqual([
      [
        [AUTH, 1_000],
        [AUTH, 1_000],
      ],
      3,
    ]);
  });

  test('an answer that comes when the connection is gone changes nothing', async () => {
    let answer: (id: string) => void = () => undefined;
    const bare = bareServer({
      auth: (token) =>
        token === 'ada'
          ? { user: { id: 'ada' } }
          : new Promise((resolve) => {
              answer = (id) => resolve({ user: { id } });
            }),
    });
    const peer = await greeted(bare, { a: 'ada' });
    peer.say([AUTH, 'next']);
    await bare.clock.settle();
    peer.leave();
    answer('eve');
    await bare.clock.advance(20_000);
    const dropped = await greeted(bare, { a: 'ada' });
    dropped.say([AUTH, 'next']);
    await bare.clock.settle();
    await greeted(bare, { a: 'ada', ...backTo(dropped, 2) });
    expect(dropped.closed).toBe('4410 superseded');
    // Nobody waits for it any more: that it does not come is no failure.
    await bare.clock.advance(20_000);
    expect([itemsOf(peer, BYE), bare.errors]).toEqual([[], []]);
  });

  test('a server without auth takes any', async () => {
    const bare = bareServer();
    const peer = await greeted(bare, {});
    peer.say([AUTH, 'any']);
    await bare.clock.settle();
    expect(itemsOf(peer, AUTH)).toEqual([[AUTH]]);
  });
});

describe('AUTH as nobody means it', () => {
  test.each([
    ['a number', [AUTH, 5_000]],
    ['nothing', [AUTH]],
    ['a list', [AUTH, ['ada']]],
    ['more than 8 KiB', [AUTH, 'x'.repeat(8_193)]],
    ['more than 8 KiB in UTF-8', [AUTH, 'ü'.repeat(4_097)]],
  ])('%s: a bad frame, and auth is not asked', async (_what, item) => {
    const bare = tokens();
    const peer = await greeted(bare, { a: 'ada' });
    peer.say(item);
    expect([peer.closed, itemsOf(peer, BYE)[0]?.[1], bare.asked]).toEqual([
      '4400 ERR_PROTOCOL',
      'ERR_PROTOCOL',
      ['ada'],
    ]);
  });

  test('before the WELCOME: a bad frame', async () => {
    const bare = tokens();
    const early = bare.dial();
    early.say([AUTH, 'ada']);
    const waiting = bare.dial();
    waiting.hello({ a: 'hangs' });
    waiting.say([AUTH, 'ada']);
    expect([early.closed, waiting.closed, bare.asked]).toEqual([
      '4400 ERR_PROTOCOL',
      '4400 ERR_PROTOCOL',
      ['hangs'],
    ]);
  });

  test('a flood: 4429, and nobody else notices', async () => {
    const bare = tokens();
    const [flood, other] = [await greeted(bare, { a: 'ada' }), await greeted(bare, { a: 'bob' })];
    for (let count = 0; count < 1_000; count++) if (!flood.closed) flood.say([AUTH, 'ada']);
    expect([flood.closed, bare.asked.length]).toEqual(['4429 ra=10000', 2 + 30]);
    other.frame([0, 1, [3, 'echo', 1]]);
    await bare.clock.advance(100);
    expect([other.closed, itemsOf(other, 4)]).toEqual([undefined, [[4, 1, 1]]]);
    // At the pace of somebody who means it, for as long as one likes.
    for (let count = 0; count < 100; count++) {
      other.say([AUTH, 'bob']);
      await bare.clock.advance(500);
    }
    expect(other.closed).toBeUndefined();
  });
});

describe('a token of the upgrade', () => {
  test('counts where HELLO has none, also for the session after a lost one', async () => {
    const bare = tokens();
    const peer = bare.dial('peer', 'ada');
    peer.hello({ s: 'gone', k: 'k', e: 'e', x: 0, y: 0 });
    peer.hello();
    await bare.clock.settle();
    expect(itemsOf(peer, 1).map(([, told]) => (told as { u: string }).u)).toEqual(['ada', 'ada']);
    expect(bare.asked).toEqual(['ada']);
  });

  test("HELLO's wins", async () => {
    const bare = tokens();
    const peer = bare.dial('peer', 'ada');
    peer.hello({ a: 'bob' });
    await bare.clock.settle();
    expect([welcomeOf(peer), bare.asked]).toEqual([expect.objectContaining({ u: 'bob' }), ['bob']]);
  });
});
