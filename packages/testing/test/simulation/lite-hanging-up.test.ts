import { expect, test } from 'vitest';
import { type Guest, type LiteBed, liteBed } from './lite-bed.js';

// An application that hangs up while a frame is being told: what was told of it does not come again, the rest does.

/** What fails in the middle of a frame, and tells `onError`. */
const failures: { readonly [what: string]: (who: Guest) => void } = {
  'a listener': ({ client }) => {
    client.on('step', (n) => {
      if (n === 3) throw new Error('mine');
    });
  },
  'a listener of a room': ({ room }) => {
    room.on('message', (n) => {
      if (n === 3) throw new Error('mine');
    });
  },
  'a handler': ({ client }) => {
    client.handle('ask', () => {
      throw new Error('mine');
    });
  },
};

/** Events, requests and words of a room, of one task. */
async function frame(bed: LiteBed): Promise<readonly Promise<unknown>[]> {
  const { session, server } = bed;
  const asked: Promise<unknown>[] = [];
  for (let n = 1; n <= 6; n++) {
    void session.send('step', n);
    asked.push(session.request('ask', n).catch(({ code }) => code));
    void server.to('lobby').send('message', n);
  }
  await bed.advance(5_000);
  return asked;
}

test.each(
  Object.keys(failures).flatMap((what) => [
    [what, 'disconnect() and connect()'],
    [what, 'disconnect()'],
    [what, 'close()'],
  ]),
)('%s that fails, and %s where that is told: nothing comes twice', async (what, act) => {
  const bed = liteBed();
  const who = await bed.connected();
  await bed.until(who.room.join());
  const told: unknown[] = [];
  who.client.on('step', (n) => told.push(n));
  const asked: unknown[] = [];
  if (what !== 'a handler') who.client.handle('ask', (n) => asked.push(n));
  failures[what]?.(who);
  let acted = 0;
  who.client.onError(() => {
    if (acted++ > 0) return;
    if (act === 'close()') void who.client.close();
    else void who.client.disconnect();
    if (act === 'disconnect() and connect()') void who.client.connect();
  });
  const answers = await frame(bed);
  expect(acted).toBeGreaterThan(0);
  if (act === 'disconnect()') await bed.until(who.client.connect());
  await bed.advance(60_000);
  const all = [1, 2, 3, 4, 5, 6];
  for (const one of [told, who.heard.map(Number), asked]) {
    expect(one).toEqual(
      all.slice(0, act === 'close()' || (one === asked && what === 'a handler') ? one.length : 6),
    );
  }
  expect(await bed.until(Promise.all(answers))).toHaveLength(6);
});
