import type { HoldfastClient } from '@holdfast/client';
import { describe, expect, test } from 'vitest';
import { durable, lasting } from './lasting.js';
import { endOf } from './people.js';

// What is said between connect({ auth }) and the session that it leads to is said by whoever that is for.

const both = [{ delivery: 'reliable' }, durable] as const;

/** Says a word in each delivery. */
const say = (client: HoldfastClient, word: string) =>
  both.map((options) => endOf(client.send('note', `${word} ${options.delivery}`, options)));

async function ada(over: Parameters<typeof lasting>[0] = {}) {
  const made = lasting(over);
  const { client } = made.life();
  await made.bed.until(client.connect());
  return { ...made, client };
}

describe('another user logs in', () => {
  test.each(['connected', 'away'])('and speaks at once: the one before was %s', async (state) => {
    const { bed, client, noted, store } = await ada();
    if (state === 'away') {
      await client.disconnect();
      await bed.advance(100);
    }
    const hers = state === 'away' ? say(client, 'hers') : [];
    await bed.advance(100);
    void client.connect({ auth: 'bob' });
    const his = say(client, 'his');
    await bed.advance(1_000);
    expect(noted).toEqual(['bob his reliable', 'bob his durable']);
    expect(his.map(({ end }) => end)).toEqual(['ok', 'ok']);
    expect(hers.map(({ end }) => end)).toEqual(
      state === 'away' ? ['ERR_CLOSED unsent', 'ERR_CLOSED unknown'] : [],
    );
    await bed.until(client.connect({ auth: 'ada' }));
    await bed.advance(1_000);
    expect(noted.slice(2)).toEqual(state === 'away' ? ['ada hers durable'] : []);
    expect(store.messages).toEqual([]);
  });

  test('and the page is closed before he is there: nothing of his is left to anybody', async () => {
    const { bed, client, noted, store, life } = await ada();
    bed.refuse(client);
    void client.connect({ auth: 'bob' });
    const his = say(client, 'his');
    await bed.advance(1_000);
    await bed.until(client.close());
    expect([his.map(({ end }) => end), store.messages]).toEqual([
      ['ERR_CLOSED unsent', 'ERR_CLOSED unsent'],
      [],
    ]);
    const next = life();
    await bed.until(next.client.connect());
    await bed.advance(1_000);
    expect(noted).toEqual([]);
  });

  test("before anybody was let in: what was said for the token before is sent in nobody's name", async () => {
    const { bed, noted, life } = lasting();
    const { client } = life();
    bed.refuse(client);
    void client.connect().catch(() => undefined);
    const hers = endOf(client.send('note', 'hers'));
    await bed.advance(1_000);
    void client.connect({ auth: 'bob' }).catch(() => undefined);
    const his = endOf(client.send('note', 'his'));
    bed.heal(client);
    await bed.advance(60_000);
    expect([hers.end, his.end]).toEqual(['ERR_CLOSED unsent', 'ok']);
    expect(noted).toEqual(['bob his']);
  });

  test('for the first time, and there was no token before: what was said goes, too', async () => {
    const { bed, noted, life } = lasting();
    const { client } = life({ auth: undefined });
    const before = endOf(client.send('note', 'before'));
    await bed.until(client.connect({ auth: 'ada' }));
    await bed.advance(1_000);
    expect([before.end, noted]).toEqual(['ok', ['ada before']]);
  });

  test('and it is the same one, with another token: what was said before and since goes, in order', async () => {
    const { bed, client, noted, store } = await ada({
      auth: (token = '') => ({ user: { id: token.split(' ')[0] ?? '' } }),
    });
    await client.disconnect();
    await bed.advance(100);
    say(client, 'before');
    void client.connect({ auth: 'ada again' });
    const since = say(client, 'since');
    await bed.advance(1_000);
    expect(noted).toEqual([
      ...['ada before reliable', 'ada before durable'],
      ...['ada since reliable', 'ada since durable'],
    ]);
    expect(since.map(({ end }) => end)).toEqual(['ok', 'ok']);
    await bed.advance(1_000);
    expect(store.messages).toEqual([]);
  });
});
