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

export interface PlainSettings extends ConnectionSettings {
  readonly url: (context: { readonly attempt: number }) => string | Promise<string>;
  readonly protocols: readonly string[];
  /** What to send as a ping; undefined: nothing, and then a connection lives as long as its socket says so. */
  readonly ping: (() => string) | undefined;
  readonly isPong: (data: WireData) => boolean;
}

export interface PlainEvents {
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
  #line: { readonly dial: number; readonly url: string; transport?: Transport } | undefined;

  constructor(ports: ClientPorts, settings: PlainSettings, events: PlainEvents) {
    this.#ports = ports;
    this.#settings = settings;
    this.#events = events;
    this.#signals = new SignalWatch(ports.signals, (event) => this.tell(event));
    this.#alarm = new Alarm(ports.clock, () => this.tell({ type: 'tick' }));
  }

  get state(): Connection {
    return this.#connection;
  }

  /** Where it was dialled last. */
  get url(): string {
    return this.#line?.url ?? '';
  }

  get bufferedBytes(): number {
    return this.#line?.transport?.bufferedBytes ?? 0;
  }

  /** To be called while `state` is connected. */
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
    const around = {
      now: this.#ports.clock.now(),
      fraction: this.#ports.random.fraction(),
      awaitingSince: undefined,
      isOffline: this.#signals.network === 'gone',
      canRenewToken: false,
    };
    const { connection, effects } = step(before, event, around, this.#settings);
    this.#connection = connection;
    this.#signals.listen('attempt' in connection);
    for (const effect of effects) this.#run(effect);
    const { status } = connection;
    const isLeft = 'attempt' in before && before.status !== 'waiting' && connection.dial !== before.dial;
    if (isLeft && status !== 'closed') this.#events.lost(end ?? endOf(before, effects, connection));
    if ((status === 'failed' || status === 'closed') && before.status !== status) {
      this.#events.ended('reason' in connection ? connection.reason : connection.error.message);
    }
  }

  #run(effect: ConnectionEffect): void {
    switch (effect.do) {
      case 'prepare':
        return this.#prepare(effect.dial, effect.attempt);
      case 'dial':
        return this.#dial(effect.dial);
      case 'hello':
        return this.#step({ type: 'welcomed', dial: effect.dial, welcome: WELCOME });
      case 'ping':
        return this.#ping();
      case 'pong':
      case 'bye':
        return;
      case 'hang-up':
        return this.#hangUp(effect.code, effect.reason);
    }
  }

  #prepare(dial: number, attempt: number): void {
    const ready = (url: string): void => {
      this.#line = { dial, url };
      this.#step({ type: 'prepared', dial });
    };
    const url = this.#settings.url({ attempt });
    if (typeof url === 'string') return ready(url);
    url.then(
      (url) => this.#post(() => this.#connection.dial === dial && ready(url)),
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
    const isUp = (): boolean => this.#connection.status === 'connected';
    try {
      line.transport = this.#ports.dialer.dial(line.url, this.#settings.protocols, {
        open: (protocol) =>
          post(() => {
            this.#step({ type: 'opened', dial });
            if (isUp()) this.#events.opened(protocol);
          }),
        message: (data) =>
          post(() => {
            this.#step({ type: 'heard', dial });
            if (this.#settings.isPong(data)) this.#step({ type: 'pong-came', dial });
            else this.#events.message(data);
          }),
        close: (end) =>
          post(() => {
            // Whatever its code: what a foreign server means by it, nobody here knows.
            const text = `the connection was lost (code ${end.code})`;
            const error = holdfastError(isUp() ? 'ERR_CONNECTION_LOST' : 'ERR_DIAL_FAILED', text);
            this.#line = undefined;
            this.#step({ type: 'failed', dial, error }, end);
          }),
      });
    } catch (cause) {
      this.#step({ ...failedToDial(dial, cause), hopeless: true });
    }
  }

  /** Where nothing can be asked, nothing is doubted. */
  #ping(): void {
    const { ping } = this.#settings;
    const connection = this.#connection;
    if (ping) this.send(ping());
    else if (connection.status === 'connected') this.#step({ type: 'pong-came', dial: connection.socket });
  }

  #hangUp(code: number, reason: string): void {
    const line = this.#line;
    this.#line = undefined;
    line?.transport?.close(code, reason);
  }
}

/** A socket that is left says nothing any more: what it would have said. */
function endOf(before: Connection, effects: readonly ConnectionEffect[], after: Connection): TransportEnd {
  const left = effects.find((effect) => effect.do === 'hang-up');
  const cause = 'lastError' in after ? after.lastError : 'error' in after ? after.error : undefined;
  const reason = cause?.message ?? '';
  if (before.status === 'connected' && left) return { code: left.code, reason };
  return { code: 1006, reason, cause };
}

function failedToDial(dial: number, cause: unknown) {
  const why = cause instanceof Error ? cause.message : String(cause);
  return { type: 'failed', dial, error: holdfastError('ERR_DIAL_FAILED', why, { cause }) } as const;
}
