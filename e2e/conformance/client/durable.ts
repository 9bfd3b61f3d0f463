import { type Case, check, same } from '../case.js';
import { type Item, T, type Wire } from '../wire.js';
import { type ClientProgram, type Play, payloads, play, welcome } from './play.js';
import { START_MS } from './program.js';

/** The server's clock, far from the client's, and how far back the server knows what it has accepted. */
const NOW = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const knowing = (more: object = {}): object => ({ t: NOW, dw: DAY_MS, ...more });

const lasting = (name: string, act: (scene: Play) => Promise<void>): Case<ClientProgram> =>
  play(
    name,
    '4 Durable messages',
    async (scene) => {
      await scene.can('durable');
      await act(scene);
    },
    { keeps: true },
  );

const send = (scene: Play, data: unknown): number => scene.send(data, { durable: true });
const stored = (scene: Play, id: number) =>
  scene.was((line) => line.was === 'stored' && line.id === id, `order ${id} stored`);

/** What an earlier life has said ends so. */
async function ends(scene: Play, data: unknown, as: string): Promise<void> {
  const line = await scene.was((one) => one.was === 'restored' && one.data === data, `the end of ${data}`);
  check(line.as === as, `${data} told as "${as}"`, line);
}

/** The client is killed; another one begins with what it has kept, in another session. */
async function nextLife(scene: Play, fields: object): Promise<Wire> {
  const number = scene.wires.length + 1;
  await scene.restart();
  const { wire } = await scene.dial(number, START_MS);
  wire.say(welcome({ s: 'another', ...fields }));
  await wire.settled();
  return wire;
}

async function events(wire: Wire, count: number): Promise<readonly Item[]> {
  await wire.waits(() => wire.all(T.EVT).length >= count, `${count} events`);
  await wire.settled();
  return wire.all(T.EVT);
}

interface Meta {
  readonly i?: string;
  readonly o?: readonly [outbox: string, n: number];
}
const metaOf = (item?: Item): Meta => (item?.[3] ?? {}) as Meta;
const outboxOf = (item?: Item): string => metaOf(item).o?.[0] ?? '';
/** What has to be the same whenever it is written. */
const sameness = (item?: Item) => [item?.slice(0, 3), metaOf(item).i, metaOf(item).o];

/** Written by one life and not acknowledged; the next one must not write it. */
const forgotten = (what: string, fields: object): Case<ClientProgram> =>
  lasting(`a durable event written before death, ${what}: unknown, and not written again`, async (scene) => {
    const wire = await scene.session(knowing());
    send(scene, 'old');
    await events(wire, 1);
    const next = await nextLife(scene, knowing(fields));
    await ends(scene, 'old', 'unknown');
    send(scene, 'new');
    await events(next, 1);
    same(payloads(next), ['new'], 'written');
  });

export const durable: readonly Case<ClientProgram>[] = [
  lasting('a durable event has its place: an outbox, and a number that rises in it', async (scene) => {
    const wire = await scene.session(knowing());
    for (const value of [1, 2, 3]) send(scene, value);
    const written = await events(wire, 3);
    same(payloads(wire), [1, 2, 3], 'payloads');
    const tops = new Map<string, number>();
    for (const item of written) {
      const { o: [outbox, n] = ['', 0] } = metaOf(item);
      const isPlace = outbox.length > 0 && outbox.length <= 128 && Number.isSafeInteger(n);
      check(isPlace && n > (tops.get(outbox) ?? 0), 'o: [outbox, a number above the last one in it]', item);
      tops.set(outbox, n);
    }
  }),
  lasting('the name of a durable outbox is drawn anew in each life', async (scene) => {
    const wire = await scene.session(knowing());
    send(scene, 1);
    const [before] = await events(wire, 1);
    wire.say([1, 0]);
    const next = await nextLife(scene, knowing());
    send(scene, 2);
    await next.waits(() => payloads(next).includes(2), 'the new event');
    const now = next.all(T.EVT).find((item) => item[2] === 2);
    check(outboxOf(now) !== outboxOf(before), `another outbox than ${outboxOf(before)}`, now);
  }),
  lasting(
    'a durable event that was stored and never written is written, whatever the server knows',
    async (scene) => {
      // Without a WELCOME nothing can be written.
      await scene.dial(1);
      const ids = [1, 2, 3].map((value) => send(scene, value));
      const kept: unknown[] = [];
      for (const id of ids) kept.push((await stored(scene, id)).i);
      const next = await nextLife(scene, { e: 'of another store' });
      const written = await events(next, 3);
      same(
        written.map((item) => [item[2], metaOf(item).i]),
        [1, 2, 3].map((value, index) => [value, kept[index]]),
        'data and ids',
      );
      next.say([3, 0]);
      for (const value of [1, 2, 3]) await ends(scene, value, 'acknowledged');
    },
  ),
  lasting(
    'a durable event written before death is written again, the same, where the server knows',
    async (scene) => {
      const wire = await scene.session(knowing());
      send(scene, 'old');
      const [before] = await events(wire, 1);
      const next = await nextLife(scene, knowing({ t: NOW + DAY_MS / 2 }));
      const [again] = await events(next, 1);
      same(sameness(again), sameness(before), 'name, data, i and o');
      next.say([1, 0]);
      await ends(scene, 'old', 'acknowledged');
    },
  ),
  forgotten('of which a new store knows nothing', { e: 'another' }),
  forgotten('longer ago than dw, by the clock of the server', { t: NOW + 3_600_000, dw: 60_000 }),
  // Its clock may be another one than before: it knows nothing all the same.
  forgotten('to a server without dw', { t: NOW - 60_000, dw: undefined }),
  lasting(
    'a durable event on the wire when its session is lost is written in the next one, the same',
    async (scene) => {
      const wire = await scene.session(knowing());
      const id = send(scene, 'old');
      const [before] = await events(wire, 1);
      wire.cut();
      const { wire: next } = await scene.dial(2);
      next.say(welcome({ q: 2 }));
      await next.waits(() => next.all(T.HELLO).length === 2, 'a second HELLO');
      next.say(welcome({ s: 'another', ...knowing() }));
      const [again] = await events(next, 1);
      same(sameness(again), sameness(before), 'name, data, i and o');
      next.say([1, 0]);
      await scene.settled(id, 'acknowledged');
      const { unknown } = await scene.was(({ was }) => was === 'lost', '{"was":"lost"}');
      same(unknown, [], 'told as unknown');
    },
  ),
  lasting('a durable event is not written for another user', async (scene) => {
    await scene.dial(1);
    await stored(scene, send(scene, 'of ada'));
    const next = await nextLife(scene, knowing({ u: 'bob' }));
    // By then it has looked.
    await stored(scene, send(scene, 'of bob'));
    await events(next, 1);
    same(payloads(next), ['of bob'], 'written');
  }),
  lasting('a durable event that was acknowledged is stored no more', async (scene) => {
    const wire = await scene.session(knowing());
    const done = send(scene, 'done');
    await events(wire, 1);
    wire.say([1, 0]);
    await scene.settled(done, 'acknowledged');
    await stored(scene, send(scene, 'open'));
    const next = await nextLife(scene, knowing());
    await events(next, 1);
    same(payloads(next), ['open'], 'written');
  }),
];
