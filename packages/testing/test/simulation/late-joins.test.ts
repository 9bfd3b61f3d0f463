import { RejectError } from '@holdfast/server';
import { expect, test } from 'vitest';
import { openBed, silent } from './people.js';

// A join that is asked for on one connection and ends on the next one.

function withGuests() {
  const guests = new Set(['ada']);
  let release = (): void => undefined;
  const bed = openBed({
    auth: (token = 'guest') => ({ user: { id: token } }),
    logger: silent,
    concurrency: 1,
    setup(server) {
      server.rooms('*', { join: true, publish: true });
      server.on('wait', () => new Promise<void>((resolve) => (release = resolve)));
      server.namespace('/club').use(({ user }) => {
        if (!guests.has(user.id)) throw new RejectError('dismissed');
      });
    },
  });
  const client = bed.createClient({ auth: 'ada', logger: silent });
  return { bed, client, guests, release: () => release() };
}

test('who was taken out of a room before the answer to its join arrived is told so behind it', async () => {
  const { bed, client } = withGuests();
  await bed.until(client.connect());
  const room = client.room('lobby');
  bed.freeze(client, 'down');
  void room.join();
  await bed.advance(100);
  await bed.until(bed.server.toAll().leave('lobby'));
  bed.cut(client);
  bed.heal(client);
  await bed.advance(5_000);
  expect(client.getState()).toMatchObject({ status: 'connected', recovered: true });
  expect(room.getState().status).toBe('left');
  await bed.until(room.join());
  expect(room.getState().status).toBe('joined');
});

test('who was dismissed before the answer to its join arrived is out of the namespace, and knows it', async () => {
  const { bed, client, guests } = withGuests();
  await bed.until(client.connect());
  const club = client.namespace('/club');
  bed.freeze(client, 'down');
  void club.join();
  await bed.advance(100);
  expect(await bed.until(bed.server.namespace('/club').toAll().sessions())).toHaveLength(1);
  guests.clear();
  bed.cut(client);
  bed.heal(client);
  await bed.advance(5_000);
  expect(club.getState().status).toBe('left');
  expect(await bed.until(bed.server.namespace('/club').toAll().sessions())).toEqual([]);
});

test('a join that was let in on one connection is asked about again when it is done on the next one', async () => {
  const { bed, client, guests, release } = withGuests();
  await bed.until(client.connect());
  void client.send('wait', null);
  const club = client.namespace('/club');
  void club.join();
  await bed.advance(100);
  bed.cut(client);
  guests.clear();
  await bed.advance(5_000);
  expect(client.getState()).toMatchObject({ status: 'connected', recovered: true });
  release();
  await bed.advance(1_000);
  expect(club.getState().status).toBe('left');
  expect(await bed.until(bed.server.namespace('/club').toAll().sessions())).toEqual([]);
});
