import {
  Alarm,
  CloseCode,
  type Deferred,
  EndOfTask,
  type Frame,
  type HoldfastError,
  holdfastError,
  messageOf,
  parseFrame,
  type Sending,
  SequenceGapError,
  Type,
  type WireData,
} from '@holdfast/protocol';
import { errorOfBye, isRetried } from '../core/classify.js';
import {
  type Connection,
  type ConnectionEffect,
  type ConnectionEvent,
  deadlineOf,
  hearsNews,
  initialConnection,
  type Loss,
  sameState,
  socketOf,
  stateOf,
  step,
} from '../core/connection.js';
import type { ClientPorts } from '../ports/ports.js';
import type { ClientConnection, ConnectionState, Inspection, OutboxState } from '../types.js';
import { ClientSession } from './client-session.js';
import { Dispatcher } from './dispatcher.js';
import { Exchange } from './exchange.js';
import { guardedPolicy } from './guarded-policy.js';
import { inspect } from './inspect.js';
import { Journal } from './journal.js';
import { Lines } from './lines.js';
import { Mailbox } from './mailbox.js';
import type { Draft } from './make-message.js';
import { Rooms } from './rooms.js';
import type { ClientSettings } from './settings.js';
import { SignalWatch } from './signal-watch.js';
import { Tokens } from './tokens.js';
import { type Patience, tellWaiters, waiterOf } from './waiter.js';

const REQUEST_TIMEOUT_MS = 30_000;
type ConnectOptions = NonNullable<Parameters<ClientConnection['connect']>[0]>;

/**
 * The loop that carries out what the pure machines decide: one event at a time, first the new state, then the
 * effects, then the listeners. It owns the sockets and the one timer.
 */
export class Runtime {
  readonly ports: ClientPorts;
  readonly settings: ClientSettings;
  readonly tokens: Tokens;
  readonly lines: Lines;
  readonly dispatcher: Dispatcher;
  readonly exchange: Exchange;
  readonly rooms: Rooms;
  readonly #session: ClientSession;
  readonly #signals: SignalWatch;
  readonly #alarm: Alarm;
  readonly #journal = new Journal();
  #connection: Connection = initialConnection;
  #state: ConnectionState = Object.freeze(stateOf(initialConnection));
  /** The connection whose state was told last. */
  #toldOf: Connection = initialConnection;
  #outboxTold: OutboxState | undefined;
  readonly mailbox = new Mailbox({
    worked: () => this.#tellState(),
    // A socket that throws, or a fault of ours: told, and no reason for everything else to stop.
    failed: (fault) => this.dispatcher.failed(fault, 'the client itself'),
    empty: () => this.#arm(),
  });
  /** Those who have called `connect()`, and those who wait for nothing to be open any more. */
  readonly #connecting = new Set<Deferred<void>>();
  readonly #flushing = new Set<() => void>();
  readonly #endOfTask: EndOfTask;

  constructor(ports: ClientPorts, settings: ClientSettings) {
    const { clock, random } = ports;
    const { codec, outbox, scopes, auth } = settings;
    this.ports = ports;
    this.tokens = new Tokens(ports, auth);
    this.lines = new Lines(ports.dialer, settings, this.tokens);
    this.#signals = new SignalWatch(ports.signals, (event) => this.post(() => this.step(event)));
    this.#alarm = new Alarm(clock, () => this.#ring());
    this.#endOfTask = new EndOfTask(clock, { flush: () => this.post(() => this.#write()) });
    this.dispatcher = new Dispatcher(settings);
    const failed = (error: unknown, name: string) => this.dispatcher.failed(error, name);
    const misled = (error: unknown) => this.post(() => failed(error, 'reconnect.policy'));
    this.settings = { ...settings, reconnect: guardedPolicy(settings.reconnect, misled) };
    const durable = outbox.storage?.open(this);
    const { ttlMs } = outbox;
    const defaults = {
      ...{ codec, scopes, clock, random, durable, ttlMs },
      ...{ requestTimeoutMs: REQUEST_TIMEOUT_MS, isNamed: auth !== undefined },
    };
    this.exchange = new Exchange(defaults, outbox, {
      wake: () => this.wake(),
      isFree: () => this.lines.isFree(this.#socket),
      incoming: (item, seq) => {
        if (!this.dispatcher.take(item, seq)) this.rooms.take(item);
      },
      failed,
      undelivered: (message, error) => this.post(() => this.dispatcher.undelivered(message, error)),
    });
    this.rooms = new Rooms(ports, this.exchange, {
      dispatcher: this.dispatcher,
      status: () => this.#connection.status,
      nextTask: (run) => {
        const { dial } = this.#connection;
        clock.setTimer(() => this.post(() => this.#guard(dial, run)), 0);
      },
      tell: (run) => this.post(run),
    });
    this.#session = new ClientSession(this, scopes.root.schemas?.versions);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get inspection(): Inspection {
    return inspect(this, this.#connection, this.#journal);
  }

  submit(draft: Draft): Deferred<unknown> {
    return this.mailbox.atOnce(() => {
      const submitted = this.exchange.submit(draft);
      if (this.#connection.status === 'closed') this.exchange.end();
      // A full frame goes before this task is over: the server works on it while the application says more.
      if (this.exchange.fillsFrame) this.post(() => this.#write());
      return submitted;
    });
  }

  connect({ auth, signal }: ConnectOptions): Sending<void> {
    const waiter = waiterOf({ signal }, () => this.#connecting.delete(waiter));
    const anew = auth !== undefined && this.tokens.replace(auth);
    if (anew) this.exchange.replaced();
    this.post(() => {
      // Not earlier: how an attempt before its own has ended must not settle it.
      this.#connecting.add(waiter);
      if (this.#connection.status === 'needs-auth') this.tokens.forgive();
      this.step({ type: 'connect', anew });
      tellWaiters(this.#connecting, this.#connection);
    });
    return waiter.sending;
  }

  disconnect(): void {
    this.post(() => {
      this.step({ type: 'disconnect' });
      this.tokens.abandon();
    });
  }

  /** Ends everything. What is still open is settled; nothing is told to listeners of messages any more. */
  async close(reason: string): Promise<void> {
    this.dispatcher.mute();
    this.exchange.answering.handlers.clear();
    this.post(() => {
      this.step({ type: 'close', reason });
      this.tokens.abandon();
      this.exchange.end();
      this.rooms.end();
      tellWaiters(this.#connecting, this.#connection);
    });
    await this.exchange.closed();
  }

  /** Waits until nothing is open any more; as long as `timeoutMs` or `signal` allow. */
  flush({ timeoutMs, signal }: Patience): Sending<void> {
    const details = { delivery: 'unknown', messageId: '' } as const;
    const late = holdfastError(
      'ERR_TIMEOUT',
      `not every message was settled within ${timeoutMs} ms`,
      details,
    );
    const flushed = (): void => waiter.resolve();
    const waiter = waiterOf({ signal, timeoutMs, late, clock: this.ports.clock }, () =>
      this.#flushing.delete(flushed),
    );
    this.#flushing.add(flushed);
    this.exchange.control([Type.ACK_NOW]);
    return waiter.sending;
  }

  // ── One event at a time ────────────────────────────────────────────────────────────────────────────────────

  /** Runs `event`, after those that are being worked on or waiting already. */
  post(event: () => void): void {
    this.mailbox.post(event);
  }

  step(event: ConnectionEvent): void {
    const before = this.#connection;
    const now = this.ports.clock.now();
    // The token is not shown again, whatever comes next: by then somebody else may be logged in.
    if (event.type === 'failed' && !isRetried(event.error)) this.tokens.rejected();
    const { reconnect, heartbeat } = this.settings;
    const around = {
      reconnect,
      heartbeat,
      now,
      fraction: this.ports.random.fraction(),
      awaitingSince: this.exchange.awaitingSince,
      isOffline: this.#signals.network === 'gone',
      canRenewToken: this.tokens.canRenew,
    };
    const { connection, effects } = step(before, event, around);
    this.#connection = connection;
    this.#journal.note(before, event, connection, now);
    this.#signals.listen('attempt' in connection);
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: ConnectionEffect): void {
    switch (effect.do) {
      case 'prepare':
        return this.#prepare(effect.dial, effect.attempt);
      case 'dial':
        return this.#dial(effect.dial);
      case 'hello':
        return this.#session.hello(effect.dial);
      case 'ping':
        return this.exchange.control([Type.PING]);
      case 'pong':
        return this.exchange.control([Type.PONG]);
      case 'bye': {
        const bye = this.exchange.farewell([Type.BYE, 'closed', ''], this.ports.clock.now());
        return this.lines.send(effect.dial, bye);
      }
      case 'hang-up':
        return this.#hangUp(effect);
    }
  }

  /** Tells the application what changed, after all is done: a listener sees the machine at rest. */
  #tellState(): void {
    const connection = this.#connection;
    if (connection !== this.#toldOf) {
      this.#toldOf = connection;
      const previous = this.#state;
      const state = Object.freeze(stateOf(connection));
      if (!sameState(previous, state)) {
        this.#state = state;
        // Before the listeners: one that calls connect() begins something new.
        tellWaiters(this.#connecting, connection);
        this.dispatcher.state(state, previous);
      }
    }
    const { outbox } = this.exchange;
    if (outbox !== this.#outboxTold) {
      this.#outboxTold = outbox;
      this.dispatcher.outbox(outbox);
    }
    // A listener may have said more.
    if (this.exchange.busy && connection.status !== 'closed') return;
    for (const flushed of this.#flushing) flushed();
  }

  // ── The timer ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The nearest deadline of all. */
  #arm(): void {
    const isUp = this.#socket !== undefined;
    const connectionAt = deadlineOf(this.#connection, this.exchange.awaitingSince) ?? Infinity;
    const refreshAt = isUp ? this.tokens.refreshAt : Infinity;
    // What is about to be written takes an ack along.
    const messagesAt = this.exchange.deadlineAt(isUp && this.#endOfTask.asked === 0);
    const isClosed = this.#connection.status === 'closed';
    this.#alarm.set(isClosed ? Infinity : Math.min(connectionAt, messagesAt, refreshAt));
  }

  #ring(): void {
    this.post(() => {
      this.step({ type: 'tick' });
      const now = this.ports.clock.now();
      this.exchange.tick(now);
      const socket = this.#socket;
      if (socket !== undefined && now >= this.tokens.refreshAt) this.#refreshToken(socket);
    });
  }

  // ── The socket ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Of the connection that stands. */
  get #socket(): number | undefined {
    return socketOf(this.#connection);
  }

  /** What an older dial has to say changes nothing. */
  #hear(dial: number, event: () => void): void {
    this.post(() => {
      if (dial === this.#connection.dial || dial === this.#socket) event();
    });
  }

  #prepare(dial: number, attempt: number): void {
    const prepared = (error?: HoldfastError): void =>
      this.step(error ? { type: 'failed', dial, error } : { type: 'prepared', dial });
    if (this.lines.prepare(dial, attempt, (error) => this.#hear(dial, () => prepared(error)))) prepared();
  }

  #dial(dial: number): void {
    this.lines.dial(dial, {
      opened: () => this.#hear(dial, () => this.step({ type: 'opened', dial })),
      received: (data) => this.#hear(dial, () => this.#received(dial, data)),
      failed: (loss) => this.#hear(dial, () => this.#failed(dial, loss)),
    });
  }

  #failed(dial: number, loss: Loss): void {
    this.step({ type: 'failed', dial, ...loss });
    // That the server to which we are moving does not know the session proves nothing while the old connection stands.
    if (this.#socket === undefined && loss.endCode === CloseCode.SESSION_LOST) this.#session.lose({});
  }

  #hangUp({ dial, code, reason }: Extract<ConnectionEffect, { do: 'hang-up' }>): void {
    this.lines.hangUp(dial, code, reason);
    // Not for a connection that was only to follow: it has taken nothing over yet.
    if (this.#socket === undefined || this.#socket === dial) {
      this.exchange.detach();
      this.rooms.detached();
    }
  }

  wake(): void {
    this.#endOfTask.ask();
  }

  #write(): void {
    const socket = this.#socket;
    if (socket !== undefined) this.lines.send(socket, this.exchange.frames(this.ports.clock.now()));
  }

  #received(dial: number, data: WireData): void {
    this.#guard(dial, () => {
      const frame = parseFrame(this.settings.codec.decode(data));
      const bye = frame.items.find((item) => item[0] === Type.BYE);
      if (dial === this.#socket) this.#take(dial, frame, data.length);
      else if (!bye) this.#session.welcome(dial, frame);
      if (!bye) return;
      const isOver = bye[1] === 'ERR_SESSION_LOST' || bye[1] === 'ERR_SESSION_ENDED';
      this.#failed(dial, { error: errorOfBye(bye), endCode: isOver ? CloseCode.SESSION_LOST : undefined });
    });
  }

  /** Whatever the server sends that cannot be read ends this connection, and nothing else. */
  #guard(dial: number, read: () => void): void {
    try {
      read();
    } catch (cause) {
      const code = cause instanceof SequenceGapError ? CloseCode.GAP : CloseCode.BAD_FRAME;
      const text = `the server broke the protocol: ${messageOf(cause)}`;
      this.step({ type: 'failed', dial, error: holdfastError('ERR_PROTOCOL', text, { cause }), code });
    }
  }

  #take(dial: number, frame: Frame, bytes: number): void {
    if (hearsNews(this.#connection, this.ports.clock.now())) this.step({ type: 'heard', dial });
    const has = (wanted: number): boolean => frame.items.some(([type]) => type === wanted);
    if (has(Type.PONG)) this.step({ type: 'pong-came', dial });
    this.exchange.receive(frame, bytes);
    // Once, however often the server asks in one frame.
    if (has(Type.PING)) this.step({ type: 'ping-came', dial });
    for (const item of frame.items) {
      if (item[0] === Type.AUTH && typeof item[1] !== 'string') this.tokens.accepted(item[1]);
      if (item[0] === Type.GOAWAY) this.step({ type: 'goaway', dial, afterMs: item[2] });
    }
  }

  /** For the connection that stands, not for the one to which it may be moving. */
  #refreshToken(socket: number): void {
    this.tokens.refresh().then(
      (token = '') => this.#hear(socket, () => this.exchange.control([Type.AUTH, token])),
      (error: HoldfastError) =>
        this.#hear(socket, () =>
          isRetried(error) ? this.dispatcher.report(error) : this.#failed(socket, { error }),
        ),
    );
  }
}
