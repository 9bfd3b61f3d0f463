import {
  Alarm,
  type AuthError,
  CloseCode,
  type Codec,
  type HoldfastError,
  holdfastError,
  isRejectError,
  messageOf,
  subprotocol,
  type Transport,
  Type,
  type Welcome,
  type WireData,
} from '@holdfast/protocol';
import { delayBefore } from '../core/backoff.js';
import { consequenceOf, errorOfEnd, FAULTS, isRetried, retryAfterOf } from '../core/classify.js';
import type { ClientPorts } from '../ports/ports.js';
import type { ConnectionState, TokenSource } from '../types.js';
import { atLeast } from './checks.js';
import type { Messages } from './messages.js';
import type { LiteOptions } from './types.js';

/** How long a token, a dial and a WELCOME may take, each; and a ping. */
const PHASE_MS = 10_000;
const PONG_MS = 5_000;
/** How long an ack or, after a wake, a pong may take until somebody should ask what keeps it. */
const PATIENCE_MS = 2_000;
/** A connection that lasts so long was no failed attempt. */
const MIN_UPTIME_MS = 5_000;
const SAME_FAULT_MS = 60_000;
/** Several clients of one machine come back at once, but not in one instant. */
const HURRY_MS = 100;
/** How many tokens in a row the server may refuse. */
const MAX_REFUSED = 2;
/** When to ask for a token again after a refresh that failed. */
const REFRESH_RETRY_MS = 5_000;

/** The session, as its connection sees it. */
interface Around {
  readonly ports: ClientPorts;
  readonly codec: Codec;
  readonly isUp: boolean;
  readonly messages: Pick<Messages, 'awaitingSince' | 'deadlineAt' | 'control' | 'tick'>;
  hello(): void;
  received(data: WireData): void;
  detached(): void;
  lose(remains: Partial<Welcome>): void;
  report(error: HoldfastError): void;
  tell(name: string, ...values: unknown[]): boolean;
}

/** A dial: its socket, and whether that stands. */
interface Line {
  transport?: Transport;
  stage: 'preparing' | 'dialing' | 'handshaking';
}

/** A ping without an answer. `ack`: only a pong helps, since what comes down says nothing of the way up. */
interface Ping {
  readonly why: 'silence' | 'ack';
  readonly deadlineAt: number;
  readonly missed: number;
}

/** Brings a connection up and keeps it: tokens, attempts with backoff, deadlines, heartbeats. Holds the socket and the one timer. */
export class Connection {
  state: ConnectionState = { status: 'idle' };
  /** Number of the newest dial; rises, for the server's sake. */
  dial = 0;
  /** By which it was dialled. */
  token: string | undefined;
  readonly #session: Around;
  readonly #url: string;
  readonly #source: TokenSource | undefined;
  readonly #backoff: { readonly baseMs: number; readonly capMs: number };
  readonly #alarm: Alarm;
  #stopListening: (() => void) | undefined;
  /** The one that counts; what an older one has to say changes nothing. */
  #line: Line | undefined;
  /** When an attempt, or the wait for it, ends by itself. */
  #deadlineAt = Infinity;
  #attempt = 1;
  #lastError: HoldfastError | undefined;
  #fault = { code: 0, at: -Infinity };
  #upAt = 0;
  #spreadMs = 0;
  #heartbeatMs = 0;
  #heardAt = 0;
  #pongAt = 0;
  #ping: Ping | undefined;
  /** Undefined: another one is to be fetched. */
  #known: string | undefined;
  #aborter = new AbortController();
  #refused = 0;
  #refreshAt = Infinity;

  constructor(session: Around, { url, auth, reconnect }: LiteOptions) {
    const { clock, baseUrl } = session.ports;
    this.#session = session;
    this.#url = new URL(url, baseUrl).href.replace(/^http/, 'ws').replace(/#.*$/, '');
    this.#source = auth;
    const { baseMs = 500, capMs = 30_000 } = reconnect ?? {};
    this.#backoff = { baseMs: atLeast(1, baseMs, 'baseMs'), capMs: atLeast(1, capMs, 'capMs') };
    this.#alarm = new Alarm(clock, () => this.#ring());
  }

  /** Dials, unless that is under way or was successful. */
  connect(): void {
    this.#refused = 0;
    if (this.#line) return;
    if (this.state.status !== 'reconnecting') {
      this.#attempt = 1;
      this.#lastError = undefined;
    }
    // The network or the page is back: a wait is over, and a connection has to prove itself.
    this.#stopListening ??= this.#session.ports.signals.listen((signal) => {
      if (signal === 'online' || signal === 'visible' || signal === 'awake') this.#hurry();
    });
    this.#prepare();
  }

  /** Down until `connect()`, or for good. */
  stop(state: ConnectionState): void {
    this.#hangUp();
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#show(state, Infinity);
  }

  send(frame: WireData): void {
    this.#line?.transport?.send(frame);
  }

  /** The server has let us in, unless who was told meanwhile of something else has hung up. */
  welcomed({ s: sessionId, u: userId, h, r = 0, exp }: Welcome, recovered: boolean): void {
    if (this.#line?.stage !== 'handshaking') return;
    const now = this.#now;
    // Whatever a server proposes must not become a storm of pings.
    this.#heartbeatMs = Math.max(h, 1_000);
    this.#spreadMs = r;
    this.#upAt = this.#heardAt = this.#pongAt = now;
    this.#ping = undefined;
    this.accepted(exp);
    const since = Math.floor(now);
    this.#show({ status: 'connected', recovered, sessionId, userId, since, health: 'good' }, Infinity);
  }

  /** The server has accepted the token, and says in how many ms it expires. */
  accepted(expiresInMs = Infinity): void {
    this.#refused = 0;
    this.#refreshAt =
      typeof this.#source === 'function' ? this.#now + Math.max(0.8 * expiresInMs, 1_000) : Infinity;
  }

  /** A frame came. */
  heard(isPong: boolean): void {
    this.#heardAt = this.#now;
    if (isPong) this.#pongAt = this.#heardAt;
    if (isPong || this.#ping?.why !== 'ack') this.#ping = undefined;
  }

  /** An attempt or the connection is over: what comes next depends on why. */
  lose(error: HoldfastError, code?: number, endCode = code): void {
    if (!this.#line) return;
    const now = this.#now;
    const { status } = this.state;
    this.#hangUp(code);
    if (endCode === CloseCode.SESSION_LOST) this.#session.lose({});
    // Somebody who was told has stopped it.
    if (this.state.status !== status) return;
    const consequence = consequenceOf(error);
    const isFault = error.code === 'ERR_PROTOCOL' && FAULTS.includes(endCode ?? 0);
    const isRepeated = isFault && this.#fault.code === endCode && now - this.#fault.at < SAME_FAULT_MS;
    if (isFault) this.#fault = { code: endCode ?? 0, at: now };
    if (consequence === 'fail' || isRepeated) return this.stop({ status: 'failed', error });
    if (consequence !== 'retry') {
      this.#known = undefined;
      const canRenew = typeof this.#source === 'function' && this.#refused++ < MAX_REFUSED;
      if (consequence === 'needs-auth' || !canRenew)
        return this.stop({ status: 'needs-auth', error: error as AuthError });
    }
    const isUp = status === 'connected';
    const attempt = isUp && now - this.#upAt >= MIN_UPTIME_MS ? 1 : this.#attempt + 1;
    const wait = { attempt, spreadMs: isUp ? this.#spreadMs : 0, retryAfterMs: retryAfterOf(error) };
    const since = Math.floor(now);
    const retryAt = since + delayBefore(this.#backoff, wait, this.#session.ports.random.fraction());
    this.#attempt = attempt;
    this.#lastError = error;
    const shown = { attempt, since, retryAt, lastError: error };
    this.#show({ status: 'reconnecting', waitingFor: 'timer', ...shown }, retryAt);
  }

  /** Sets the timer for what is due next. */
  arm(): void {
    const isUp = this.#session.isUp;
    const dueAt = isUp ? Math.min(this.#beatAt, this.#refreshAt) : this.#deadlineAt;
    this.#alarm.set(Math.min(dueAt, this.#session.messages.deadlineAt));
  }

  /** For the connection that stands. */
  #refresh(): void {
    const line = this.#line;
    this.#fetchToken('expiring').then(
      (token) => this.#line === line && this.#session.messages.control([Type.AUTH, token]),
      (error: HoldfastError) => {
        if (isRetried(error)) this.#session.report(error);
        else if (this.#line === line) this.lose(error);
      },
    );
  }

  async #fetchToken(reason: 'connect' | 'expiring' | 'rejected'): Promise<string> {
    this.#refreshAt = this.#now + REFRESH_RETRY_MS;
    this.#aborter.abort();
    this.#aborter = new AbortController();
    try {
      const source = this.#source as Exclude<TokenSource, string>;
      const token = await source({ reason, signal: this.#aborter.signal });
      if (typeof token !== 'string') throw new TypeError(`${typeof token} is no token`);
      this.#known = token;
      return token;
    } catch (cause) {
      const text = `auth gave no token: ${messageOf(cause)}`;
      throw isRejectError(cause)
        ? holdfastError('ERR_AUTH_REFUSED', text, { cause, reason: cause.reason })
        : holdfastError('ERR_TOKEN_SOURCE', text, { cause });
    }
  }

  get #now(): number {
    return this.#session.ports.clock.now();
  }

  #prepare(): void {
    const line: Line = { stage: 'preparing' };
    this.#line = line;
    this.dial++;
    if (!this.#enter(line, 'preparing')) return;
    const source = this.#source;
    if (typeof source !== 'function') return this.#open(line, source);
    if (this.#known !== undefined && this.#now < this.#refreshAt) return this.#open(line, this.#known);
    this.#fetchToken(this.#refused > 0 ? 'rejected' : 'connect').then(
      (token) => this.#line === line && this.#open(line, token),
      (error: HoldfastError) => this.#line === line && this.lose(error),
    );
  }

  #open(line: Line, token: string | undefined): void {
    const session = this.#session;
    const protocol = subprotocol(session.codec);
    this.token = token;
    if (!this.#enter(line, 'dialing')) return;
    try {
      line.transport = session.ports.dialer.dial(this.#url, [protocol], {
        open: (chosen) => {
          if (this.#line !== line) return;
          if (chosen === protocol) return this.#enter(line, 'handshaking') && session.hello();
          const text = `the server chose the subprotocol '${chosen}', not '${protocol}'`;
          // None at all may be the doing of something in between: another attempt may do better.
          this.lose(holdfastError(chosen ? 'ERR_PROTOCOL_VERSION' : 'ERR_DIAL_FAILED', text));
        },
        message: (data) => {
          if (this.#line === line) session.received(data);
          this.arm();
        },
        close: (end) => {
          const opened = line.stage === 'handshaking';
          if (this.#line === line) this.lose(errorOfEnd(end, opened), undefined, end.code);
        },
      });
    } catch (cause) {
      const error = holdfastError('ERR_DIAL_FAILED', `could not dial: ${messageOf(cause)}`, { cause });
      this.stop({ status: 'failed', error });
    }
  }

  /** False if who was told of it has ended it. */
  #enter(line: Line, phase: Line['stage']): boolean {
    line.stage = phase;
    const now = this.#now;
    const attempt = this.#attempt;
    const lastError = this.#lastError;
    const since = Math.floor(now);
    this.#show(
      lastError
        ? { status: 'reconnecting', attempt, waitingFor: 'answer', since, lastError }
        : { status: 'connecting', attempt, phase, since },
      now + PHASE_MS,
    );
    return this.#line === line;
  }

  /** Forgotten first, then closed, never waited for: a dead socket may take its time. */
  #hangUp(code: number = CloseCode.NORMAL): void {
    const line = this.#line;
    this.#line = undefined;
    this.#aborter.abort();
    line?.transport?.close(code, '');
    this.#session.detached();
  }

  #show(state: ConnectionState, deadlineAt: number): void {
    const previous = this.state;
    this.state = state;
    this.#deadlineAt = deadlineAt;
    this.arm();
    this.#session.tell('state', state, previous);
  }

  #hurry(): void {
    if (this.#session.isUp) this.#ask('silence', PATIENCE_MS);
    else if ('retryAt' in this.state && this.#lastError?.code !== 'ERR_SERVER_BUSY') {
      const soon = this.#now + this.#session.ports.random.fraction() * HURRY_MS;
      this.#deadlineAt = Math.min(this.#deadlineAt, soon);
    }
    this.arm();
  }

  #ring(): void {
    const now = this.#now;
    this.#session.messages.tick(now);
    if (this.#session.isUp) {
      this.#beat(now);
      if (this.#session.isUp && now >= this.#refreshAt) this.#refresh();
    } else if (now >= this.#deadlineAt) this.#late();
    this.arm();
  }

  #late(): void {
    if (!this.#line) return this.#prepare();
    const within = `within ${PHASE_MS} ms`;
    const { stage } = this.#line;
    if (stage === 'handshaking') {
      this.lose(holdfastError('ERR_WELCOME_TIMEOUT', `no welcome ${within}`), CloseCode.TIMEOUT);
    } else if (stage === 'dialing') this.lose(holdfastError('ERR_DIAL_TIMEOUT', `no connection ${within}`));
    else this.lose(holdfastError('ERR_TOKEN_SOURCE', `auth gave nothing ${within}`));
  }

  get #ackAt(): number {
    return Math.max(this.#session.messages.awaitingSince, this.#pongAt) + PATIENCE_MS;
  }

  /** When the heartbeat needs something. */
  get #beatAt(): number {
    return this.#ping?.deadlineAt ?? Math.min(this.#heardAt + 1.25 * this.#heartbeatMs, this.#ackAt);
  }

  #beat(now: number): void {
    const dueAt = this.#beatAt;
    if (now < dueAt) return;
    // Who wakes from a sleep gets one more chance: the answer may be waiting in the socket.
    const isLate = now > dueAt + PATIENCE_MS;
    const missed = this.#ping ? this.#ping.missed + 1 : 0;
    if (missed <= Number(isLate)) {
      return this.#ask(now >= this.#ackAt ? 'ack' : 'silence', isLate ? PATIENCE_MS : PONG_MS, missed);
    }
    const text = `nothing heard for ${Math.round(now - this.#heardAt)} ms, and no answer to a ping`;
    this.lose(holdfastError('ERR_CONNECTION_LOST', text), CloseCode.TIMEOUT);
  }

  /** A ping that is out already is not given longer by another. */
  #ask(why: Ping['why'], timeoutMs: number, missed = 0): void {
    const { deadlineAt = Infinity, why: before = why } = this.#ping ?? {};
    const endsAt = this.#now + timeoutMs;
    this.#ping = { why: before, missed, deadlineAt: missed > 0 ? endsAt : Math.min(deadlineAt, endsAt) };
    this.#session.messages.control([Type.PING]);
  }
}
