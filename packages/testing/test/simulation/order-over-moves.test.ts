import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { backTo, bareServer, itemsOf } from './bare.js';

// A session goes on at another server while the one before is still publishing what its client has said.

/** The store as a server sees it whose publications take their time. */
function publishingLate(store: SessionStore, clock: VirtualClock, ms: number): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'publish') return value.bind(target);
      return (call: unknown) =>
        new Promise((resolve) => clock.setTimer(() => resolve(Reflect.apply(value, target, [call])), ms));
    },
  });
}

const JOIN = [3, '$join', { room: 'lobby' }];
const say = (text: string) => [2, 'line', text, { r: 'lobby', i: text }];

/** What another member hears, and what listeners were told, when each publication of the first server takes so long. */
async function moving(publishMs: number, listensMs: number | undefined) {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(2) });
  const near = bareServer({}, { shared: { clock, store } });
  const late = bareServer({}, { shared: { clock, store: publishingLate(store, clock, publishMs) }, seed: 2 });
  const heard: string[] = [];
  for (const { server } of listensMs === undefined ? [] : [near, late]) {
    server.on('line', async (text, { redelivered }) => {
      heard.push(`${text}${redelivered ? ' again' : ''}`);
      await new Promise<void>((resolve) => clock.setTimer(resolve, listensMs ?? 0));
    });
  }
  const [other, old] = [near.dial('other'), late.dial('old')];
  for (const peer of [other, old]) {
    peer.hello();
    await clock.settle();
    peer.frame([0, 1, JOIN]);
  }
  await clock.advance(50);
  old.frame([0, 2, say('one'), say('two')]);
  await clock.advance(50);
  const newer = near.dial('newer');
  newer.hello(backTo(old, 2, { x: 1, y: 1 }));
  await clock.advance(50);
  newer.frame([0, 4, say('three')]);
  await clock.advance(3 * publishMs + 10_000);
  const said = itemsOf(other, 6).filter(([, , , name]) => name === 'line');
  return { said: said.map(([, , , , text]) => text), heard };
}

test.each([200, 4_000, 12_000])(
  'each takes %i ms: what is said after them is published after them',
  async (ms) => {
    expect((await moving(ms, undefined)).said).toEqual(['one', 'two', 'three']);
  },
);

test.each([200, 4_000, 12_000])(
  'each takes %i ms, and there are listeners: they hear it once, in order',
  async (ms) => {
    const { said, heard } = await moving(ms, 1_000);
    expect([said, heard]).toEqual([
      ['one', 'two', 'three'],
      ['one', 'two', 'three'],
    ]);
  },
);

test('a listener that takes its time holds nobody up once its event is published', async () => {
  expect((await moving(200, 9_000)).heard).toEqual(['one', 'two', 'three']);
});
