import type { ServerSession } from '@holdfast/server';
import { expect, test } from 'vitest';
import { openBed } from './people.js';

// What comes in the task in which a join is answered waits for the next one, so that who awaits the join may listen by then.
async function story(
  act: (session: ServerSession, say: (text: string) => Promise<unknown>) => Promise<void>,
) {
  const bed = openBed({
    setup(server) {
      server.rooms('*', { join: true });
      server.on('go', (_, { session }) => act(session, (text) => server.to('lobby').send('said', text)));
    },
  });
  const client = bed.createClient();
  await bed.until(client.connect());
  const room = client.room('lobby');
  const told = { texts: [] as unknown[], states: [] as string[] };
  const joined = room.join().then(() => {
    room.on('said', (text) => told.texts.push(text));
    room.onState(({ status }) => told.states.push(status));
  });
  client.send('go');
  await bed.until(joined);
  await bed.advance(1_000);
  return told;
}

test('who is taken out right behind the answer hears what was said before', async () => {
  const told = await story(async (session, say) => {
    await say('before');
    await session.leave('lobby');
    await say('after');
  });
  expect(told).toEqual({ texts: ['before'], states: ['left'] });
});

test('and who is put in again, what is said then', async () => {
  const told = await story(async (session, say) => {
    await say('before');
    await session.leave('lobby');
    await say('between');
    await session.join('lobby');
    await say('after');
  });
  expect(told).toEqual({ texts: ['before', 'after'], states: ['left', 'joined'] });
});
