import { describe, expect, test } from 'vitest';
import { type Bare, backTo, bareServer, itemsOf, type Peer, welcomeOf } from './bare.js';

// Tokens that count no more before their time. A token is `user id`, or `user id issuedAt`.

const AUTH = 10;
const BYE = 13;
const REFUSED = [BYE, 'ERR_AUTH_REFUSED', 'token-revoked'];
const HOUR_MS = 3_600_000;

const serverOf = (): Bare & { readonly ends: string[]; expiresAt(): number } => {
  const bare = bareServer({
    auth(token = '') {
      const [id = '', tokenId, issued] = token.split(' ');
      const issuedAt = issued === undefined ? undefined : Number(issued);
      return { user: { id }, tokenId, issuedAt };
    },
  });
  const ends: string[] = [];
  bare.server.onSessionEnd(({ user }, { reason }) => ends.push(`${user.id} ${reason}`));
  return { ...bare, ends, expiresAt: () => bare.clock.now() + HOUR_MS };
};

async function greeted(bare: Bare, fields: object): Promise<Peer> {
  const peer = bare.dial();
  peer.hello(fields);
  await bare.clock.settle();
  return peer;
}

describe.each([
  ['a user', { userId: 'ada' }],
  ['a token', { tokenId: 't1' }],
] as const)('%s is revoked', (_what, whom) => {
  test('connections are closed and told why, sessions end, nobody else notices', async () => {
    const bare = serverOf();
    const [ada, bob] = [await greeted(bare, { a: 'ada t1' }), await greeted(bare, { a: 'bob t2' })];
    bare.server.revoke({ ...whom, expiresAt: bare.expiresAt() });
    await bare.clock.settle();
    expect([ada.closed, itemsOf(ada, BYE), bob.closed]).toEqual([
      '3003 ERR_AUTH_REFUSED',
      [REFUSED],
      undefined,
    ]);
    expect([bare.ends, bare.server.stats()]).toMatchObject([['ada ended'], { sessions: 1, errors: 0 }]);
  });

  test('a session that waits for its client ends, too: a fresh token does not come back to it', async () => {
    const bare = serverOf();
    const ada = await greeted(bare, { a: 'ada t1' });
    ada.leave();
    bare.server.revoke({ ...whom, expiresAt: bare.expiresAt() });
    await bare.clock.advance(10);
    const fresh = `ada t3 ${bare.clock.now()}`;
    expect(bare.ends).toEqual(['ada ended']);
    expect(welcomeOf(await greeted(bare, { a: fresh, ...backTo(ada, 2) })).q).toBe(2);
    expect(welcomeOf(await greeted(bare, { a: fresh })).q).toBe(0);
  });

  test('the token is refused until it would have expired, in a HELLO and on a connection', async () => {
    const bare = serverOf();
    bare.server.revoke({ ...whom, expiresAt: bare.expiresAt() });
    await bare.clock.advance(10);
    const old = await greeted(bare, { a: 'ada t1' });
    expect([old.closed, itemsOf(old, BYE)]).toEqual(['3003 ERR_AUTH_REFUSED', [REFUSED]]);
    const fresh = await greeted(bare, { a: `ada t3 ${bare.clock.now()}` });
    fresh.say([AUTH, 'ada t1']);
    await bare.clock.settle();
    expect([fresh.closed, itemsOf(fresh, BYE)]).toEqual(['3003 ERR_AUTH_REFUSED', [REFUSED]]);
    await bare.clock.advance(HOUR_MS);
    expect(welcomeOf(await greeted(bare, { a: 'ada t1' })).q).toBe(0);
  });
});

test('of a user, what was issued later counts; of a token, the newest one of the session is meant', async () => {
  const bare = serverOf();
  const now = bare.clock.now();
  bare.server.revoke({ userId: 'ada', expiresAt: bare.expiresAt() });
  expect((await greeted(bare, { a: `ada t1 ${now}` })).closed).toBe('3003 ERR_AUTH_REFUSED');
  const later = await greeted(bare, { a: `ada t2 ${now + 1}` });
  later.say([AUTH, `ada t3 ${now + 1}`]);
  await bare.clock.settle();
  bare.server.revoke({ tokenId: 't2', expiresAt: bare.expiresAt() });
  expect(later.closed).toBeUndefined();
  bare.server.revoke({ tokenId: 't3', expiresAt: bare.expiresAt() });
  expect(later.closed).toBe('3003 ERR_AUTH_REFUSED');
});

test('revoked while the middleware makes up its mind: not let in, and nothing is left', async () => {
  const bare = serverOf();
  let admit = (): void => undefined;
  const decided = new Promise<void>((resolve) => {
    admit = resolve;
  });
  bare.server.use(() => decided);
  const ada = await greeted(bare, { a: 'ada t1' });
  bare.server.revoke({ tokenId: 't1', expiresAt: bare.expiresAt() });
  admit();
  await bare.clock.settle();
  expect([ada.closed, itemsOf(ada, BYE), bare.server.stats().sessions]).toEqual([
    '3003 ERR_AUTH_REFUSED',
    [REFUSED],
    0,
  ]);
});

test.each([
  [{ expiresAt: 1 }, 'revoke(revocation): userId or tokenId must be given'],
  [{ userId: '', expiresAt: 1 }, 'revoke(revocation): userId or tokenId must be given'],
  [{ userId: 'a', tokenId: 'b', expiresAt: 1 }, 'revoke(revocation): either userId or tokenId, not both'],
  [{ userId: 5, expiresAt: 1 }, 'revoke(revocation): userId must be a string, not 5'],
  [{ userId: 'a' }, 'revoke(revocation): expiresAt must be given'],
  [{ tokenId: 'a', expiresAt: Infinity }, 'revoke(revocation): expiresAt must be a number from 0 to'],
  [{ user: 'a', expiresAt: 1 }, "revoke(revocation): unknown option 'user'"],
])('%j: a TypeError', (revocation, message) => {
  const { server } = serverOf();
  expect(() => server.revoke(revocation as never)).toThrow(TypeError);
  expect(() => server.revoke(revocation as never)).toThrow(message);
});
