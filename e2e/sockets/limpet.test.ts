import { createClient, type HoldfastClient } from '@holdfast/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DEADLINE_MS, Playground } from '../support/processes.js';

let playground: Playground;
const clients: HoldfastClient[] = [];

beforeEach(async () => {
  playground = await Playground.start();
  await vi.waitFor(async () => expect((await playground.health()).connections).toBe(1), {
    timeout: DEADLINE_MS,
  });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await playground.kill();
});

/** Somebody in the lobby, and what Limpet says there. */
async function visitor(name: string) {
  const client = createClient({ url: playground.realtimeUrl, auth: name });
  clients.push(client);
  const room = client.room('lobby');
  const heard: string[] = [];
  room.on('typing', () => undefined);
  room.on('message', (payload, { from }) => {
    if (from === 'Limpet bot') heard.push((payload as { text: string }).text);
  });
  await client.connect();
  await room.join();
  return {
    heard,
    say: (text: string) => room.send('message', { text }),
    /** All that Limpet has said before it says this. It answers in order, so what is missing then never comes. */
    until: async (last: string): Promise<readonly string[]> => {
      await vi.waitFor(() => expect(heard).toContain(last), { timeout: DEADLINE_MS, interval: 30 });
      return heard.slice(0, heard.indexOf(last));
    },
  };
}

test('Limpet greets who comes alone, and answers what is said to the empty room', async () => {
  const ada = await visitor('Ada');
  await ada.say('What is this?');
  await ada.say('!echo last');
  expect(await ada.until('last')).toEqual([
    expect.stringContaining('Ahoy Ada!'),
    expect.stringContaining('A limpet has no opinion on that. Next: '),
  ]);
});

test('where people talk to each other, Limpet is silent unless it is spoken to', async () => {
  const ada = await visitor('Ada');
  const grace = await visitor('Grace');
  await ada.say('Hello Grace');
  await grace.say('Hello Ada');
  await ada.say('Limpet, are you there?');
  await ada.say('!who');
  await ada.say('!echo last');
  const said = (await ada.until('last')).filter((text) => !text.startsWith('Ahoy Ada!'));
  expect(said).toEqual([
    expect.stringContaining('no opinion'),
    expect.stringMatching(/beside me: (Ada, Grace|Grace, Ada)\.$/),
  ]);
});

test('Limpet answers no other bot', async () => {
  const bot = await visitor('Echo-Bot');
  await bot.say('hello');
  await bot.say('!help');
  await bot.say('Limpet?');
  const ada = await visitor('Ada');
  await ada.say('!echo last');
  const said = (await bot.until('last')).filter((text) => !text.startsWith('Ahoy'));
  expect(said).toEqual([]);
});

test('nobody can make Limpet flood the room', async () => {
  const ada = await visitor('Ada');
  await Promise.all(Array.from({ length: 60 }, (_, n) => ada.say(`!echo ${n}`)));
  const grace = await visitor('Grace');
  await grace.say('!echo last');
  const answers = (await ada.until('last')).filter((text) => /^\d+$/.test(text));
  expect(answers.slice(0, 6)).toEqual(['0', '1', '2', '3', '4', '5']);
  // One more for each 5 s that a busy machine may have taken to send them.
  expect(answers.length).toBeLessThan(10);
});
