import {
  type Clock,
  CloseCode,
  MAX_SHARED,
  parseShared,
  SHARED_PROTOCOL,
  sharedClose,
  sharedMessage,
  sharedOpen,
  sharedTaken,
  type Transport,
  type TransportEnd,
  type WireData,
} from '@holdfast/protocol';
import type { Dialer } from '../ports/transport.js';

/** After an opening that nobody answers, while nothing else comes either, the socket is dead. */
const ANSWER_MS = 5_000;
/** A connection that was given up for its silence had this long for an answer at least. */
const SILENCE_MS = 2_000;
/** A number takes more and more characters: another socket begins with 1 again. */
const MAX_OPENED = 1_000_000;
/** What the end of the socket means for a connection on it. Of a fault, only one of them is to blame. */
const FOR_ALL: readonly number[] = [
  CloseCode.GOING_AWAY,
  CloseCode.RESTART,
  CloseCode.TRY_AGAIN_LATER,
  CloseCode.RATE_LIMITED,
];

/** Whose connection it is; hears nothing any more after `closed` or `alone`. */
export interface Passenger {
  readonly protocols: readonly string[];
  opened(protocol: string): void;
  told(data: WireData): void;
  closed(code: number, reason: string): void;
  /** The server shares no sockets. */
  alone(): void;
}

export interface CarrierSurroundings {
  readonly clock: Clock;
  readonly dialer: Dialer;
  /** Nobody is on it any more. */
  over(carrier: Carrier): void;
}

/** One WebSocket with the connections that it carries. It ends with the last of them. */
export class Carrier {
  readonly url: string;
  readonly #around: CarrierSurroundings;
  readonly #transport: Transport;
  readonly #passengers = new Map<number, Passenger>();
  #stage: 'dialing' | 'open' | 'retired' | 'over' = 'dialing';
  #last = 0;
  #heardAt = -Infinity;
  readonly #alarms = new Set<() => void>();

  /** Throws for an address that no socket can have. `protocols`: of the first passenger, for what stands in between. */
  constructor(around: CarrierSurroundings, url: string, protocols: readonly string[]) {
    this.#around = around;
    this.url = url;
    this.#transport = around.dialer.dial(url, [SHARED_PROTOCOL, ...protocols], {
      open: (protocol) => this.#opened(protocol),
      message: (data) => this.#message(data),
      close: (end) => this.#end(end),
    });
  }

  /** Whether another connection can begin on it. */
  get takesMore(): boolean {
    const isUp = this.#stage === 'dialing' || this.#stage === 'open';
    return isUp && this.#passengers.size < MAX_SHARED && this.#last < MAX_OPENED;
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes;
  }

  /** Gives the number by which it is known here. */
  board(passenger: Passenger): number {
    const index = ++this.#last;
    this.#passengers.set(index, passenger);
    if (this.#stage === 'open') this.#ask(index, passenger);
    return index;
  }

  say(index: number, data: WireData): void {
    if (this.#passengers.has(index)) this.#transport.send(sharedMessage(index, data));
  }

  taken(index: number, messages: number): void {
    if (this.#passengers.has(index)) this.#transport.send(sharedTaken(index, messages));
  }

  leave(index: number, code: number, reason: string): void {
    if (!this.#passengers.delete(index)) return;
    if (this.#stage !== 'dialing') this.#transport.send(sharedClose(index, code, reason));
    if (this.#passengers.size === 0) return this.#hangUp();
    // Whoever gave up has asked and waited. If the others got nothing in that time either, they need not find it out by
    // themselves, one after the other.
    const isSilent = this.#around.clock.now() - this.#heardAt >= SILENCE_MS;
    if (code === CloseCode.TIMEOUT && isSilent && this.#stage !== 'dialing') this.#die('nothing comes');
  }

  /** Everybody is told that it is over. */
  end(reason: string): void {
    this.#die(reason);
  }

  #opened(protocol: string): void {
    if (this.#stage !== 'dialing') return;
    if (protocol !== SHARED_PROTOCOL) {
      for (const passenger of this.#take()) passenger.alone();
      return this.#hangUp();
    }
    this.#stage = 'open';
    for (const [index, passenger] of this.#passengers) this.#ask(index, passenger);
  }

  #ask(index: number, { protocols }: Passenger): void {
    this.#transport.send(sharedOpen(index, protocols));
    const { clock } = this.#around;
    const askedAt = clock.now();
    const cancel = clock.setTimer(() => {
      this.#alarms.delete(cancel);
      if (this.#heardAt < askedAt) this.#die('no answer');
    }, ANSWER_MS);
    this.#alarms.add(cancel);
  }

  #message(data: WireData): void {
    if (this.#stage === 'over') return;
    this.#heardAt = this.#around.clock.now();
    const frame = parseShared(data);
    if (frame.kind === 'retire') return this.#retire();
    // What comes late for somebody who has left is nobody's.
    const passenger = frame.index === undefined ? undefined : this.#passengers.get(frame.index);
    switch (frame.kind) {
      case 'message':
        return passenger?.told(frame.data);
      case 'opened':
        return passenger?.opened(frame.protocol);
      case 'close':
        this.#passengers.delete(frame.index);
        passenger?.closed(frame.code, frame.reason);
        if (this.#passengers.size === 0) this.#hangUp();
        return;
      default:
        return this.#die('this is no shared socket');
    }
  }

  #retire(): void {
    if (this.#stage === 'open') this.#stage = 'retired';
  }

  #die(reason: string): void {
    const passengers = this.#take();
    this.#hangUp();
    for (const passenger of passengers) passenger.closed(CloseCode.ABNORMAL, reason);
  }

  #end({ code, reason, cause }: TransportEnd): void {
    const passengers = this.#take();
    this.#over();
    const said = cause instanceof Error ? cause.message : reason;
    const forEach = FOR_ALL.includes(code) ? code : CloseCode.ABNORMAL;
    for (const passenger of passengers) passenger.closed(forEach, said);
  }

  #take(): Passenger[] {
    const passengers = [...this.#passengers.values()];
    this.#passengers.clear();
    return passengers;
  }

  #hangUp(): void {
    if (this.#stage === 'over') return;
    this.#over();
    this.#transport.close(CloseCode.NORMAL, '');
  }

  #over(): void {
    this.#stage = 'over';
    for (const cancel of this.#alarms) cancel();
    this.#alarms.clear();
    this.#around.over(this);
  }
}
