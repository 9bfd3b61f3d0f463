import type { Transport, WireData } from '@holdfast/client/ports';
import type { Codec } from '@holdfast/protocol';
import {
  type HoldfastServer,
  RejectError,
  type ServerContext,
  type ServerNamespace,
  type ServerOptions,
  type ServerSession,
} from '@holdfast/server';
import { createServerOn, negotiate, type SessionStore, systemDigest } from '@holdfast/server/ports';
import { type MemoryAnswer, seededRandom } from '@holdfast/testing';
import { type AskOptions, ask } from './asks.js';
import type { Coverage } from './coverage.js';
import type { Dice } from './dice.js';
import type { Judge } from './judge.js';
import { type Ledger, outcomeOf, placeOf, type Said, type Start, type Words } from './ledger.js';
import { type Guests, HOME, hostNamespace } from './namespaces.js';
import type { SimProcess } from './sim-process.js';
import type { StoreWatch } from './store-watch.js';
import { yieldStreams } from './streams.js';
import { DownWatch } from './wire-watch.js';

export interface ServerNodeSurroundings {
  readonly judge: Judge;
  readonly coverage: Coverage;
  readonly ledger: Ledger;
  readonly dice: Dice;
  readonly process: SimProcess;
  readonly store: SessionStore;
  readonly answers: Map<string, number>;
  /** There are no other servers. */
  readonly alone: boolean;
  storeWatch(): StoreWatch;
  readonly refused: ReadonlySet<string>;
  readonly setAside: ReadonlySet<string>;
  /** Undefined: there are no namespaces. */
  readonly guests: Guests | undefined;
  readonly namespaceDice: Dice;
  /** For how long the store could not be reached by this process since then, at most; ms. */
  storeTrouble(since: number): boolean;
}

export interface ServerNodeOptions {
  /** Of this life: another one after a restart. */
  readonly name: string;
  readonly seed: number;
  readonly codecs: readonly Codec[];
  readonly sessionTtlMs: number;
  readonly concurrency: number;
  readonly maxBufferedBytes: number;
  readonly outbox: ServerOptions['outbox'];
}

/** Who joins this room is asked first. */
export const SURE = 'sure';
/** Into this room sessions are put by servers. */
export const PUT = 'put';
/** What is said in several rooms begins so. */
export const SEVERAL = '+';

interface Identity {
  readonly user: { readonly id: string };
  readonly expiresAt?: number;
}

/** One life of a server, with an application on it that does what messages wish for. */
export class ServerNode {
  readonly name: string;
  readonly process: SimProcess;
  readonly server: HoldfastServer;
  readonly #around: ServerNodeSurroundings;
  readonly #codecs: readonly Codec[];
  readonly #accept: ReturnType<typeof createServerOn>['accept'];
  readonly #sessions = new Map<string, ServerSession>();
  readonly #namespace: ServerNamespace | undefined;
  #wires = 0;
  /** What `auth` does at the moment. */
  auth: 'fine' | 'throws' | 'hangs' = 'fine';

  constructor(options: ServerNodeOptions, around: ServerNodeSurroundings) {
    const { name, seed, codecs, sessionTtlMs, concurrency, maxBufferedBytes, outbox } = options;
    this.name = name;
    this.process = around.process;
    this.#around = around;
    this.#codecs = codecs;
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const made = createServerOn(
      {
        clock: around.process,
        random: seededRandom(seed),
        digest: systemDigest,
        logger: silent,
        store: around.store,
      },
      {
        codecs,
        sessionTtlMs,
        concurrency,
        outbox,
        // Its clients send a thousand and more in one step.
        limits: { maxBufferedBytes, messagesPerSecond: Infinity },
        auth: (token = 'guest') => this.#authenticate(token),
      },
    );
    this.server = made.server;
    this.#accept = made.accept;
    const { guests } = around;
    this.#namespace = guests && hostNamespace(name, this.server, { ...around, guests, first: name === 's1' });
    this.#listen();
  }

  /** Takes a connection, as `MemoryListener` asks. */
  connect(protocols: readonly string[], address: string): MemoryAnswer {
    const result = negotiate(protocols, this.#codecs);
    if (result.outcome !== 'agreed') return { refused: `no common subprotocol: ${result.outcome}` };
    const { protocol, codec } = result;
    const { process } = this;
    return {
      protocol,
      server: this,
      serve: (transport) => {
        const events = this.#accept(this.#watched(transport, codec, address), codec, { address });
        return {
          message: (data) => process.run(() => events.message(data)),
          close: (end) => process.run(() => events.close(end)),
          drain: () => process.run(() => events.drain?.()),
        };
      },
    };
  }

  /** Whatever sessions it knows. */
  get sessions(): readonly ServerSession[] {
    return [...this.#sessions.values()];
  }

  /** The application sends to one session. */
  send(session: ServerSession, filler?: string): PromiseLike<void> {
    const { judge, coverage, ledger } = this.#around;
    const downs = ledger.downs(this.name, session.id);
    const k = downs.length;
    const down = {
      writer: this.name,
      sid: session.id,
      k,
      process: this.process,
      outcome: undefined as string | undefined,
      heard: 0,
    };
    downs.push(down);
    judge.note(() => `${this.name} sends ${k} to ${session.id}`);
    const settle = (outcome: string): void => {
      judge.note(() => `${this.name} ${k} to ${session.id} ends: ${outcome}`);
      coverage.add(`down: ${outcome}`);
      judge.demand(
        outcome !== 'ok' || down.heard > 0,
        3,
        () => `${this.name} ${k} to ${session.id} acknowledged and never heard`,
      );
      down.outcome = outcome;
    };
    const sending = session.send('down', { writer: this.name, sid: session.id, k, filler });
    return sending.then(
      () => settle('ok'),
      (error: unknown) => settle(outcomeOf(error)),
    );
  }

  /** The application asks one client. */
  ask(session: ServerSession, options: AskOptions): PromiseLike<void> {
    return ask(this.name, session, options, this.#around);
  }

  /** The application publishes. */
  publish(...rooms: readonly string[]): void {
    const text = this.#nextText(rooms.length > 1 ? SEVERAL : '');
    quietly(this.server.to(...rooms).send('line', { text }));
  }

  #nextText(begin = ''): string {
    return `${begin}${this.name}#${this.#around.ledger.publicationsOfServers++}`;
  }

  /** The application tells all in the namespace, or in a room of it, by its whole name. */
  tellInside(room: string): void {
    const namespace = this.#namespace;
    if (!namespace) return;
    const target = room === HOME ? namespace.toAll() : namespace.to(room.slice(HOME.length));
    quietly(target.send('line', { text: this.#nextText() }));
  }

  /** The application takes a user out of the namespace. */
  expel(user: string): void {
    this.#around.judge.note(() => `${this.name} takes ${user} out of the namespace`);
    this.#around.guests?.expel(user);
    if (this.#namespace) quietly(this.#namespace.toUser(user).end());
  }

  /** The application moves a session, or all, into the room that is its own, or out of it. */
  move(way: 'in' | 'out', session?: ServerSession): void {
    const whom = session ?? this.server.toAll();
    const moved = way === 'in' ? whom.join(PUT) : whom.leave(PUT);
    this.#around.judge.note(() => `${this.name} moves ${session?.id ?? 'all'} ${way}`);
    quietly(moved);
  }

  /** Tokens are a user, and when they expire: `u1@120000`. */
  #authenticate(token: string): Identity | Promise<Identity> {
    if (this.auth === 'throws') throw new Error('auth is out of order');
    if (this.auth === 'hangs') return new Promise(() => undefined);
    const [id = '', end] = token.split('@');
    if (end === undefined) return { user: { id } };
    const expiresAt = Number(end);
    if (expiresAt <= this.process.now()) throw new RejectError('expired');
    return { user: { id }, expiresAt };
  }

  #listen(): void {
    const { server } = this;
    server.rooms('*', { join: true, publish: true, presence: true });
    // A rule that asks the client whose join it is about.
    server.rooms(SURE, {
      join: async (session) => {
        await this.ask(session, { wish: 'plain', ms: 0, timeoutMs: 20_000 });
        return true;
      },
    });
    for (const scope of this.#namespace ? [server, this.#namespace] : [server]) {
      scope.on('note', (payload, context) => this.#do('note', payload as Words, context));
      scope.on('line', (payload, context) => this.#do('line', payload as Words, context));
      scope.handle('ask', async (payload, context) => {
        const words = payload as Words;
        await this.#do('ask', words, context);
        return `${words.by}:${words.k}`;
      });
    }
    yieldStreams(this, this.#around);
    server.onSession((session) => this.#sessions.set(session.id, session));
    server.onAttach((session) => this.#sessions.set(session.id, session));
    server.onSessionEnd((session) => this.#sessions.delete(session.id));
    server.onError((error, { name }) => {
      // What handlers and auth throw on purpose has no code.
      if (name === 'store' || name === 'frame')
        this.#around.judge.note(() => `${this.name} onError ${name}: ${error}`);
    });
  }

  #do(event: string, words: Words, context: ServerContext): unknown {
    const started = this.#started(event, words, context);
    const finish = (): void => {
      if (started) started.finished = true;
    };
    try {
      const working = this.#fulfil(event, words, context);
      if (working === undefined) return finish();
      return working.then(finish);
    } catch (error) {
      finish();
      throw error;
    }
  }

  #fulfil(
    event: string,
    { wish, ms, filler }: Words,
    { session }: ServerContext,
  ): PromiseLike<void> | undefined {
    switch (wish) {
      case 'throw':
        throw new Error('a handler that throws');
      case 'refuse':
        if (event !== 'line') throw new RejectError('not today');
        return undefined;
      case 'slow':
        return new Promise((resolve) => void this.process.setTimer(resolve, ms));
      case 'answer':
        void this.send(session, filler);
        return undefined;
      case 'wait-for-answer': {
        const sent = this.send(session, filler);
        // A server does not yet learn of acknowledgements that another one has seen.
        return this.#around.alone ? sent : undefined;
      }
      case 'announce':
        this.publish('r0');
        return undefined;
      case 'consult':
        return this.ask(session, { wish: 'ask-back', ms: 0, timeoutMs: 20_000 });
      case 'unheard':
      case 'plain':
        return undefined;
    }
  }

  /** A handler is started for a message: is it its turn? */
  #started(event: string, { by, k }: Words, { session, redelivered }: ServerContext): Start | undefined {
    const { judge, ledger, process } = this.#around;
    const all = ledger.saidBy(by);
    const said = all[k];
    judge.note(() => `${this.name} handles ${by}:${k} (${event})${redelivered ? ', redelivered' : ''}`);
    if (!said) {
      judge.violate(1, `${this.name} handles ${by}:${k}, which was never said`);
      return undefined;
    }
    const speaker = session.user.id;
    judge.demand(speaker === said.user, 22, () => `${said.user} said ${by}:${k}, not ${speaker}`);
    const { outcome } = said;
    const isOver = outcome?.endsWith(' unsent') || outcome === 'superseded' || outcome === 'dropped';
    judge.demand(!isOver, 1, () => `${by}:${k} handled, although it ended ${outcome}`);
    if (redelivered) this.#mayBeRedelivered(said);
    else judge.demand(said.starts.length === 0, 1, () => `${by}:${k} handled twice`);
    if (said.starts.length === 0 && said.delivery !== 'volatile') this.#checkOrder(all, said, session.id);
    const start = { process, sid: session.id, at: process.now(), redelivered, finished: false };
    said.starts.push(start);
    return start;
  }

  #checkOrder(all: readonly Said[], said: Said, sid: string): void {
    const { judge } = this.#around;
    const place = placeOf(said);
    const inOrder = all.filter(({ delivery }) => delivery !== 'volatile');
    const later = inOrder.find((one) => placeOf(one) > place && one.starts[0]?.sid === sid);
    judge.demand(later === undefined, 1, () => `${said.by}:${said.k} handled after ${later?.k}`);
    const hole = inOrder.find(
      (one) => placeOf(one) < place && one.starts.length === 0 && this.#isUnreported(one),
    );
    judge.demand(
      hole === undefined,
      2,
      () => `${said.by}:${said.k} handled, ${hole?.k} before it was not, and nobody was told`,
    );
  }

  /** Nobody has been told that it will not come. */
  #isUnreported({ outcome, toldUnknown, places }: Said): boolean {
    if (toldUnknown || (outcome !== undefined && outcome !== 'ok')) return false;
    const { refused, setAside } = this.#around;
    return !places.some((place) => refused.has(place) || setAside.has(place));
  }

  #mayBeRedelivered({ by, k, starts }: Said): void {
    const { judge, coverage, store, storeTrouble } = this.#around;
    coverage.add('handled again after the first process died or stood still');
    for (const { process, at } of starts) {
      const excused = !process.alive || process.stoodStill(store.leaseMs / 2, at) || storeTrouble(at);
      judge.demand(excused, 16, () => `${by}:${k} redelivered, its first run is alive and well`);
    }
  }

  #watched(transport: Transport, codec: Codec, address: string): Transport {
    const watch = new DownWatch(
      `${address} ${this.name}/${++this.#wires}`,
      codec,
      this.#around.answers,
      this.#around,
    );
    let open = true;
    return {
      send: (data: WireData) => {
        if (open) watch.sends(data);
        transport.send(data);
      },
      close: (code, reason) => {
        this.#around.judge.note(() => `${address} ${this.name} closes: ${code} ${reason}`);
        this.#around.coverage.add(`close ${code} by a server`);
        open = false;
        transport.close(code, reason);
      },
      get bufferedBytes() {
        return transport.bufferedBytes;
      },
    };
  }
}

/** However it ends, something else is looked at. */
function quietly(promise: PromiseLike<unknown>): void {
  promise.then(
    () => undefined,
    () => undefined,
  );
}
