import {
  FrameError,
  type Incoming,
  type Item,
  isPromiseLike,
  JOIN,
  LEAVE,
  MAX_ITEMS,
  PRESENCE,
  prefixOf,
  Type,
} from '@holdfast/protocol';
import { after, type Job, Loop } from './answer.js';
import type { ServerLink } from './outflow.js';
import type { Accepted, AcceptedItem, Answer, ClientAnswer, Ownership, SessionStore } from './ports/store.js';
import type { Session } from './session.js';

/** How much may be unacknowledged in each direction; told in WELCOME. */
export const WINDOW_MESSAGES = 1_000;
export const WINDOW_BYTES = 1_048_576;

const FEW = 8;

/** What a check before acceptance says of an item. */
export type Checked = Pick<AcceptedItem, 'item' | 'refusal'>;

/** The same for all connections. */
export interface InflowSurroundings {
  readonly store: SessionStore;
  /** Whether the item may come in; not if there is a `retryAfterMs`. Throws a `FrameError` if it breaks the protocol. */
  check(session: Session, seq: number, item: Item, retryAfterMs?: number): Answer<Checked>;
  /** The client has ended its session; everything it said before has been accepted. */
  bye(session: Session): void;
}

/** On what it comes. */
export interface InflowConnection {
  /** These are refused; an ack may cover them when the refusal has been read from the store. */
  refused(seq: number): void;
  /** The client has everything up to here. */
  acknowledged(ack: number): void;
  /** The store has changed: there may be something to write. */
  wake(): void;
  /** Another connection has the session, or the store has lost it. */
  noLongerOurs(status: 'fenced' | 'lost'): void;
  /** What came breaks the protocol. */
  broken(error: unknown): void;
}

/** An item that came in. */
export interface Arrived extends Incoming {
  /** It has settled a request of ours: it does not count for how much a client may have unaccepted. */
  readonly wanted?: boolean;
  /** It is more than its client may send, and is refused: it may be sent again in so many ms. */
  readonly retryAfterMs?: number;
}

interface Waiting {
  readonly incoming: Arrived;
  readonly bytes: number;
  /** Undefined: not asked for yet. */
  checking: Answer<Checked> | undefined;
}

interface CheckedItem extends Waiting {
  checking: Checked;
}

/**
 * What comes in on one connection, strictly in the order of its numbers: checked, stored, then run. An item counts as
 * accepted, so that an ack may cover it, when it is stored and its handler has been started or refused it.
 */
export class Inflow implements Job {
  readonly #session: Session;
  readonly #owner: Ownership;
  readonly #link: ServerLink;
  readonly #around: InflowSurroundings;
  readonly #connection: InflowConnection;
  readonly #loop: Loop;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Answers, and requests given up, that the store has not been told of. */
  #answers: ClientAnswer[] = [];
  #cancels: number[] = [];
  /** The newest ack of the client, and the one that the store knows; none before its first frame. */
  #ack: number;
  #ackStored = -1;
  #stage: 'open' | 'closed' = 'open';
  /** Most in one call to the store. Few while it is full: it takes them one by one then, and all others would be sent in vain. */
  #most = MAX_ITEMS;

  constructor(
    session: Session,
    { owner, link }: { readonly owner: Ownership; readonly link: ServerLink },
    around: InflowSurroundings,
    connection: InflowConnection,
  ) {
    this.#session = session;
    this.#owner = owner;
    this.#link = link;
    this.#around = around;
    this.#connection = connection;
    this.#ack = link.acknowledged;
    this.#loop = new Loop(this);
  }

  /** Sequenced items of a frame and its BYE, and its ack. Throws a `FrameError` if there is far more than the window allows. */
  receive(items: readonly Arrived[], ack: number, bytes: number): void {
    for (const incoming of items) {
      if (incoming.last - incoming.seq > 2 * WINDOW_MESSAGES) throw new FrameError('a hole of that size');
      const share = incoming.wanted ? 0 : bytes / items.length;
      this.#waiting.push({ incoming: this.#takeAnswer(incoming), bytes: share, checking: undefined });
      this.#waitingBytes += share;
    }
    this.#ack = Math.max(this.#ack, ack);
    this.#loop.run();
    if (this.#unaccepted > 2 * WINDOW_MESSAGES || this.#waitingBytes > 4 * WINDOW_BYTES) {
      const window = `${WINDOW_MESSAGES} messages, ${WINDOW_BYTES} bytes`;
      throw new FrameError(`far more at once than the window of ${window}`);
    }
  }

  /** What it answers or gives up goes to the store with the next call; its number has to wait for its turn. */
  #takeAnswer(incoming: Arrived): Arrived {
    const { item } = incoming;
    if (item[0] === Type.CANCEL) this.#cancels.push(item[1]);
    if (item[0] !== Type.RES && item[0] !== Type.ERR) return incoming;
    this.#answers.push(item);
    return { ...incoming, item: [Type.RES, item[1], undefined] };
  }

  get #unaccepted(): number {
    const { unaccepted } = this.#link;
    // Hardly ever is it worth looking closer.
    if (unaccepted <= 2 * WINDOW_MESSAGES) return unaccepted;
    return unaccepted - this.#waiting.filter(({ incoming }) => incoming.wanted).length;
  }

  /** The handlers of this message have been started. */
  started(seq: number): void {
    this.#link.accept({ seq, last: seq });
    this.#connection.wake();
    if (this.#waiting.length > 0) this.#loop.run();
  }

  /** A message has been handled: all moves may be over now, and the store has room for another one. */
  finished(): void {
    if (this.#waiting.length > 0) this.#loop.run();
  }

  /**
   * What waits here was never acknowledged: the client writes it again on its next connection. But if BYE is the last of
   * it, there is none: the session ends.
   */
  close(): void {
    this.#stage = 'closed';
    const [last] = this.#waiting.splice(0).slice(-1);
    if (last?.incoming.item[0] === Type.BYE) this.#around.bye(this.#session);
  }

  failed(error: unknown): void {
    this.#connection.broken(error);
  }

  /** Stores what has been checked, in one call. */
  round(): Answer<void> {
    if (this.#stage === 'closed') return;
    const batch = this.#checked();
    const answers = this.#answers;
    const cancels = this.#cancels;
    const isNew = this.#ack !== this.#ackStored || answers.length > 0 || cancels.length > 0;
    if (batch.length === 0 && !isNew) return;
    const ack = this.#ack;
    this.#answers = [];
    this.#cancels = [];
    const items: AcceptedItem[] = [];
    for (const entry of batch) addNumbers(entry, items);
    const { sid, epoch, gen } = this.#owner;
    const accepted = this.#around.store.accept({ sid, epoch, gen, items, ack, answers, cancels });
    return after(accepted, (answer) => this.#stored(answer, batch, ack));
  }

  /** The next ones whose check is over. Comes again when that of the first one is. */
  #checked(): CheckedItem[] {
    const batch: CheckedItem[] = [];
    const waiting = this.#waiting;
    for (let next = waiting[0]; next && batch.length < this.#most; next = waiting[batch.length]) {
      const { incoming } = next;
      if (incoming.item[0] === Type.BYE) {
        if (batch.length === 0) this.#around.bye(this.#session);
        break;
      }
      const moves = isMove(incoming.item);
      // Whether it may be said depends on the joins and leaves before it: these must be over.
      if ((moves || isForRoom(incoming.item)) && !this.#session.isSettled) break;
      if (!this.#isChecked(next)) break;
      this.#waitingBytes -= next.bytes;
      batch.push(next);
      if (moves) break;
    }
    waiting.splice(0, batch.length);
    return batch;
  }

  #isChecked(waiting: Waiting): waiting is CheckedItem {
    return !isPromiseLike(waiting.checking ?? this.#check(waiting));
  }

  #check(waiting: Waiting): Answer<Checked> {
    const { seq, item, retryAfterMs } = waiting.incoming;
    const checking = this.#around.check(this.#session, seq, item, retryAfterMs);
    waiting.checking = checking;
    if (isPromiseLike(checking)) {
      const checked = (result: Checked): void => {
        waiting.checking = result;
        this.#loop.run();
      };
      checking.then(checked).catch((error: unknown) => this.#connection.broken(error));
    }
    return checking;
  }

  #stored(answer: Accepted, batch: readonly CheckedItem[], ack: number): void {
    if (this.#stage === 'closed') return;
    if (!('accepted' in answer)) return this.#connection.noLongerOurs(answer.status);
    if (this.#ackStored < ack) this.#connection.acknowledged(ack);
    this.#ackStored = ack;
    this.#most = answer.status === 'ok' ? MAX_ITEMS : FEW;
    const left: Waiting[] = [];
    for (const entry of batch) {
      const { incoming, checking: checked } = entry;
      if (incoming.last > answer.accepted) {
        left.push(entry);
        this.#waitingBytes += entry.bytes;
        continue;
      }
      if (checked.item && isMove(incoming.item)) this.#session.moveAccepted(incoming.seq);
      if (checked.refusal) this.#connection.refused(incoming.seq);
      else if (!checked.item) this.#link.accept(incoming);
    }
    if (left.length > 0) this.#waiting.unshift(...left);
    if (batch.length > 0) this.#session.runner.wake();
    this.#connection.wake();
    // Where the store is full, the end of a handler makes room.
    if (answer.status === 'ok' && this.#waiting.length > 0) this.#loop.run();
  }
}

/** Every number that an item takes. */
function addNumbers(
  { incoming: { seq, last, item: came }, bytes, checking: { item, refusal } }: CheckedItem,
  items: AcceptedItem[],
): void {
  if (seq === last) {
    const outbox = came[0] === Type.EVT ? came[3]?.o : undefined;
    items.push({ seq, item, refusal, bytes, moves: item && isMove(item), outbox });
    return;
  }
  for (let number = seq; number <= last; number++) items.push({ seq: number });
}

/** What a session is in its rooms changes by these. */
const MOVES = new Set([JOIN, LEAVE, PRESENCE]);

function isMove(item: Item): boolean {
  return item[0] === Type.REQ && MOVES.has(item[1]);
}

/** For a room, or for a namespace, which is one. */
function isForRoom(item: Item): boolean {
  if (item[0] !== Type.EVT && item[0] !== Type.REQ) return false;
  return item[3]?.r !== undefined || prefixOf(item[1]) !== '';
}
