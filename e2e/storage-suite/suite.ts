import type { OpenOutbox, StoredMessage } from '@holdfast/client/storage';
import { check, same } from '../conformance/case.js';
import type { CaseResult } from '../support/suite-in-page.js';
import type { Ground, Life } from './ground.js';

/*
 * What the client takes for granted of a store: the port `OutboxStore` of @holdfast/client/storage, written as cases that
 * run on any of them. They run as they are in Node and in a page, so nothing of a platform is used here.
 */

/** One thing that a store must do. */
export interface StorageCase {
  readonly name: string;
  run(world: World): Promise<void>;
}

let places = 0;

/** What a case has: a place of its own, and programs that come and go. */
class World {
  readonly #ground: Ground;
  readonly #place: string;
  readonly #lives = new Set<Life>();

  constructor(ground: Ground, place: string) {
    this.#ground = ground;
    this.#place = place;
  }

  /** A new program, which has opened the outbox. */
  async life(userId = 'ada'): Promise<Living> {
    const life = await this.#ground.begin();
    this.#lives.add(life);
    const open = (user: string): Promise<OpenOutbox> => life.open(this.#place, user);
    const outbox = await open(userId);
    return { open, outbox, crash: () => this.#end(life) };
  }

  /** What the next program finds. */
  async found(userId = 'ada'): Promise<readonly StoredMessage[]> {
    const { outbox, crash } = await this.life(userId);
    const found = await outbox.adopt();
    await outbox.close();
    await crash();
    return found;
  }

  async end(): Promise<void> {
    for (const life of this.#lives) await this.#end(life);
  }

  async #end(life: Life): Promise<void> {
    if (this.#lives.delete(life)) await life.crash();
  }
}

interface Living {
  readonly outbox: OpenOutbox;
  open(userId: string): Promise<OpenOutbox>;
  crash(): Promise<void>;
}

const message = (n: number, over: Partial<StoredMessage> = {}): StoredMessage => ({
  id: `id-${n}`,
  event: 'note',
  sentAt: 1_000 + n,
  codec: 'json',
  encoded: `[2,"note",${n}]`,
  place: ['tab-1', n],
  ...over,
});
const messages = (first: number, last: number): StoredMessage[] =>
  Array.from({ length: last - first + 1 }, (_, index) => message(first + index));
const full = message(7, {
  room: 'lobby',
  expiresAt: 1e15 + 1,
  encoded: new Uint8Array([0, 1, 10, 13, 128, 255]),
  written: { epoch: 'e-1', at: 1234.5 },
});
const placesOf = (all: readonly StoredMessage[]) => all.map(({ place }) => place.join(' '));

/** As it was stored: bytes are told by what they are, and what is absent may as well be undefined. */
const shown = (all: readonly StoredMessage[]): unknown =>
  all.map(({ encoded, room, expiresAt, written, id, event, sentAt, codec, place }) => ({
    ...{ id, event, sentAt, codec, room, expiresAt, written, place },
    encoded: typeof encoded === 'string' ? encoded : `${encoded.constructor.name} ${[...encoded].join()}`,
  }));
const sameMessages = (came: readonly StoredMessage[], expected: readonly StoredMessage[]): void =>
  same(shown(came), shown(expected), 'found');

const one = (name: string, run: StorageCase['run']): StorageCase => ({ name, run });

const ODD = [
  'line\nfeed',
  'a"b\\c',
  '\u0000',
  '☕🦀',
  '__proto__',
  "x'); --",
  ' ',
  '\u2028',
  'x'.repeat(128),
];

const keeping: readonly StorageCase[] = [
  one('at first nothing is there', async (world) => {
    sameMessages(await world.found(), []);
  }),
  one('what was put is found again, as it was, when its program has closed it', async (world) => {
    const { outbox } = await world.life();
    await outbox.put([message(1), full]);
    await outbox.close();
    sameMessages(await world.found(), [message(1), full]);
  }),
  one('and when its program has crashed', async (world) => {
    const { outbox, crash } = await world.life();
    await outbox.put([message(1), full]);
    await crash();
    sameMessages(await world.found(), [message(1), full]);
  }),
  one('what was put first comes first', async (world) => {
    const { outbox, crash } = await world.life();
    // Neither their ids nor their numbers say so.
    const all = [30, 4, 100, 21].map((n) => message(n));
    await outbox.put(all.slice(0, 2));
    for (const later of all.slice(2)) await outbox.put([later]);
    await crash();
    sameMessages(await world.found(), all);
  }),
  one('what is put again takes the place of the first, in its turn', async (world) => {
    const { outbox, crash } = await world.life();
    await outbox.put(messages(1, 3));
    const marked = message(2, { written: { epoch: 'e', at: 5 } });
    await outbox.put([marked]);
    await crash();
    sameMessages(await world.found(), [message(1), marked, message(3)]);
  }),
  one('what is removed is gone; what is not there can be removed', async (world) => {
    const { outbox, crash } = await world.life();
    await outbox.put(messages(1, 4));
    await outbox.remove([message(2).place, ['tab-9', 1], message(3).place]);
    await outbox.remove([message(2).place]);
    await outbox.remove([]);
    await crash();
    sameMessages(await world.found(), [message(1), message(4)]);
  }),
  one('what is put, removed and put again comes last', async (world) => {
    const { outbox, crash } = await world.life();
    await outbox.put(messages(1, 2));
    await outbox.remove([message(1).place]);
    await outbox.put([message(1)]);
    await crash();
    sameMessages(await world.found(), [message(2), message(1)]);
  }),
  one('two messages of one id are two messages', async (world) => {
    const { outbox, crash } = await world.life();
    const twins = [message(1, { id: 'twin' }), message(2, { id: 'twin' })];
    await outbox.put(twins);
    await outbox.put([message(1, { id: 'twin', place: ['tab-2', 1] })]);
    await outbox.remove([message(1).place]);
    await crash();
    same(placesOf(await world.found()), ['tab-1 2', 'tab-2 1'], 'found');
  }),
  one('nothing to put is no mistake', async (world) => {
    const { outbox, crash } = await world.life();
    await outbox.put([]);
    await crash();
    sameMessages(await world.found(), []);
  }),
  one('any text may be an id, an event, a room, an outbox', async (world) => {
    const { outbox, crash } = await world.life();
    const all = ODD.map((odd, n) => message(n, { id: odd, event: odd, room: odd, place: [odd, n] }));
    await outbox.put(all);
    await outbox.remove(all.slice(0, 3).map(({ place }) => place));
    await crash();
    sameMessages(await world.found(), all.slice(3));
  }),
  one('thousands at once, and large ones', async (world) => {
    const { outbox, crash } = await world.life();
    const large = message(0, { encoded: 'é☕'.repeat(100_000) });
    await outbox.put([large, ...messages(1, 3_000)]);
    await crash();
    const next = await world.life();
    const found = await next.outbox.adopt();
    check(found[0]?.encoded === large.encoded, 'the large one as it was', found[0]?.encoded.length);
    same(
      found
        .slice(1)
        .map(({ place: [, n] }) => n)
        .join(),
      messages(1, 3_000)
        .map((_, i) => i + 1)
        .join(),
      'n',
    );
    await next.outbox.remove(found.slice(0, -1).map(({ place }) => place));
    await next.crash();
    sameMessages(await world.found(), [message(3_000)]);
  }),
];

const lives: readonly StorageCase[] = [
  one('each program goes on where the one before has ended', async (world) => {
    for (const n of [1, 2, 3, 4]) {
      const { outbox, crash } = await world.life();
      const found = await outbox.adopt();
      sameMessages(found, messages(n === 1 ? 1 : n - 1, n - 1));
      await outbox.put([message(n)]);
      await outbox.remove(found.map(({ place }) => place));
      if (n % 2 === 0) await outbox.close();
      else await crash();
    }
    sameMessages(await world.found(), [message(4)]);
  }),
  one('what was adopted and not removed is found again, behind nothing newer', async (world) => {
    const first = await world.life();
    await first.outbox.put(messages(1, 2));
    await first.crash();
    const second = await world.life();
    sameMessages(await second.outbox.adopt(), messages(1, 2));
    await second.outbox.put([message(3)]);
    await second.outbox.put([message(1, { written: { epoch: 'e', at: 1 } })]);
    await second.crash();
    same(placesOf(await world.found()), ['tab-1 1', 'tab-1 2', 'tab-1 3'], 'found');
  }),
  one('what is in its hands is not adopted again', async (world) => {
    const gone = await world.life();
    await gone.outbox.put([message(1)]);
    await gone.crash();
    const { outbox } = await world.life();
    await outbox.adopt();
    await outbox.put([message(2)]);
    sameMessages(await outbox.adopt(), []);
  }),
  one('one program may close it and open it again', async (world) => {
    const { outbox, open } = await world.life();
    await outbox.put([message(1)]);
    await outbox.close();
    const again = await open('ada');
    sameMessages(await again.adopt(), [message(1)]);
    await again.close();
  }),
];

const users: readonly StorageCase[] = [
  one('each user has an own part', async (world) => {
    const { outbox, open, crash } = await world.life('ada');
    await outbox.put([message(1)]);
    await outbox.close();
    const his = await open('bob');
    sameMessages(await his.adopt(), []);
    await his.put([message(1, { place: ['tab-2', 1] })]);
    await crash();
    same(placesOf(await world.found('ada')), ['tab-1 1'], "found of ada's");
    same(placesOf(await world.found('bob')), ['tab-2 1'], "found of bob's");
  }),
  one('any text may be a user', async (world) => {
    const { outbox, open, crash } = await world.life('ada');
    await outbox.close();
    for (const [n, odd] of ODD.entries()) {
      const part = await open(odd);
      sameMessages(await part.adopt(), []);
      await part.put([message(n)]);
      await part.close();
    }
    await crash();
    for (const [n, odd] of ODD.entries()) sameMessages(await world.found(odd), [message(n)]);
  }),
];

/** What every store does. */
const storageCases: readonly StorageCase[] = [...keeping, ...lives, ...users];

/** Of stores that several programs have at the same time. */
export const sharedCases: readonly StorageCase[] = [
  ...storageCases,
  one(
    'a program that lives keeps its messages; when it has closed, the next adoption brings them',
    async (world) => {
      const [first, second] = [await world.life(), await world.life()];
      await first.outbox.put([message(1)]);
      await second.outbox.put([message(1, { place: ['tab-2', 1] })]);
      sameMessages(await second.outbox.adopt(), []);
      sameMessages(await first.outbox.adopt(), []);
      await first.outbox.close();
      same(placesOf(await second.outbox.adopt()), ['tab-1 1'], 'adopted');
      same(placesOf(await second.outbox.adopt()), [], 'adopted once more');
    },
  ),
  one('and when it has crashed', async (world) => {
    const [first, second] = [await world.life(), await world.life()];
    await first.outbox.put(messages(1, 2));
    await first.crash();
    same(placesOf(await second.outbox.adopt()), ['tab-1 1', 'tab-1 2'], 'adopted');
    await second.crash();
    same(placesOf(await world.found()), ['tab-1 1', 'tab-1 2'], 'found');
  }),
  one('what several want to adopt at the same time goes to one of them', async (world) => {
    for (let round = 1; round <= 5; round++) {
      const gone = await world.life();
      await gone.outbox.put(messages(1, 5));
      await gone.crash();
      const heirs = [await world.life(), await world.life(), await world.life()];
      const shares = await Promise.all(heirs.map(({ outbox }) => outbox.adopt()));
      // Whoever comes while another one looks may get nothing; the next look finds what is left.
      const late = await heirs[0]?.outbox.adopt();
      same(
        placesOf([...shares.flat(), ...(late ?? [])]),
        placesOf(messages(1, 5)),
        'adopted by all together',
      );
      for (const { outbox, crash } of heirs) {
        await outbox.remove(messages(1, 5).map(({ place }) => place));
        await crash();
      }
    }
  }),
  one('two users at the same time: each adopts the own ones only', async (world) => {
    const [ada, bob] = [await world.life('ada'), await world.life('bob')];
    await ada.outbox.put([message(1)]);
    await bob.outbox.put([message(1, { place: ['tab-2', 1] })]);
    await ada.crash();
    same(placesOf(await bob.outbox.adopt()), [], 'adopted by bob');
    same(placesOf(await world.found('ada')), ['tab-1 1'], "found of ada's");
  }),
  one('puts of two programs do not touch each other', async (world) => {
    const [first, second] = [await world.life(), await world.life()];
    const all = messages(1, 50);
    const theirs = all.map((each) => ({ ...each, place: ['tab-2', each.place[1]] as const }));
    await Promise.all([
      ...all.map((each) => first.outbox.put([each])),
      ...theirs.map((each) => second.outbox.put([each])),
    ]);
    await first.outbox.remove(all.slice(10).map(({ place }) => place));
    await first.crash();
    await second.crash();
    const found = placesOf(await world.found());
    const of = (name: string) => found.filter((place) => place.startsWith(name));
    same([of('tab-1').length, of('tab-2')], [10, placesOf(theirs)], 'found');
  }),
];

/** Of stores that one program has at a time. */
export const exclusiveCases: readonly StorageCase[] = [
  ...storageCases,
  one(
    'who comes while another program has it is told so; when that one has ended, it is free',
    async (world) => {
      const { outbox, crash } = await world.life();
      await outbox.put([message(1)]);
      const refused = await world.life().then(
        () => 'opened',
        (error: Error) => error.message,
      );
      check(/has it/.test(refused), 'an error that says who has it', refused);
      await crash();
      sameMessages(await world.found(), [message(1)]);
    },
  ),
  one('calls that do not wait for one another are done in their order', async (world) => {
    const { outbox, crash } = await world.life();
    const all = messages(1, 40);
    await Promise.all(
      all.flatMap((each) => [outbox.put([each]), outbox.remove([['tab-1', each.place[1] - 5]])]),
    );
    await crash();
    sameMessages(await world.found(), messages(36, 40));
  }),
];

/** `place`: the beginning of the names of the places. */
export async function runStorageCases(
  cases: readonly StorageCase[],
  ground: Ground,
  place: string,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const { name, run } of cases) {
    const world = new World(ground, `${place}${++places}`);
    try {
      await run(world);
      results.push({ name });
    } catch (error) {
      results.push({ name, why: error instanceof Error ? error.message : String(error) });
    } finally {
      await world.end();
    }
  }
  return results;
}
