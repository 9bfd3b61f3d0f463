import { MemoryStore, type SessionStore } from '@holdfast/server/ports';
import { seededRandom, type VirtualClock } from '@holdfast/testing';

/** What a store is made with. */
export interface RollingOptions {
  readonly seed: number;
  readonly clock: VirtualClock;
  readonly leaseMs: number;
  readonly bounds: readonly [messages: number, bytes: number];
}

interface Logged {
  readonly name: string;
  readonly call: { readonly [field: string]: unknown };
  readonly at: number;
}

/** Rooms begin anew with each incarnation: a position of an earlier one must not count in this one, and nobody is there. */
const FORGOTTEN = new Set([
  ...['publish', 'incarnation', 'cast', 'readRoom', 'listen', 'orphans', 'find'],
  ...['present', 'whoIsThere', 'beat'],
]);

type Listener = Parameters<SessionStore['listen']>[0];

/**
 * A store that can lose everything, or only its last writes, as a replica does that takes over too early. Servers do
 * not notice anything but another incarnation.
 */
export class RollingStore {
  readonly #options: RollingOptions;
  readonly #listeners = new Set<Listener>();
  /** What was accepted in an earlier incarnation: who had handled it is no longer known. */
  readonly #doubtful = new Set<string>();
  #log: Logged[] = [];
  #lives = 0;
  #inner: MemoryStore;
  /** Undefined: now. */
  #past: number | undefined;
  readonly store: SessionStore;

  constructor(options: RollingOptions) {
    this.#options = options;
    this.#inner = this.#make();
    this.store = new Proxy(this.#inner as SessionStore, {
      get: (_target, name) => {
        if (name === 'listen') return (listener: Listener) => this.#listen(listener);
        const value: unknown = Reflect.get(this.#inner, name);
        if (typeof value !== 'function') return value;
        return (call: Logged['call']) => this.#ask(String(name), call);
      },
    });
  }

  /** Everything is gone. */
  loseAll(): void {
    this.#log = [];
    this.#doubtful.clear();
    this.#inner = this.#make();
  }

  /** Goes on from where it stood at `at`. */
  rollBack(at: number): void {
    const kept = this.#log.filter((logged) => logged.at <= at);
    const before = this.#inner;
    this.#log = [];
    this.#inner = this.#make();
    for (const { name, call, at: then } of kept) {
      this.#past = then;
      this.#ask(name, renamed(call, epochOf(before), epochOf(this.#inner)));
      if (name !== 'accept') continue;
      for (const { seq } of call['items'] as readonly { seq: number }[])
        this.#doubtful.add(`${String(call['sid'])} ${seq}`);
    }
    this.#past = undefined;
  }

  #ask(name: string, call: Logged['call']): unknown {
    const answer: unknown = (this.#inner[name as keyof MemoryStore] as (call: unknown) => unknown)(call);
    if (!FORGOTTEN.has(name)) this.#log.push({ name, call, at: this.#now() });
    return name === 'claim' ? this.#doubted(call, answer as Claimed) : answer;
  }

  /** As a store that knows of its incarnations does: nobody can say whether this was handled before. */
  #doubted({ sid }: Logged['call'], { items, blocked }: Claimed): Claimed {
    const doubted = items.map((item) => {
      const isDoubtful = this.#doubtful.has(`${String(sid)} ${item.seq}`);
      return isDoubtful ? { ...item, redelivered: true } : item;
    });
    return { items: doubted, blocked };
  }

  #make(): MemoryStore {
    const { seed, leaseMs, bounds } = this.#options;
    const random = seededRandom(seed * 17 + this.#lives++);
    const store = new MemoryStore({ clock: this.#clock(), random }, { leaseMs, bounds, inbox: bounds });
    store.listen((note) => {
      if (this.#past !== undefined) return;
      for (const listener of [...this.#listeners]) listener(note);
    });
    return store;
  }

  #clock() {
    const { clock } = this.#options;
    const now = (): number => this.#now();
    return { now, setTimer: clock.setTimer.bind(clock), defer: clock.defer.bind(clock) };
  }

  #now(): number {
    return this.#past ?? this.#options.clock.now();
  }

  #listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

type Claimed = Awaited<ReturnType<SessionStore['claim']>>;

/** Its incarnation, as an attach would be told. */
function epochOf(store: MemoryStore): string {
  const probe = { sid: 'probe', fresh: true, user: { id: 'probe' }, n: 1, newKey: '', received: 0, acked: 0 };
  const attached = store.attach({ ...probe, maxRequests: 1, codec: 'json', node: 'probe' });
  store.end({ sid: 'probe', why: 'closed' });
  return 'epoch' in attached ? attached.epoch : '';
}

function renamed(call: Logged['call'], from: string, to: string): Logged['call'] {
  const { life } = call as { readonly life?: { readonly epoch: string } };
  const lived = life?.epoch === from ? { ...call, life: { ...life, epoch: to } } : call;
  return lived['epoch'] === from ? { ...lived, epoch: to } : lived;
}
