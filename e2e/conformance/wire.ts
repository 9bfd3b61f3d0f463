import type { WebSocket as Socket } from 'ws';
import { Breach, check, show, until } from './case.js';

export const T = {
  ...{ HELLO: 0, WELCOME: 1, EVT: 2, REQ: 3, RES: 4, ERR: 5, PUB: 6, PING: 7, PONG: 8, CREDIT: 9, AUTH: 10 },
  ...{ GOAWAY: 11 },
  ...{ GAP: 12, BYE: 13, CANCEL: 14, SYNC: 15, DONE: 16, ITEM: 17, END: 18, STREAM_CREDIT: 19, VOL: 20 },
  ...{ ACK_NOW: 21 },
} as const;

export type Item = readonly unknown[];
export interface Frame {
  readonly ack: number;
  readonly first: number;
  readonly items: readonly Item[];
}
/** An item and where it stood. */
export interface Heard {
  readonly item: Item;
  /** Its number in the lane; 0: it has none. */
  readonly seq: number;
  /** The ack of its frame, and which frame that was. */
  readonly ack: number;
  readonly at: number;
}

export interface Codec {
  readonly protocol: string;
  encode(frame: unknown): string | Uint8Array;
  decode(data: string | Uint8Array): unknown;
}

export const json: Codec = {
  protocol: 'holdfast.v1.json',
  encode: (frame) => JSON.stringify(frame),
  decode(data) {
    check(typeof data === 'string', 'JSON in a text frame', 'a binary frame');
    return JSON.parse(String(data));
  },
};

const isSequenced = (item: Item): boolean =>
  [T.EVT, T.REQ, T.RES, T.ERR, T.CANCEL, T.ITEM, T.END].some((type) => type === item[0]) ||
  (item[0] === T.GAP && item[4] === undefined);

const asFrame = (value: unknown): Frame => {
  const [ack, first, ...items] = Array.isArray(value) ? value : [];
  const isWell = [ack, first].every((number) => Number.isSafeInteger(number) && number >= 0);
  check(isWell && items.every(Array.isArray), 'a frame [ack, firstSeq, item, …]', value);
  return { ack, first, items } as Frame;
};

export type Many = readonly unknown[];

/** Makes something wrong of what the other end does: so it is seen that a case can fail. */
export interface Mutation {
  /** What becomes of a frame that the other end has written. */
  readonly heard?: (frame: Many) => readonly Many[];
  /** What becomes of a frame on its way to the other end. */
  readonly said?: (frame: Many) => readonly Many[];
  readonly code?: (code: number) => number;
  /** The code with which the other end is hung up on. */
  readonly closes?: (code: number) => number;
  /** The reason with which the other end is hung up on. */
  readonly why?: (reason: string) => string;
  /** The subprotocol that the other end is content with. */
  readonly chooses?: string;
  /** What an upgrade was answered with. */
  readonly upgraded?: (answer: string | number) => string | number;
}

/** One end of a WebSocket connection that says what it likes and keeps what it hears. */
export class Wire {
  readonly frames: Frame[] = [];
  readonly #socket: Socket;
  readonly #codec: Codec;
  readonly #mutation: Mutation;
  #code: number | undefined;
  #broken: unknown;
  /** A PING is answered at once, unless a case wants to be deaf. */
  answersPings = true;

  constructor(socket: Socket, codec: Codec, mutation: Mutation = {}) {
    this.#socket = socket;
    this.#codec = codec;
    this.#mutation = mutation;
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      this.#code = mutation.code?.(code) ?? code;
    });
    socket.on('message', (data, isBinary) => this.#hear(isBinary ? (data as Buffer) : String(data)));
  }

  #hear(data: string | Uint8Array): void {
    try {
      const { heard = (frame: Many) => [frame] } = this.#mutation;
      const frames = heard(this.#codec.decode(data) as Many).map(asFrame);
      this.frames.push(...frames);
      const asks = frames.some(({ items }) => items.some(([type]) => type === T.PING));
      if (this.answersPings && asks) this.say([0, 0, [T.PONG]]);
    } catch (error) {
      this.#broken ??= error;
    }
  }

  /** Frames are encoded; text and bytes go as they are. */
  say(data: unknown): void {
    const isRaw = typeof data === 'string' || data instanceof Uint8Array;
    if (isRaw) return this.#socket.send(data);
    const { said = (frame: Many) => [frame] } = this.#mutation;
    for (const frame of said(data as Many)) this.#socket.send(this.#codec.encode(frame));
  }

  /** The close code, once it is closed. */
  get code(): number | undefined {
    return this.#code;
  }

  get heard(): readonly Heard[] {
    return this.frames.flatMap(({ ack, first, items }, at) => {
      let next = first;
      return items.map((item) => {
        const seq = isSequenced(item) ? next : 0;
        if (seq > 0) next = item[0] === T.GAP ? Number(item[2]) + 1 : next + 1;
        return { item, seq, ack, at };
      });
    });
  }

  /** All items of one type. */
  all(type: number): readonly Item[] {
    return this.heard.map(({ item }) => item).filter((item) => item[0] === type);
  }

  get story(): string {
    const frames = this.frames.map(({ ack, first, items }) => [ack, first, ...items]);
    const shown = frames.length > 8 ? ['…', ...frames.slice(-8)] : frames;
    return `${show(shown)}${this.#code === undefined ? '' : ` and close ${this.#code}`}`;
  }

  async waits<V>(look: () => V | undefined | false, what: string, deadlineMs?: number): Promise<V> {
    const found = await until(
      () => look() || (this.#broken || this.#code !== undefined ? 'over' : undefined),
      what,
      () => this.story,
      deadlineMs,
    );
    if (found !== 'over') return found as V;
    const last = look();
    if (last) return last;
    if (this.#broken) throw this.#broken;
    throw new Breach(what, this.story);
  }

  /** The first item that fits, from a frame on. */
  async hears(fits: (item: Item) => boolean, what: string, from = 0): Promise<Heard> {
    return this.waits(() => this.heard.find(({ item, at }) => at >= from && fits(item)), what);
  }

  hearsType(type: number, what: string, from = 0): Promise<Heard> {
    return this.hears((item) => item[0] === type, what, from);
  }

  /** An ack that covers this number. */
  acked(number: number): Promise<unknown> {
    return this.waits(() => this.frames.some(({ ack }) => ack >= number), `an ack of ${number}`);
  }

  /** Closed by the other end with this code. */
  async closes(code: number, deadlineMs?: number): Promise<void> {
    await until(
      () => this.#code !== undefined,
      `close ${code}`,
      () => this.story,
      deadlineMs,
    );
    check(this.#code === code, `close ${code}`, this.story);
  }

  /** All that the other end had to say by now has come, when its PONG has. */
  async settled(): Promise<void> {
    const before = this.all(T.PONG).length;
    this.say([0, 0, [T.PING]]);
    await this.waits(() => this.all(T.PONG).length > before, 'a PONG (section 6)');
  }

  /** Hangs up without a word. */
  cut(): void {
    this.#socket.terminate();
  }

  close(code: number, reason = ''): void {
    const { closes, why } = this.#mutation;
    this.#socket.close(closes?.(code) ?? code, why?.(reason) ?? reason);
  }
}
