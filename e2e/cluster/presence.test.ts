import { type ClientRoom, createClient, type HoldfastClient } from '@holdfast/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Ground, startGround } from './ground.js';

// Who is in a room is shown to all of its members, wherever they are connected, and whatever becomes of their servers.

const LEASE_MS = 2_000;

interface Person {
  readonly client: HoldfastClient;
  readonly room: ClientRoom;
}

/** A user with a connection to this server (or the first that takes it), in the room. */
async function person(user: string, ...ports: readonly number[]): Promise<Person> {
  let dials = 0;
  const url = (): string => `ws://127.0.0.1:${ports[dials++ % ports.length]}/realtime`;
  const client = createClient({ url, auth: user, reconnect: { baseMs: 100, capMs: 500 } });
  onTestFinished(() => client.close());
  await client.connect();
  const room = client.room('reef');
  await room.join();
  return { client, room };
}

const seenBy = (people: readonly Person[]): string[] =>
  people.map(({ room }) =>
    room.members
      .map(({ userId, sessions, presence }) => [userId, sessions, presence].filter((part) => part).join(' '))
      .sort()
      .join(', '),
  );
const portsOf = ({ nodes }: Ground): [number, number, number] => {
  const [one = 0, two = 0, three = 0] = nodes.map(({ port }) => port);
  return [one, two, three];
};

/** Until each of them is shown this. */
const shown = (people: readonly Person[], what: string, timeout = 10_000) =>
  expect.poll(() => seenBy(people), { timeout }).toEqual(people.map(() => what));

describe('who is in a room', () => {
  test('is told to all of its members, wherever they are connected', async () => {
    const ground = await startGround({ leaseMs: LEASE_MS });
    const [one, two, three] = portsOf(ground);
    const ada = await person('ada', one);
    const bob = await person('bob', two);
    const eve = await person('eve', three);
    const all = [ada, bob, eve];
    await shown(all, 'ada 1, bob 1, eve 1');
    await bob.room.setPresence('busy');
    const bobsPhone = await person('bob', three);
    await shown([...all, bobsPhone], 'ada 1, bob 2 busy, eve 1');
    await bobsPhone.room.leave();
    await shown(all, 'ada 1, bob 1 busy, eve 1');
    await bob.client.close();
    await shown([ada, eve], 'ada 1, eve 1');
  });

  test('those of a server that dies are taken off by another one, but for those who came back there', async () => {
    const ground = await startGround({ leaseMs: LEASE_MS });
    const [one, two, three] = portsOf(ground);
    const ada = await person('ada', one);
    const bob = await person('bob', two, three);
    // Whoever has no other server.
    const eve = await person('eve', two);
    await shown([ada, bob, eve], 'ada 1, bob 1, eve 1');
    const told: string[] = [];
    ada.room.onMembers((members) =>
      told.push(
        members
          .map(({ userId }) => userId)
          .sort()
          .join(),
      ),
    );
    await ground.nodes[1]?.kill();
    await shown([ada, bob], 'ada 1, bob 1', 20_000);
    expect(told).toEqual(['ada,bob']);
    await ground.nodes[1]?.start();
    await shown([ada, bob, eve], 'ada 1, bob 1, eve 1', 20_000);
  });

  test('a server that stands still is taken for dead, and says so anew when it goes on', async () => {
    const ground = await startGround({ leaseMs: LEASE_MS });
    const [one, two] = portsOf(ground);
    const ada = await person('ada', one);
    const eve = await person('eve', two);
    await shown([ada, eve], 'ada 1, eve 1');
    ground.nodes[1]?.signal('SIGSTOP');
    await shown([ada], 'ada 1', 20_000);
    ground.nodes[1]?.signal('SIGCONT');
    await shown([ada, eve], 'ada 1, eve 1', 20_000);
  });
});
