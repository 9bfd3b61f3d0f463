import {
  CloseCode,
  type Codec,
  FrameError,
  type Hello,
  type Item,
  isPromiseLike,
  isRejectError,
  MAX_HELLO_BYTES,
  PROTOCOL_VERSION,
  parseFrame,
  SequenceGapError,
  sizeOf,
  type Transport,
  type TransportEvents,
  Type,
  Verdict,
  type WireData,
} from '@holdfast/protocol';
import type { ServerPorts } from '../ports/ports.js';
import { type Session, WINDOW_BYTES, WINDOW_MESSAGES } from '../session.js';
import type { Authenticate, Handshake, User } from '../types.js';

const HELLO_TIMEOUT_MS = 5_000;
/** From the HELLO to the WELCOME: `auth` has to make up its mind. */
const AUTH_TIMEOUT_MS = 10_000;

/** What a handshake needs of its server. */
export interface HandshakeSurroundings {
  readonly ports: ServerPorts;
  readonly auth: Authenticate<User> | undefined;
  readonly heartbeatMs: number;
  readonly maxMessageBytes: number;
  /** Makes the session of this user (undefined: a guest), bound to the connection. */
  begin(user: User | undefined, broken: (error: unknown) => void): Session;
  /** The session is welcome: the application may speak with it. */
  ready(session: Session): void;
  /** The connection ended before there was a session. */
  gone(): void;
  failed(error: unknown, name: string): void;
}

type Stage =
  | { readonly name: 'waiting-for-hello' }
  | { readonly name: 'authenticating' }
  | { readonly name: 'live'; readonly session: Session }
  | { readonly name: 'over' };

/**
 * One connection from its first frame on: HELLO, then who is it, then WELCOME, then the session takes the frames.
 * Whatever breaks the protocol ends this connection, and nothing else.
 */
export class ConnectionHandshake implements Pick<TransportEvents, 'message' | 'close'> {
  readonly #around: HandshakeSurroundings;
  readonly #transport: Transport;
  readonly #codec: Codec;
  readonly #handshake: Handshake;
  #stage: Stage = { name: 'waiting-for-hello' };
  #cancelTimer: () => void;

  constructor(around: HandshakeSurroundings, transport: Transport, codec: Codec, handshake: Handshake) {
    this.#around = around;
    this.#transport = transport;
    this.#codec = codec;
    this.#handshake = handshake;
    this.#cancelTimer = this.#deadline(HELLO_TIMEOUT_MS, 'HELLO');
  }

  message(data: WireData): void {
    try {
      if (this.#stage.name === 'waiting-for-hello' && sizeOf(data) > MAX_HELLO_BYTES) {
        throw new FrameError(`a HELLO may have ${MAX_HELLO_BYTES} bytes, not ${sizeOf(data)}`);
      }
      const frame = parseFrame(this.#codec.decode(data));
      if (this.#stage.name === 'live') this.#stage.session.receive(frame, sizeOf(data));
      else this.#first(frame.items);
    } catch (error) {
      this.#broken(error);
    }
  }

  close(): void {
    const stage = this.#leave();
    if (stage.name === 'live') stage.session.end('lost');
  }

  /** Ends the connection, if it has no session yet. */
  hangUp(code: number, reason: string): void {
    const stage = this.#leave();
    if (stage.name !== 'live' && stage.name !== 'over') this.#transport.close(code, reason);
  }

  #deadline(ms: number, what: string): () => void {
    const late = (): void => this.#refuse('ERR_PROTOCOL', `no ${what} within ${ms} ms`, CloseCode.TIMEOUT);
    return this.#around.ports.clock.setTimer(late, ms);
  }

  #leave(next: Stage = { name: 'over' }): Stage {
    const stage = this.#stage;
    this.#stage = next;
    if (next.name === 'live' || next.name === 'over') this.#cancelTimer();
    if (next.name === 'over') this.#around.gone();
    return stage;
  }

  #first([item, ...more]: readonly Item[]): void {
    if (this.#stage.name === 'over') return;
    if (this.#stage.name !== 'waiting-for-hello' || item?.[0] !== Type.HELLO || more.length > 0) {
      throw new FrameError('a connection begins with a HELLO, alone, and nothing more before the WELCOME');
    }
    const hello = item[1];
    if (hello.v !== PROTOCOL_VERSION) {
      const text = `this server speaks version ${PROTOCOL_VERSION} of the protocol, not ${hello.v}`;
      return this.#refuse('ERR_PROTOCOL_VERSION', text, CloseCode.BAD_FRAME);
    }
    if (hello.s !== undefined) return this.#sayLost(hello.s);
    this.#authenticate(hello);
  }

  /** Sessions end with their connections: whoever comes back begins a new one, after it has been told so. */
  #sayLost(sessionId: string): void {
    this.#welcome(sessionId, Verdict.LOST, '');
  }

  #authenticate({ a: token }: Hello): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#deadline(AUTH_TIMEOUT_MS, 'answer of auth');
    const { auth } = this.#around;
    if (!auth) return this.#enter(undefined);
    this.#leave({ name: 'authenticating' });
    const enter = ({ user }: { user: User }): void => {
      if (typeof user?.id !== 'string' || user.id === '' || user.id.length > 256) {
        throw new TypeError('auth must return { user: { id } } with an id of 1 to 256 characters');
      }
      this.#enter(user);
    };
    try {
      const answer = auth(token, this.#handshake);
      if (!isPromiseLike(answer)) return enter(answer);
      answer.then(enter).then(undefined, (error: unknown) => this.#denied(error));
    } catch (error) {
      this.#denied(error);
    }
  }

  #denied(error: unknown): void {
    if (isRejectError(error)) return this.#refuse('ERR_AUTH_REFUSED', error.reason, CloseCode.FORBIDDEN);
    this.#around.failed(error, 'auth');
    this.#refuse('ERR_HANDLER_FAILED', 'see the log of the server', CloseCode.INTERNAL_ERROR);
  }

  #enter(user: User | undefined): void {
    if (this.#stage.name === 'over') return;
    const session = this.#around.begin(user, (error) => this.#broken(error));
    this.#leave({ name: 'live', session });
    this.#welcome(session.id, Verdict.NEW, session.user.id);
    this.#around.ready(session);
  }

  #welcome(sessionId: string, verdict: (typeof Verdict)[keyof typeof Verdict], userId: string): void {
    const { heartbeatMs, maxMessageBytes } = this.#around;
    this.#send([
      Type.WELCOME,
      {
        v: PROTOCOL_VERSION,
        s: sessionId,
        q: verdict,
        u: userId,
        h: heartbeatMs,
        w: [WINDOW_MESSAGES, WINDOW_BYTES],
        m: maxMessageBytes,
      },
    ]);
  }

  /** Something came that is no frame, or not one that may come here. */
  #broken(error: unknown): void {
    if (!(error instanceof FrameError)) this.#around.failed(error, 'frame');
    const text = error instanceof FrameError ? error.message : 'this frame could not be handled';
    const code = error instanceof SequenceGapError ? CloseCode.GAP : CloseCode.BAD_FRAME;
    this.#refuse('ERR_PROTOCOL', text, code);
  }

  /** Says why in band, since a close code may be changed or hidden on its way, and hangs up. */
  #refuse(code: string, text: string, closeCode: number): void {
    const stage = this.#leave();
    if (stage.name === 'over') return;
    this.#send([Type.BYE, code, text.slice(0, 128)]);
    if (stage.name === 'live') stage.session.drop(closeCode, code);
    else this.#transport.close(closeCode, code);
  }

  #send(item: Item): void {
    this.#transport.send(this.#codec.frame(0, 0, [this.#codec.encode(item)]));
  }
}
