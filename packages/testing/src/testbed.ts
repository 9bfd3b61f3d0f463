import type {
  AnyContract,
  ClientConnection,
  ClientOptions,
  Contract,
  HoldfastClient,
  Logger,
} from '@holdfast/client';
import { createClientOn, type Random, type Signal } from '@holdfast/client/ports';
import type { HoldfastServer, ServerOptions, User } from '@holdfast/server';
import { json } from '@holdfast/server';
import { createServerOn, MemoryStore, negotiate, systemDigest } from '@holdfast/server/ports';
import { type Direction, type MemoryLink, MemoryNetwork } from './memory-network.js';
import { type MortalStore, mortal } from './mortal-store.js';
import { seededRandom } from './seeded-random.js';
import { VirtualClock } from './virtual-clock.js';

/** The real client and the real server on a network in memory with a virtual clock. */
export interface Testbed<C extends AnyContract = Contract, U extends User = User> {
  /** The server that runs now; another one after `restart`. */
  readonly server: HoldfastServer<C, U>;
  readonly clock: VirtualClock;
  /** Not connected yet. */
  createClient(options?: Omit<Partial<ClientOptions<C>>, 'url'>): HoldfastClient<C>;
  /** Moves the virtual clock, running all that falls due; ms. */
  advance(ms: number): Promise<void>;
  /** Moves the clock until the promise settles (limit 10 virtual minutes), and gives its value. */
  until<V>(promise: PromiseLike<V>): Promise<V>;
  /** Runs what is due now, without moving the clock. */
  settle(): Promise<void>;
  /** Both ends see the close. */
  cut(client: ClientConnection): void;
  /** Half-open: nothing gets through, nobody is told; `heal` delivers what was held back. Default direction: both. */
  freeze(client: ClientConnection, direction?: 'both' | Direction): void;
  heal(client: ClientConnection): void;
  /** Dials fail until `heal`. */
  refuse(client: ClientConnection): void;
  /** What the client's platform would say: `online` or `visible`. */
  signal(client: ClientConnection, signal: Signal): void;
  /** How often this client has dialled. */
  dials(client: ClientConnection): number;
  /** Kills the server: nothing is said, connections are reset. Its store is left. */
  stop(): void;
  /** Starts another one; `setup` runs again. Without the store, what the one before knew is gone; default: with it. */
  start(options?: { keepStore?: boolean }): void;
  /** `stop` and `start`. */
  restart(options?: { keepStore?: boolean }): void;
  /** Closes every client and the server. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TestbedOptions<C extends AnyContract = Contract, U extends User = User>
  extends ServerOptions<C, U> {
  /** Same seed, same run; default 1. */
  seed?: number;
  /** Of each direction; ms, default 5. */
  latencyMs?: number;
  /** Runs at each start of the server. */
  setup?(server: HoldfastServer<C, U>): void;
}

/** Virtual time, a network in memory and one seed: what happens in a test happens again when it is run again. */
export function createTestbed<C extends AnyContract = Contract, U extends User = User>(
  options: TestbedOptions<C, U> = {},
): Testbed<C, U> {
  const { seed = 1, latencyMs = 5, setup, ...serverOptions } = options;
  const clock = new VirtualClock();
  const random: Random = seededRandom(seed);
  const network = new MemoryNetwork(clock, latencyMs);
  const logger: Logger = options.logger ?? console;
  const seats = new Map<ClientConnection, Seat>();
  let memory = new MemoryStore({ clock, random });
  let process: MortalStore;
  let server = start();

  function start(): HoldfastServer<C, U> {
    process = mortal(memory);
    const ports = { clock, random, digest: systemDigest, logger, store: process.store };
    const made = createServerOn<C, U>(ports, serverOptions);
    setup?.(made.server);
    network.listener = {
      connect(protocols, address) {
        const result = negotiate(protocols, serverOptions.codecs ?? [json()]);
        if (result.outcome !== 'agreed') return { refused: `no common subprotocol: ${result.outcome}` };
        const { protocol, codec } = result;
        return { protocol, serve: (transport) => made.accept(transport, codec, { address }) };
      },
    };
    return made.server;
  }

  function stop(): void {
    network.listener = undefined;
    for (const { link } of seats.values()) link.reset();
    process.die();
    // Its timers are the only thing of a dead process that could still act here.
    void server.close();
  }

  function restart({ keepStore = true }: { keepStore?: boolean } = {}): void {
    if (!keepStore) memory = new MemoryStore({ clock, random });
    server = start();
  }

  return {
    get server() {
      return server;
    },
    clock,
    createClient(clientOptions = {}) {
      const seat = new Seat(network.link(`client-${seats.size + 1}`));
      const ports = { clock, random, dialer: seat.link, signals: seat, logger };
      const client = createClientOn<C>(ports, {
        ...clientOptions,
        url: 'ws://testbed/realtime',
      } as ClientOptions<C>);
      seats.set(client, seat);
      return client;
    },
    advance: (ms) => clock.advance(ms),
    until: (promise) => clock.until(promise),
    settle: () => clock.settle(),
    ...faultsOf(seats),
    stop,
    start: restart,
    restart: (restartOptions) => {
      stop();
      restart(restartOptions);
    },
    async [Symbol.asyncDispose]() {
      await clock.until(Promise.all([...seats.keys()].map((client) => client.close())));
      await clock.until(server.close());
      // What is still under way arrives, and finds nobody.
      await clock.advance(2 * latencyMs);
    },
  };
}

/** What can be done to the way of a client. */
function faultsOf(
  seats: ReadonlyMap<ClientConnection, Seat>,
): Pick<Testbed, 'cut' | 'freeze' | 'heal' | 'refuse' | 'signal' | 'dials'> {
  const seatOf = (client: ClientConnection): Seat => {
    const seat = seats.get(client);
    if (!seat) throw new TypeError('this client was not made by createClient() of this testbed');
    return seat;
  };
  return {
    cut: (client) => seatOf(client).link.cut(),
    freeze: (client, direction) => seatOf(client).link.freeze(direction),
    heal: (client) => seatOf(client).link.heal(),
    refuse: (client) => seatOf(client).link.refuse(),
    signal: (client, signal) => {
      for (const listener of seatOf(client).listeners) listener(signal);
    },
    dials: (client) => seatOf(client).link.dials,
  };
}

/** What a client of the testbed sits on: its way into the network, and what its platform would say. */
class Seat {
  readonly link: MemoryLink;
  readonly listeners = new Set<(signal: Signal) => void>();

  constructor(link: MemoryLink) {
    this.link = link;
  }

  listen(listener: (signal: Signal) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
