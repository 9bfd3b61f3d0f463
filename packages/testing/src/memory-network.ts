import type { Clock, Dialer, Transport, TransportEvents, WireData } from '@holdfast/client/ports';
import { Way } from './way.js';

/** What a server on this network does with a connection that comes in. */
export interface MemoryListener {
  /** Takes the connection, or says why not. */
  connect(protocols: readonly string[], address: string): MemoryAnswer;
}
export type MemoryAnswer =
  | {
      readonly protocol: string;
      /** Gives the server its end. */
      serve(transport: Transport): ServerEnd;
      /** Which of several servers it is: see `MemoryLink.reset`. */
      readonly server?: unknown;
    }
  | { readonly refused: string };
type ServerEnd = Pick<TransportEvents, 'message' | 'close' | 'drain'>;

/** From the client to the server, or back. */
export type Direction = 'up' | 'down';
/** Who learns that a connection is gone. */
export type Told = 'both' | 'client' | 'server';

/** How a network is. */
export interface Weather {
  /** Of each direction; ms. A function is asked for each message; nothing overtakes on one connection. */
  readonly latencyMs: number | (() => number);
  /** Stale events: what was under way still comes to a client that has closed its end. Default false. */
  readonly late?: boolean | undefined;
}

/** A network in memory: what is sent arrives after `latencyMs`, in order, unless somebody does something to it. */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #weather: Weather;
  /** Undefined while the server is down. */
  listener: MemoryListener | undefined;

  constructor(clock: Clock, weather: number | Weather) {
    this.#clock = clock;
    this.#weather = typeof weather === 'number' ? { latencyMs: weather } : weather;
  }

  /** A client's way into the network, with its own link to do things to. */
  link(name: string): MemoryLink {
    return new MemoryLink(name, this.#clock, this.#weather, () => this.listener);
  }
}

/** Both ends of one connection; either may be closed while the other does not know it yet. */
interface Connection {
  readonly client: TransportEvents;
  server: ServerEnd | undefined;
  /** Which of several servers has it. */
  by: unknown;
  clientOpen: boolean;
  serverOpen: boolean;
  readonly up: Way;
  readonly down: Way;
}

/** The way of one client to the server. Faults are done to it: cut, frozen, slow, refused. */
export class MemoryLink implements Dialer {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #weather: Weather;
  readonly #listener: () => MemoryListener | undefined;
  readonly #frozen = new Set<Direction>();
  /** What a frozen direction holds back, in order. */
  #held: { readonly direction: Direction; readonly run: () => void }[] = [];
  #refusing = false;
  #bytesPerMs = Infinity;
  readonly #connections = new Set<Connection>();
  /** How often somebody dialled. */
  dials = 0;

  constructor(name: string, clock: Clock, weather: Weather, listener: () => MemoryListener | undefined) {
    this.#name = name;
    this.#clock = clock;
    this.#weather = weather;
    this.#listener = listener;
  }

  /** Connections that at least one end believes in. */
  get connections(): number {
    return this.#connections.size;
  }

  dial(_url: string, protocols: readonly string[], events: TransportEvents): Transport {
    this.dials++;
    const connection: Connection = {
      client: events,
      server: undefined,
      by: undefined,
      clientOpen: true,
      serverOpen: false,
      up: new Way(this.#clock, (run) => this.#arriving('up', run)),
      down: new Way(this.#clock, (run) => this.#arriving('down', run)),
    };
    this.#connections.add(connection);
    connection.up.carry(0, Infinity, this.#latency(), () => this.#arrive(connection, protocols));
    return this.#end(connection, 'up');
  }

  /** The connection is gone, and both ends are told, or only one: the other believes in it until it gives up. */
  cut(told: Told = 'both'): void {
    for (const connection of [...this.#connections]) this.#drop(connection, 'cut', told);
  }

  /**
   * A half-open link: nothing gets through and nobody is told. As with TCP, `heal` delivers what was held back to
   * those who still believe in the connection.
   */
  freeze(direction: Direction | 'both' = 'both'): void {
    if (direction !== 'down') this.#frozen.add('up');
    if (direction !== 'up') this.#frozen.add('down');
  }

  /** So many bytes get through in a millisecond, each way, until `heal`. */
  throttle(bytesPerMs: number): void {
    this.#bytesPerMs = bytesPerMs;
  }

  /** Dials fail until `heal`. */
  refuse(): void {
    this.#refusing = true;
  }

  heal(): void {
    this.#frozen.clear();
    this.#refusing = false;
    this.#bytesPerMs = Infinity;
    const held = this.#held;
    this.#held = [];
    // Before what is still under way: nothing overtakes on one connection.
    for (const { direction, run } of held) this.#clock.setTimer(() => this.#arriving(direction, run), 0);
  }

  /** The process of this server, or of every server, is gone: its connections are reset. */
  reset(server?: unknown): void {
    for (const connection of [...this.#connections]) {
      if (server !== undefined && connection.by !== server) continue;
      connection.server = undefined;
      connection.serverOpen = false;
      this.#drop(connection, 'connection reset', 'both');
    }
  }

  #arrive(connection: Connection, protocols: readonly string[]): void {
    if (!connection.clientOpen) return;
    const listener = this.#refusing ? undefined : this.#listener();
    const answer = listener?.connect(protocols, this.#name) ?? { refused: 'connection refused' };
    if ('refused' in answer) return this.#drop(connection, answer.refused, 'both');
    connection.serverOpen = true;
    connection.by = answer.server;
    // Before the server has its end: what it says at once comes after it.
    connection.down.carry(0, Infinity, this.#latency(), () => {
      if (connection.clientOpen) connection.client.open(answer.protocol);
    });
    connection.server = answer.serve(this.#end(connection, 'down'));
  }

  /** One end, as whoever sits there sees it. */
  #end(connection: Connection, direction: Direction): Transport {
    const way = connection[direction];
    return {
      send: (data) => this.#carry(connection, direction, data),
      close: (code, reason) => this.#close(connection, direction, code, reason),
      get bufferedBytes() {
        return way.bufferedBytes;
      },
    };
  }

  #carry(connection: Connection, direction: Direction, data: WireData): void {
    if (!(direction === 'up' ? connection.clientOpen : connection.serverOpen)) return;
    const drained = (): void => {
      if (direction === 'down' && connection.serverOpen) connection.server?.drain?.();
    };
    const bytes = typeof data === 'string' ? data.length : data.byteLength;
    connection[direction].carry(
      bytes,
      this.#bytesPerMs,
      this.#latency(),
      () => {
        if (direction === 'up' && connection.serverOpen) connection.server?.message(data);
        if (direction === 'down' && (connection.clientOpen || this.#weather.late))
          connection.client.message(data);
      },
      drained,
    );
  }

  /** One end hangs up: it hears nothing more at once, the other end is told as the network allows. */
  #close(connection: Connection, direction: Direction, code: number, reason: string): void {
    const wasOpen = direction === 'up' ? connection.clientOpen : connection.serverOpen;
    if (!wasOpen) return;
    if (direction === 'up') connection.clientOpen = false;
    else connection.serverOpen = false;
    connection[direction].carry(0, this.#bytesPerMs, this.#latency(), () =>
      this.#endOther(connection, direction, code, reason),
    );
    this.#forget(connection);
  }

  #endOther(connection: Connection, direction: Direction, code: number, reason: string): void {
    if (direction === 'up' && connection.serverOpen) {
      connection.serverOpen = false;
      connection.server?.close({ code, reason });
    }
    if (direction === 'down' && (connection.clientOpen || this.#weather.late)) {
      connection.clientOpen = false;
      connection.client.close({ code, reason });
    }
    this.#forget(connection);
  }

  #drop(connection: Connection, why: string, told: Told): void {
    const end = { code: 1006, reason: '', cause: new Error(why) };
    const { clientOpen, serverOpen } = connection;
    // Whoever is not told goes on believing; what it says gets nowhere, since there is no other end.
    connection.clientOpen = clientOpen && told === 'server';
    connection.serverOpen = serverOpen && told === 'client';
    this.#forget(connection);
    if (serverOpen && told !== 'client') connection.server?.close(end);
    if (clientOpen && told !== 'server') connection.client.close(end);
  }

  #forget(connection: Connection): void {
    if (!connection.clientOpen && !connection.serverOpen) this.#connections.delete(connection);
  }

  /** At the end of the way: a frozen link holds it there. */
  #arriving(direction: Direction, run: () => void): void {
    if (this.#frozen.has(direction)) this.#held.push({ direction, run });
    else run();
  }

  #latency(): number {
    const { latencyMs } = this.#weather;
    return typeof latencyMs === 'number' ? latencyMs : latencyMs();
  }
}
