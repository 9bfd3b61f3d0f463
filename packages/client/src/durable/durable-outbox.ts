import { messageOf, type OutboxPlace } from '@holdfast/protocol';
import type { DurableClient, DurableOutbox, DurableSession, Message, Rearrangement } from '../core/types.js';
import type { OpenOutbox, OutboxStore, StoredMessage } from '../ports/storage.js';
import { ending, GUEST, storageError } from './endings.js';
import type { Entry, Store } from './entry.js';
import { putBehind, putFirst } from './order.js';
import { Places } from './places.js';
import { restored, restoredPart, storedForm } from './stored-form.js';

/** Who waits for an answer of the storage waits no longer; what it does later does no harm. */
const DEADLINE_MS = 5_000;
/** Clocks of servers differ a little, and so do clients': nobody goes to the edge of the server's window. */
const SAFE_PART = 0.9;

/**
 * Keeps messages in a store from `send` to their outcome. One is written to the wire only when the store has it, marked
 * as written: so whatever a later life finds there unmarked was never sent, and of what is marked the server knows
 * whether it has accepted it, as far back as its window reaches.
 */
export class StoredOutbox implements DurableOutbox {
  readonly #store: OutboxStore;
  readonly #client: DurableClient;
  readonly #places: Places;
  /** Whose messages these are; known from the first session on, or from the beginning if the application has said so. */
  #userId: string | undefined;
  /** Who says what is kept now: that user, or whoever comes with the next session. */
  #saidBy: 'user' | 'newcomer' = 'user';
  #session: DurableSession | undefined;
  /** Since when nobody has looked for what others have left. */
  #looked: DurableSession | undefined;
  #opened: Store = { is: 'closed' };
  readonly #entries = new Map<Message, Entry>();
  #toRemove: OutboxPlace[] = [];
  #work: 'idle' | 'working' | 'again' = 'idle';
  /** What is being done in the store. */
  #round = Promise.resolve();
  /** Everything that was to be closed is. */
  #closed = Promise.resolve();
  /** Whom to tell when there is nothing to do. */
  readonly #idle: (() => void)[] = [];

  constructor(store: OutboxStore, userId: string | undefined, client: DurableClient) {
    this.#store = store;
    this.#userId = userId;
    this.#client = client;
    this.#places = new Places(client.ports.random);
    if (userId !== undefined) this.#run();
  }

  nextPlace(room: string | undefined): OutboxPlace {
    return this.#places.next(room);
  }

  keep(message: Message, place: OutboxPlace): Promise<void> {
    return new Promise((resolve, reject) => {
      message.hold = 'storing';
      const stored = { resolve, reject };
      const state = this.#saidBy === 'user' ? 'new' : 'unclaimed';
      const entry: Entry = { message, place, written: undefined, marked: undefined, state, stored };
      this.#entries.set(message, entry);
      const isGuest = this.#session && this.#session.userId === undefined;
      if (isGuest && state === 'new') this.#refuse([entry], GUEST);
      else this.#run();
    });
  }

  has(message: Message): boolean {
    const { state } = this.#entries.get(message) ?? {};
    // As long as nobody knows whose it is, no store has been given it.
    return state === 'kept' || (state === 'new' && this.#userId !== undefined);
  }

  wasWritten(message: Message): boolean {
    return this.#entries.get(message)?.written !== undefined;
  }

  replaced(): void {
    this.#saidBy = 'newcomer';
  }

  attached(session: DurableSession): void {
    this.#session = session;
    const { userId } = session;
    if (this.#userId !== undefined && this.#userId !== userId) this.#leaveTo(this.#userId);
    this.#userId = userId;
    this.#saidBy = 'user';
    for (const entry of this.#unclaimed) entry.state = 'new';
    if (userId === undefined) return this.#refuse(this.#waiting, GUEST);
    if (this.#opened.is === 'broken') this.#opened = { is: 'closed' };
    for (const entry of this.#waiting) this.#judge(entry);
    this.#run();
  }

  joining(join: Message): Rearrangement {
    const { room } = join;
    const due = this.#waiting.filter(({ message }) => message.hold === 'unjoined' && message.room === room);
    for (const entry of due) {
      entry.message.hold = 'storing';
      this.#judge(entry);
    }
    if (due.length > 0) this.#run();
    const moved = due.map(({ message }) => message);
    return (waiting) => putBehind(waiting, join, moved);
  }

  detached(): void {
    this.#session = undefined;
  }

  returned(message: Message): void {
    const entry = this.#entries.get(message);
    if (!entry || entry.state === 'refused') return;
    entry.written ??= entry.marked;
    message.hold = 'storing';
  }

  settled(message: Message): void {
    const entry = this.#entries.get(message);
    if (!entry || !this.#entries.delete(message)) return;
    // Of what was refused, an answer that came too late may have left something there.
    if (entry.state !== 'refused' || this.#opened.is === 'open') this.#toRemove.push(entry.place);
    entry.stored.reject(storageError(this.#store, 'it was settled before it was stored'));
    this.#run();
  }

  release(): void {
    for (const [message, { stored, state }] of this.#entries) {
      if (state === 'unclaimed') continue;
      stored.reject(storageError(this.#store, 'its client has gone'));
      this.#entries.delete(message);
    }
    this.#userId = undefined;
    this.#places.beginAnew();
    this.#become({ is: 'closed' });
  }

  async close(): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      if (this.#work === 'idle') resolve();
      else this.#idle.push(resolve);
    });
    await this.#ask(() => idle).catch((error: unknown) => this.#report(error));
    this.#become({ is: 'broken', error: storageError(this.#store, 'the client was closed') });
    await this.#closed;
  }

  #become(next: Store): void {
    const before = this.#opened;
    this.#opened = next;
    const removed = this.#toRemove;
    this.#toRemove = [];
    if (before.is === 'open') this.#letGo(before.outbox, removed);
  }

  /** Closes it when nothing is being done in it any more: only then can it be opened again. */
  #letGo(outbox: OpenOutbox, removed: readonly OutboxPlace[] = []): void {
    const told = (error: unknown): void => this.#report(error);
    const last = (): Promise<void> | undefined =>
      removed.length > 0 ? this.#ask(() => outbox.remove(removed)).catch(told) : undefined;
    this.#closed = Promise.all([this.#closed, this.#round])
      .then(last)
      .then(() => this.#ask(() => outbox.close()))
      .catch(told);
  }

  get #unclaimed(): Entry[] {
    return [...this.#entries.values()].filter(({ state }) => state === 'unclaimed');
  }

  /** Not on the wire. */
  get #waiting(): Entry[] {
    return [...this.#entries.values()].filter(({ message }) => message.writtenAt === undefined);
  }

  /** Somebody else is here: these wait in the store for who has said them. */
  #leaveTo(userId: string): void {
    const left = this.#waiting;
    this.release();
    for (const { message, state } of left) {
      if (state === 'unclaimed') continue;
      const delivery = state === 'refused' ? 'unsent' : 'unknown';
      const why = {
        new: `it was said by the user '${userId}', and may wait in ${this.#store.name}`,
        kept: `it waits in ${this.#store.name} for the user '${userId}'`,
        refused: `it was said by the user '${userId}', who has been replaced by another`,
      }[state];
      this.#client.exchange.fail(message, ending(message, 'ERR_CLOSED', delivery, why));
    }
  }

  /** A session stands: whether what waits may be written in it. */
  #judge({ message, written, marked, state }: Entry): void {
    const session = this.#session;
    if (!session || state === 'refused') return;
    const { epoch, aheadMs, windowMs } = session;
    const isSame = (written ?? marked)?.epoch === epoch;
    // Another server's clock may be behind: one that knows nothing knows nothing of the future either.
    const age = written ? Math.max(0, this.#client.ports.clock.now() + aheadMs - written.at) : 0;
    if (!written || (isSame && age < windowMs * SAFE_PART)) {
      if (message.hold !== 'unjoined') message.hold = isSame ? 'none' : 'storing';
      return;
    }
    const why = isSame ? `only knows what came in the last ${windowMs} ms` : 'has lost what it knew';
    const text = `it was written before, and the server ${why}`;
    this.#client.exchange.fail(message, ending(message, 'ERR_SESSION_LOST', 'unknown', text));
  }

  /** Does what is to be done in the store, one thing after the other. */
  #run(): void {
    if (this.#work !== 'idle') {
      this.#work = 'again';
      return;
    }
    this.#work = 'working';
    this.#round = this.#next();
    this.#round.then(() =>
      this.#client.post(() => {
        const isMore = this.#work === 'again';
        this.#work = 'idle';
        if (isMore) return this.#run();
        for (const tell of this.#idle.splice(0)) tell();
      }),
    );
  }

  /** One round: open, remove, put. Never rejects. */
  async #next(): Promise<void> {
    const userId = this.#userId;
    if (userId === undefined) return;
    if (this.#opened.is === 'closed') await this.#open(userId);
    if (this.#opened.is === 'broken') {
      const { error } = this.#opened;
      return this.#client.post(() => this.#refuse(this.#unstored, error.message, error.cause));
    }
    if (this.#opened.is !== 'open') return;
    const { outbox } = this.#opened;
    // After each, somebody else may be here: what he has said does not belong there.
    for (const step of [this.#look, this.#remove, this.#put]) {
      if (this.#has(outbox)) await step.call(this, outbox);
    }
  }

  #has(outbox: OpenOutbox): boolean {
    return this.#opened.is === 'open' && this.#opened.outbox === outbox;
  }

  /** Others may have gone since: with each connection it is asked what they have left. */
  async #look(outbox: OpenOutbox): Promise<void> {
    const session = this.#session;
    if (!session || this.#looked === session) return;
    this.#looked = session;
    try {
      const left = await this.#ask(() => outbox.adopt());
      this.#client.post(() => this.#adopted(outbox, left));
    } catch (cause) {
      this.#client.post(() => this.#report(cause));
    }
  }

  async #open(userId: string): Promise<void> {
    this.#looked = this.#session;
    const opening = this.#closed.then(() => this.#store.open(userId));
    try {
      const outbox = await this.#ask(() => opening);
      const left = await this.#ask(() => outbox.adopt());
      this.#client.post(() => this.#isOpen(userId, outbox, left));
    } catch (cause) {
      // Also one that opens too late: nobody else could have it.
      opening.then(
        (outbox) => this.#letGo(outbox),
        () => undefined,
      );
      this.#opened = { is: 'broken', error: storageError(this.#store, messageOf(cause), cause) };
      this.#client.dispatcher.report(this.#opened.error);
    }
  }

  #isOpen(userId: string, outbox: OpenOutbox, left: readonly StoredMessage[]): void {
    if (this.#userId !== userId) return this.#letGo(outbox);
    this.#opened = { is: 'open', outbox };
    if (outbox.damage !== undefined) this.#report(new Error(outbox.damage));
    this.#adopted(outbox, left);
  }

  #adopted(outbox: OpenOutbox, left: readonly StoredMessage[]): void {
    // If not, it has been let go of meanwhile, and they with it.
    if (!this.#has(outbox)) return;
    const client = this.#client;
    const messages: Message[] = [];
    for (const one of left) {
      const message = restored(one, client.settings.codec);
      if (!message) {
        this.#report(
          new Error(`'${one.event}' of ${one.codec} cannot be read by ${client.settings.codec.name}`),
        );
        continue;
      }
      const { room } = message;
      if (room !== undefined && !client.rooms.get(room).wanted) message.hold = 'unjoined';
      messages.push(message);
      const nobody = { resolve: () => undefined, reject: () => undefined };
      const { place, written } = one;
      const entry: Entry = { message, place, written, marked: written, state: 'kept', stored: nobody };
      this.#entries.set(message, entry);
    }
    if (messages.length > 0) {
      client.post(() => client.dispatcher.restored(messages.flatMap(restoredPart)));
      client.exchange.restore(messages, (waiting) => putFirst(waiting, messages));
    }
    for (const entry of this.#waiting) this.#judge(entry);
    client.wake();
  }

  /** What the store has not got, or not as it has to be before it is written. */
  get #unstored(): Entry[] {
    const { epoch } = this.#session ?? {};
    return this.#waiting.filter(({ message, state, written, marked }) => {
      if (state !== 'kept') return state === 'new';
      // Marked as written it would be unknown one day, and not sent.
      if (message.hold === 'unjoined') return false;
      return epoch !== undefined && !written && marked?.epoch !== epoch;
    });
  }

  /** What cannot be removed now is tried again: a later life would send it. */
  async #remove(outbox: OpenOutbox): Promise<void> {
    const removed = this.#toRemove;
    if (removed.length === 0) return;
    this.#toRemove = [];
    try {
      await this.#ask(() => outbox.remove(removed));
    } catch (cause) {
      this.#client.post(() => {
        if (this.#has(outbox)) this.#toRemove.push(...removed);
        this.#report(cause);
      });
    }
  }

  async #put(outbox: OpenOutbox): Promise<void> {
    const entries = this.#unstored;
    if (entries.length === 0) return;
    const session = this.#session;
    const at = this.#client.ports.clock.now() + (session?.aheadMs ?? 0);
    const mark = session && { epoch: session.epoch, at };
    const { codec } = this.#client.settings;
    try {
      const forms = entries.map(({ message, place }) => storedForm(message, place, codec, mark));
      await this.#ask(() => outbox.put(forms));
      this.#client.post(() => {
        for (const entry of entries) {
          entry.state = 'kept';
          entry.marked = mark;
          entry.stored.resolve();
          this.#judge(entry);
        }
        this.#client.wake();
        // Another session may have come meanwhile.
        if (this.#unstored.length > 0) this.#run();
      });
    } catch (cause) {
      this.#client.post(() => this.#refuse(entries, messageOf(cause), cause));
    }
  }

  /** These are like any other message: they go with this life. */
  #refuse(entries: readonly Entry[], why: string, cause?: unknown): void {
    for (const entry of entries) {
      if (entry.state === 'kept') {
        // In the store it is said that it was never written, and that must stay true.
        if (entry.message.hold !== 'none') this.#stick(entry.message);
        continue;
      }
      entry.state = 'refused';
      entry.message.hold = 'none';
      entry.stored.reject(storageError(this.#store, why, cause));
    }
    this.#client.wake();
  }

  /** Others need not wait for it, but for those of its own outbox: their numbers are higher. What is said now is of another one. */
  #stick(message: Message): void {
    message.hold = 'stuck';
    this.#places.beginAnew();
  }

  #ask<T>(call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`it did not answer within ${DEADLINE_MS} ms`));
      const cancel = this.#client.ports.clock.setTimer(late, DEADLINE_MS);
      new Promise<T>((answered) => answered(call())).then(resolve, reject).finally(cancel);
    });
  }

  #report(cause: unknown): void {
    this.#client.dispatcher.report(storageError(this.#store, messageOf(cause), cause));
  }
}
