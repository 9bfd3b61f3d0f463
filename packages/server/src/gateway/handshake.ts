import {
  CloseCode,
  type Codec,
  FrameError,
  type Hello,
  type Item,
  isPromiseLike,
  MAX_HELLO_BYTES,
  MAX_OPEN_REQUESTS,
  PROTOCOL_VERSION,
  parseFrame,
  SequenceGapError,
  type Transport,
  type TransportEnd,
  type TransportEvents,
  Type,
  Verdict,
  type Welcome,
  type WireData,
} from '@holdfast/protocol';
import { after, rescue } from '../answer.js';
import type { Arrival, Gate, Memberships } from '../arrival.js';
import type { Attachment } from '../attachment.js';
import { WINDOW_BYTES } from '../inflow.js';
import type { ConnectionPlace } from '../limits/connections.js';
import { fullWindow } from '../limits/pace.js';
import type { Identity } from '../ports/ports.js';
import type { Answer, Attached } from '../ports/store.js';
import { sizeOf } from '../size-of.js';
import type { Handshake } from '../types.js';
import { type Entrant, Entry } from './entry.js';
import type { HandshakeSurroundings, Incoming } from './handshake-surroundings.js';
import { mismatchOf } from './hello.js';
import { REVOKED } from './revocations.js';
import { AUTH_TIMEOUT_MS, endedByServer, expiresIn, type Refusal } from './token.js';

const HELLO_TIMEOUT_MS = 5_000;

/** Most requests of a client without an answer; told in WELCOME. */
const MAX_REQUESTS_OF_CLIENTS = 1_000;

const VERDICTS = { [Verdict.NEW]: 'new', [Verdict.RESUMED]: 'resumed', [Verdict.LOST]: 'lost' } as const;

const SUPERSEDED = 'a newer connection has this session';

const nothing = (): void => undefined;

type Stage =
  | { readonly name: 'waiting-for-hello' }
  /** Its turn comes in a moment. */
  | { readonly name: 'queued' }
  /** It has been told that its session is lost, and may begin another; that gives it no more time. */
  | { readonly name: 'told-lost' }
  | { readonly name: 'authenticating' }
  | { readonly name: 'live'; readonly attachment: Attachment }
  | { readonly name: 'over' };

/** Who comes in, with the key that it will show when it comes back. */
interface Coming {
  readonly hello: Hello;
  readonly entrant: Entrant;
  readonly key: string;
}

/**
 * One connection from its first frame on: HELLO, then who is it, then which session, then WELCOME; from there on the
 * attachment takes the frames.
 * Whatever breaks the protocol ends this connection, and nothing else.
 */
export class ConnectionHandshake implements Gate, Pick<TransportEvents, 'message' | 'close' | 'drain'> {
  readonly #around: HandshakeSurroundings;
  readonly #transport: Transport;
  readonly #codec: Codec;
  readonly #address: string;
  readonly #entry: Entry;
  readonly #place: ConnectionPlace;
  #stage: Stage = { name: 'waiting-for-hello' };
  #cancelTimer: () => void;
  readonly #since: number;
  /** When the newest HELLO came. */
  #helloAt = 0;

  constructor(around: HandshakeSurroundings, incoming: Incoming) {
    this.#around = around;
    this.#transport = incoming.transport;
    this.#codec = incoming.codec;
    this.#address = incoming.handshake.address;
    this.#entry = new Entry(around, incoming);
    this.#place = around.connections.place(this.#address);
    this.#since = around.ports.clock.now();
    this.#cancelTimer = this.#deadline(HELLO_TIMEOUT_MS, 'HELLO');
  }

  message(data: WireData): void {
    try {
      if (this.#mayHello && sizeOf(data) > MAX_HELLO_BYTES) {
        throw new FrameError(`a HELLO may have ${MAX_HELLO_BYTES} bytes, not ${sizeOf(data)}`);
      }
      const frame = parseFrame(this.#codec.decode(data));
      if (this.#stage.name === 'live') this.#stage.attachment.receive(frame, sizeOf(data));
      else this.#first(frame.items);
    } catch (error) {
      this.broken(error);
    }
  }

  close(end: TransportEnd): void {
    const stage = this.#leave();
    if (stage.name === 'live') stage.attachment.closed(end);
  }

  drain(): void {
    if (this.#stage.name === 'live') this.#stage.attachment.drained();
  }

  /** Sends it away if there are too many from its address. */
  knock(): void {
    if (this.#stage.name === 'over') return;
    const waitMs = this.#place.knock(this.#around.ports.clock.now());
    if (waitMs !== undefined) this.#tooMany('address-connections', waitMs);
  }

  #tooMany(limit: 'address-connections' | 'user-connections', waitMs: number): void {
    this.#around.observe.limited({ limit });
    this.#hangUpOn(CloseCode.RATE_LIMITED, `ra=${waitMs}`);
  }

  /** Ends the connection, if it has no session yet. */
  hangUp(code: number, reason: string): void {
    if (this.#stage.name !== 'live') this.#hangUpOn(code, reason);
  }

  get #mayHello(): boolean {
    return this.#stage.name === 'waiting-for-hello' || this.#stage.name === 'told-lost';
  }

  #deadline(ms: number, what: string): () => void {
    const late = (): void => this.#refuse('ERR_TIMEOUT', `no ${what} within ${ms} ms`, CloseCode.TIMEOUT);
    return this.#around.ports.clock.setTimer(late, ms);
  }

  /** Lets go of its callback, too, which would be kept as long as the connection. */
  #stopTimer(): void {
    this.#cancelTimer();
    this.#cancelTimer = nothing;
  }

  #leave(next: Stage = { name: 'over' }): Stage {
    const stage = this.#stage;
    this.#stage = next;
    if (next.name === 'live' || next.name === 'over') this.#stopTimer();
    if (next.name === 'over') {
      this.#place.leave();
      this.#around.gone(this);
    }
    return stage;
  }

  #first([item, ...more]: readonly Item[]): void {
    if (this.#stage.name === 'over') return;
    // Gone before it was let in.
    if (item?.[0] === Type.BYE) return this.#hangUpOn(CloseCode.NORMAL, '');
    if (!this.#mayHello || item?.[0] !== Type.HELLO || more.length > 0) {
      throw new FrameError('a connection begins with a HELLO, alone, and nothing more before the WELCOME');
    }
    const hello = item[1];
    this.#helloAt = this.#around.ports.clock.now();
    const mismatch = mismatchOf(hello, this.#around.scopes.root.schemas?.versions);
    if (mismatch) return this.refused(mismatch);
    this.#admit(hello);
  }

  /**
   * Lets it in, now or in a moment, or says when to come again. Here, not at the upgrade: who knocks is known, so that
   * a client that was told when to come is let in then; and a browser hears of the time.
   */
  #admit(hello: Hello): void {
    // On the same connection it has been let in before.
    if (this.#stage.name === 'told-lost') return this.#authenticate(hello);
    const { admission, ports } = this.#around;
    const answer = admission.ask(ports.clock.now(), hello.s ?? hello.c);
    if (answer.admit === 'now') return this.#authenticate(hello);
    if (answer.admit === 'no') {
      this.#around.observe.limited({ limit: 'handshakes' });
      return this.#hangUpOn(CloseCode.TRY_AGAIN_LATER, `ra=${answer.retryAfterMs}`);
    }
    this.#cancelTimer();
    this.#leave({ name: 'queued' });
    const enter = (): void => {
      try {
        this.#authenticate(hello);
      } catch (error) {
        this.broken(error);
      }
    };
    this.#cancelTimer = ports.clock.setTimer(enter, answer.inMs);
  }

  #authenticate(hello: Hello): void {
    const isTimed = this.#stage.name === 'told-lost';
    if (!isTimed) this.#stopTimer();
    this.#leave({ name: 'authenticating' });
    const enter = (answer: Entrant | Refusal): void => {
      if ('closeCode' in answer) this.refused(answer);
      else this.#enter(hello, answer);
    };
    const answer = this.#entry.ask(hello);
    if (!isPromiseLike(answer)) enter(answer);
    else answer.then(enter).then(undefined, (error: unknown) => this.broken(error));
    // Mostly it has been let in by now.
    const { name } = this.#stage as Stage;
    if (isTimed || name === 'live' || name === 'over') return;
    this.#cancelTimer = this.#deadline(AUTH_TIMEOUT_MS, 'word on who may enter');
  }

  /** Asks the store which session it is. */
  #enter(hello: Hello, entrant: Entrant): void {
    if (this.#stage.name !== 'authenticating') return;
    const { ports, store, node, outbox } = this.#around;
    const { id, user } = entrant;
    const waitMs = this.#place.enter(user.id, id);
    if (waitMs !== undefined) return this.#tooMany('user-connections', waitMs);
    const key = `${ports.random.id()}${ports.random.id()}`;
    const attached = store.attach({
      sid: id,
      fresh: hello.s === undefined,
      user,
      n: hello.n,
      key: hello.k === undefined ? undefined : ports.digest(hello.k),
      newKey: ports.digest(key),
      epoch: hello.e,
      received: hello.x ?? 0,
      acked: hello.y ?? 0,
      maxRequests: hello.q ?? MAX_OPEN_REQUESTS,
      outbox,
      codec: this.#codec.name,
      node,
    });
    const coming = { hello, entrant, key };
    const reached = isPromiseLike(attached) ? attached.then(undefined, () => this.#unreachable()) : attached;
    rescue(
      () => after(reached, (answer) => answer && this.#attached(coming, answer)),
      (error) => this.broken(error),
    );
  }

  /**
   * An attach is never repeated, since nobody knows whether it worked: the client dials again. That the store fails has been
   * told, once for all.
   */
  #unreachable(): void {
    this.#hangUpOn(CloseCode.TRY_AGAIN_LATER, 'the store cannot be reached');
  }

  #attached(coming: Coming, attached: Attached): Answer<void> {
    if (attached.status === 'stale') return this.#hangUpOn(CloseCode.RESTART, SUPERSEDED);
    if (attached.status === 'lost') return this.#lost(coming.hello, attached);
    const { id, user } = coming.entrant;
    const handshake = this.#entry.handshake(attached.status === 'resumed');
    const session = { id, user, address: this.#address };
    const readmitted = this.#around.readmit(session, attached.rooms, handshake);
    // Middleware takes its time.
    const isLate = isPromiseLike(readmitted);
    const where = isLate ? readmitted.then((rooms) => this.#stillIn(id, rooms)) : readmitted;
    return after(where, (rooms) => {
      // It comes again, and is told why.
      if (!rooms) return this.#hangUpOn(CloseCode.RESTART, 'the session has ended');
      this.#arrive(coming, handshake, rooms === attached.rooms ? attached : { ...attached, rooms });
    });
  }

  /** In which of these rooms the session still is; undefined: it has ended. */
  #stillIn(sid: string, rooms: Memberships): Answer<Memberships | undefined> {
    const found = this.#around.store.find({ sids: [sid] });
    return after(found, ([one]) => one && new Map([...rooms].filter(([room]) => one.rooms.includes(room))));
  }

  #arrive({ hello, entrant, key }: Coming, handshake: Handshake, attached: Arrival['attached']): void {
    const { id, user, expiresAt, tokenId } = entrant;
    const { gen, epoch, accepted, base } = attached;
    const owner = { sid: id, epoch, gen };
    if (this.#stage.name !== 'authenticating') return void this.#around.store.detach(owner);
    // While the middleware or the store was asked.
    if (this.#around.revocations.includes(entrant)) {
      void this.#around.store.end({ sid: id, why: 'ended' });
      return this.refused(REVOKED);
    }
    const arrival: Arrival = {
      id,
      user,
      tokenId,
      codec: this.#codec,
      handshake,
      transport: this.#transport,
      owner,
      position: attached.status === 'resumed' ? { accepted, acknowledged: base } : undefined,
      window: hello.w,
      expiresAt,
      attached,
      gate: this,
    };
    const isNewest = this.#around.arrive(this, arrival, (attachment) => {
      this.#leave({ name: 'live', attachment });
      const verdict = attached.status === 'new' ? Verdict.NEW : Verdict.RESUMED;
      const exp = expiresIn(expiresAt, this.#around.ports.clock.now());
      const dw = attached.outboxWindowMs;
      this.#welcome({ s: id, q: verdict, u: user.id, k: key, e: epoch, x: accepted, exp, dw });
      attachment.start();
    });
    if (!isNewest) this.#hangUpOn(CloseCode.RESTART, SUPERSEDED);
  }

  /** The client is told what is known of its session, and may say HELLO again, to begin another. */
  #lost({ s }: Hello, { ended, handled, refused }: Extract<Attached, { status: 'lost' }>): void {
    if (this.#stage.name !== 'authenticating') return;
    if (ended !== undefined) return this.refused(endedByServer(ended));
    if (s === undefined) throw new FrameError('this nonce has named a session before');
    this.#leave({ name: 'told-lost' });
    const p = handled && ([handled.low, handled.above] as const);
    this.#welcome({ s, q: Verdict.LOST, u: this.#entry.userId, p, lost: refused });
  }

  #welcome(what: Pick<Welcome, 's' | 'q' | 'u' | 'k' | 'e' | 'x' | 'p' | 'lost' | 'exp' | 'dw'>): void {
    const { heartbeatMs, maxMessageBytes, burst, sessionTtlMs, store, observe, ports } = this.#around;
    const now = ports.clock.now();
    observe.greeted({ sessionId: what.s, verdict: VERDICTS[what.q], ms: now - this.#since });
    this.#send([
      Type.WELCOME,
      {
        v: PROTOCOL_VERSION,
        ...what,
        t: Math.floor(now),
        took: Math.floor(now - this.#helloAt),
        h: heartbeatMs,
        w: [fullWindow(burst), WINDOW_BYTES],
        m: maxMessageBytes,
        o: MAX_REQUESTS_OF_CLIENTS,
        ttl: sessionTtlMs,
        d: store.durability,
        r: this.#around.spreadMs(),
        cv: this.#around.scopes.root.schemas?.versions,
      },
    ]);
  }

  #hangUpOn(code: number, reason: string): void {
    if (this.#leave().name !== 'over') this.#transport.close(code, reason);
  }

  /** Something came that is no frame, or not one that may come here. */
  broken(error: unknown): void {
    if (!(error instanceof FrameError)) this.#around.failed(error, 'frame');
    const text = error instanceof FrameError ? error.message : 'this frame could not be handled';
    // Something was lost on the way, which is nobody's fault: the client comes back, and tells it from a fault by the word.
    if (error instanceof SequenceGapError) return this.#refuse('ERR_GAP', text, CloseCode.GAP);
    this.#refuse('ERR_PROTOCOL', text, CloseCode.BAD_FRAME);
  }

  get identify(): ((token: string) => Answer<Identity>) | undefined {
    return this.#entry.identify;
  }

  refused({ code, text, closeCode, version }: Refusal & { readonly version?: number | undefined }): void {
    this.#refuse(code, text, closeCode, version);
  }

  /** Says why in band, since a close code may be changed or hidden on its way, and hangs up. */
  #refuse(code: string, text: string, closeCode: number, version?: number): void {
    const stage = this.#leave();
    if (stage.name === 'over') return;
    this.#around.observe.refused({ code, address: this.#address });
    const said = text.slice(0, 128);
    this.#send(version === undefined ? [Type.BYE, code, said] : [Type.BYE, code, said, version]);
    if (stage.name === 'live') stage.attachment.drop(closeCode, code);
    else this.#transport.close(closeCode, code);
  }

  #send(item: Item): void {
    this.#transport.send(this.#codec.frame(0, 0, [this.#codec.encode(item)]));
  }
}
