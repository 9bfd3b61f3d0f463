import type { ClientOptions, Delivery, DeliveryError, HoldfastClient, Receipt } from '@holdfast/client';
import { outboxOn } from '@holdfast/client/storage';
import { expect, test } from 'vitest';
import { lasting } from './lasting.js';

// What becomes of a message, by how it is sent, what the connection is like, what waits already, and what the client does
// where there is no place. The outbox holds two.
//
// connection  open     with a session, and a window that takes more
//             window   with a session, and a window that takes nothing
//             offline  before the first connect()
//             closed   after close()
// outbox      empty    nothing waits
//             full     two others wait: on an open connection, for the end of the task
//             its key  as full, and the oldest is a `latest` of the same key

const TABLE = `
  delivery | connection | outbox  || reject     | wait       | drop-oldest
  reliable | open       | empty   || written    | written    | written
  reliable | open       | full    || refused    | written    | pushes
  reliable | window     | empty   || waits      | waits      | waits
  reliable | window     | full    || refused    | waits      | pushes
  reliable | offline    | empty   || waits      | waits      | waits
  reliable | offline    | full    || refused    | waits      | pushes
  reliable | closed     | empty   || closed     | closed     | closed

  latest   | open       | empty   || written    | written    | written
  latest   | open       | full    || refused    | written    | pushes
  latest   | open       | its key || supersedes | supersedes | supersedes
  latest   | window     | empty   || waits      | waits      | waits
  latest   | window     | full    || refused    | waits      | pushes
  latest   | window     | its key || supersedes | supersedes | supersedes
  latest   | offline    | empty   || waits      | waits      | waits
  latest   | offline    | full    || refused    | waits      | pushes
  latest   | offline    | its key || supersedes | supersedes | supersedes
  latest   | closed     | empty   || closed     | closed     | closed

  durable  | open       | empty   || written    | written    | written
  durable  | open       | full    || refused    | written    | pushes
  durable  | window     | empty   || waits      | waits      | waits
  durable  | window     | full    || refused    | waits      | pushes
  durable  | offline    | empty   || waits      | waits      | waits
  durable  | offline    | full    || refused    | waits      | pushes
  durable  | closed     | empty   || closed     | closed     | closed

  volatile | open       | empty   || sent       | sent       | sent
  volatile | open       | full    || sent       | sent       | sent
  volatile | window     | empty   || sent       | sent       | sent
  volatile | window     | full    || dropped    | dropped    | dropped
  volatile | offline    | empty   || dropped    | dropped    | dropped
  volatile | offline    | full    || dropped    | dropped    | dropped
  volatile | closed     | empty   || dropped    | dropped    | dropped
`;

type Overflow = NonNullable<NonNullable<ClientOptions['outbox']>['overflow']>;
interface Cell {
  readonly delivery: Delivery;
  readonly connection: string;
  readonly outbox: string;
  readonly overflow: Overflow;
  readonly fate: string;
}

const cells: readonly Cell[] = TABLE.trim()
  .split('\n')
  .map((row) => row.split('|').map((cell) => cell.trim()))
  .filter(([delivery]) => delivery !== '' && delivery !== 'delivery')
  .flatMap(([delivery, connection = '', outbox = '', , ...fates]) =>
    (['reject', 'wait', 'drop-oldest'] as const).map((overflow, column) => ({
      ...{ delivery: delivery as Delivery, connection, outbox, overflow },
      fate: fates[column] ?? '',
    })),
  );

/** What a word of the table means. */
interface Fate {
  /** Where it is when its task is over, if it has not ended, and how it has. */
  readonly where: 'wire' | 'outbox' | 'nowhere';
  readonly now: string;
  /** How it has ended when all is well again, and what has arrived then, in this order. */
  readonly end: string;
  readonly arrived: readonly string[];
  /** How the others end, the oldest first. */
  readonly others: readonly string[];
  /** What `onUndelivered` has told. */
  readonly told: readonly string[];
}

const FULL = 'ERR_OUTBOX_FULL unsent';
const CLOSED = 'ERR_CLOSED unsent';

function meaningOf({ connection, outbox, fate }: Cell): Fate {
  const names = outbox === 'empty' ? [] : ['one', 'two'];
  const others = names.map(() => 'acknowledged');
  const where = connection === 'open' ? 'wire' : 'outbox';
  const goes: Fate = {
    ...{ where, now: 'open', end: 'acknowledged' },
    ...{ arrived: [...names, 'it'], others, told: [] },
  };
  const ends = (end: string, told: readonly string[] = [`it ${end}`]): Fate => ({
    ...{ where: 'nowhere', now: end, end },
    ...{ arrived: names, others, told },
  });
  const fates: { readonly [fate: string]: Fate } = {
    written: { ...goes, where: 'wire' },
    waits: { ...goes, where: 'outbox' },
    pushes: { ...goes, arrived: ['two', 'it'], others: [FULL, 'acknowledged'], told: [`one ${FULL}`] },
    supersedes: { ...goes, arrived: ['it', 'two'], others: ['superseded', 'acknowledged'] },
    refused: ends(FULL),
    closed: ends(CLOSED),
    // It has no place among the others, and is handled at once.
    sent: { ...ends('sent', []), arrived: ['it', ...names] },
    dropped: ends('dropped', []),
  };
  return fates[fate] as Fate;
}

/** How a message ends: its outcome, or its error. */
function endingOf(sending: PromiseLike<Receipt>): { end: string } {
  const seen = { end: 'open' };
  sending.then(
    ({ outcome }) => Object.assign(seen, { end: outcome }),
    ({ code, delivery }: DeliveryError) => Object.assign(seen, { end: `${code} ${delivery}` }),
  );
  return seen;
}

/** As many as the server's window has, as long as it hears nothing of them. */
async function fillWindow({ bed }: ReturnType<typeof lasting>, client: HoldfastClient): Promise<void> {
  bed.freeze(client);
  for (let sent = 0; sent < 1_000; sent += 2) {
    for (const payload of ['fill', 'fill']) void client.send('note', payload);
    await bed.settle();
  }
  expect(client.getOutbox()).toMatchObject({ messages: 0, inflight: 1_000 });
}

async function happens({ delivery, connection, outbox, overflow }: Cell): Promise<Fate> {
  const all = lasting();
  const { bed, noted, store } = all;
  const storage = outboxOn(store, { userId: 'ada' });
  const client = bed.createClient({ auth: 'ada', outbox: { maxMessages: 2, overflow, storage } });
  const told: string[] = [];
  client.onUndelivered(({ payload }, { code, delivery: how }) => told.push(`${payload} ${code} ${how}`));
  if (connection !== 'offline') await bed.until(client.connect());
  if (connection === 'window') await fillWindow(all, client);
  if (connection === 'closed') await bed.until(client.close());

  const latest = { delivery: 'latest', key: 'a key' } as const;
  const others = (outbox === 'empty' ? [] : ['one', 'two']).map((payload, index) =>
    endingOf(client.send('note', payload, outbox === 'its key' && index === 0 ? latest : {})),
  );
  const it = endingOf(client.send('note', 'it', delivery === 'latest' ? latest : { delivery }));
  await bed.settle();
  const now = it.end;
  const where = client.getOutbox().messages > 0 ? 'outbox' : 'wire';

  bed.heal(client);
  if (connection !== 'closed') await bed.until(client.connect());
  await bed.advance(10_000);
  expect(store.messages).toEqual([]);
  return {
    ...{ where: now === 'open' ? where : 'nowhere', now, end: it.end, told },
    arrived: noted.map((line) => line.replace('ada ', '')).filter((payload) => payload !== 'fill'),
    others: others.map(({ end }) => end),
  };
}

test.each(cells)('$delivery, $connection, $outbox, $overflow: $fate', async (cell) => {
  expect(await happens(cell)).toEqual(meaningOf(cell));
});
