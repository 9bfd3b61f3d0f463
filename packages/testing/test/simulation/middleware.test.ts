import { RejectError, type ServerOptions } from '@holdfast/server';
import { describe, expect, test } from 'vitest';
import { type Bare, backTo, bareServer, itemsOf, type Peer, welcomeOf } from './bare.js';

// Who may enter, beyond who it is: asked of the server without a client of ours.

const AUTH = 10;
const BYE = 13;

type Named = { readonly id: string; readonly role: string };

/** Tokens are `user` or `user role`. */
const auth = (token = 'guest') => {
  const [id = '', role = 'member'] = token.split(' ');
  return { user: { id, role } };
};

const serverWith = (options: ServerOptions = {}): Bare & { readonly told: string[] } => {
  const bare = bareServer({ auth, ...options });
  const told: string[] = [];
  bare.server.onSession(({ user }) => told.push(`session ${user.id}`));
  bare.server.onSessionEnd(({ user }) => told.push(`end ${user.id}`));
  bare.server.onAttach(({ user }) => told.push(`attach ${user.id}`));
  return { ...bare, told };
};

async function greeted(bare: Bare, fields: object, name = 'peer'): Promise<Peer> {
  const peer = bare.dial(name);
  peer.hello(fields);
  await bare.clock.settle();
  return peer;
}

test('sees who it is, from where, and whether it comes back', async () => {
  const bare = serverWith();
  const seen: unknown[] = [];
  bare.server.use(({ id, user, address }, { resumed }) => seen.push({ id, user, address, resumed }));
  const peer = await greeted(bare, { a: 'ada admin' }, 'here');
  const { s } = welcomeOf(peer);
  await greeted(bare, { a: 'ada', ...backTo(peer, 2) }, 'there');
  expect(seen).toEqual([
    { id: s, user: { id: 'ada', role: 'admin' }, address: 'here', resumed: false },
    { id: s, user: { id: 'ada', role: 'member' }, address: 'there', resumed: true },
  ]);
});

test('guests are asked about, too: each is its session', async () => {
  const bare = bareServer();
  const seen: string[][] = [];
  bare.server.use(({ id, user }) => seen.push([id, user.id]));
  const { s } = welcomeOf(await greeted(bare, {}));
  expect(seen).toEqual([[s, s]]);
});

test.each([
  ['at once', () => undefined],
  ['later', () => new Promise<void>((resolve) => queueMicrotask(resolve))],
])('several are asked one after the other, %s, until one refuses', async (_when, answer) => {
  const bare = serverWith();
  const asked: string[] = [];
  const say = (name: string) => () => {
    asked.push(name);
    return answer();
  };
  bare.server.use(say('first')).use(async ({ user }) => {
    asked.push('second');
    if (user.id === 'eve') throw new RejectError('banned');
  });
  bare.server.use(say('third'));
  expect(welcomeOf(await greeted(bare, { a: 'ada' })).q).toBe(0);
  expect((await greeted(bare, { a: 'eve' })).closed).toBe('3003 ERR_AUTH_REFUSED');
  expect(asked).toEqual(['first', 'second', 'third', 'first', 'second']);
});

describe('who is refused', () => {
  test('is told why, and leaves nothing behind', async () => {
    const bare = serverWith();
    bare.server.use(() => {
      throw new RejectError('banned');
    });
    const peer = await greeted(bare, { a: 'ada' });
    expect([peer.closed, peer.heard]).toEqual([
      '3003 ERR_AUTH_REFUSED',
      [[BYE, 'ERR_AUTH_REFUSED', 'banned']],
    ]);
    expect([bare.told, bare.server.stats()]).toMatchObject([
      [],
      { sessions: 0, connections: 0, users: 0, errors: 0 },
    ]);
  });

  test("with 'expired' is asked for a fresh token", async () => {
    const bare = serverWith();
    bare.server.use(() => {
      throw new RejectError('expired');
    });
    expect((await greeted(bare, { a: 'ada' })).closed).toBe('3000 ERR_AUTH_EXPIRED');
  });

  test('when it comes back: its connection stays as it is, and its session waits', async () => {
    const bare = serverWith();
    let isBanned = false;
    bare.server.use((_session, { resumed }) => {
      if (isBanned && resumed) throw new RejectError('banned');
    });
    const peer = await greeted(bare, { a: 'ada' });
    isBanned = true;
    const back = await greeted(bare, { a: 'ada', ...backTo(peer, 2) });
    await bare.clock.advance(2_000);
    expect([back.closed, peer.closed]).toEqual(['3003 ERR_AUTH_REFUSED', undefined]);
    isBanned = false;
    expect(welcomeOf(await greeted(bare, { a: 'ada', ...backTo(peer, 3) })).q).toBe(1);
    expect(bare.told).toEqual(['session ada', 'attach ada', 'attach ada']);
  });
});

describe('a middleware that fails', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('the database is down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the database is down'))],
  ])('%s: told to onError by its name, and the client comes back later', async (_how, middleware) => {
    const bare = serverWith();
    const where: string[] = [];
    bare.server.onError((_error, { name }) => where.push(name));
    bare.server.use(middleware);
    const peer = await greeted(bare, { a: 'ada' });
    expect([peer.closed, itemsOf(peer, BYE)]).toEqual([
      '1011 ERR_HANDLER_FAILED',
      [[BYE, 'ERR_HANDLER_FAILED', 'see the log of the server']],
    ]);
    expect([where, bare.errors, bare.server.stats().sessions]).toEqual([
      ['middleware'],
      [expect.objectContaining({ message: 'the database is down' })],
      0,
    ]);
  });

  test('hangs: 10 s later the client is told to come back', async () => {
    const bare = serverWith();
    bare.server.use(() => new Promise(() => undefined));
    const peer = await greeted(bare, { a: 'ada' });
    await bare.clock.advance(9_999);
    expect(peer.closed).toBeUndefined();
    await bare.clock.advance(1);
    expect(peer.closed).toBe('3008 ERR_TIMEOUT');
    expect([bare.told, bare.server.stats().sessions]).toEqual([[], 0]);
  });

  test('answers when the client is gone: nothing becomes of it', async () => {
    const bare = serverWith();
    let admit = (): void => undefined;
    bare.server.use(
      () =>
        new Promise<void>((resolve) => {
          admit = resolve;
        }),
    );
    const peer = await greeted(bare, { a: 'ada' });
    peer.leave();
    admit();
    await bare.clock.settle();
    expect([bare.told, bare.server.stats()]).toMatchObject([[], { sessions: 0, connections: 0 }]);
  });

  test('is no function: a TypeError', () => {
    const { server } = serverWith();
    expect(() => server.use('auth' as never)).toThrow('use(middleware) must be a function, not string');
  });
});

describe('roles are those of the newest token', () => {
  const rules = async (): Promise<{ bare: Bare; peer: Peer }> => {
    const bare = serverWith();
    bare.server.handle('role', (_input, { session }) => (session.user as Named).role);
    return { bare, peer: await greeted(bare, { a: 'ada admin' }) };
  };
  const roleOf = async (bare: Bare, peer: Peer, seq: number): Promise<unknown> => {
    peer.frame([0, seq, [3, 'role']]);
    await bare.clock.settle();
    return itemsOf(peer, 4).at(-1)?.[2];
  };

  test('after a resume', async () => {
    const { bare, peer } = await rules();
    expect(await roleOf(bare, peer, 1)).toBe('admin');
    const back = await greeted(bare, { a: 'ada', ...backTo(peer, 2, { x: 1 }) });
    expect(await roleOf(bare, back, 2)).toBe('member');
  });

  test('after a renewal on the connection that stands', async () => {
    const { bare, peer } = await rules();
    peer.say([AUTH, 'ada owner']);
    expect(await roleOf(bare, peer, 1)).toBe('owner');
  });
});
