import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { bareServer, itemsOf } from './bare.js';

// A store loses its last writes while a publication is under way: nobody knows whether it was published.

async function setUp() {
  const clock = new VirtualClock();
  let life = 1;
  let inner = new MemoryStore({ clock, random: seededRandom(life) });
  /** What happens with the answer to the next publication, which is lost. */
  let doubt: (() => void) | undefined;
  const store: SessionStore = new Proxy<SessionStore>(inner, {
    get(target, name) {
      if (name === 'listen') return target.listen.bind(target);
      const value: unknown = Reflect.get(inner, name);
      if (typeof value !== 'function') return value;
      return async (call: unknown) => {
        const answer: unknown = Reflect.apply(value, inner, [call]);
        if (name !== 'publish' || !doubt) return answer;
        doubt();
        doubt = undefined;
        throw new Error('its answer is missing');
      };
    },
  });
  const bare = bareServer({}, { shared: { clock, store } });
  bare.server.rooms('*', { join: true, publish: true });
  const peer = bare.dial();
  peer.hello();
  await clock.settle();
  peer.frame([0, 1, [3, '$join', { room: 'lobby' }]]);
  peer.say([15, []]);
  await clock.advance(100);
  const loseAnswer = (and: () => void = () => undefined): void => {
    doubt = and;
  };
  const rollBack = (): void => {
    inner = new MemoryStore({ clock, random: seededRandom(++life) });
  };
  return { ...bare, clock, peer, loseAnswer, rollBack };
}

test('of a server: it ends unknown, with its id, and is not published a second time', async () => {
  const { clock, server, peer, loseAnswer, rollBack } = await setUp();
  loseAnswer();
  const sending = server.to('lobby').send('hi', 1, { id: 'mine' });
  await clock.settle();
  expect(itemsOf(peer, 6)).toHaveLength(1);
  rollBack();
  await clock.advance(5_000);
  const error = await sending.then(undefined, (failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'ERR_STORE_LOST', delivery: 'unknown', messageId: 'mine' });
  expect(await clock.until(server.to('lobby').send('hi', 2))).toEqual({ members: 0 });
  expect(itemsOf(peer, 6).filter(([, , , , payload]) => payload === 1)).toHaveLength(1);
});

test('of a client: it has been accepted, so the server is told; its sender is not told that it was refused', async () => {
  const { clock, peer, errors, loseAnswer, rollBack } = await setUp();
  loseAnswer(rollBack);
  peer.frame([0, 2, [2, 'hi', 1, { i: 'theirs', r: 'lobby' }]]);
  await clock.advance(5_000);
  expect(errors.filter((error) => (error as { code?: string }).code)).toMatchObject([
    { code: 'ERR_STORE_LOST', delivery: 'unknown', messageId: 'theirs' },
  ]);
  expect(itemsOf(peer, 5)).toEqual([]);
});
