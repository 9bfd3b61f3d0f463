import type { HoldfastClient } from '@holdfast/client';
import { MemoryOutbox, type OpenOutbox, type OutboxStore, outboxOn } from '@holdfast/client/storage';
import { expect, test } from 'vitest';
import { Dice } from '../simulator/dice.js';
import { openBed, silent } from './people.js';

// Programs come and go, users change, the network is cut, and the store is slow, fails, or answers too late: what must
// hold for durable messages whatever happens, for many seeds.

const SEEDS = process.env['HOLDFAST_LONG'] === '1' ? 2_000 : 150;
const USERS = ['ada', 'bob'] as const;

interface Said {
  readonly id: string;
  readonly payload: string;
  stored: 'open' | 'yes' | 'no';
  end: string;
}

/** A store whose answers take their time, and which fails now and then, as long as `weather` is bad. */
class BadStore implements OutboxStore {
  readonly name = 'bad';
  readonly memory = new MemoryOutbox();
  weather: 'good' | 'bad' = 'bad';
  readonly #dice: Dice;
  readonly #pause: (ms: number) => Promise<void>;

  constructor(dice: Dice, pause: (ms: number) => Promise<void>) {
    this.#dice = dice;
    this.#pause = pause;
  }

  open(userId: string, isDead: () => boolean = () => false): Promise<OpenOutbox> {
    return this.#answer(isDead, async () => {
      const right = await this.memory.open(userId);
      // Calls that do not wait for one another are done in their order, as in every store.
      let last: Promise<unknown> = Promise.resolve();
      const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
        const answer = last.then(() => this.#answer(isDead, call));
        last = answer.catch(() => undefined);
        return answer;
      };
      return {
        adopt: () => inTurn(() => right.adopt()),
        put: (all) => inTurn(() => right.put(all)),
        remove: (places) => inTurn(() => right.remove(places)),
        close: () => inTurn(() => right.close()),
      };
    });
  }

  async #answer<T>(isDead: () => boolean, call: () => Promise<T>): Promise<T> {
    const isBad = this.weather === 'bad';
    await this.#pause(isBad && this.#dice.chance(0.03) ? 7_000 : this.#dice.roll(60));
    if (isDead()) return new Promise(() => undefined);
    if (isBad && this.#dice.chance(0.1)) throw new Error('no');
    const value = await call();
    await this.#pause(this.#dice.roll(30));
    return isDead() ? new Promise(() => undefined) : value;
  }
}

class Storm {
  readonly dice: Dice;
  readonly bed;
  readonly store: BadStore;
  readonly said = new Map<string, Said>();
  readonly noted: string[] = [];
  readonly faults: string[] = [];
  readonly #dead = new Set<HoldfastClient>();
  client: HoldfastClient;
  user: string;
  #count = 0;

  constructor(seed: number) {
    this.dice = new Dice(seed);
    this.bed = openBed({
      seed,
      sessionTtlMs: 20_000,
      auth: (token) => ({ user: { id: token ?? 'nobody' } }),
      setup: (server) => {
        server.rooms('*', { join: true, publish: true });
        server.on('note', (payload, { session, id }) => this.#note(String(payload), session.user.id, id));
      },
    });
    this.store = new BadStore(
      this.dice,
      (ms) => new Promise((resolve) => void this.bed.clock.setTimer(resolve, ms)),
    );
    this.user = this.dice.pick(USERS);
    this.client = this.begin();
  }

  /** A program of the user who is here. */
  begin(): HoldfastClient {
    const own: { client?: HoldfastClient } = {};
    const isDead = (): boolean => own.client !== undefined && this.#dead.has(own.client);
    const store = { name: 'bad', open: (user: string) => this.store.open(user, isDead) };
    const userId = this.dice.chance(0.5) ? this.user : undefined;
    own.client = this.bed.createClient({
      ...{ auth: this.user, logger: silent, reconnect: { baseMs: 50, capMs: 1_000 } },
      outbox: { storage: outboxOn(store, { userId }) },
    });
    own.client.onRestored((messages) => {
      for (const { id, sending } of messages) {
        const said = this.said.get(id);
        if (said) this.#watch(said, sending);
      }
    });
    // Most programs join sooner or later, some not at all: what is left for the room waits for one that does.
    if (this.dice.chance(0.3)) void own.client.room('reef').join();
    void own.client.connect().catch(() => undefined);
    return own.client;
  }

  say(): void {
    const payload = `${this.user} ${++this.#count}`;
    const isInRoom = this.client.room('reef').getState().status.startsWith('join');
    const to = isInRoom && this.dice.chance(0.5) ? this.client.room('reef') : this.client;
    const sending = to.send('note', payload, { delivery: 'durable' });
    const said: Said = { id: sending.id, payload, stored: 'open', end: 'open' };
    this.said.set(said.id, said);
    this.#watch(said, sending);
    sending.stored?.then(
      () => Object.assign(said, { stored: 'yes' }),
      () => Object.assign(said, { stored: 'no' }),
    );
  }

  #watch(said: Said, sending: PromiseLike<unknown>): void {
    sending.then(
      () => Object.assign(said, { end: 'ok' }),
      ({ code, delivery }: { code: string; delivery: string }) =>
        Object.assign(said, { end: `${code} ${delivery}` }),
    );
  }

  #note(payload: string, user: string, id: string): void {
    if (this.noted.includes(payload)) this.faults.push(`${payload} came twice`);
    if (!payload.startsWith(`${user} `)) this.faults.push(`${payload} was sent as ${user}`);
    this.noted.push(payload);
    const inStore = this.store.memory.messages.find((one) => one.id === id);
    const isKnown = this.said.get(id)?.stored === 'yes';
    if (isKnown && inStore && !inStore.written)
      this.faults.push(`${payload} was written before it was marked`);
  }

  async step(): Promise<void> {
    const { bed, dice } = this;
    const what = dice.weighted({
      say: 12,
      wait: 6,
      cut: 3,
      freeze: 1,
      heal: 2,
      long: 1,
      crash: 1,
      close: 1,
      user: 1,
      join: 1,
    });
    if (what === 'say') for (let n = dice.between(1, 3); n > 0; n--) this.say();
    else if (what === 'cut') bed.cut(this.client);
    else if (what === 'freeze') bed.freeze(this.client, dice.pick(['up', 'down', 'both']));
    else if (what === 'heal') bed.heal(this.client);
    else if (what === 'crash') this.#crash();
    else if (what === 'close') await this.#close();
    else if (what === 'join') void this.client.room('reef').join();
    else if (what === 'user') await this.#changeUser();
    await bed.advance(what === 'long' ? 30_000 : dice.roll(200));
  }

  /** Nothing of it is heard or said any more, and what it held is free. */
  #crash(): void {
    this.bed.freeze(this.client);
    this.#dead.add(this.client);
    this.store.memory.abandon();
    for (const said of this.said.values()) if (said.stored === 'open') said.stored = 'no';
    this.client = this.begin();
  }

  async #close(): Promise<void> {
    const { client } = this;
    await this.bed.until(client.close());
    await this.bed.settle();
    this.#settled();
    this.client = this.begin();
  }

  #settled(): void {
    for (const { payload, stored } of this.said.values())
      if (stored === 'open') this.faults.push(`stored of ${payload} was never settled`);
  }

  async #changeUser(): Promise<void> {
    const { bed, client } = this;
    bed.heal(client);
    // Without a `userId`, what was said before the first session belongs to whom that one names.
    await bed.until(client.connect());
    this.user = this.user === 'ada' ? 'bob' : 'ada';
    await bed.until(client.connect({ auth: this.user }));
  }

  /** The weather is good again: each user comes once more, and all that was stored goes out. */
  async end(): Promise<void> {
    this.store.weather = 'good';
    await this.#close();
    // What could not be closed is free when its program ends.
    await this.bed.until(this.client.close());
    this.store.memory.abandon();
    this.client = this.begin();
    for (const user of USERS) {
      this.user = user;
      await this.#close();
      await this.bed.until(this.client.connect());
      await this.bed.until(this.client.room('reef').join());
      await this.bed.advance(30_000);
    }
    await this.bed.until(this.client.close());
    await this.bed.advance(100);
    this.#settled();
    for (const { payload, stored, end } of this.said.values()) {
      const arrived = this.noted.includes(payload);
      if (stored === 'yes' && !arrived) this.faults.push(`${payload} was stored and did not arrive: ${end}`);
      if (end === 'ok' && !arrived) this.faults.push(`${payload} was acknowledged and did not arrive`);
      if (end.endsWith('unsent') && arrived) this.faults.push(`${payload} was told to be unsent and arrived`);
    }
    const left = this.store.memory.messages.map(({ id }) => this.said.get(id)?.payload);
    if (left.length > 0) this.faults.push(`left in the store: ${left.join(', ')}`);
  }
}

test(`${SEEDS} storms`, { timeout: 900_000 }, async () => {
  let stored = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const storm = new Storm(seed);
    for (let step = 0; step < 60; step++) await storm.step();
    await storm.end();
    expect(storm.faults, `seed ${seed}`).toEqual([]);
    stored += [...storm.said.values()].filter((said) => said.stored === 'yes').length;
  }
  expect(stored).toBeGreaterThan(SEEDS * 20);
});
