import { type Item, RejectError, type StreamEndItem, Type, type WireData } from '@holdfast/protocol';
import { dropOldest } from './drop-oldest.js';
import type { Answer, Appended, Life } from './ports/store.js';

/** Most open streams of one session. */
const MAX_STREAMS = 100;
/** Of so many that are over it is known that they ran here: more than a client can take for open. */
const MAX_OVER = 256;

/** What streams need of their session. */
export interface StreamsSurroundings {
  encode(item: Item): WireData;
  /** In turn with all that this server appends for the session. */
  append(data: WireData, life: Life | undefined): Answer<Appended>;
  /** Which session it is, if that is known: another one knows nothing of the requests of this one. */
  life(): Life | undefined;
  /** True if the message of this number has been handled, here or elsewhere. */
  isHandled(seq: number): boolean;
  failed(error: unknown): void;
}

/** What a stream is made of. */
export interface StreamSource {
  /** Calls the handler. */
  open(signal: AbortSignal): AsyncIterable<unknown>;
  /** Throws what is no item of this stream. */
  encode(item: unknown): WireData;
  /** How the client is told of what the handler threw; reports what it did not mean to. */
  refusal(error: unknown): WireData;
}

/** The streams that this server yields to one client, by the numbers of the requests that opened them. */
export class Streams {
  readonly #around: StreamsSurroundings;
  readonly #open = new Map<number, ServerStream>();
  /** Those that have run here: their END is on its way, or nobody waits for it. */
  readonly #over = new Set<number>();
  /** For which there was credit before their requests had been handled. */
  readonly #unhandled = new Set<number>();
  /** Those of which the client is still to be told that they broke off. */
  readonly #lost = new Set<number>();
  /** The item that is being appended, and those behind it: what is full for one is full for all. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Counts what may have made place, or made an item unwanted. */
  #changes = 0;
  /** Tells the item that waits for place. */
  #changed: () => void = () => undefined;

  constructor(around: StreamsSurroundings) {
    this.#around = around;
  }

  /** A stream that runs when it is told to. Throws a `RejectError` if there are too many. */
  begin(seq: number, credit: number): ServerStream {
    if (this.#open.size >= MAX_STREAMS) throw new RejectError('too-many-streams');
    const life = this.#around.life();
    const stream = new ServerStream(seq, credit, {
      encode: this.#around.encode,
      put: (data, isWanted) => this.#put(data, life, isWanted),
      over: () => this.#ended(seq),
    });
    this.#open.set(seq, stream);
    return stream;
  }

  /** The client takes so many items, from the beginning of the stream on. */
  credit(seq: number, total: number): void {
    const stream = this.#open.get(seq);
    if (stream) return stream.grant(total);
    if (!this.#around.isHandled(seq)) {
      // Its request is still to be run, perhaps by another server.
      this.#unhandled.add(seq);
      return dropOldest(this.#unhandled, MAX_STREAMS);
    }
    // Its end is on its way.
    if (this.#over.has(seq) || this.#lost.size >= MAX_STREAMS) return;
    this.#ended(seq);
    this.#lose(seq);
  }

  /** This request has been run here: if it has begun a stream, that is known. */
  ran(seq: number): void {
    this.#unhandled.delete(seq);
  }

  /** More has been handled: what was not run here is lost to the client. */
  handled(): void {
    for (const seq of this.#unhandled) {
      if (!this.#around.isHandled(seq)) continue;
      this.#unhandled.delete(seq);
      this.credit(seq, 0);
    }
  }

  /** Another run of its request may have begun it: one that is whole cannot be promised. */
  lose(seq: number): void {
    this.#open.get(seq)?.abort(new RejectError('elsewhere'));
    this.#lose(seq);
  }

  #ended(seq: number): void {
    this.#open.delete(seq);
    this.#over.add(seq);
    dropOldest(this.#over, MAX_OVER);
    this.retry();
  }

  /** Tells the client. */
  #lose(seq: number): void {
    const end: StreamEndItem = [Type.STREAM_END, seq, 'ERR_STREAM_LOST', 'its server is gone', undefined];
    this.#lost.add(seq);
    const told = this.#put(this.#around.encode(end), this.#around.life(), () => true);
    told.then(() => this.#lost.delete(seq));
  }

  /** Appends it in its turn, as soon as there is place. Never rejects. */
  #put(data: WireData, life: Life | undefined, isWanted: () => boolean): Promise<'ok' | 'lost'> {
    const put = this.#turn.then(() => this.#insist(data, life, isWanted));
    this.#turn = put;
    return put;
  }

  async #insist(data: WireData, life: Life | undefined, isWanted: () => boolean): Promise<'ok' | 'lost'> {
    while (isWanted()) {
      const changes = this.#changes;
      const status = await this.#append(data, life);
      if (status !== 'full') return status;
      // Unless something has changed while the store was asked.
      if (changes === this.#changes) {
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
      }
    }
    return 'lost';
  }

  async #append(data: WireData, life: Life | undefined): Promise<Appended['status']> {
    try {
      return (await this.#around.append(data, life)).status;
    } catch (error) {
      this.#around.failed(error);
      return 'lost';
    }
  }

  /** The client has left it. False if no such stream is known. */
  cancel(seq: number, reason: Error): boolean {
    this.#open.get(seq)?.abort(reason);
    return this.#over.has(seq);
  }

  /** There may be place for more: the client has acknowledged something. */
  retry(): void {
    this.#changes++;
    this.#changed();
  }

  /** The session is over. */
  abortAll(reason: Error): void {
    for (const stream of this.#open.values()) stream.abort(reason);
  }

  /** Another server may have told the client that they are lost. If it has not, the client asks, and is told so. */
  abandon(): void {
    for (const stream of this.#open.values()) {
      // Of one that has not begun nobody else has heard: its request has not been handled.
      if (stream.stage === 'begun') stream.abort(new RejectError('elsewhere'));
    }
    this.#over.clear();
  }
}

interface ServerStreamSurroundings extends Pick<StreamsSurroundings, 'encode'> {
  /** Appends it for the client as soon as there is place, as long as it is wanted. Never rejects. */
  put(data: WireData, isWanted: () => boolean): Promise<'ok' | 'lost'>;
  over(): void;
}

/** One stream: takes an item from its handler when the client has credit, and the store a place, for it. */
export class ServerStream {
  readonly #seq: number;
  readonly #around: ServerStreamSurroundings;
  readonly #aborter = new AbortController();
  #stage: 'new' | 'begun' = 'new';
  #credit: number;
  #sent = 0;
  /** Goes on with what waits for credit. */
  #proceed: () => void = () => undefined;

  constructor(seq: number, credit: number, around: ServerStreamSurroundings) {
    this.#seq = seq;
    this.#credit = credit;
    this.#around = around;
  }

  get stage(): 'new' | 'begun' {
    return this.#stage;
  }

  grant(total: number): void {
    this.#credit = Math.max(this.#credit, total);
    this.#proceed();
  }

  /** Nothing more is written of it. */
  abort(reason: Error): void {
    this.#around.over();
    this.#aborter.abort(reason);
    this.#proceed();
  }

  /** From the first item to the end. Never throws. */
  async run(source: StreamSource): Promise<void> {
    if (this.#isLeft) return;
    this.#stage = 'begun';
    let end: WireData;
    try {
      await this.#yield(source);
      end = this.#around.encode([Type.STREAM_END, this.#seq]);
    } catch (error) {
      // Nobody waits for the end of what was left.
      if (this.#isLeft) return;
      end = source.refusal(error);
    }
    await this.#put(end);
    if (!this.#isLeft) this.#around.over();
  }

  async #yield({ open, encode, refusal }: StreamSource): Promise<void> {
    const iterator = open(this.#aborter.signal)[Symbol.asyncIterator]();
    const leave = (): void => {
      const left = Promise.resolve().then(() => iterator.return?.());
      left.catch((error: unknown) => void refusal(error));
    };
    // At once: a handler that waits for something else may heed only this.
    this.#aborter.signal.addEventListener('abort', leave, { once: true });
    try {
      while (await this.#mayGoOn()) {
        const { done, value } = await iterator.next();
        if (done) return;
        await this.#put(encode(value));
        this.#sent++;
      }
    } catch (error) {
      if (!this.#isLeft) leave();
      throw error;
    }
  }

  get #isLeft(): boolean {
    return this.#aborter.signal.aborted;
  }

  /** False, at once, if the client has left it. */
  async #mayGoOn(): Promise<boolean> {
    while (!this.#isLeft && this.#sent >= this.#credit) {
      await new Promise<void>((resolve) => {
        this.#proceed = resolve;
      });
    }
    return !this.#isLeft;
  }

  async #put(data: WireData): Promise<void> {
    const status = await this.#around.put(data, () => !this.#isLeft);
    if (status === 'lost' && !this.#isLeft) this.abort(new Error('the session is lost'));
  }
}
