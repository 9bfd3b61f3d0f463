import type { createServerOn, Transport } from '@holdfast/server/ports';

type Accept = ReturnType<typeof createServerOn>['accept'];
type Codec = Parameters<Accept>[1];
type Item = readonly unknown[];
interface Welcome {
  readonly s: string;
  readonly k: string;
  readonly e: string;
}

/** Types of items that take a number (PROTOCOL.md, section 3). */
const NUMBERED = new Set<unknown>([2, 3, 4, 5, 12, 14, 17, 18]);
const WINDOW = [1_000, 1_048_576];

/** A client without a client: what it says and hears are frames, handed over without a socket. */
export class Peer {
  readonly #accept: Accept;
  readonly #codec: Codec;
  readonly #nonce: string;
  #events: ReturnType<Accept> | undefined;
  #welcome: Welcome | undefined;
  #dials = 0;
  #said = 0;
  #heard = 0;

  constructor(accept: Accept, codec: Codec, nonce: string) {
    this.#accept = accept;
    this.#codec = codec;
    this.#nonce = nonce;
  }

  /** Of its session, and of the guest that it is. */
  get id(): string {
    if (!this.#welcome) throw new Error('no WELCOME has come');
    return this.#welcome.s;
  }

  /** A new session, or the same again. */
  dial(): void {
    const transport: Transport = {
      send: (data) => this.#hear(data as string),
      close: () => undefined,
      bufferedBytes: 0,
    };
    this.#events = this.#accept(transport, this.#codec, { address: '' });
    const hello = { v: 1, c: this.#nonce, n: ++this.#dials, w: WINDOW };
    const session = this.#welcome;
    this.#frame(0, [
      0,
      session ? { ...hello, s: session.s, k: session.k, e: session.e, x: this.#heard, y: 0 } : hello,
    ]);
    if (session) this.#frame(0, [15, []]);
  }

  /** Numbered items, with an ack of all that it has heard. */
  say(...items: readonly Item[]): void {
    this.#frame(this.#said + 1, ...items);
    this.#said += items.length;
  }

  /** Items without a number. */
  mention(...items: readonly Item[]): void {
    this.#frame(0, ...items);
  }

  /** The connection is lost. */
  cut(): void {
    this.#events?.close({ code: 1006, reason: '' });
  }

  #frame(firstSeq: number, ...items: readonly Item[]): void {
    this.#events?.message(JSON.stringify([this.#heard, firstSeq, ...items]));
  }

  /** Only what has to be acknowledged is looked into: what peers do is not what is measured. */
  #hear(data: string): void {
    if (this.#welcome && /^\[\d+,0[,\]]/.test(data) && !data.startsWith('[0,0,[1,')) return;
    const [, first = 0, ...items] = JSON.parse(data) as [number, number, ...Item[]];
    const [welcome] = items;
    if (welcome?.[0] === 1) this.#welcome = welcome[1] as Welcome;
    const numbered = items.filter(([type]) => NUMBERED.has(type)).length;
    if (first > 0) this.#heard = first - 1 + numbered;
  }
}
