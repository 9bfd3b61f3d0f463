import type { SessionStore } from '@holdfast/server/ports';
import type { VirtualClock } from '@holdfast/testing';
import type { Coverage } from './coverage.js';
import type { Judge } from './judge.js';

type Attached = Awaited<ReturnType<SessionStore['attach']>>;
type AttachCall = Parameters<SessionStore['attach']>[0];

/** What the store has promised of one session. */
interface Watched {
  readonly epoch: string;
  readonly userId: string;
  n: number;
  gen: number;
  /** Highest number accepted, written to the client, acknowledged by it. */
  inTop: number;
  outTop: number;
  acked: number;
  touchedAt: number;
  /** Hashes of the resume keys that were given since it was made. */
  readonly keys: Set<string>;
}

/** Something that was published, and where it stands. */
export interface Published {
  readonly text: string;
  readonly room: string;
  readonly epoch: string;
  readonly offset: number;
  readonly except: ReadonlySet<string>;
  readonly at: number;
  /** Ids of the sessions that were in the room. */
  readonly members: ReadonlySet<string>;
}

export interface StoreWatchSurroundings {
  readonly clock: VirtualClock;
  readonly judge: Judge;
  readonly coverage: Coverage;
  /** Of this store and those before it. */
  readonly publications: Published[];
  /** Session and number of what was refused: its sender is being told. */
  readonly refused: Set<string>;
  /** The same of what was accepted, and then given up. */
  readonly setAside: Set<string>;
  /** What stands in a publication, as its text. */
  textOf(event: Parameters<SessionStore['publish']>[0]['publication']['event']): string;
}

/** Looks at every call that reaches the store, and at its answer, in the order in which they take effect. */
export class StoreWatch {
  readonly #inner: SessionStore;
  readonly #around: StoreWatchSurroundings;
  readonly #sessions = new Map<string, Watched>();
  /** Highest generation of each session that ever was, by epoch and id. */
  readonly #gens = new Map<string, number>();
  /** The store seen through the watch. */
  readonly store: SessionStore;

  constructor(inner: SessionStore, around: StoreWatchSurroundings) {
    this.#around = around;
    this.#inner = inner;
    this.store = new Proxy(inner, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        const seen = (call: unknown): unknown => {
          const answer: unknown = Reflect.apply(value, target, [call]);
          this.#look(String(name), call, answer);
          return answer;
        };
        return seen;
      },
    });
  }

  /** How many accepted messages nobody has handled yet. */
  unhandled(): number {
    const orphans = this.#inner.orphans({ idleMs: 0 }) as Awaited<ReturnType<SessionStore['orphans']>>;
    return orphans.reduce((sum, { unhandled }) => sum + unhandled, 0);
  }

  /** Ids of the sessions in a room. */
  membersOf(room: string): ReadonlySet<string> {
    const found = this.#inner.find({ rooms: [room] }) as Awaited<ReturnType<SessionStore['find']>>;
    return new Set(found.map(({ sid }) => sid));
  }

  /** What the store has of a session; undefined: it is not there, or not any more. */
  session(sid: string): Readonly<Watched> | undefined {
    return this.#sessions.get(sid);
  }

  #look(name: string, call: unknown, answer: unknown): void {
    this.#around.judge.note(() => `  store ${name} ${brief(call)} → ${brief(answer)}`);
    switch (name) {
      case 'attach':
        return this.#attach(call as AttachCall, answer as Attached);
      case 'accept':
        return this.#accept(
          call as Parameters<SessionStore['accept']>[0],
          answer as Awaited<ReturnType<SessionStore['accept']>>,
        );
      case 'read':
        return this.#read(
          call as Parameters<SessionStore['read']>[0],
          answer as Awaited<ReturnType<SessionStore['read']>>,
        );
      case 'end':
        return this.#end(
          call as Parameters<SessionStore['end']>[0],
          answer as Awaited<ReturnType<SessionStore['end']>>,
        );
      case 'publish':
        return this.#publish(
          call as Parameters<SessionStore['publish']>[0],
          answer as Awaited<ReturnType<SessionStore['publish']>>,
        );
      case 'done':
        return this.#done(call as Parameters<SessionStore['done']>[0], answer as { status: string });
      case 'claim':
        return this.#claim(answer as Awaited<ReturnType<SessionStore['claim']>>);
      case 'append':
        return this.#appended(answer as Awaited<ReturnType<SessionStore['append']>>);
    }
  }

  #appended(answer: Awaited<ReturnType<SessionStore['append']>>): void {
    const { coverage } = this.#around;
    if (answer.status === 'full') coverage.add('append refused: full');
    if (answer.status === 'ok') coverage.add('append let older ones go', answer.dropped?.length ?? 0);
  }

  #attach(call: AttachCall, answer: Attached): void {
    const { judge, coverage, clock } = this.#around;
    const known = this.#sessions.get(call.sid);
    coverage.add(`attach: ${answer.status}`);
    if (answer.status === 'stale') {
      judge.demand(!known || call.n <= known.n, 9, () => `HELLO ${call.n} called late`);
      return;
    }
    if (answer.status === 'lost') {
      // Its key was given to this session, not to one of the same id that has expired.
      const isItsKey = call.key !== undefined && known?.keys.has(call.key) === true;
      const ours = known?.epoch === call.epoch && known?.userId === call.user.id && isItsKey;
      judge.demand(!ours || call.fresh, 4, () => `session ${call.sid} called lost although it is there`);
      return;
    }
    if (known) {
      judge.demand(call.n > known.n, 9, () => `attach number ${call.n} after ${known.n}`);
      judge.demand(answer.accepted >= known.inTop, 5, () => `accepted ${answer.accepted} < ${known.inTop}`);
      if (call.fresh) coverage.add('a first WELCOME was lost, its session found again');
    }
    // Also of a session of the same id that has ended: its owner may be asleep.
    const life = `${answer.epoch} ${call.sid}`;
    const before = this.#gens.get(life) ?? 0;
    judge.demand(answer.gen > before, 9, () => `generation ${answer.gen} after ${before}`);
    this.#gens.set(life, answer.gen);
    this.#sessions.set(call.sid, {
      epoch: answer.epoch,
      userId: call.user.id,
      n: call.n,
      gen: answer.gen,
      inTop: answer.accepted,
      outTop: known?.outTop ?? answer.base,
      acked: answer.base,
      touchedAt: clock.now(),
      keys: new Set([...(known?.keys ?? []), call.newKey]),
    });
  }

  /** The session that a call of its owner is about. */
  #owned(
    call: { readonly sid: string; readonly epoch: string; readonly gen: number },
    status: string,
  ): Watched | undefined {
    const { judge, clock } = this.#around;
    const known = this.#sessions.get(call.sid);
    if (status === 'lost' || known?.epoch !== call.epoch) return undefined;
    if (status === 'fenced') {
      judge.demand(call.gen < known.gen, 7, () => `generation ${call.gen}, the newest, was fenced`);
      return undefined;
    }
    judge.demand(call.gen >= known.gen, 7, () => `generation ${call.gen} acted after ${known.gen}`);
    known.touchedAt = clock.now();
    return known;
  }

  #accept(
    call: Parameters<SessionStore['accept']>[0],
    answer: Awaited<ReturnType<SessionStore['accept']>>,
  ): void {
    const { judge, coverage } = this.#around;
    const known = this.#owned(call, answer.status);
    if (answer.status !== 'ok') coverage.add(`accept: ${answer.status}`);
    if (!known || !('accepted' in answer)) return;
    judge.demand(answer.accepted >= known.inTop, 5, () => `accepted fell to ${answer.accepted}`);
    judge.demand(call.ack <= known.outTop, 5, () => `ack ${call.ack} above what was sent, ${known.outTop}`);
    known.inTop = answer.accepted;
    for (const { seq, refusal } of call.items) if (refusal) this.#around.refused.add(`${call.sid} ${seq}`);
    known.acked = Math.max(known.acked, call.ack);
  }

  #read(call: Parameters<SessionStore['read']>[0], answer: Awaited<ReturnType<SessionStore['read']>>): void {
    const { judge, coverage } = this.#around;
    const known = this.#owned(call, answer.status);
    if (answer.status !== 'ok') coverage.add(`read: ${answer.status}`);
    if (!known || answer.status !== 'ok') return;
    let next = call.after + 1;
    for (const item of answer.items) {
      judge.demand(item.seq === next, 2, () => `the store gave ${item.seq} where ${next} was due`);
      next = ('last' in item ? item.last : item.seq) + 1;
      if ('why' in item) coverage.add(`hole to a client: ${item.why}`);
    }
    known.outTop = Math.max(known.outTop, next - 1);
    // Perhaps told in the middle of an accept, whose answer has not come yet.
    known.inTop = Math.max(known.inTop, answer.handled.low);
  }

  #end({ sid, why, idleMs = 0 }: Parameters<SessionStore['end']>[0], answer: { status: string }): void {
    const { judge, coverage, clock } = this.#around;
    if (answer.status !== 'ok') return;
    const known = this.#sessions.get(sid);
    coverage.add(`session ended: ${why}`);
    if (why === 'expired' && known) {
      const idle = clock.now() - known.touchedAt;
      judge.demand(idle >= idleMs, 4, () => `session ${sid} expired after ${idle} of ${idleMs} ms`);
    }
    this.#sessions.delete(sid);
  }

  #publish(
    { room, publication }: Parameters<SessionStore['publish']>[0],
    answer: Awaited<ReturnType<SessionStore['publish']>>,
  ): void {
    if (answer.status !== 'ok') return;
    const { position } = answer;
    const { epoch, offset } = position;
    const { judge, publications } = this.#around;
    // A repeated call: its first one has been seen.
    if (publications.some((one) => one.room === room && one.epoch === epoch && one.offset === offset)) return;
    const text = this.#around.textOf(publication.event);
    const at = this.#around.clock.now();
    const members = this.membersOf(room);
    const { except } = publication;
    const later = publications.find(
      (one) => one.room === room && one.epoch === epoch && isSaidBehind(one, { text, except }),
    );
    judge.demand(!later, 17, () => `${text} is published in ${room} behind ${later?.text}`);
    publications.push({ text, room, epoch, offset, except, at, members });
  }

  /** Accepted, and set aside: its sender is being told. */
  #done({ sid, seq, reply }: Parameters<SessionStore['done']>[0], { status }: { status: string }): void {
    if (status === 'ok' && reply?.refusal) this.#around.setAside.add(`${sid} ${seq}`);
  }

  #claim({ items, blocked }: Awaited<ReturnType<SessionStore['claim']>>): void {
    const { coverage } = this.#around;
    if (blocked) coverage.add("claim: behind somebody else's");
    for (const { redelivered } of items) if (redelivered) coverage.add('claim: redelivered');
  }
}

type Spoken = Pick<Published, 'text' | 'except'>;

/** Whether a client has said one word behind another one, in the same session. What servers say has no such place. */
function isSaidBehind(one: Spoken, other: Spoken): boolean {
  const [sid] = one.except;
  const place = ({ text }: Spoken): number => Number(text.split(':')[1]);
  return sid !== undefined && other.except.has(sid) && place(one) > place(other);
}

/** For the trace. */
function brief(value: unknown): string {
  const text =
    JSON.stringify(value, (key, part: unknown) => (key === 'data' || key === 'item' ? '…' : part)) ?? '';
  return text.length > 2400 ? `${text.slice(0, 2400)}…` : text;
}
