import { MemoryStore, type Note, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { bareServer, itemsOf, welcomeOf } from './bare.js';

// Notes between servers are hints. A store that knows that some have been missed says so, and that is enough.

const JOIN = [3, '$join', { room: 'lobby' }];

async function twoServers() {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(2) });
  const ears: ((note: Note) => void)[] = [];
  let deaf = false;
  const hardOfHearing: SessionStore = new Proxy(store, {
    get(target, name) {
      if (name === 'listen') {
        return (listener: (note: Note) => void) => {
          ears.push(listener);
          return target.listen((note) => deaf || listener(note));
        };
      }
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const a = bareServer({}, { shared: { clock, store } });
  const b = bareServer({}, { shared: { clock, store: hardOfHearing }, seed: 2 });
  const peer = b.dial();
  peer.hello();
  await clock.settle();
  const deafen = (): void => {
    deaf = true;
  };
  const missed = async (): Promise<void> => {
    deaf = false;
    for (const hear of ears) hear({ about: 'missed' });
    await clock.advance(100);
  };
  return { clock, a, peer, sid: welcomeOf(peer).s, deafen, missed };
}

test('what was sent to a session meanwhile comes then', async () => {
  const { clock, a, peer, sid, deafen, missed } = await twoServers();
  deafen();
  await clock.until(a.server.toUser(sid).send('hi', 1));
  await clock.advance(100);
  expect(itemsOf(peer, 2)).toEqual([]);
  await missed();
  expect(itemsOf(peer, 2).map(([, , payload]) => payload)).toEqual([1]);
});

test('what was said in a room meanwhile comes then, and where a session was put is known', async () => {
  const { clock, a, peer, sid, deafen, missed } = await twoServers();
  peer.frame([0, 1, JOIN]);
  peer.say([15, []]);
  await clock.advance(100);
  deafen();
  await clock.until(a.server.to('lobby').send('hi', 1));
  await clock.until(a.server.toUser(sid).join('other'));
  await clock.until(a.server.to('other').send('hi', 2));
  await clock.advance(100);
  expect(itemsOf(peer, 6)).toEqual([]);
  await missed();
  const said = itemsOf(peer, 6).filter(([, , , name]) => name === 'hi');
  expect(said.map(([, , , , payload]) => payload)).toEqual([1, 2]);
});
