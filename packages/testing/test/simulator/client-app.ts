import type { ClientNamespace, ClientOptions, ConnectionState, HoldfastClient } from '@holdfast/client';
import type { Dialer, Transport, TransportEvents } from '@holdfast/client/ports';
import type { Codec, Item } from '@holdfast/protocol';
import { type MemoryLink, seededRandom } from '@holdfast/testing';
import { answerQuestions } from './asks.js';
import { ClientPlatform } from './client-platform.js';
import type { Coverage } from './coverage.js';
import { DirectEar, type DirectWords } from './direct-ear.js';
import { Hearing } from './hearing.js';
import type { Judge } from './judge.js';
import { endOf, type Ledger, outcomeOf, type Said, type Wish, type Words } from './ledger.js';
import { type Guests, HOME } from './namespaces.js';
import { Telling } from './own-words.js';
import { RoomEar } from './room-ear.js';
import { type ClientKind, createSimClient, type SimClient, type SimRoom } from './sim-client.js';
import type { SimProcess } from './sim-process.js';
import type { Published, StoreWatch } from './store-watch.js';
import { Reading } from './streams.js';
import { NEXT } from './transitions.js';
import { Visit } from './visit.js';
import { UpWatch } from './wire-watch.js';

export interface ClientAppSurroundings {
  readonly judge: Judge;
  readonly coverage: Coverage;
  readonly ledger: Ledger;
  readonly process: SimProcess;
  readonly link: MemoryLink;
  storeWatch(): StoreWatch;
  readonly refused: ReadonlySet<string>;
  publications(): readonly Published[];
  /** Undefined: there are no namespaces. */
  readonly guests: Guests | undefined;
}

export interface ClientAppOptions {
  readonly kind: ClientKind;
  readonly index: number;
  readonly seed: number;
  readonly user: string;
  /** How long its tokens are good for, ms; undefined: for ever. */
  readonly tokenTtlMs: number | undefined;
  readonly codec: Codec;
  readonly outbox: NonNullable<ClientOptions['outbox']>;
  /** Its listeners throw now and then, and send while they listen. */
  readonly unruly: boolean;
}

/** An application on a client, which remembers what it said and checks what it is told. */
export class ClientApp {
  readonly index: number;
  /** Who uses it; see `loginStep`. */
  user: string;
  readonly outbox: ClientAppOptions['outbox'];
  readonly client: SimClient;
  readonly process: SimProcess;
  readonly link: MemoryLink;
  readonly platform: ClientPlatform;
  readonly ears = new Map<string, RoomEar>();
  readonly #several = new Set<string>();
  readonly hearing: Hearing;
  readonly reading: Reading;
  /** What it tells rooms about itself. */
  readonly telling: Telling = new Telling(this);
  readonly direct: DirectEar;
  readonly #visit: Visit | undefined;
  /** Its sessions so far. */
  readonly sids = new Set<string>();
  readonly #around: ClientAppSurroundings;
  readonly #unruly: boolean;
  #life: 'here' | 'closing' | 'gone' = 'here';
  #goneAt = Infinity;
  /** How much it has been told. */
  #told = 0;
  #watch: UpWatch | undefined;
  #helloN = 0;
  readonly #questions = new Set<string>();
  #connections = 0;

  constructor(options: ClientAppOptions, around: ClientAppSurroundings) {
    const { kind, index, seed, user, tokenTtlMs, codec, outbox, unruly } = options;
    this.index = index;
    this.user = user;
    this.outbox = outbox;
    this.process = around.process;
    this.link = around.link;
    this.platform = new ClientPlatform(around.process, around.coverage);
    this.hearing = new Hearing(around.process);
    this.#around = around;
    this.#unruly = unruly;
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const ports = {
      clock: around.process,
      random: seededRandom(seed),
      dialer: this.#dialer(codec),
      signals: this.platform.signals,
      logger: silent,
    };
    this.client = createSimClient(ports, {
      ...{ kind, codec, outbox },
      auth: this.platform.auth(user, tokenTtlMs),
      counted: () => around.ledger.open(index),
    });
    // Nobody reads a stream or visits a namespace where clients are small.
    const client = this.client as HoldfastClient;
    this.reading = new Reading(this.name, client, around);
    const { name } = this;
    this.direct = new DirectEar({ ...around, name, sid: () => this.#sid });
    const { guests, judge, process } = around;
    this.#visit = guests && new Visit(client, { name, user, judge, guests, now: () => process.now() });
    this.#listen();
  }

  get name(): string {
    return `c${this.index}`;
  }

  /** Its user has neither closed it nor lost it. */
  get here(): boolean {
    return this.#life === 'here';
  }

  get sid(): string | undefined {
    const state = this.client.getState();
    return state.status === 'connected' ? state.sessionId : undefined;
  }

  // ── What its user does ─────────────────────────────────────────────────────────────────────────────────────

  say(...what: Parameters<ClientApp['saying']>): void {
    void this.saying(...what);
  }

  /** Until it has ended, well or not. */
  saying(kind: Said['kind'], wish: Wish, ms: number, room?: string, filler?: string): PromiseLike<void> {
    const { ledger, judge, coverage } = this.#around;
    const said = ledger.say({ by: this.index, user: this.user, kind, room, sentAt: this.process.now() });
    const words: Words = { by: said.by, k: said.k, wish, ms, filler };
    judge.note(
      () => `${this.name} says ${said.k}: ${said.delivery} ${kind} ${wish}${room ? ` in ${room}` : ''}`,
    );
    const settle = (outcome: string): void => {
      judge.note(() => `${this.name} ${said.k} ends: ${outcome}`);
      // Promises of one moment settle in any order.
      const isLate = this.process.now() > this.#goneAt;
      judge.demand(!isLate, 13, () => `${this.name} ${said.k} settled after the end`);
      coverage.add(`${kind}: ${outcome}`);
      // Whoever is in a room may publish there, and what was said before leaving comes before leaving.
      const isIn = this.ears.get(room ?? '')?.isInSince(said.sentAt) ?? false;
      const mayBeRefused = wish === 'refuse' && kind !== 'publication';
      const isBarred = isIn && outcome.startsWith('ERR_REJECTED') && !mayBeRefused;
      judge.demand(!isBarred, 17, () => `${this.name} ${said.k} was refused, although it is in ${room}`);
      const { refused } = this.#around;
      const wasRefused = outcome === 'ok' && said.places.some((place) => refused.has(place));
      judge.demand(
        !wasRefused,
        2,
        () => `${this.name} ${said.k} was refused, and its sender told that it was not`,
      );
      said.outcome = outcome;
      said.outcomeAt = this.process.now();
    };
    return this.#send(words, said).then(
      (receipt) => settle(endOf(receipt)),
      (error: unknown) => settle(outcomeOf(error)),
    );
  }

  #send(words: Words, { kind, room, delivery }: Said): PromiseLike<unknown> {
    const scope = (room?.startsWith(HOME) ? this.#visit?.namespace : undefined) ?? this.client;
    if (kind === 'request' && words.wish === 'unheard') return scope.request('unheard', words);
    if (kind === 'request') {
      const timeoutMs = words.ms > 2_000 ? 1_000 : 30_000;
      return scope.request('ask', words, { timeoutMs }).then((answer) => this.#answered(words, answer));
    }
    if (kind === 'publication') return (this.room(room ?? 'r0') as SimRoom).send('line', words);
    const event = words.wish === 'unheard' ? 'unheard' : 'note';
    return scope.send(event, words, delivery === 'latest' ? { delivery, key: 'key' } : { delivery });
  }

  #answered({ by, k }: Words, answer: unknown): void {
    const { judge } = this.#around;
    const text = String(answer);
    judge.demand(text === `${by}:${k}`, 11, () => `${this.name}: the answer to ${k} was ${text}`);
  }

  /** By its whole name; a namespace is one. */
  room(name: string): SimRoom | ClientNamespace {
    const namespace = this.#visit?.namespace;
    if (!namespace || !name.startsWith(HOME)) return this.client.room(name);
    return name === HOME ? namespace : namespace.room(name.slice(HOME.length));
  }

  join(name: string): void {
    this.ear(name).join();
  }

  leave(name: string): void {
    this.telling.left(name);
    this.ears.get(name)?.leave();
    // With all its rooms.
    if (name === HOME) for (const [room, ear] of this.ears) if (room.startsWith(HOME)) ear.wasLeft();
  }

  /** Ends its session. Nothing may be heard of it afterwards. */
  async close(flushMs: number): Promise<void> {
    if (this.#life !== 'here') return;
    this.#life = 'closing';
    await this.client.close({ flushMs });
    this.#go();
  }

  #go(): void {
    this.#life = 'gone';
    this.#goneAt = this.process.now();
  }

  /** The page or process is gone, and nothing was said. */
  vanish(): void {
    this.#go();
    this.process.die();
    this.link.reset();
  }

  // ── What it is told ────────────────────────────────────────────────────────────────────────────────────────

  #listen(): void {
    const { judge, coverage } = this.#around;
    const { client } = this;
    client.on('down', (payload, meta) => this.#heard(payload as DirectWords, meta));
    this.#visit?.namespace.on('down', (payload, meta) => this.#heard(payload as DirectWords, meta));
    answerQuestions(this, (what) => this.#hearing(what), this.#around);
    client.onState((state, previous) => this.#state(state, previous));
    client.onGap(({ messages, reason, room }) => {
      this.#hearing(() => `gap ${messages} ${reason} ${room ?? ''}`);
      coverage.add(`gap: ${reason}${room === undefined ? '' : ' in a room'}`);
      if (room !== undefined) this.ears.get(room)?.gap(messages, reason);
      else this.direct.gap(messages);
    });
    client.onSessionLost((lost) => {
      this.#hearing(() => `session lost: ${lost.handled} handled, ${lost.unknown.length} unknown`);
      coverage.add('session lost');
      for (const { payload } of lost.unknown) {
        const said = this.#around.ledger.saidBy(this.index)[(payload as Words).k];
        if (said) said.toldUnknown = true;
      }
    });
    client.onError(() => undefined);
    client.onUndelivered((message, error) => {
      judge.note(() => `${this.name} undelivered ${message.event}: ${outcomeOf(error)}`);
      // Acknowledged, and refused by a handler that started later.
      const said = this.#around.ledger.saidBy(this.index)[(message.payload as Words | undefined)?.k ?? -1];
      if (said?.outcome === 'ok') said.toldUnknown = true;
    });
  }

  #sid: string | undefined;

  #state(state: ConnectionState, previous: ConnectionState): void {
    const { judge, coverage } = this.#around;
    this.#hearing(() => `${previous.status} → ${state.status}`);
    judge.demand(
      NEXT[previous.status].includes(state.status),
      13,
      () => `${this.name} went from ${previous.status} to ${state.status}`,
    );
    // A connection that has moved may be in another session; `#watch` sees the newest dial, which may only be under way.
    if (state.status !== 'connected') return;
    this.#visit?.connected();
    if (previous.status === 'connected' && state.sessionId === previous.sessionId) return;
    judge.demand(this.#watch?.welcomed === true, 13, () => `${this.name} is connected without a WELCOME`);
    coverage.add(state.recovered ? 'connected: recovered' : 'connected: a new session');
    this.#sid = state.sessionId;
    this.telling.begin(state.userId);
    this.sids.add(state.sessionId);
  }

  #heard(words: DirectWords, { room }: { room?: string | undefined }): void {
    this.#hearing(() => `hears ${words.writer} ${words.k}`);
    this.direct.hear(words, room);
    this.#misbehave(words.k);
  }

  /** Listeners that send while they listen, and listeners that throw. */
  #misbehave(k: number): void {
    if (!this.#unruly) return;
    if (k % 3 === 0) this.say('event', 'plain', 0);
    if (k % 5 === 0) throw new Error('a listener that throws');
  }

  /** Something is told to the application: never after its end. */
  #hearing(what: () => string): void {
    const { judge } = this.#around;
    this.#told++;
    judge.note(() => `${this.name} ${what()}`);
    judge.demand(this.#life !== 'gone', 13, () => `${this.name} was told after its end: ${what()}`);
  }

  /** Hears what is said in a room, once it is in. */
  ear(name: string): RoomEar {
    const visit = name.startsWith(HOME) ? this.#visit : undefined;
    const make = () =>
      new RoomEar(this.room(name), {
        ...{ room: name, visit },
        ...{ ...this.#around, name: `${this.name} in ${name}`, sids: this.sids, several: this.#several },
        hearing: (what) => this.#hearing(what),
      });
    const ear = this.ears.get(name) ?? make();
    this.ears.set(name, ear);
    return ear;
  }

  // ── Its wire ───────────────────────────────────────────────────────────────────────────────────────────────

  #dialer(codec: Codec): Dialer {
    const { process, link, judge } = this.#around;
    return {
      dial: (url, protocols, events) => {
        const watch = this.#newWatch(codec);
        this.#visit?.dials();
        let open = true;
        const seen: TransportEvents = {
          open: (protocol) => process.run(() => this.#unlessLeft(open, () => events.open(protocol))),
          message: (data) =>
            process.run(() => {
              if (open) watch.hears(data);
              this.#unlessLeft(open, () => events.message(data));
            }),
          close: (end) =>
            process.run(() => {
              this.#unlessLeft(open, () => events.close(end));
              open = false;
            }),
        };
        const transport = link.dial(url, protocols, seen);
        return {
          send: (data) => {
            this.#watch = watch;
            if (open) watch.sends(data);
            transport.send(data);
          },
          close: (code, reason) => {
            judge.demand(
              code !== 4400,
              13,
              () => `${this.name} took its server for a breaker of the protocol`,
            );
            open = false;
            transport.close(code, reason);
          },
          get bufferedBytes() {
            return transport.bufferedBytes;
          },
        } satisfies Transport;
      },
    };
  }

  /** What comes on a connection that the client has left changes nothing. */
  #unlessLeft(open: boolean, tell: () => void): void {
    if (open) return tell();
    const { judge, coverage } = this.#around;
    coverage.add('late events on a connection that was left');
    const told = this.#told;
    const state = this.client.getState();
    tell();
    const same = told === this.#told && state === this.client.getState();
    judge.demand(same, 8, () => `${this.name} listened to a connection that it had left`);
  }

  #newWatch(codec: Codec): UpWatch {
    const { judge } = this.#around;
    const name = `${this.name}/${++this.#connections}`;
    return new UpWatch(name, codec, {
      ...this.#around,
      ...{ questions: this.#questions, holes: this.direct.holes },
      hello: (n) => {
        judge.demand(n > this.#helloN, 9, () => `${this.name}: HELLO ${n} after ${this.#helloN}`);
        this.#helloN = n;
      },
      written: (item, seq, sid) => this.#written(item, `${sid} ${seq}`),
    });
  }

  #written(item: Item, place: string): void {
    const words = item[2] as Words | undefined;
    if (typeof words !== 'object' || words?.by === undefined) return;
    const said = this.#around.ledger.saidBy(this.index)[words.k];
    if (said && !said.places.includes(place)) said.places.push(place);
    const over = said?.outcome !== undefined && said.outcome !== 'ok' && said.outcomeAt < this.process.now();
    this.#around.judge.demand(
      !over,
      18,
      () => `${this.name} wrote ${words.k} again, which was ${said?.outcome}`,
    );
  }
}
