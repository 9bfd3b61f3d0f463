/**
 * A TCP proxy that does to real connections what bad networks do: cuts, half-open links, delay, little bandwidth,
 * refusals. Needs Node; the main entry loads anywhere.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { seededRandom } from './seeded-random.js';
import { Connection, type CutManner, type Direction, type TcpConnection } from './tcp-proxy/connection.js';
import type { Conditions } from './tcp-proxy/flow.js';

export type { Direction, TcpConnection };

export interface TcpProxyOptions {
  /** Where connections lead; host default `127.0.0.1`. */
  target: { host?: string | undefined; port: number };
  /** Where the proxy listens; default `127.0.0.1` and any free port. */
  host?: string | undefined;
  port?: number | undefined;
  /** Same seed, same random places of cuts; default 1. */
  seed?: number | undefined;
}

export interface CutOptions {
  /**
   * `reset`: RST, as from a crashed machine that is back. `end`: FIN, as from a middlebox that shuts down; in the
   * middle of a frame, too. `silent`: nobody is told and nothing gets through any more, as from a pulled cable: unlike
   * `freeze`, new connections pass and `heal` changes nothing. Default `reset`.
   */
  how?: 'reset' | 'end' | 'silent' | undefined;
  /** So many more bytes get through, exactly; default 0: at once. */
  after?: number | undefined;
  /** Instead of `after`: a random number of bytes from 0 to this. */
  within?: number | undefined;
  /** Whose bytes are counted; default: each direction for itself, the first to get there cuts. */
  direction?: Direction | undefined;
  /** Which end hears of it; to the other one it is `silent`. Default: both. */
  told?: 'client' | 'server' | 'both' | undefined;
  /** One connection; default: all that stand now. */
  which?: TcpConnection | undefined;
}

/**
 * Made by `createTcpProxy`. What is done to it concerns all connections, those to come included (`cut`: only those that
 * stand). No direction means both.
 */
export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  /**
   * Those of which at least one socket is open, oldest first. The proxy does not read what was cut in silence, so it
   * cannot learn that such an end has given up: it stays here until it is cut again, or the proxy closes.
   */
  readonly connections: readonly TcpConnection[];
  /**
   * What the proxy holds back at the place of the cut is lost. Resolves when it is done, with the number of
   * connections that were cut: one that ends before its bytes have gone through is not counted.
   */
  cut(options?: CutOptions): Promise<number>;
  /**
   * A half-open link: bytes and goodbyes are held back, nobody is told. The proxy stops reading, so who goes on
   * sending fills the buffers of the system and then feels it. New connections are accepted, but lead nowhere yet.
   */
  freeze(direction?: Direction): void;
  /** Everything takes so much longer; order is kept, 0 lifts it. At most 256 KiB are under way in each direction. */
  delay(ms: number, direction?: Direction): void;
  /** So much bandwidth for each connection, in each direction by itself; `Infinity` lifts it. */
  throttle(bytesPerSecond: number, direction?: Direction): void;
  /** New connections are accepted by the system, then reset at once; `hang`: are accepted, and nobody ever answers. */
  refuse(how?: 'reset' | 'hang'): void;
  /** Lifts `freeze`, `delay`, `throttle` and `refuse`; what was held back is delivered. What was cut stays cut. */
  heal(): void;
  /** Ends every connection and listens no more. Resolves when no socket is left. */
  close(): Promise<void>;
  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Resolves when it listens; rejects with the error of `net.Server.listen`. */
export async function createTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const { host = '127.0.0.1', port = 0 } = options;
  const proxy = new FaultProxy(options);
  await proxy.listen(port, host);
  return proxy;
}

const bothWays = (direction: Direction | undefined): readonly Direction[] =>
  direction === undefined ? ['up', 'down'] : [direction];

const healthy = (): Conditions => ({ frozen: false, delayMs: 0, bytesPerSecond: Infinity });

class FaultProxy implements TcpProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #fraction: () => number;
  readonly #listener: Server;
  readonly #connections = new Set<Connection>();
  readonly #conditions: Readonly<Record<Direction, Conditions>> = { up: healthy(), down: healthy() };
  #refusing: 'reset' | 'hang' | undefined;
  #accepted = 0;
  #closing: Promise<void> | undefined;
  #empty = (): void => undefined;
  host = '';
  port = 0;

  constructor({ target, seed = 1 }: TcpProxyOptions) {
    this.#target = { host: target.host ?? '127.0.0.1', port: target.port };
    this.#fraction = seededRandom(seed).fraction;
    // Paused: until its flow starts, a connection is not read, so it is the system that holds what it says.
    this.#listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) =>
      this.#accept(client),
    );
  }

  get connections(): readonly TcpConnection[] {
    return [...this.#connections];
  }

  async listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', reject).listen(port, host, resolve);
    });
    // Whatever goes wrong later, say too many open files, is not to be swallowed.
    this.#listener.removeAllListeners('error');
    const address = this.#listener.address() as AddressInfo;
    this.host = address.address;
    this.port = address.port;
  }

  async cut(options: CutOptions = {}): Promise<number> {
    const { how = 'reset', told = 'both', after = 0, within, direction, which } = options;
    const most = whole('cut({ after })', after);
    const manner: CutManner = { how, told };
    const chosen = [...this.#connections].filter((one) => which === undefined || one === which);
    const cuts = chosen.map((connection) => {
      const bytes = within === undefined ? most : this.#upTo(whole('cut({ within })', within));
      return connection.cutAfter(bytes, bothWays(direction), manner);
    });
    return (await Promise.all(cuts)).filter(Boolean).length;
  }

  freeze(direction?: Direction): void {
    for (const way of bothWays(direction)) this.#conditions[way].frozen = true;
    this.#look();
  }

  delay(ms: number, direction?: Direction): void {
    if (!(ms >= 0 && ms < 2 ** 31)) throw new TypeError(`delay(ms) must be from 0 to 2^31 ms, not ${ms}`);
    for (const way of bothWays(direction)) this.#conditions[way].delayMs = ms;
    this.#look();
  }

  throttle(bytesPerSecond: number, direction?: Direction): void {
    if (!(bytesPerSecond >= 1))
      throw new TypeError(`throttle() must be at least 1 B/s, not ${bytesPerSecond}`);
    for (const way of bothWays(direction)) this.#conditions[way].bytesPerSecond = bytesPerSecond;
    this.#look();
  }

  refuse(how: 'reset' | 'hang' = 'reset'): void {
    this.#refusing = how;
  }

  heal(): void {
    Object.assign(this.#conditions.up, healthy());
    Object.assign(this.#conditions.down, healthy());
    this.#refusing = undefined;
    this.#look();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#listener.close(resolve);
    });
    const emptied = new Promise<void>((resolve) => {
      this.#empty = resolve;
      if (this.#connections.size === 0) resolve();
    });
    for (const connection of this.#connections) connection.destroy();
    // The listener knows only of the sockets from clients, not of those to the target.
    await Promise.all([closed, emptied]);
  }

  #accept(client: Socket): void {
    if (this.#refusing === 'reset') {
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const connection: Connection = new Connection({
      id: ++this.#accepted,
      client,
      target: this.#target,
      conditions: this.#conditions,
      over: () => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#empty();
      },
    });
    this.#connections.add(connection);
    if (this.#refusing === 'hang') connection.cut({ how: 'silent', told: 'both' });
    else connection.look();
  }

  #look(): void {
    for (const connection of this.#connections) connection.look();
  }

  #upTo(most: number): number {
    return Math.floor(this.#fraction() * (most + 1));
  }
}

function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError(`${name} must be a whole number of bytes, not ${value}`);
}
