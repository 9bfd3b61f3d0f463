import type { ServerSession } from '@holdfast/server';
import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { bareServer, itemsOf, welcomeOf } from './bare.js';
import { endOf } from './people.js';

// A client that has never heard of its session makes it anew under its name: the nonce that it says again.

test('what was still to be appended to a session that has ended does not come to the one that has its name', async () => {
  const clock = new VirtualClock();
  const memory = new MemoryStore({ clock, random: seededRandom(1) });
  const slowly = new Proxy(memory, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== 'append') return typeof value === 'function' ? value.bind(target) : value;
      return async (call: unknown) => {
        await new Promise<void>((resolve) => clock.setTimer(resolve, 50));
        return value.call(target, call);
      };
    },
  }) as SessionStore;
  const { server, dial } = bareServer({}, { shared: { clock, store: slowly } });
  const begun = new Promise<ServerSession>((resolve) => server.onSession(resolve));
  const first = dial();
  first.hello({ c: 'the same' });
  const session = await clock.until(begun);
  first.leave();
  const ends = [1, 2, 3, 4].map((n) => endOf(session.send('tell', n)));
  // Two are there by then, one is on its way.
  await clock.advance(120);
  memory.end({ sid: session.id, why: 'expired' });
  const second = dial();
  second.hello({ c: 'the same', n: 2 });
  await clock.advance(1_000);
  expect(welcomeOf(second)).toMatchObject({ s: session.id, q: 0 });
  expect(ends.map(({ end }) => end)).toEqual(
    Array(4).fill(expect.stringMatching(/^ERR_(CLOSED|SESSION_LOST) /)),
  );
  expect(itemsOf(second, 2).map(([, , n]) => n)).not.toContain(4);
});
