import {
  Alarm,
  CloseCode,
  type Frame,
  FrameError,
  holdfastError,
  type Item,
  PROTOCOL_VERSION,
  parseFrame,
  type Sending,
  SequenceGapError,
  Type,
  Verdict,
  type Welcome,
  type WireData,
} from '@holdfast/protocol';
import { errorOfBye } from '../core/classify.js';
import {
  type Connection,
  type ConnectionEffect,
  type ConnectionEvent,
  deadlineOf,
  initialConnection,
  sameState,
  stateOf,
  step,
} from '../core/connection.js';
import type { ClientPorts } from '../ports/ports.js';
import type { ConnectionState, OutboxState } from '../types.js';
import { ClientSession } from './client-session.js';
import { ConnectWaiters } from './connect-waiters.js';
import { Dispatcher } from './dispatcher.js';
import { Exchange, type Remains } from './exchange.js';
import type { Draft } from './make-message.js';
import { Rooms } from './rooms.js';
import type { ClientSettings } from './settings.js';
import { Socket } from './socket.js';

const REQUEST_TIMEOUT_MS = 30_000;

/**
 * The loop that carries out what the pure machines decide: one event at a time, first the new state, then the
 * effects, then the listeners. It owns the socket and the one timer.
 */
export class Runtime {
  readonly #ports: ClientPorts;
  readonly #settings: ClientSettings;
  readonly dispatcher: Dispatcher;
  readonly exchange: Exchange;
  readonly rooms: Rooms;
  #auth: string | undefined;
  #connection: Connection = initialConnection;
  #state: ConnectionState = Object.freeze(stateOf(initialConnection));
  readonly #socket: Socket;
  readonly #session: ClientSession;
  /** Events that came while another one is being worked on, and that one. */
  readonly #mailbox: (() => void)[] = [];
  readonly #waiters = new ConnectWaiters();
  readonly #alarm: Alarm;
  #flushDue = false;
  #toldOutbox: OutboxState | undefined;
  /** Whom to tell when nothing is open any more. */
  #flushed: (() => void)[] = [];
  #stopSignals: (() => void) | undefined;

  constructor(ports: ClientPorts, settings: ClientSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#auth = settings.auth;
    const { clock, random } = ports;
    this.#session = new ClientSession(random);
    this.#socket = new Socket(ports.dialer, settings.url, settings.codec);
    this.#alarm = new Alarm(clock, () => this.#ring());
    const { codec, outbox, schemas, logger } = settings;
    this.dispatcher = new Dispatcher(schemas, logger);
    const defaults = { codec, clock, random, ttlMs: outbox.ttlMs, requestTimeoutMs: REQUEST_TIMEOUT_MS };
    this.exchange = new Exchange(defaults, outbox, {
      wake: () => this.#wake(),
      incoming: (item, seq) => this.#incoming(item, seq),
      undelivered: (message, error) => this.#post(() => this.dispatcher.undelivered(message, error)),
    });
    this.rooms = new Rooms(ports, this.exchange, {
      status: () => this.#connection.status,
      nextTask: (run) => {
        const { dial } = this.#connection;
        clock.setTimer(() => this.#post(() => this.#guard(dial, run)), 0);
      },
      tell: (run) => this.#post(run),
      failed: (error, name) => this.dispatcher.failed(error, name),
      gap: (gap) => this.dispatcher.gap(gap),
      deliver: (room, name, payload, meta) => this.dispatcher.deliver(name, payload, meta, room.listeners),
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  submit(draft: Draft): Sending<unknown> {
    const { status } = this.#connection;
    const sending = this.exchange.submit(draft);
    if (status === 'closed') this.exchange.end();
    return sending;
  }

  connect({ auth, signal }: { auth?: string | undefined; signal?: AbortSignal | undefined }): Sending<void> {
    const waiter = this.#waiters.make(signal);
    this.#post(() => {
      this.#waiters.add(waiter);
      const anew = auth !== undefined && auth !== this.#auth;
      if (auth !== undefined) this.#auth = auth;
      this.#step({ type: 'connect', anew });
      this.#waiters.settle(this.#connection);
    });
    return waiter.sending;
  }

  disconnect(): void {
    this.#post(() => this.#step({ type: 'disconnect' }));
  }

  /** Ends everything. What is still open is settled; nothing is told to listeners of messages any more. */
  close(reason: string): void {
    this.dispatcher.mute();
    this.#post(() => {
      this.#step({ type: 'close', reason });
      this.exchange.end();
      this.rooms.end();
      this.#waiters.settle(this.#connection);
    });
  }

  /** Resolves when nothing is open any more, or after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#ports.clock.setTimer(resolve, timeoutMs);
      this.#flushed.push(() => {
        cancel();
        resolve();
      });
      this.#wake();
    });
  }

  // ── One event at a time ────────────────────────────────────────────────────────────────────────────────────

  /** Runs `event`, after those that are being worked on or waiting already. */
  #post(event: () => void): void {
    this.#mailbox.push(event);
    if (this.#mailbox.length > 1) return;
    for (let next = this.#mailbox[0]; next; next = this.#mailbox[0]) {
      try {
        next();
        this.#tellState();
      } catch (fault) {
        // A socket that throws, or a fault of ours: told, and no reason for everything else to stop.
        this.dispatcher.failed(fault, 'the client itself');
      }
      this.#mailbox.shift();
    }
    this.#arm();
  }

  #step(event: ConnectionEvent): void {
    const around = {
      now: this.#ports.clock.now(),
      fraction: this.#ports.random.fraction(),
      awaitingSince: this.exchange.awaitingSince,
    };
    const { connection, effects } = step(this.#connection, event, around, this.#settings);
    this.#connection = connection;
    this.#listenToSignals();
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: ConnectionEffect): void {
    switch (effect.do) {
      case 'dial':
        return this.#dial(effect.dial);
      case 'hello':
        return this.#hello();
      case 'ping':
        return this.exchange.control([Type.PING]);
      case 'pong':
        return this.exchange.control([Type.PONG]);
      case 'bye':
        return this.#socket.send(this.exchange.farewell([Type.BYE, 'closed', ''], this.#ports.clock.now()));
      case 'hang-up':
        return this.#hangUp(effect.code, effect.reason);
    }
  }

  /** Tells the application what changed, after all is done: a listener sees the machine at rest. */
  #tellState(): void {
    const previous = this.#state;
    const state = Object.freeze(stateOf(this.#connection));
    if (!sameState(previous, state)) {
      this.#state = state;
      // Before the listeners: one that calls connect() begins something new.
      this.#waiters.settle(this.#connection);
      this.dispatcher.state(state, previous);
    }
    const { outbox } = this.exchange;
    if (outbox !== this.#toldOutbox) {
      this.#toldOutbox = outbox;
      this.dispatcher.outbox(outbox);
    }
    if (this.#connection.status !== 'closed' && this.exchange.busy) return;
    for (const tell of this.#flushed.splice(0)) tell();
  }

  // ── The timer ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The nearest deadline of all. */
  #arm(): void {
    const { status } = this.#connection;
    const connectionAt = deadlineOf(this.#connection, this.exchange.awaitingSince) ?? Infinity;
    const exchangeAt = this.exchange.deadlineAt(status === 'connected');
    this.#alarm.set(status === 'closed' ? Infinity : Math.min(connectionAt, exchangeAt));
  }

  #ring(): void {
    this.#post(() => {
      this.#step({ type: 'tick' });
      this.exchange.tick(this.#ports.clock.now());
    });
  }

  // ── The socket ─────────────────────────────────────────────────────────────────────────────────────────────

  #dial(dial: number): void {
    const post = (event: () => void): void =>
      this.#post(() => {
        // What an older socket has to say changes nothing.
        if (this.#connection.dial === dial) event();
      });
    this.#socket.dial({
      opened: () => post(() => this.#step({ type: 'opened', dial })),
      received: (data) => post(() => this.#received(dial, data)),
      failed: (error) => post(() => this.#step({ type: 'failed', dial, error })),
    });
  }

  #hangUp(code: number, reason: string): void {
    this.exchange.detach();
    this.rooms.detached();
    this.#socket.hangUp(code, reason);
  }

  #hello(): void {
    const hello = this.#session.hello(this.#connection.dial, this.#auth, this.exchange.position);
    this.#socket.sendAlone([Type.HELLO, hello]);
  }

  /** Schedules a write at the end of this task: what one task sends shares frames. */
  #wake(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#ports.clock.defer(() => {
      this.#flushDue = false;
      this.#post(() => this.#write());
    });
  }

  #write(): void {
    if (this.#connection.status === 'connected')
      this.#socket.send(this.exchange.frames(this.#ports.clock.now()));
  }

  #received(dial: number, data: WireData): void {
    this.#guard(dial, () => {
      const frame = parseFrame(this.#settings.codec.decode(data));
      if (this.#connection.status === 'handshaking') this.#shakeHands(dial, frame);
      else if (this.#connection.status === 'connected') this.#take(dial, frame, data.length);
    });
  }

  /** Whatever the server sends that cannot be read ends this connection, and nothing else. */
  #guard(dial: number, read: () => void): void {
    try {
      read();
    } catch (cause) {
      const code = cause instanceof SequenceGapError ? CloseCode.GAP : CloseCode.BAD_FRAME;
      const why = cause instanceof Error ? cause.message : String(cause);
      const error = holdfastError('ERR_PROTOCOL', `the server broke the protocol: ${why}`, { cause });
      this.#step({ type: 'failed', dial, error, code });
    }
  }

  #take(dial: number, frame: Frame, bytes: number): void {
    const has = (type: number): boolean => frame.items.some((item) => item[0] === type);
    this.#step({ type: 'heard', dial });
    if (has(Type.PONG)) this.#step({ type: 'pong-came', dial });
    this.exchange.receive(frame, bytes);
    if (has(Type.PING)) this.#step({ type: 'ping-came', dial });
    this.#farewell(dial, frame);
  }

  /** True if the server said goodbye. */
  #farewell(dial: number, { items }: Frame): boolean {
    const bye = items.find((item) => item[0] === Type.BYE);
    if (bye) this.#step({ type: 'failed', dial, error: errorOfBye(bye[1], bye[2]) });
    return bye !== undefined;
  }

  #shakeHands(dial: number, frame: Frame): void {
    if (this.#farewell(dial, frame)) return;
    const [item, ...more] = frame.items;
    if (item?.[0] !== Type.WELCOME || more.length > 0) {
      throw new FrameError('the first frame must hold a WELCOME, alone, or a BYE');
    }
    const welcome = item[1];
    if (welcome.v !== PROTOCOL_VERSION) {
      const text = `the server speaks version ${welcome.v} of the protocol, this client version ${PROTOCOL_VERSION}`;
      return this.#step({ type: 'failed', dial, error: holdfastError('ERR_PROTOCOL_VERSION', text) });
    }
    const { id: asked } = this.#session;
    if (welcome.q === Verdict.RESUMED && welcome.s === asked) return this.#resume(dial, welcome);
    if (asked === undefined && welcome.q !== Verdict.NEW) {
      throw new FrameError('a verdict on a session that nobody asked for');
    }
    if (asked !== undefined) this.#lose(asked, welcome);
    if (welcome.q === Verdict.LOST) this.#hello();
    else this.#begin(dial, welcome);
  }

  /** Told before anything of the new session is sent or delivered. */
  #lose(sessionId: string, remains: Remains): void {
    this.#session.lost();
    const lost = this.exchange.lose(sessionId, remains);
    this.rooms.detached(sessionId);
    this.dispatcher.sessionLost(lost);
  }

  #begin(dial: number, welcome: Welcome): void {
    const replaced = this.#session.stands(welcome, this.#auth);
    if (replaced !== undefined) this.exchange.disown(replaced);
    this.#stand(dial, welcome, false);
    this.rooms.begin();
    this.#wake();
  }

  /** The session goes on: where we stand in the rooms, what the server lacks, and then everything else. */
  #resume(dial: number, welcome: Welcome): void {
    let missing: WireData[];
    try {
      missing = this.exchange.resume(welcome.x ?? 0, this.#ports.clock.now());
    } catch (error) {
      // The server has lost what it had acknowledged, whatever it says.
      this.#lose(welcome.s, {});
      throw error;
    }
    this.#session.stands(welcome, this.#auth);
    this.#socket.sendAlone([Type.SYNC, this.rooms.positions]);
    this.#socket.send(missing);
    this.#stand(dial, welcome, true);
    this.#wake();
  }

  #stand(dial: number, welcome: Welcome, recovered: boolean): void {
    const { s: sessionId, u: userId, h: heartbeatMs } = welcome;
    this.exchange.begin(welcome);
    this.#step({ type: 'welcomed', dial, welcome: { sessionId, userId, heartbeatMs, recovered } });
  }

  #incoming(item: Item, seq: number): void {
    if (item[0] === Type.EVT) {
      const [, name, payload, { i = '', t = 0, f, u } = {}] = item;
      this.dispatcher.deliver(name, u ? undefined : payload, { id: i, at: t, seq, from: f });
    } else if (item[0] === Type.GAP && item[4] === undefined) {
      this.dispatcher.gap({ messages: item[2] - item[1] + 1, reason: item[3] });
    } else {
      this.rooms.take(item);
    }
  }

  // ── The page ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Listeners on the page stand only while somebody wants to be up. */
  #listenToSignals(): void {
    const { status } = this.#connection;
    const wanted =
      status === 'dialing' || status === 'handshaking' || status === 'connected' || status === 'waiting';
    if (wanted && !this.#stopSignals) {
      this.#stopSignals = this.#ports.signals.listen(() => this.#post(() => this.#step({ type: 'hurry' })));
    } else if (!wanted) {
      this.#stopSignals?.();
      this.#stopSignals = undefined;
    }
  }
}
