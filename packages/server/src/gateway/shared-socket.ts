import {
  type Clock,
  CloseCode,
  MAX_SHARED,
  parseShared,
  type SharedFrame,
  sharedClose,
  sharedMessage,
  sharedOpened,
  sharedRetire,
  type Transport,
  type TransportEnd,
  type TransportEvents,
  type WireData,
} from '@holdfast/protocol';
import { sizeOf } from '../size-of.js';

type ServerEnd = Pick<TransportEvents, 'message' | 'close' | 'drain'>;

/** Somebody has asked for a connection on a shared socket. */
export interface SharedOpening {
  readonly protocols: readonly string[];
  /** Takes it: from here on it is a connection as any other. `serve` is given its transport and says who hears it. */
  accept(protocol: string, serve: (transport: Transport) => ServerEnd): void;
  /** Does not. */
  refuse(code: number, reason: string): void;
  /** Calls `gone` if whoever has asked does not wait for the answer; returns what ends that. */
  whenGone(gone: () => void): void;
}

export interface SharedSurroundings {
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly maxBufferedBytes: number;
  /** Accepts or refuses, now or later, once. */
  open(opening: SharedOpening): void;
}

/** How long a socket without a connection is kept: its client closes it itself, unless it means no good. */
const IDLE_MS = 5_000;
const IDLE = 'no connection on this socket';
/** When whoever was one too many may ask again. */
const FULL = 'ra=10000';
/**
 * What a tab may have untaken at least: it says what it has taken each 32 messages or 16,384 characters (of which each has
 * up to three bytes), so twice that would hold up even one that reads at once.
 */
const MIN_UNTAKEN = 131_072;

/**
 * One WebSocket that carries the connections of several tabs, each as if it had one of its own. What one of them does
 * wrong, or does not read, is its own business: the others go on.
 */
export class SharedSocket implements ServerEnd {
  readonly #transport: Transport;
  readonly #around: SharedSurroundings;
  readonly #connections = new Map<number, SharedConnection>();
  /** The highest number that was opened: they rise, so what comes late for a closed one is known by its number. */
  #opened = 0;
  #cancelIdle: () => void = () => undefined;
  /** Which connection is told first that the socket takes more: each in its turn. */
  #turn = 0;
  #phase: 'open' | 'retired' | 'closed' = 'open';

  constructor(transport: Transport, around: SharedSurroundings) {
    this.#transport = transport;
    this.#around = around;
    this.#watchIdle();
  }

  message(data: WireData): void {
    if (this.#phase === 'closed') return;
    const frame = parseShared(data);
    if (frame.kind === 'malformed' && frame.index === undefined) return this.#fault(frame.why);
    if (frame.kind === 'retire' || frame.kind === 'opened') return this.#fault('not from a client');
    if (frame.kind === 'open') this.#open(frame.index, frame.protocols);
    else this.#tell(frame as Addressed);
  }

  close(end: TransportEnd): void {
    this.#phase = 'closed';
    this.#cancelIdle();
    const connections = [...this.#connections.values()];
    this.#connections.clear();
    for (const connection of connections) connection.ended(end);
  }

  drain(): void {
    const connections = [...this.#connections.values()];
    const first = this.#turn++ % Math.max(1, connections.length);
    for (const one of [...connections.slice(first), ...connections.slice(0, first)]) one.drained();
  }

  /** New connections are to go elsewhere, those that stand stay. */
  retire(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'retired';
    this.#transport.send(sharedRetire());
  }

  #open(index: number, protocols: readonly string[]): void {
    if (index <= this.#opened) return this.#fault(`connection ${index} was opened before`);
    this.#opened = index;
    if (this.#connections.size >= MAX_SHARED) {
      return this.#transport.send(sharedClose(index, CloseCode.RATE_LIMITED, FULL));
    }
    this.#cancelIdle();
    const connection = new SharedConnection(index, this.#transport, this.#around, () => this.#forget(index));
    this.#connections.set(index, connection);
    this.#around.open(connection.opening(protocols));
  }

  #tell(frame: Addressed): void {
    const index = frame.index as number;
    const connection = this.#connections.get(index);
    // What was on its way when we closed it.
    if (!connection && index <= this.#opened) return;
    if (!connection) return this.#fault(`connection ${index} was never opened`);
    connection.hear(frame);
  }

  #forget(index: number): void {
    this.#connections.delete(index);
    if (this.#connections.size === 0) this.#watchIdle();
  }

  #watchIdle(): void {
    if (this.#phase === 'closed') return;
    this.#cancelIdle = this.#around.clock.setTimer(() => this.#hangUp(CloseCode.NORMAL, IDLE), IDLE_MS);
  }

  /** Nobody knows any more which connection is meant by what. */
  #fault(why: string): void {
    this.#hangUp(CloseCode.BAD_FRAME, why);
  }

  #hangUp(code: number, reason: string): void {
    this.#transport.close(code, reason);
    this.close({ code, reason });
  }
}

type Addressed = Extract<SharedFrame, { kind: 'message' | 'close' | 'taken' | 'malformed' }>;

/** One of the connections on a shared socket, as the server sees it. */
class SharedConnection implements Transport {
  readonly #index: number;
  readonly #socket: Transport;
  readonly #around: SharedSurroundings;
  readonly #forget: () => void;
  #stage:
    | { readonly name: 'asked'; gone: () => void }
    | { readonly name: 'open'; readonly end: ServerEnd }
    | { readonly name: 'over' } = { name: 'asked', gone: () => undefined };
  /** Sizes of what its tab has not taken yet, from `#first` on. */
  #sizes: number[] = [];
  #first = 0;
  #untaken = 0;
  #state: 'free' | 'full' = 'free';

  constructor(index: number, socket: Transport, around: SharedSurroundings, forget: () => void) {
    this.#index = index;
    this.#socket = socket;
    this.#around = around;
    this.#forget = forget;
  }

  opening(protocols: readonly string[]): SharedOpening {
    return {
      protocols,
      accept: (protocol, serve) => {
        if (this.#stage.name !== 'asked') return;
        this.#socket.send(sharedOpened(this.#index, protocol));
        let end: ServerEnd | undefined;
        // It may hang up before it has said who hears of it.
        this.#stage = {
          name: 'open',
          end: {
            message: (data) => end?.message(data),
            close: (how) => end?.close(how),
            drain: () => end?.drain?.(),
          },
        };
        end = serve(this);
      },
      refuse: (code, reason) => this.close(code, reason),
      whenGone: (gone) => {
        if (this.#stage.name === 'asked') this.#stage.gone = gone;
      },
    };
  }

  /**
   * What its tab has not taken, wherever it lies: a tab that is frozen would have it pile up in the one that carries it. And
   * what waits in the socket, which is everybody's.
   */
  get bufferedBytes(): number {
    const allowed = Math.max(0, MIN_UNTAKEN - this.#around.maxBufferedBytes);
    return Math.max(this.#untaken - allowed, this.#socket.bufferedBytes);
  }

  get #bound(): number {
    return Math.max(MIN_UNTAKEN, this.#around.maxBufferedBytes);
  }

  send(data: WireData): void {
    if (this.#stage.name !== 'open') return;
    const size = sizeOf(data);
    this.#sizes.push(size);
    this.#untaken += size;
    if (this.#untaken > this.#bound) this.#state = 'full';
    this.#socket.send(sharedMessage(this.#index, data));
  }

  close(code: number, reason: string): void {
    if (this.#stage.name === 'over') return;
    this.#socket.send(sharedClose(this.#index, code, reason));
    // Nobody waits for an answer: its number does not come again.
    this.#around.clock.defer(this.#end({ code, reason }));
  }

  /** Whoever is at the other end says so, or the socket is gone. */
  ended(end: TransportEnd): void {
    this.#end(end)();
  }

  drained(): void {
    if (this.#stage.name === 'open' && this.#state === 'free') this.#stage.end.drain?.();
  }

  hear(frame: Addressed): void {
    switch (frame.kind) {
      case 'message':
        return this.#hearMessage(frame.data);
      case 'taken':
        return this.#taken(frame.messages);
      case 'close':
        return this.ended(frame);
      case 'malformed':
        return this.close(CloseCode.BAD_FRAME, frame.why);
    }
  }

  #hearMessage(data: WireData): void {
    if (this.#stage.name !== 'open') return this.close(CloseCode.BAD_FRAME, 'not opened yet');
    if (sizeOf(data) > this.#around.maxMessageBytes) return this.close(CloseCode.TOO_BIG, 'too big');
    this.#stage.end.message(data);
  }

  #taken(messages: number): void {
    const upTo = this.#first + messages;
    if (upTo > this.#sizes.length) return this.close(CloseCode.BAD_FRAME, 'more was taken than was said');
    for (; this.#first < upTo; this.#first++) this.#untaken -= this.#sizes[this.#first] as number;
    if (this.#first > 1_024) {
      this.#sizes = this.#sizes.slice(this.#first);
      this.#first = 0;
    }
    if (this.#state === 'free' || this.#untaken > this.#bound / 2) return;
    this.#state = 'free';
    if (this.#socket.bufferedBytes <= this.#around.maxBufferedBytes) this.drained();
  }

  /** It is over from now on; what it returns tells whoever has it. */
  #end(end: TransportEnd): () => void {
    const stage = this.#stage;
    this.#stage = { name: 'over' };
    if (stage.name !== 'over') this.#forget();
    return () => {
      if (stage.name === 'open') stage.end.close({ code: end.code, reason: end.reason });
      if (stage.name === 'asked') stage.gone();
    };
  }
}
