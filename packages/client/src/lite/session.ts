import {
  CloseCode,
  type Codec,
  FIRST_EXTENSION,
  type Frame,
  FrameError,
  type HoldfastError,
  holdfastError,
  type Item,
  json,
  type Logger,
  messageOf,
  PROTOCOL_VERSION,
  SequenceGapError,
  Type,
  Verdict,
  type Welcome,
  type WireData,
  type WireMeta,
} from '@holdfast/protocol';
import { errorOfBye } from '../core/classify.js';
import type { ClientPorts } from '../ports/ports.js';
import { eventMeta } from '../runtime/event-meta.js';
import { WINDOW } from '../runtime/limits.js';
import { Answering } from './answering.js';
import { atLeast } from './checks.js';
import { Connection } from './connection.js';
import { Ears } from './ears.js';
import { Messages } from './messages.js';
import { type Room, Rooms } from './rooms.js';
import type { LiteOptions } from './types.js';

/** One session after the other: the handshake, what comes in, and what the application is told. PROTOCOL.md, section 4. */
export class Session {
  readonly ports: ClientPorts;
  readonly codec: Codec;
  readonly connection: Connection;
  readonly messages: Messages;
  readonly rooms: Rooms;
  readonly answering = new Answering(this);
  /** Of the application, by event. */
  readonly events = new Ears(this);
  /** `state`, `session-lost`, `gap`, `undelivered`, `error`. */
  readonly lifecycle = new Ears(this);
  /** What the server knows the session by that stands. */
  #proof: { readonly s: string; readonly k: string | undefined; readonly e: string | undefined } | undefined;
  readonly #logger: Pick<Logger, 'warn' | 'error'>;
  /** Names the session to be made; drawn anew when one has begun or was lost. */
  #nonce: string | undefined;
  /** Whose the last session was, by which token. */
  #owner: { readonly userId: string; readonly token: string | undefined } | undefined;

  constructor(ports: ClientPorts, { codec = json(), logger, outbox, ...options }: LiteOptions) {
    this.ports = ports;
    this.#logger = logger ?? ports.logger;
    if (codec.payloads) throw new TypeError('codec: the small client takes none of payloadCodec()');
    this.codec = codec;
    this.messages = new Messages(this, atLeast(1, outbox?.maxMessages ?? 1_000, 'maxMessages'));
    this.rooms = new Rooms(this);
    this.connection = new Connection(this, options);
  }

  get isUp(): boolean {
    return this.connection.state.status === 'connected';
  }

  // ── What the application is told ───────────────────────────────────────────────────────────────────────────

  tell(name: string, ...values: unknown[]): boolean {
    return this.lifecycle.emit(name, ...values);
  }

  hear(name: string, data: unknown, meta: WireMeta | undefined, seq: number, room?: Room): void {
    if (this.connection.state.status === 'closed') return;
    const payload = meta?.u ? undefined : data;
    const told = Object.freeze(eventMeta(meta, seq, room?.name));
    const isHeard = room?.ears.emit(name, payload, told);
    if (this.events.emit(name, payload, told) || isHeard) return;
    this.report(holdfastError('ERR_NO_LISTENER', `nobody listens to '${name}'`));
  }

  gap(messages: number, reason: string, room?: string): void {
    const gap = { messages, reason, room };
    if (!this.tell('gap', gap)) this.#log('warn', 'messages are missing', gap);
  }

  /** A listener of the application threw. */
  failed(cause: unknown, name: string): void {
    const text = `a listener of '${name}' failed: ${messageOf(cause)}`;
    this.report(holdfastError('ERR_LISTENER_FAILED', text, { cause }), name);
  }

  report(error: HoldfastError, of?: string): void {
    if (of === 'error' || !this.tell('error', error)) this.#log('error', error.message, error);
  }

  /** One that throws stops nothing, and there is nobody left to tell. */
  #log(level: 'warn' | 'error', text: string, what: unknown): void {
    try {
      this.#logger[level](`Holdfast: ${text}`, what);
    } catch {}
  }

  // ── The handshake ──────────────────────────────────────────────────────────────────────────────────────────

  hello(): void {
    const { dial: n, token: a } = this.connection;
    this.#nonce ??= this.ports.random.id();
    const position = this.#proof && { ...this.#proof, ...this.messages.position };
    this.messages.sendAlone([
      Type.HELLO,
      { v: PROTOCOL_VERSION, c: this.#nonce, n, w: WINDOW, a, ...position },
    ]);
  }

  /** Takes the answer to a HELLO. Throws a `FrameError` if it is none. */
  #welcome([item, ...more]: readonly Item[]): void {
    if (item?.[0] !== Type.WELCOME || more.length > 0) throw new FrameError('no WELCOME, alone');
    const welcome = item[1];
    const { v, q, s, k, e, u: userId } = welcome;
    const { token } = this.connection;
    if (v !== PROTOCOL_VERSION) {
      const text = `the server has version ${v} of the protocol, this client ${PROTOCOL_VERSION}`;
      return this.connection.lose(holdfastError('ERR_PROTOCOL_VERSION', text));
    }
    const recovered = q === Verdict.RESUMED && s === this.#proof?.s;
    if (!this.#proof && q !== Verdict.NEW) throw new FrameError('a verdict nobody asked for');
    const missing = recovered ? this.#missing(welcome) : [];
    if (!recovered) this.lose(welcome);
    if (q === Verdict.LOST) return this.hello();
    this.#proof = { s, k, e };
    this.#nonce = undefined;
    const owner = this.#owner;
    // A guest has another id in each session; but who logs in as somebody else must not speak for who was here before.
    if (owner && owner.token !== token && owner.userId !== userId) {
      this.messages.end('its user has been replaced by another');
    }
    this.#owner = { userId, token };
    if (recovered) {
      // Where we stand in the rooms, what the server lacks, and then everything else.
      this.messages.sendAlone([Type.SYNC, this.rooms.positions]);
      for (const frame of missing) this.connection.send(frame);
    } else this.rooms.begin();
    this.messages.begin(welcome);
    this.connection.welcomed(welcome, recovered);
  }

  #missing(welcome: Welcome): readonly WireData[] {
    try {
      return this.messages.missing(welcome);
    } catch (error) {
      // The server has lost what it had acknowledged, whatever it says.
      this.lose({});
      throw error;
    }
  }

  /** Told before anything of a new session is sent or delivered. */
  lose(remains: Partial<Welcome>): void {
    if (!this.#proof) return;
    const { s } = this.#proof;
    this.#proof = undefined;
    this.#nonce = undefined;
    const lost = this.messages.lose(s, remains);
    this.answering.abandon();
    this.rooms.detached(s);
    this.tell('session-lost', lost);
  }

  /** Ends the session, for good. */
  close(reason: string): void {
    this.answering.abandon();
    this.messages.farewell();
    this.connection.stop({ status: 'closed', reason });
    this.messages.end('the client was closed');
    this.rooms.end();
    // For what has ended no timer keeps the process.
    this.connection.arm();
  }

  detached(): void {
    this.messages.detach();
    this.rooms.detached();
  }

  // ── Frames ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whatever the server sends that cannot be read ends this connection, and nothing else. */
  received(data: WireData): void {
    const { connection, messages } = this;
    try {
      const frame = frameOf(this.codec.decode(data));
      const { items } = frame;
      const has = (wanted: number): boolean => items.some(([type]) => type === wanted);
      const bye = items.find((item) => item[0] === Type.BYE);
      if (this.isUp) {
        connection.heard(has(Type.PONG));
        if (has(Type.PING)) messages.control([Type.PONG]);
        messages.receive(frame, data.length);
      } else if (!bye) return this.#welcome(items);
      if (!bye) return;
      const isOver = bye[1] === 'ERR_SESSION_LOST' || bye[1] === 'ERR_SESSION_ENDED';
      connection.lose(errorOfBye(bye), undefined, isOver ? CloseCode.SESSION_LOST : CloseCode.BAD_FRAME);
    } catch (cause) {
      const code = cause instanceof SequenceGapError ? CloseCode.GAP : CloseCode.BAD_FRAME;
      const text = `the server broke the protocol: ${messageOf(cause)}`;
      connection.lose(holdfastError('ERR_PROTOCOL', text, { cause }), code);
    }
  }

  incoming(item: Item, seq: number): void {
    if (item[0] === Type.EVT || (item[0] === Type.VOL && !item[3]?.r))
      this.hear(item[1], item[2], item[3], seq);
    else if (item[0] === Type.GAP && seq > 0) {
      // A request whose asker has given it up is missed by nobody.
      if (item[3] !== 'abandoned') this.gap(item[2] - item[1] + 1, item[3]);
    } else if (item[0] === Type.AUTH) this.connection.accepted(item[1] as number | undefined);
    else if (item[0] === Type.REQ) {
      this.answering.checkRoom();
      void this.answering.asked(item, seq);
    } else if (item[0] === Type.CANCEL) this.answering.cancelled(item[1]);
    else if (item[0] === Type.HELLO || item[0] === Type.STREAM_CREDIT)
      throw new FrameError('not for a client');
    else this.rooms.take(item);
  }
}

/** Checks what a codec has decoded, as far as this client depends on it. Throws a `FrameError`. */
function frameOf(value: unknown): Frame {
  const [ack, firstSeq, ...items] = Array.isArray(value) ? value : [];
  const isItem = (item: unknown): boolean =>
    Array.isArray(item) && (item[0] <= Type.ACK_NOW || item[0] >= FIRST_EXTENSION);
  if (!(ack >= 0 && firstSeq >= 0 && items.every(isItem))) throw new FrameError('no frame');
  return { ack, firstSeq, items: items as Item[] };
}
