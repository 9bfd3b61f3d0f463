import { type ErrorItem, Type } from '@holdfast/protocol';
import type {
  AcceptCall,
  Accepted,
  AcceptedItem,
  AppendCall,
  AttachCall,
  Attached,
  Bounds,
  ClaimCall,
  Claimed,
  LogBounds,
  Note,
  OutItem,
  Ownership,
  Published,
  Reply,
  SessionStore,
} from '@holdfast/server/ports';
import { expect } from 'vitest';

/** A store, and what the suite has to be able to do with its world. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  /** Lets time pass, by the store's clock. */
  pass(ms: number): Promise<void>;
  /** Until every note has come that is on its way. */
  settle(): Promise<void>;
}
export interface StoreOptions {
  readonly leaseMs?: number;
  readonly bounds?: Bounds;
  readonly inbox?: Bounds;
}
export type MakeStore = (options?: StoreOptions) => StoreUnderTest | Promise<StoreUnderTest>;

const WIDE: Bounds = [1_000, 1_000_000];
export const ADA = { id: 'ada' };

/** What came in under a number: an event to be handled. */
export const event = (seq: number, bytes = 10): AcceptedItem => ({
  seq,
  item: [Type.EVT, 'say', seq],
  bytes,
});
export const events = (from: number, to: number): AcceptedItem[] =>
  Array.from({ length: to - from + 1 }, (_, index) => event(from + index));
/** A number with nothing to handle. */
export const nothing = (seq: number): AcceptedItem => ({ seq });
const errorItem = (seq: number): ErrorItem => [Type.ERR, seq, 'ERR_NO', 'no', undefined];
export const refusal = (seq: number): Reply => ({ data: `ERR ${seq}`, refusal: errorItem(seq) });

/** What is to be written, in short: `3:hi`, or `4-6:outbox-full` for a hole. */
const brief = (items: readonly OutItem[]): string[] =>
  items.map((item) => ('last' in item ? `${item.seq}-${item.last}:${item.why}` : `${item.seq}:${item.data}`));

/** The numbers that were claimed; `!` at those that may have run before. */
export const claimed = ({ items }: Claimed): string[] =>
  items.map(({ seq, redelivered }) => `${seq}${redelivered ? '!' : ''}`);

/** Everything that the store tells, from now on. */
export function notesOf(store: SessionStore): Note[] {
  const notes: Note[] = [];
  store.listen((note) => notes.push(note));
  return notes;
}

/** One session, as servers see it: remembers what they would. */
export class Talk {
  readonly sid: string;
  readonly store: SessionStore;
  own: Ownership;
  n = 0;
  /** Hash of the key that was given last. */
  key = '';
  #w = 0;

  constructor(store: SessionStore, sid: string) {
    this.store = store;
    this.sid = sid;
    this.own = { sid, epoch: '', gen: 0 };
  }

  /** A HELLO that asks for the session; what is not said in `over` is as it should be. */
  async attach(over: Partial<AttachCall> = {}): Promise<Attached> {
    const { sid, key, own } = this;
    const n = over.n ?? ++this.n;
    const newKey = `key-${sid}-${n}`;
    const defaults = {
      key,
      newKey,
      epoch: own.epoch,
      received: 0,
      acked: 0,
      codec: 'json',
      node: 'A',
      maxRequests: 3,
    };
    const attached = await this.store.attach({ sid, fresh: false, user: ADA, n, ...defaults, ...over });
    if (attached.status === 'new' || attached.status === 'resumed') {
      this.own = { sid, epoch: attached.epoch, gen: attached.gen };
      this.key = newKey;
    }
    return attached;
  }

  /** A HELLO that asks for a new session. */
  attachFresh(over: Partial<AttachCall> = {}): Promise<Attached> {
    return this.attach({ fresh: true, key: undefined, epoch: undefined, ...over });
  }

  async accept(items: readonly AcceptedItem[], ack = 0, over: Partial<AcceptCall> = {}): Promise<Accepted> {
    return this.store.accept({ ...this.own, items, ack, ...over });
  }

  async append(
    data: string,
    over: {
      writer?: string;
      w?: number;
      life?: AppendCall['life'];
      place?: string;
      receipt?: boolean;
      asks?: boolean;
      cancels?: number;
    } = {},
  ): Promise<string> {
    const call = { sid: this.sid, data, writer: 'A', w: over.w ?? ++this.#w, ...over };
    const appended = await this.store.append(call);
    const { superseded, dropped } =
      appended.status === 'ok' ? appended : { superseded: undefined, dropped: undefined };
    if (dropped) return `dropped ${dropped.map(({ writer, w }) => `${writer} ${w}`).join(', ')}`;
    return superseded ? `instead of ${superseded.writer} ${superseded.w}` : appended.status;
  }

  /** What is to be written, in short. */
  async read(after = 0, window: Bounds = WIDE): Promise<string[]> {
    const read = await this.store.read({ ...this.own, after, window });
    return read.status === 'ok' ? brief(read.items) : [read.status];
  }

  async handled(): Promise<unknown> {
    const read = await this.store.read({ ...this.own, after: 0, window: WIDE });
    return read.status === 'ok' ? [read.handled.low, ...read.handled.above] : read.status;
  }

  async claim(holder = 'A', over: Partial<ClaimCall> = {}): Promise<Claimed> {
    const { sid } = this;
    return this.store.claim({ sid, holder, running: [], max: 16, token: `token-${holder}`, ...over });
  }

  /** Says how a call about one message ended that only knows `ok` and `gone`. */
  async renew(seq: number, token = 'token-A', holds?: boolean): Promise<string> {
    return (await this.store.renew({ sid: this.sid, seq, token, holds })).status;
  }
  async release(seq: number, token = 'token-A'): Promise<string> {
    return (await this.store.release({ sid: this.sid, seq, token })).status;
  }
  async done(seq: number, token = 'token-A', reply?: Reply): Promise<string> {
    return (await this.store.done({ sid: this.sid, seq, token, reply })).status;
  }

  /** Joins a room where it stands now: one message that asks for it, handled. */
  async join(name: string, seq: number): Promise<void> {
    const { top } = await this.store.readRoom({ room: name });
    await this.accept([event(seq)]);
    await this.claim('A', { max: 1 });
    const membership = { position: top, replaced: ['old'] };
    await this.store.done({ sid: this.sid, seq, token: 'token-A', room: { name, membership } });
  }
}

/** A session that was just made. */
export async function begin(store: SessionStore, sid = 's1', over: Partial<AttachCall> = {}): Promise<Talk> {
  const talk = new Talk(store, sid);
  expect(await talk.attachFresh(over)).toMatchObject({ status: 'new' });
  return talk;
}

let publications = 0;
/** Something said in a room. */
export async function publish(
  store: SessionStore,
  room: string,
  text: string,
  over: { w?: number; except?: readonly string[]; incarnation?: string; bounds?: LogBounds } = {},
): Promise<Published> {
  const { w = ++publications, except = [], incarnation, bounds } = over;
  const publication = { id: `id-${++publications}`, at: 1_000, except: new Set(except), event: text };
  return store.publish({ room, writer: 'A', w, publication, incarnation, bounds });
}
