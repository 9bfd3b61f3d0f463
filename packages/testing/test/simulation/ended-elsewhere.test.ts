import { Type } from '@holdfast/protocol';
import { MemoryStore, type Note, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { bareServer, itemsOf } from './bare.js';

// Two servers over one store. Notes come on a connection of their own, and answers may overtake them.

/** Notes come so much later than answers; ms. */
function lateNotes(store: SessionStore, clock: VirtualClock, ms: number): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'listen') return value.bind(target);
      return (listener: (note: Note) => void) =>
        target.listen((note) => void clock.setTimer(() => listener(note), ms));
    },
  });
}

async function endedWhileItSpeaks(noteMs: number) {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock, random: seededRandom(1) });
  const here = bareServer({}, { shared: { clock, store } });
  const there = bareServer(
    { auth: () => ({ user: { id: 'ada' } }) },
    { shared: { clock, store: lateNotes(store, clock, noteMs) }, seed: 2 },
  );
  const ends: string[] = [];
  there.server.onSessionEnd((_session, { reason }) => void ends.push(reason));
  const peer = there.dial();
  peer.hello();
  await clock.advance(1_000);
  await clock.until(here.server.toUser('ada').end('kicked'));
  peer.frame([0, 1, [Type.EVT, 'note', 1]]);
  peer.frame([0, 2, [Type.EVT, 'note', 2]]);
  await clock.advance(1_000);
  return { ends, closed: peer.closed, byes: itemsOf(peer, Type.BYE) };
}

test('who is ended at another server is told so, whatever is asked of the store before the note of it comes', async () => {
  const { ends, byes } = await endedWhileItSpeaks(50);
  expect(ends).toEqual(['ended']);
  expect(byes).toEqual([[Type.BYE, 'ERR_SESSION_ENDED', 'kicked']]);
});

test('without a note it counts as lost, after half a second', async () => {
  const { ends, closed, byes } = await endedWhileItSpeaks(900);
  expect(ends).toEqual(['lost']);
  expect(closed).toBe('1012 the store has lost this session');
  expect(byes).toEqual([]);
});
