import { type Codec, json } from '@holdfast/protocol';
import { msgpack } from '@holdfast/protocol/msgpack';
import { MemoryNetwork, VirtualClock } from '@holdfast/testing';
import { ClientApp } from './client-app.js';
import { Coverage } from './coverage.js';
import { Dice } from './dice.js';
import { farStore, type StoreWeather } from './far-store.js';
import { Judge } from './judge.js';
import { Ledger, type Words } from './ledger.js';
import { Guests, HOME, INSIDE } from './namespaces.js';
import {
  BEFORE_ASKING,
  BEFORE_LOGINS,
  BEFORE_MOVES,
  BEFORE_NAMESPACES,
  BEFORE_OVERFLOW,
  BEFORE_PRESENCE,
  BEFORE_STREAMS,
} from './regressions.js';
import { RollingStore } from './rolling-store.js';
import { PUT, ServerNode } from './server-node.js';
import type { ClientKind } from './sim-client.js';
import { SimProcess } from './sim-process.js';
import { type Published, StoreWatch } from './store-watch.js';

/** What differs from run to run, drawn at its beginning. */
export interface Climate {
  readonly nodes: number;
  readonly clients: number;
  readonly rooms: number;
  /** Undefined: the store answers at once. */
  readonly storeDelayMs: number | undefined;
  readonly storeBounds: readonly [messages: number, bytes: number];
  readonly latencyMs: readonly [least: number, most: number];
  readonly late: boolean;
  readonly sessionTtlMs: number;
  readonly concurrency: number;
  readonly leaseMs: number;
  /** Undefined: tokens do not expire. */
  readonly tokenTtlMs: number | undefined;
  readonly steps: number;
  /** The two ends ask each other. */
  readonly asks: boolean;
  /** Clients read streams. */
  readonly streams: boolean;
  /** Servers put sessions into rooms, and take them out. */
  readonly moves: boolean;
  /** What servers do with what is too much for a client; undefined: as if nothing had been said. */
  readonly overflow: 'drop-oldest' | 'disconnect' | undefined;
  /** Servers have a namespace, and clients visit it. */
  readonly namespaces: boolean;
  /** Clients tell rooms about themselves. */
  readonly presence: boolean;
  /** Now and then somebody else uses a client from then on. */
  readonly logins: boolean;
}

const OVERFLOWS = { whole: ['reject', 'reject', 'wait', 'drop-oldest'], lite: ['reject'] } as const;
/** Longer than any handler of the application takes. */
const DRAIN_MS = 10_000;

function draw(
  dice: Dice,
  extras: Pick<Climate, 'asks' | 'streams' | 'moves' | 'overflow' | 'namespaces' | 'presence' | 'logins'>,
): Climate {
  const nodes = dice.pick([1, 1, 1, 2, 3]);
  const far = nodes > 1 || dice.chance(0.3);
  return {
    nodes,
    clients: dice.between(1, 4),
    rooms: dice.between(1, 2),
    storeDelayMs: far ? dice.pick([1, 5, 30]) : undefined,
    storeBounds: dice.chance(0.3) ? [12, 4_096] : [1_000, 1_048_576],
    latencyMs: dice.pick([
      [1, 1],
      [1, 20],
      [5, 80],
      [30, 400],
    ] as const),
    late: dice.chance(0.5),
    sessionTtlMs: dice.pick([120_000, 120_000, 20_000, 4_000]),
    concurrency: dice.pick([16, 16, 4, 1]),
    leaseMs: dice.pick([10_000, 3_000]),
    tokenTtlMs: dice.pick([undefined, undefined, 60_000, 10_000]),
    steps: dice.between(15, 50),
    ...extras,
  };
}

/** Servers, their store, clients and the network between them, in one seed. */
export class World {
  readonly kind: ClientKind;
  readonly seed: number;
  readonly dice: Dice;
  /** Of what the two ends ask each other. */
  readonly askDice: Dice;
  /** Of the streams that clients read. */
  readonly streamDice: Dice;
  /** Of how servers move sessions. */
  readonly moveDice: Dice;
  /** Of the namespace. */
  readonly namespaceDice: Dice;
  /** Of what clients tell rooms about themselves. */
  readonly presenceDice: Dice;
  /** Of who uses clients. */
  readonly loginDice: Dice;
  /** Undefined: there are no namespaces. */
  readonly guests: Guests | undefined;
  readonly clock = new VirtualClock();
  readonly judge: Judge;
  readonly coverage = new Coverage();
  readonly ledger: Ledger;
  readonly climate: Climate;
  readonly network: MemoryNetwork;
  readonly apps: ClientApp[] = [];
  /** Those that live. */
  readonly nodes: ServerNode[] = [];
  readonly publications: Published[] = [];
  /** Session and number of what was refused before it was accepted. */
  readonly refused = new Set<string>();
  /** The same of what was accepted, and refused then. */
  readonly setAside = new Set<string>();
  readonly storeWeather: StoreWeather;
  readonly codecs: readonly Codec[] = [json(), msgpack()];
  readonly #answers = new Map<string, number>();
  readonly #troubles: { readonly from: number; to: number }[] = [];
  readonly #rolling: RollingStore;
  #watch: StoreWatch;
  #nodesMade = 0;

  constructor(seed: number, kind: ClientKind, tracing: boolean) {
    this.seed = seed;
    this.kind = kind;
    this.ledger = new Ledger(kind === 'whole' ? 'all' : 'reliable');
    this.dice = new Dice(seed);
    this.judge = new Judge(this.clock, tracing);
    this.askDice = new Dice(seed * 101 + 7);
    this.streamDice = new Dice(seed * 211 + 3);
    this.moveDice = new Dice(seed * 307 + 5);
    this.namespaceDice = new Dice(seed * 503 + 11);
    this.presenceDice = new Dice(seed * 601 + 13);
    this.loginDice = new Dice(seed * 701 + 17);
    const isWhole = kind === 'whole';
    const isOlder = (time: ReadonlySet<number>): boolean => isWhole && time.has(seed);
    const namespaces = isWhole && !BEFORE_NAMESPACES.has(seed) && this.namespaceDice.chance(0.4);
    this.climate = draw(this.dice, {
      asks: !isOlder(BEFORE_ASKING) && this.askDice.chance(0.5),
      streams: isWhole && !BEFORE_STREAMS.has(seed) && this.streamDice.chance(0.4),
      moves: !isOlder(BEFORE_MOVES) && this.moveDice.chance(0.4),
      overflow: isOlder(BEFORE_OVERFLOW)
        ? undefined
        : new Dice(seed * 401 + 9).pick([undefined, undefined, 'drop-oldest', 'disconnect'] as const),
      namespaces,
      presence: isWhole && !BEFORE_PRESENCE.has(seed) && this.presenceDice.chance(0.5),
      // Whom a namespace has dismissed is kept by user, and a visitor is one.
      logins: isWhole && !namespaces && !BEFORE_LOGINS.has(seed) && this.loginDice.chance(0.5),
    });
    this.guests = this.climate.namespaces ? new Guests() : undefined;
    const { latencyMs, late, storeDelayMs } = this.climate;
    this.judge.note(() => `seed ${seed}: ${JSON.stringify(this.climate)}`);
    this.network = new MemoryNetwork(this.clock, { latencyMs: () => this.dice.between(...latencyMs), late });
    this.network.listener = { connect: (protocols, address) => this.#connect(protocols, address) };
    this.storeWeather = { maxDelayMs: storeDelayMs, failing: 0 };
    this.#rolling = new RollingStore({
      ...{ seed, clock: this.clock },
      ...{ leaseMs: this.climate.leaseMs, bounds: this.climate.storeBounds },
    });
    this.#watch = this.#newWatch();
    for (let index = 0; index < this.climate.nodes; index++) this.startNode();
  }

  /** From the beginning to the end. */
  get hasOneServer(): boolean {
    return this.#nodesMade === 1;
  }

  #process(name: string): SimProcess {
    return new SimProcess(this.clock, () => this.judge.violate(13, `${name} spins: timers without end`));
  }

  // ── Servers ────────────────────────────────────────────────────────────────────────────────────────────────

  startNode(): ServerNode {
    const { judge, coverage, ledger, dice, clock, climate, storeWeather: weather } = this;
    const name = `s${++this.#nodesMade}`;
    const process = this.#process(name);
    const surroundings = {
      judge,
      coverage,
      ledger,
      dice,
      process,
      answers: this.#answers,
      refused: this.refused,
      setAside: this.setAside,
      guests: this.guests,
      namespaceDice: this.namespaceDice,
      alone: climate.nodes === 1,
    };
    const node = new ServerNode(
      {
        name,
        seed: this.seed * 31 + this.#nodesMade,
        codecs: this.codecs,
        sessionTtlMs: climate.sessionTtlMs,
        concurrency: climate.concurrency,
        maxBufferedBytes: 2_048,
        outbox: climate.overflow && { maxMessages: 12, maxBytes: 4_096, overflow: climate.overflow },
      },
      {
        ...surroundings,
        store: farStore(() => this.#watch.store, { process, clock, dice, weather }),
        storeWatch: () => this.#watch,
        storeTrouble: (since) => this.#troubles.some(({ to }) => to >= since),
      },
    );
    this.nodes.push(node);
    judge.note(() => `${name} starts`);
    return node;
  }

  /** It moves its clients away, and another one takes its place; then its process ends. */
  drainNode(node: ServerNode): void {
    this.judge.note(() => `${node.name} drains`);
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.startNode();
    void node.server.drain({ deadlineMs: DRAIN_MS });
    // That it is over is told in a turn of the event loop, for which no simulated time is enough.
    this.clock.setTimer(() => {
      const { connections } = node.server.stats();
      this.judge.note(() => `${node.name} has drained`);
      this.judge.demand(connections === 0, 13, () => `${node.name} drained, and has ${connections} left`);
      this.coverage.add('a server has drained');
      node.process.die();
      for (const { link } of this.apps) link.reset(node);
    }, DRAIN_MS + 1_000);
  }

  /** Its process is gone at once (kill -9). */
  killNode(node: ServerNode): void {
    this.judge.note(() => `${node.name} dies`);
    node.process.die();
    this.nodes.splice(this.nodes.indexOf(node), 1);
    for (const { link } of this.apps) link.reset(node);
  }

  /** Any of them, as a load balancer would choose; one that stands still takes connections and says nothing. */
  #connect(protocols: readonly string[], address: string) {
    if (this.nodes.length === 0) return { refused: 'connection refused' };
    return this.dice.pick(this.nodes).connect(protocols, address);
  }

  // ── The store ──────────────────────────────────────────────────────────────────────────────────────────────

  get storeWatch(): StoreWatch {
    return this.#watch;
  }

  #newWatch(): StoreWatch {
    const { clock, judge, coverage, publications, refused, setAside } = this;
    const textOf = (event: string | Uint8Array): string => this.#textOf(event);
    const around = { clock, judge, coverage, publications, refused, setAside, textOf };
    return new StoreWatch(this.#rolling.store, around);
  }

  /** All that was in it is gone; where it is in their memory, the servers are gone, too. */
  loseStore(): void {
    this.judge.note(() => 'the store loses everything');
    this.coverage.add('the store lost everything');
    if (this.climate.storeDelayMs === undefined) for (const node of [...this.nodes]) this.killNode(node);
    this.#rolling.loseAll();
    this.#watch = this.#newWatch();
  }

  /** A replica takes over that has not heard of the last writes. */
  rollStoreBack(ms: number): void {
    if (this.climate.storeDelayMs === undefined) return;
    this.judge.note(() => `the store loses its last ${ms} ms`);
    this.coverage.add('the store lost its last writes');
    this.#rolling.rollBack(this.clock.now() - ms);
    this.#troubles.push({ from: this.clock.now(), to: Infinity });
    this.#watch = this.#newWatch();
  }

  storeFails(percent: number): void {
    if (this.climate.storeDelayMs === undefined) return;
    const last = this.#troubles.at(-1);
    if (percent > 0 && last?.to !== Infinity) this.#troubles.push({ from: this.clock.now(), to: Infinity });
    if (percent === 0 && last?.to === Infinity) last.to = this.clock.now();
    this.storeWeather.failing = percent;
  }

  #textOf(event: string | Uint8Array): string {
    const [codec] = this.codecs as readonly [Codec];
    const [, , item] = codec.decode(codec.frame(0, 1, [event])) as [number, number, readonly unknown[]];
    const { text, by, k } = item[2] as Partial<Words> & { text?: string };
    return text ?? `${by}:${k}`;
  }

  // ── Clients ────────────────────────────────────────────────────────────────────────────────────────────────

  addClient(): ClientApp {
    const { judge, coverage, ledger, dice, climate } = this;
    const index = this.apps.length;
    const app = new ClientApp(
      {
        kind: this.kind,
        index,
        seed: this.seed * 13 + index,
        user: `u${dice.roll(climate.clients)}`,
        tokenTtlMs: climate.tokenTtlMs,
        codec: this.codecs[dice.chance(0.25) ? 1 : 0] as Codec,
        outbox: {
          maxMessages: dice.pick([1_000, 1_000, 8]),
          ttlMs: dice.pick([Infinity, Infinity, 3_000]),
          overflow: dice.pick(OVERFLOWS[this.kind]),
        },
        unruly: dice.chance(0.3),
      },
      {
        judge,
        coverage,
        ledger,
        process: this.#process(`c${index}`),
        link: this.network.link(`c${index}`),
        refused: this.refused,
        guests: this.guests,
        publications: () => this.publications,
        storeWatch: () => this.#watch,
      },
    );
    this.apps.push(app);
    judge.note(() => `${app.name} appears`);
    void app.client.connect().catch(() => undefined);
    if (climate.moves) app.ear(PUT);
    for (let room = 0; room < climate.rooms; room++) if (dice.chance(0.7)) app.join(`r${room}`);
    if (climate.namespaces) for (const room of this.#visitedFirst()) app.join(room);
    return app;
  }

  /** The namespace, and its room; one that is asked for without the other is refused. */
  #visitedFirst(): string[] {
    return [HOME, INSIDE].filter(() => this.namespaceDice.chance(0.8));
  }
}
