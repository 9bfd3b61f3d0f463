import { Alarm, holdfastError, type Transport, type TransportEnd, type WireData } from '@holdfast/protocol';
import {
  type Connection,
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionSettings,
  deadlineOf,
  initialConnection,
  step,
} from '../core/connection.js';
import type { ClientPorts } from '../ports/ports.js';
import { SignalWatch } from '../runtime/signal-watch.js';
import type { PlainData } from './plain-outbox.js';

/** Where to dial, and with which subprotocols. */
export interface PlainAddress {
  readonly url: string;
  readonly protocols: readonly string[];
}

export interface PlainSettings extends ConnectionSettings {
  /** Of the next attempt. Never throws; may reject. */
  readonly address: () => PlainAddress | Promise<PlainAddress>;
  /** What to send as a ping. Undefined: nothing, and then a connection lives as long as its socket says so. */
  readonly ping: () => string | undefined;
  readonly isPong: (data: WireData) => boolean;
}

export interface PlainEvents {
  /** The next attempt goes there. */
  dialling(url: string): void;
  opened(protocol: string): void;
  message(data: WireData): void;
  /** A connection is over, or an attempt has failed. */
  lost(end: TransportEnd): void;
  /** No further attempt follows. */
  ended(why: string): void;
  failed(error: unknown): void;
}

/** Nothing is known of the other end: it is connected when its socket stands. */
const WELCOME = { sessionId: '', userId: '', heartbeatMs: 20_000, spreadMs: 0, recovered: false };

/** The machine of `createClient`, on a socket whose other end speaks whatever it likes. */
export class PlainConnection {
  readonly #ports: ClientPorts;
  readonly #settings: PlainSettings;
  readonly #events: PlainEvents;
  readonly #signals: SignalWatch;
  readonly #alarm: Alarm;
  readonly #mailbox: (() => void)[] = [];
  #connection: Connection = initialConnection;
  #line: (PlainAddress & { readonly dial: number; transport?: Transport }) | undefined;
  #attempt = 1;

  constructor(ports: ClientPorts, settings: PlainSettings, events: PlainEvents) {
    this.#ports = ports;
    this.#settings = settings;
    this.#events = events;
    this.#signals = new SignalWatch(ports.signals, (event) => this.tell(event));
    this.#alarm = new Alarm(ports.clock, () => this.tell({ type: 'tick' }));
  }

  get isUp(): boolean {
    return this.#connection.status === 'connected';
  }

  /** No further attempt follows. */
  get isOver(): boolean {
    const { status } = this.#connection;
    return status === 'failed' || status === 'closed';
  }

  /** Attempts in a row that have failed. */
  get retries(): number {
    const { status } = this.#connection;
    if (status === 'failed') return this.#attempt;
    return status === 'connected' ? 0 : this.#attempt - 1;
  }

  get bufferedBytes(): number {
    return this.#line?.transport?.bufferedBytes ?? 0;
  }

  /** To be called while it is up. */
  send(data: PlainData): void {
    this.#line?.transport?.send(data as WireData);
  }

  /** One event at a time; what listeners do is done after it. */
  tell(event: ConnectionEvent): void {
    this.#post(() => this.#step(event));
  }

  #post(event: () => void): void {
    this.#mailbox.push(event);
    if (this.#mailbox.length > 1) return;
    for (let next = this.#mailbox[0]; next; next = this.#mailbox[0]) {
      try {
        next();
      } catch (error) {
        this.#events.failed(error);
      }
      this.#mailbox.shift();
    }
    this.#alarm.set(deadlineOf(this.#connection, undefined) ?? Infinity);
  }

  /** `end`: what the socket said at its end. */
  #step(event: ConnectionEvent, end?: TransportEnd): void {
    const before = this.#connection;
    const { reconnect, heartbeat } = this.#settings;
    const around = {
      reconnect,
      heartbeat,
      now: this.#ports.clock.now(),
      fraction: this.#ports.random.fraction(),
      awaitingSince: undefined,
      isOffline: this.#signals.network === 'gone',
      canRenewToken: false,
    };
    const { connection, effects } = step(before, event, around);
    this.#connection = connection;
    this.#attempt = 'attempt' in connection ? connection.attempt : this.#attempt;
    this.#signals.listen('attempt' in connection);
    const { status } = connection;
    // What is left is over, and said to be, before anything new begins.
    for (const effect of effects) if (effect.do === 'hang-up') this.#hangUp(effect.code, effect.reason);
    const isLeft = 'attempt' in before && before.status !== 'waiting' && connection.dial !== before.dial;
    if (isLeft && status !== 'closed') this.#events.lost(end ?? endOf(connection));
    for (const effect of effects) this.#run(effect);
    if ((status === 'failed' || status === 'closed') && before.status !== status) {
      this.#events.ended('reason' in connection ? connection.reason : connection.error.message);
    }
  }

  #run(effect: ConnectionEffect): void {
    switch (effect.do) {
      case 'prepare':
        return this.#prepare(effect.dial);
      case 'dial':
        return this.#dial(effect.dial);
      case 'hello':
        return this.#step({ type: 'welcomed', dial: effect.dial, welcome: WELCOME });
      case 'ping':
        return this.#ping();
      case 'pong':
      case 'bye':
      case 'hang-up':
        return;
    }
  }

  /**
   * A ping of the machine's routine is left out: a stranger hears nothing before what the application has to say to it.
   * Where nothing can be asked, nothing is doubted.
   */
  #ping(): void {
    const connection = this.#connection;
    if (connection.status !== 'connected') return;
    const { socket, heartbeat } = connection;
    const text = heartbeat.asked === 'routine' ? undefined : this.#settings.ping();
    if (text === undefined) this.#step({ type: 'heard', dial: socket });
    else this.send(text);
  }

  #prepare(dial: number): void {
    const ready = (address: PlainAddress): void => {
      this.#line = { ...address, dial };
      this.#events.dialling(address.url);
      this.#step({ type: 'prepared', dial });
    };
    const address = this.#settings.address();
    if ('url' in address) return ready(address);
    address.then(
      (address) => this.#post(() => this.#connection.dial === dial && ready(address)),
      (cause: unknown) => this.tell(failedToDial(dial, cause)),
    );
  }

  #dial(dial: number): void {
    const line = this.#line;
    if (!line) return;
    const post = (event: () => void): void =>
      this.#post(() => {
        if (this.#line === line) event();
      });
    try {
      line.transport = this.#ports.dialer.dial(line.url, line.protocols, {
        open: (protocol) =>
          post(() => {
            this.#step({ type: 'opened', dial });
            if (this.isUp) this.#events.opened(protocol);
          }),
        message: (data) =>
          post(() => {
            this.#step({ type: 'heard', dial });
            if (this.#settings.isPong(data)) this.#step({ type: 'pong-came', dial });
            else this.#events.message(data);
          }),
        close: (end) => post(() => this.#ended(dial, end)),
      });
    } catch (cause) {
      this.#step({ ...failedToDial(dial, cause), hopeless: true });
    }
  }

  /** Whatever its code: what a foreign server means by it, nobody here knows. */
  #ended(dial: number, end: TransportEnd): void {
    const text = `the connection was lost (code ${end.code})`;
    const code = this.isUp ? 'ERR_CONNECTION_LOST' : 'ERR_DIAL_FAILED';
    this.#line = undefined;
    this.#step({ type: 'failed', dial, error: holdfastError(code, text, { cause: end }) }, end);
  }

  #hangUp(code: number, reason: string): void {
    const line = this.#line;
    this.#line = undefined;
    line?.transport?.close(code, reason);
  }
}

/** A socket that is left says nothing any more: what it would have said. */
function endOf(after: Connection): TransportEnd {
  const cause = 'lastError' in after ? after.lastError : 'error' in after ? after.error : undefined;
  if (!cause) return { code: 1000, reason: '' };
  const reason = cause.message;
  const isPutAway = after.status === 'waiting' && after.waitingFor === 'visible';
  return isPutAway ? { code: 1000, reason } : { code: 1006, reason, cause };
}

function failedToDial(dial: number, cause: unknown) {
  // Of an object without a prototype no text can be made. Not `messageOf`, which costs a page 860 bytes with what it comes with.
  const why =
    cause instanceof Error ? cause.message : typeof cause === 'object' ? 'no address' : String(cause);
  return { type: 'failed', dial, error: holdfastError('ERR_DIAL_FAILED', why, { cause }) } as const;
}
