import type { WireData } from '@holdfast/client/ports';
import { type Codec, type Frame, type Item, isSequenced, parseFrame, Type } from '@holdfast/protocol';
import type { Coverage } from './coverage.js';
import type { Judge } from './judge.js';
import type { StoreWatch } from './store-watch.js';

export interface WireSurroundings {
  readonly judge: Judge;
  readonly coverage: Coverage;
  storeWatch(): StoreWatch;
}

/** The sequenced items of a frame with the numbers that they take. */
function* numbered({ firstSeq, items }: Frame): Generator<{ seq: number; last: number; item: Item }> {
  let seq = firstSeq;
  for (const item of items) {
    if (!isSequenced(item)) continue;
    const last = item[0] === Type.GAP ? item[2] : seq;
    yield { seq, last, item };
    seq = last + 1;
  }
}

function show(frame: Frame): string {
  const text = JSON.stringify([frame.ack, frame.firstSeq, ...frame.items]);
  return text.length > 40000 ? `${text.slice(0, 400)}…` : text;
}

/** What one server writes on one connection, as it leaves. */
export class DownWatch {
  readonly #name: string;
  readonly #codec: Codec;
  readonly #around: WireSurroundings;
  readonly #answers: Map<string, number>;
  #sid: string | undefined;
  /** Of the session, when it was greeted here. */
  #gen: number | undefined;
  #lastSeq = 0;
  #lastAck = 0;

  /** `answers`: the number of the answer to each request, and of each CANCEL, of all connections. */
  constructor(name: string, codec: Codec, answers: Map<string, number>, around: WireSurroundings) {
    this.#name = name;
    this.#codec = codec;
    this.#answers = answers;
    this.#around = around;
  }

  sends(data: WireData): void {
    const { judge, coverage } = this.#around;
    const frame = parseFrame(this.#codec.decode(data));
    judge.note(() => `${this.#name} ← ${show(frame)}`);
    const [first] = frame.items;
    if (first?.[0] === Type.WELCOME) {
      coverage.add(`WELCOME ${['new', 'resumed', 'lost'][first[1].q]}`);
      if (first[1].q < 2) this.#sid = first[1].s;
      this.#gen = this.#stored()?.gen;
      // One that nobody heard of may be made anew under its id, and counts from 1 again.
      if (first[1].q === 0) this.#answers.set(`${this.#sid} life`, this.#life + 1);
    }
    if (first?.[0] === Type.BYE) {
      coverage.add(`BYE ${first[1]} to a client`);
      const late = first[2] === 'this nonce has named a session before';
      // A first HELLO may be very late; but our own two ends never take each other for breakers of the protocol.
      judge.demand(
        (first[1] !== 'ERR_PROTOCOL' && first[1] !== 'ERR_GAP') || late,
        13,
        () => `${this.#name}: ${first[2]}`,
      );
    }
    for (const { seq, last, item } of numbered(frame)) this.#numbered(seq, last, item);
    this.#ack(frame.ack);
  }

  #numbered(seq: number, last: number, item: Item): void {
    const { judge } = this.#around;
    judge.demand(seq > this.#lastSeq, 15, () => `${this.#name} wrote ${seq} after ${this.#lastSeq}`);
    this.#lastSeq = last;
    const stored = this.#stored();
    if (stored) {
      judge.demand(last <= stored.outTop, 6, () => `${last} written, ${stored.outTop} stored`);
    }
    if (item[0] === Type.REQ) this.#asks(seq);
    if (item[0] === Type.CANCEL) this.#answers.set(this.#cancelled(item[1]), seq);
    if (item[0] !== Type.RES && item[0] !== Type.ERR) return;
    const key = `${this.#sid} ${item[1]}`;
    const before = this.#answers.get(key) ?? seq;
    judge.demand(before === seq, 11, () => `two answers to ${item[1]}: ${before} and ${seq}`);
    this.#answers.set(key, seq);
  }

  get #life(): number {
    return this.#answers.get(`${this.#sid} life`) ?? 0;
  }

  #cancelled(seq: number): string {
    return `${this.#sid} ${this.#life} cancelled ${seq}`;
  }

  #asks(seq: number): void {
    // A server that slept over it may write it where nobody listens any more.
    const isNewest = this.#gen === this.#stored()?.gen;
    const isOver = isNewest && this.#answers.has(this.#cancelled(seq));
    this.#around.judge.demand(
      !isOver,
      18,
      () => `${this.#name} wrote request ${seq} again, after its CANCEL`,
    );
  }

  #ack(ack: number): void {
    if (ack === 0) return;
    const { judge } = this.#around;
    judge.demand(ack >= this.#lastAck, 5, () => `${this.#name}: ack ${ack} after ${this.#lastAck}`);
    this.#lastAck = ack;
    const stored = this.#stored();
    if (stored) judge.demand(ack <= stored.inTop, 6, () => `ack ${ack}, stored ${stored.inTop}`);
  }

  #stored() {
    return this.#sid === undefined ? undefined : this.#around.storeWatch().session(this.#sid);
  }
}

export interface UpSurroundings extends WireSurroundings {
  /** This item leaves now, with this number in that session. */
  written(item: Item, seq: number, sid: string): void;
  /** A HELLO with this attach number leaves. */
  hello(n: number): void;
  /** Session and number of all that this client was ever asked. */
  readonly questions: Set<string>;
  /** The same of all that will not come to it, but for what nobody misses. */
  readonly holes: Set<string>;
}

/** What one client writes and hears on one connection. */
export class UpWatch {
  readonly #name: string;
  readonly #codec: Codec;
  readonly #around: UpSurroundings;
  #stage: 'new' | 'hello' | 'welcome' = 'new';
  #lastSeq = 0;
  #heard = 0;
  #replayed = 0;
  #sid = '';

  constructor(name: string, codec: Codec, around: UpSurroundings) {
    this.#name = name;
    this.#codec = codec;
    this.#around = around;
  }

  get welcomed(): boolean {
    return this.#stage === 'welcome';
  }

  sends(data: WireData): void {
    const { judge, coverage } = this.#around;
    const frame = parseFrame(this.#codec.decode(data));
    judge.note(() => `${this.#name} → ${show(frame)}`);
    const [first] = frame.items;
    if (first?.[0] === Type.HELLO) {
      if (this.#stage === 'new') this.#around.hello(first[1].n);
      this.#stage = 'hello';
      this.#heard = first[1].x ?? 0;
    }
    if (first?.[0] === Type.BYE) coverage.add('BYE from a client');
    for (const { seq, last, item } of numbered(frame)) {
      judge.demand(seq > this.#lastSeq, 15, () => `${this.#name} wrote ${seq} after ${this.#lastSeq}`);
      this.#lastSeq = last;
      if (item[0] === Type.GAP) coverage.add('hole from a client');
      if (item[0] === Type.CANCEL) coverage.add('CANCEL');
      this.#around.written(item, seq, this.#sid);
      const isAnswer = item[0] === Type.RES || item[0] === Type.ERR;
      const isAsked = !isAnswer || this.#around.questions.has(`${this.#sid} ${item[1]}`);
      judge.demand(isAsked, 11, () => `${this.#name} answers ${item[1]}, which nobody has asked`);
    }
    if (frame.ack === 0 && frame.firstSeq > 0) this.#replay(frame);
    judge.demand(
      frame.ack <= this.#heard,
      5,
      () => `${this.#name}: ack ${frame.ack} of ${this.#heard} heard`,
    );
  }

  hears(data: WireData): void {
    const frame = parseFrame(this.#codec.decode(data));
    const [first] = frame.items;
    if (first?.[0] === Type.WELCOME && first[1].q < 2) {
      this.#stage = 'welcome';
      this.#sid = first[1].s;
      this.#lastSeq = 0;
    }
    for (const { seq, last, item } of numbered(frame)) {
      if (item[0] === Type.GAP && item[3] !== 'abandoned')
        for (let at = seq; at <= last; at++) this.#around.holes.add(`${this.#sid} ${at}`);
      this.#heard = Math.max(this.#heard, last);
      if (item[0] === Type.REQ) this.#around.questions.add(`${this.#sid} ${last}`);
    }
  }

  #replay({ items }: Frame): void {
    const { coverage } = this.#around;
    if (this.#replayed === 0) coverage.add('resumes with messages written again by the client');
    const before = this.#replayed;
    this.#replayed += items.length;
    if (before <= 100 && this.#replayed > 100)
      coverage.add('resumes with more than 100 written again by the client');
  }
}
