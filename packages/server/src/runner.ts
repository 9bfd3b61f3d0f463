import { Alarm, ByNumber, type Clock, type Codec, type Item, isPromiseLike, Type } from '@holdfast/protocol';
import { Aborter } from './aborter.js';
import { after, type Job, Loop, unawaited } from './answer.js';
import { dropOldest } from './drop-oldest.js';
import type { Answer, ClaimedItem, DoneCall, Life, Reply, SessionStore } from './ports/store.js';

/** How a message ended that was accepted. */
export interface Outcome {
  readonly reply?: Reply | undefined;
  /** The session is in this room now, or out of it. */
  readonly room?: DoneCall['room'];
  /**
   * What follows when all this stands in the store. `gone`: this or another run of the message had said so before, or it
   * no longer counts.
   */
  readonly afterwards?: ((status: 'ok' | 'gone') => void) | undefined;
}

/**
 * What comes after this message must not overtake it at another server, where the session may go on: until then, or until
 * the message is done.
 */
export type Hold = (until: PromiseLike<unknown> | undefined) => void;

/** A message whose handlers run. */
interface Running {
  readonly token: string;
  readonly aborter: Aborter | undefined;
  readonly begun: number;
  stage: 'holding' | 'started';
}

/** What a runner needs of its session. */
export interface RunnerSession {
  readonly id: string;
  /** As the store has told it at its last attach; undefined if there was none here. */
  readonly life: Life | undefined;
  readonly ended: boolean;
  /** Aborted when the session ends. */
  readonly aborter: Aborter;
  /** This message has been handled. */
  finished(seq: number): void;
  /** Its connection: is told what acks may cover. */
  readonly attachment: { started(seq: number): void; refused(seq: number): void } | undefined;
}

export interface RunnerSurroundings<S extends RunnerSession> {
  readonly clock: Clock;
  /** A number for a call to the store, above all before. */
  nextCall(): number;
  readonly store: SessionStore;
  readonly node: string;
  /** Handlers of one session at once. */
  readonly concurrency: number;
  /** Runs the handlers of one message. Never throws: what fails is an outcome. */
  run(session: S, item: ClaimedItem, aborter: Aborter, hold: Hold): Answer<Outcome>;
  report(error: unknown, name: string, session: S): void;
}

/** So many requests may be cancelled before they are run; of more, the oldest are run all the same. */
const MAX_CANCELLED = 1_000;

/** A handler is not started on a claim that is nearly over. */
const FRESH_ENOUGH = 0.8;

/**
 * Runs what a session's client has sent, in the order of its numbers, a few at a time: claims it from the store,
 * keeps the claim as long as the handler runs, and says in one step what came of it.
 */
export class Runner<S extends RunnerSession> implements Job {
  readonly #session: S;
  readonly #around: RunnerSurroundings<S>;
  readonly #running = new ByNumber<Running>();
  /** What was cancelled while nothing ran under its number: it is still to be run, or has been. */
  readonly #cancelled = new Set<number>();
  /** Counts starts and questions, so that it is known which came first. */
  #moment = 0;
  /** When the client was asked what it has not answered. */
  readonly #asked = new Set<number>();
  readonly #loop: Loop;
  readonly #alarm: Alarm;
  /** When claims are to be renewed, and when somebody else's claim may have run out. */
  #renewAt = Infinity;
  #retryAt = Infinity;
  #stage: 'open' | 'left' = 'open';

  constructor(session: S, around: RunnerSurroundings<S>) {
    this.#session = session;
    this.#around = around;
    this.#loop = new Loop(this);
    this.#alarm = new Alarm(around.clock, () => this.#ring());
  }

  /** True while handlers run, or may be about to. */
  get busy(): boolean {
    return this.#running.size > 0 || this.#loop.busy;
  }

  /** Something was accepted. */
  wake(): void {
    this.#loop.run();
  }

  /** Something has been handled, perhaps elsewhere: a claim of somebody else may be over before its time. */
  freed(): void {
    if (this.#retryAt < Infinity) this.#loop.run();
  }

  /**
   * The session's client is being asked, perhaps by a handler that runs. Until the returned function is called, one more may
   * run: the client may be waiting for it before it answers.
   */
  lend(): () => void {
    const asked = ++this.#moment;
    this.#asked.add(asked);
    // Not from within the one that asks.
    this.#around.clock.defer(() => {
      if (!this.#session.ended && this.#lent > 0) this.#loop.run();
    });
    return () => this.#asked.delete(asked);
  }

  /** How many of those that run may be waiting for their client: each for another request, made after it was started. */
  get #lent(): number {
    if (this.#asked.size === 0) return 0;
    const begun = [...this.#running.values()].map(({ begun }) => begun).sort((one, other) => one - other);
    let lent = 0;
    for (const asked of this.#asked) {
      if ((begun[lent] ?? Infinity) < asked) lent++;
    }
    return lent;
  }

  /** Nobody waits for the answer to this request any more. */
  cancel(seq: number, reason: Error): void {
    const running = this.#running.get(seq);
    running?.aborter?.abort(reason);
    if (running) return;
    this.#cancelled.add(seq);
    dropOldest(this.#cancelled, MAX_CANCELLED);
  }

  /** The session is over. */
  cancelAll(reason: Error): void {
    for (const seq of this.#running.keys()) this.cancel(seq, reason);
  }

  /** Its session goes on at another server: nothing more is begun here. */
  leave(): void {
    this.#stage = 'left';
  }

  /** This server goes away. */
  stop(): void {
    this.#renewAt = Infinity;
    this.#retryAt = Infinity;
    this.#alarm.set(Infinity);
  }

  /** Claims what may run, and starts it. */
  round(): Answer<void> {
    const { store, node, concurrency, clock, nextCall } = this.#around;
    const max = concurrency + this.#lent - this.#running.size;
    if (max <= 0 || this.#stage === 'left') return;
    const sentAt = clock.now();
    const running = [...this.#running.keys()];
    const { id: sid, life } = this.#session;
    const call = { sid, life, holder: node, running, max, token: `${node}:${nextCall()}` };
    return after(store.claim(call), ({ items, blocked }) => {
      const late = clock.now() - sentAt > FRESH_ENOUGH * store.leaseMs;
      for (const item of items) {
        if (late || this.#stage === 'left') this.#release(item);
        else this.#start(item);
      }
      if (items.length > 0) this.#loop.run();
      // Where nothing more is begun, nothing is waited for: that would keep a process that is to end.
      this.#retryAt = blocked && this.#stage === 'open' ? clock.now() + store.leaseMs : Infinity;
      this.#arm();
    });
  }

  #start(item: ClaimedItem): void {
    const ended = this.#session.aborter;
    // Only a request can be cancelled. Its signal is not tied to that of its session, which would remember every request
    // there ever was.
    const aborter = item.item[0] === Type.REQ && !ended.aborted ? new Aborter() : undefined;
    const running: Running = { token: item.token, aborter, begun: ++this.#moment, stage: 'started' };
    this.#running.set(item.seq, running);
    // Among the running ones all the same: the next claim names these, so that it does not give them again meanwhile.
    if (this.#cancelled.has(item.seq) && item.item[0] === Type.REQ) return this.#finish(item, {}, true);
    const hold: Hold = (until) => this.#hold(item.seq, running, until);
    const outcome = this.#around.run(this.#session, item, aborter ?? ended, hold);
    if (!isPromiseLike(outcome)) return this.#finish(item, outcome, true);
    // It runs: an ack may cover it, and nobody else may take it.
    this.#session.attachment?.started(item.seq);
    this.#keep(item.seq, running);
    this.#renewAt = Math.min(this.#renewAt, this.#around.clock.now() + this.#around.store.leaseMs / 3);
    this.#arm();
    outcome.then((later) => this.#finish(item, later, false)).catch((error: unknown) => this.failed(error));
  }

  #hold(seq: number, running: Running, until: PromiseLike<unknown> | undefined): void {
    running.stage = 'holding';
    const over = (): void => {
      running.stage = 'started';
      if (this.#running.get(seq) === running) this.#keep(seq, running);
    };
    // What fails is told with the outcome.
    until?.then(over, () => undefined);
  }

  #finish(item: ClaimedItem, outcome: Outcome, atOnce: boolean): void {
    const { reply, room } = outcome;
    const call = { sid: this.#session.id, seq: item.seq, token: item.token, reply, room };
    const done = this.#around.store.done(call);
    if (!isPromiseLike(done)) return this.#finished(item.seq, outcome, atOnce, done.status);
    Promise.resolve(done)
      .then(({ status }) => this.#finished(item.seq, outcome, atOnce, status))
      .catch((error: unknown) => this.failed(error));
  }

  #finished(seq: number, { reply, afterwards }: Outcome, atOnce: boolean, status: 'ok' | 'gone'): void {
    this.#running.delete(seq);
    if (status === 'ok') this.#cancelled.delete(seq);
    this.#session.finished(seq);
    if (this.#running.size === 0 && this.#session.ended) this.stop();
    if (atOnce) {
      if (reply?.refusal) this.#session.attachment?.refused(seq);
      else this.#session.attachment?.started(seq);
    }
    afterwards?.(status);
    this.#loop.run();
  }

  #ring(): void {
    const now = this.#around.clock.now();
    if (now >= this.#renewAt) {
      for (const [seq, running] of this.#running) this.#keep(seq, running);
      this.#renewAt = this.#running.size > 0 ? now + this.#around.store.leaseMs / 3 : Infinity;
    }
    if (now >= this.#retryAt) {
      this.#retryAt = Infinity;
      this.#loop.run();
    }
    this.#arm();
  }

  #arm(): void {
    this.#alarm.set(Math.min(this.#renewAt, this.#retryAt));
  }

  #keep(seq: number, { token, stage }: Running): void {
    const holds = stage === 'holding';
    unawaited(this.#around.store.renew({ sid: this.#session.id, seq, token, holds }), this);
  }

  #release({ seq, token }: ClaimedItem): void {
    unawaited(this.#around.store.release({ sid: this.#session.id, seq, token }), this);
  }

  failed(error: unknown): void {
    this.#around.report(error, 'store', this.#session);
  }
}

/** A reply, encoded for this session. Throws what its codec cannot encode. */
export function replyOf(codec: Codec, item: Item): Reply {
  const data = codec.encode(item);
  return item[0] === Type.ERR ? { data, refusal: item } : { data };
}
