import type { Clock, Dialer, Transport, TransportEvents, WireData } from '@holdfast/client/ports';

/** What a server on this network does with a connection that comes in. */
export interface MemoryListener {
  /** Takes the connection, or says why not. */
  connect(protocols: readonly string[], address: string): MemoryAnswer;
}
export type MemoryAnswer =
  | {
      readonly protocol: string;
      /** Gives the server its end. */
      serve(transport: Transport): Pick<TransportEvents, 'message' | 'close'>;
    }
  | { readonly refused: string };

/** From the client to the server, or back. */
export type Direction = 'up' | 'down';

/** A network in memory: what is sent arrives after `latencyMs`, in order, unless somebody does something to it. */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #latencyMs: number;
  /** Undefined while the server is down. */
  listener: MemoryListener | undefined;

  constructor(clock: Clock, latencyMs: number) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  /** A client's way into the network, with its own link to do things to. */
  link(name: string): MemoryLink {
    return new MemoryLink(name, this.#clock, this.#latencyMs, () => this.listener);
  }
}

/** Both ends of one connection; either may be closed while the other does not know it yet. */
interface Connection {
  readonly client: TransportEvents;
  server: Pick<TransportEvents, 'message' | 'close'> | undefined;
  clientOpen: boolean;
  serverOpen: boolean;
}

/** The way of one client to the server. Faults are done to it: cut, frozen, refused. */
export class MemoryLink implements Dialer {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #latencyMs: number;
  readonly #listener: () => MemoryListener | undefined;
  readonly #frozen = new Set<Direction>();
  /** What a frozen direction holds back, in order. */
  #held: { readonly direction: Direction; readonly run: () => void }[] = [];
  #refusing = false;
  readonly #connections = new Set<Connection>();
  /** How often somebody dialled. */
  dials = 0;

  constructor(name: string, clock: Clock, latencyMs: number, listener: () => MemoryListener | undefined) {
    this.#name = name;
    this.#clock = clock;
    this.#latencyMs = latencyMs;
    this.#listener = listener;
  }

  /** Connections that at least one end believes in. */
  get connections(): number {
    return this.#connections.size;
  }

  dial(_url: string, protocols: readonly string[], events: TransportEvents): Transport {
    this.dials++;
    const connection: Connection = { client: events, server: undefined, clientOpen: true, serverOpen: false };
    this.#connections.add(connection);
    this.#after('up', () => this.#arrive(connection, protocols));
    return {
      send: (data) => this.#carry(connection, 'up', data),
      close: (code, reason) => this.#close(connection, 'up', code, reason),
      bufferedBytes: 0,
    };
  }

  /** Both ends are told that the connection is gone. */
  cut(): void {
    for (const connection of [...this.#connections]) this.#drop(connection, 'cut');
  }

  /**
   * A half-open link: nothing gets through and nobody is told. As with TCP, `heal` delivers what was held back to
   * those who still believe in the connection.
   */
  freeze(direction: Direction | 'both' = 'both'): void {
    if (direction !== 'down') this.#frozen.add('up');
    if (direction !== 'up') this.#frozen.add('down');
  }

  /** Dials fail until `heal`. */
  refuse(): void {
    this.#refusing = true;
  }

  heal(): void {
    this.#frozen.clear();
    this.#refusing = false;
    const held = this.#held;
    this.#held = [];
    // Before what is still under way: nothing overtakes on one connection.
    for (const { direction, run } of held) this.#after(direction, run, 0);
  }

  /** The server's process is gone: its connections are reset. */
  reset(): void {
    for (const connection of [...this.#connections]) {
      connection.server = undefined;
      connection.serverOpen = false;
      this.#drop(connection, 'connection reset');
    }
  }

  #arrive(connection: Connection, protocols: readonly string[]): void {
    if (!connection.clientOpen) return;
    const listener = this.#refusing ? undefined : this.#listener();
    const answer = listener?.connect(protocols, this.#name) ?? { refused: 'connection refused' };
    if ('refused' in answer) return this.#drop(connection, answer.refused);
    connection.serverOpen = true;
    connection.server = answer.serve({
      send: (data) => this.#carry(connection, 'down', data),
      close: (code, reason) => this.#close(connection, 'down', code, reason),
      bufferedBytes: 0,
    });
    this.#after('down', () => {
      if (connection.clientOpen) connection.client.open(answer.protocol);
    });
  }

  #carry(connection: Connection, direction: Direction, data: WireData): void {
    if (!(direction === 'up' ? connection.clientOpen : connection.serverOpen)) return;
    this.#after(direction, () => {
      if (direction === 'up' && connection.serverOpen) connection.server?.message(data);
      if (direction === 'down' && connection.clientOpen) connection.client.message(data);
    });
  }

  /** One end hangs up: it hears nothing more at once, the other end is told as the network allows. */
  #close(connection: Connection, direction: Direction, code: number, reason: string): void {
    const wasOpen = direction === 'up' ? connection.clientOpen : connection.serverOpen;
    if (!wasOpen) return;
    if (direction === 'up') connection.clientOpen = false;
    else connection.serverOpen = false;
    this.#after(direction, () => this.#endOther(connection, direction, code, reason));
    this.#forget(connection);
  }

  #endOther(connection: Connection, direction: Direction, code: number, reason: string): void {
    if (direction === 'up' && connection.serverOpen) {
      connection.serverOpen = false;
      connection.server?.close({ code, reason });
    }
    if (direction === 'down' && connection.clientOpen) {
      connection.clientOpen = false;
      connection.client.close({ code, reason });
    }
    this.#forget(connection);
  }

  #drop(connection: Connection, why: string): void {
    const end = { code: 1006, reason: '', cause: new Error(why) };
    const { clientOpen, serverOpen } = connection;
    connection.clientOpen = false;
    connection.serverOpen = false;
    this.#forget(connection);
    if (serverOpen) connection.server?.close(end);
    if (clientOpen) connection.client.close(end);
  }

  #forget(connection: Connection): void {
    if (!connection.clientOpen && !connection.serverOpen) this.#connections.delete(connection);
  }

  /** Runs `run` at the other end of the way, or holds it there if the link is frozen by then. */
  #after(direction: Direction, run: () => void, delayMs = this.#latencyMs): void {
    this.#clock.setTimer(() => {
      if (this.#frozen.has(direction)) this.#held.push({ direction, run });
      else run();
    }, delayMs);
  }
}
