import {
  type ClientOptions,
  createClient,
  type HoldfastClient,
  isHoldfastError,
  type UndeliveredMessage,
} from '@holdfast/client';
import { redis } from '@holdfast/redis';
import { createHoldfastServer, type HoldfastServer } from '@holdfast/server';
import { onTestFinished } from 'vitest';
import type { Ground, Line } from './ground.js';
import { judge, longestSilence, type Stream, type Verdict } from './histories.js';

export const ROOM = 'reef';
/** Generous: it only passes when something hangs. */
const SETTLE_MS = 60_000;

export interface CrewOptions {
  readonly size: number;
  /** Where clients dial; default: nginx. */
  readonly url?: string;
  readonly client?: Partial<ClientOptions>;
  /** The number of the first: no two crews have the same names. Default 0. */
  readonly from?: number;
  /** What a client is told when its session is lost counts as told, not as trouble. Default: nothing may be lost. */
  readonly loss?: 'told';
}

export interface TalkOptions {
  readonly perSecond: number;
  readonly seconds: number;
  /** Every so manieth message has a handler that takes 150 ms; default: none. */
  readonly workEvery?: number;
}

interface Came {
  readonly n: number;
  readonly redelivered: boolean;
}

/** One client, with all that it has sent and heard. */
export interface Member {
  readonly name: string;
  readonly client: HoldfastClient;
  readonly notes: number[];
  readonly asks: number[];
  readonly answers: Came[];
  readonly ticks: Came[];
  readonly tickedAt: number[];
  readonly said: Came[];
  /** What nobody promises any more, since it was told to be unknown; the first two to the client. */
  readonly told: { readonly notes: Set<number>; readonly asks: Set<number>; readonly ticks: Set<number> };
  /** After so many ticks, and so much of the room, it was told that some may be missing. */
  readonly holes: { readonly ticks: Set<number>; readonly said: Set<number> };
  losses: number;
}

/**
 * Clients that talk all the time in both directions: events and requests up; down what a server sends to each of them that
 * has no clients and outlives all the others, and what it says in a room.
 */
export class Crew {
  readonly members: readonly Member[];
  /** Whatever nobody should have been told: of clients, and of what was sent to them. */
  readonly troubles: string[] = [];
  /** All that connections have been since everybody was connected. */
  readonly #statuses = new Set<string>();
  readonly #ground: Ground;
  readonly #office: HoldfastServer;
  readonly #ticked = new Map<string, number[]>();
  readonly #said: number[] = [];
  /** What its sender was told to be unknown. */
  readonly #unknownSaid = new Set<number>();
  readonly #open: Promise<unknown>[] = [];
  readonly #ackMs: number[] = [];
  readonly #loss: 'told' | undefined;

  private constructor(
    ground: Ground,
    { size, url = ground.url, client: options, from = 0, loss }: CrewOptions,
  ) {
    this.#ground = ground;
    this.#loss = loss;
    this.#office = createHoldfastServer({ cluster: redis(ground.redisOptions) });
    this.#office.onError((error, { name }) => this.troubles.push(`office: ${name}: ${String(error)}`));
    onTestFinished(() => this.#office.close());
    this.members = Array.from({ length: size }, (_, index) =>
      this.#member(`client-${from + index}`, url, options),
    );
  }

  static async start(ground: Ground, options: CrewOptions): Promise<Crew> {
    const crew = new Crew(ground, options);
    await within(
      Promise.all(
        crew.members.map(async ({ client }) => {
          await client.connect();
          await client.room(ROOM).join();
        }),
      ),
      'all are in the room',
    );
    for (const { client } of crew.members) client.onState(({ status }) => crew.#statuses.add(status));
    return crew;
  }

  #member(name: string, url: string, options: Partial<ClientOptions> = {}): Member {
    const client = createClient({ url, auth: name, ...options });
    onTestFinished(() => client.close());
    const member: Member = {
      ...{ name, client, notes: [], asks: [], answers: [], ticks: [], tickedAt: [], said: [] },
      told: { notes: new Set(), asks: new Set(), ticks: new Set() },
      holes: { ticks: new Set(), said: new Set() },
      losses: 0,
    };
    this.#listenForLoss(member);
    client.on('tick', (n, { redelivered }) => {
      member.ticks.push({ n: n as number, redelivered: redelivered === true });
      member.tickedAt.push(performance.now());
    });
    client.room(ROOM).on('said', (n) => member.said.push({ n: n as number, redelivered: false }));
    return member;
  }

  #listenForLoss(member: Member): void {
    const { client, name, told, holes, ticks, said } = member;
    const trouble = (what: string) => this.troubles.push(`${name}: ${what}`);
    const mayLose = this.#loss === 'told';
    const unknown = ({ kind, payload, room }: UndeliveredMessage): void => {
      // What it has said in a room, others see to.
      if (room === undefined) (kind === 'event' ? told.notes : told.asks).add(payload as number);
    };
    client.onSessionLost((lost) => {
      if (!mayLose) trouble(`session lost, ${lost.unknown.length} unknown`);
      member.losses += 1;
      for (const message of lost.unknown) unknown(message);
      holes.ticks.add(ticks.length);
      holes.said.add(said.length);
    });
    client.onGap(({ reason, room, messages }) => {
      if (mayLose && room === ROOM) holes.said.add(said.length);
      else trouble(`gap in ${room}: ${reason}, ${messages}`);
    });
    client.onUndelivered((message, error) => {
      if (mayLose && error.code === 'ERR_SESSION_LOST' && error.delivery === 'unknown') unknown(message);
      else trouble(`${error.code} ${error.delivery}`);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ client }) => client.close()));
  }

  get statuses(): readonly string[] {
    return [...this.#statuses];
  }

  /** Resolves when the last message has been sent. May be called again. */
  async talk({ perSecond, seconds, workEvery = Infinity }: TalkOptions): Promise<void> {
    const rounds = perSecond * seconds;
    const everyMs = 1_000 / perSecond;
    const round = (member: Member, n: number): void => {
      this.#note(member, n % workEvery === 0 ? 'work' : 'note');
      if (n % 10 === 0) this.#ask(member);
      this.#tick(member);
      if (n % 5 === 0 && member === this.members[0]) this.#say();
    };
    await Promise.all(
      this.members.map(async (member, index) => {
        // Not all at once: that would be a burst and a pause.
        await pause((everyMs * index) / this.members.length);
        const start = performance.now();
        for (let n = 1; n <= rounds; n++) {
          round(member, n);
          await pause(Math.max(0, start + n * everyMs - performance.now()));
        }
      }),
    );
  }

  #note({ client, notes }: Member, event: 'note' | 'work'): void {
    const n = notes.length + 1;
    notes.push(n);
    const start = performance.now();
    // How it ends badly is told by onUndelivered.
    const acked = client.send(event, n).then(
      () => this.#ackMs.push(performance.now() - start),
      () => undefined,
    );
    this.#open.push(acked);
  }

  #ask({ client, asks, answers, name, told }: Member): void {
    const n = asks.length + 1;
    asks.push(n);
    const answered = client.request('ask', n, { timeoutMs: SETTLE_MS }).then(
      (answer) => {
        if (answer !== `answer ${n}`) this.troubles.push(`${name}: ${String(answer)} to ask ${n}`);
        answers.push({ n, redelivered: false });
      },
      (error: unknown) => {
        if (!told.asks.has(n)) this.troubles.push(`${name}: ask ${n}: ${codeOf(error)}`);
      },
    );
    this.#open.push(answered);
  }

  #tick({ name, told }: Member): void {
    const ticked = this.#ticked.get(name) ?? [];
    this.#ticked.set(name, ticked);
    const n = ticked.push(ticked.length + 1);
    this.#open.push(
      this.#office
        .toUser(name)
        .send('tick', n)
        .then(
          ({ members }) => {
            if (this.#loss === 'told' && members === 0) told.ticks.add(n);
            else if (members !== 1 && !this.#loss)
              this.troubles.push(`tick ${n}: ${members} sessions of ${name}`);
          },
          (error: unknown) => {
            if (this.#loss === 'told' && isUnknown(error)) told.ticks.add(n);
            else this.troubles.push(`tick ${n} to ${name}: ${codeOf(error)}`);
          },
        ),
    );
  }

  #say(): void {
    const n = this.#said.push(this.#said.length + 1);
    this.#open.push(
      this.#office
        .to(ROOM)
        .send('said', n)
        .then(
          () => undefined,
          (error: unknown) => {
            if (this.#loss === 'told' && isUnknown(error)) this.#unknownSaid.add(n);
            else this.troubles.push(`said ${n}: ${codeOf(error)}`);
          },
        ),
    );
  }

  /** Resolves when everything has ended in some way and nothing more comes, or after a minute; the judge says what is missing. */
  async settle(): Promise<void> {
    await within(Promise.all(this.#open), 'everything has an outcome');
    const isComplete = (): boolean => {
      const { lost } = this.verdicts().all;
      return lost === 0;
    };
    for (const end = Date.now() + 20_000; Date.now() < end && !isComplete(); ) await pause(200);
    // What comes twice may come late.
    await pause(500);
  }

  /** `all`: with what was told to be unknown, which may be missing, and may not come twice either. */
  verdicts(judged: 'promised' | 'all' = 'promised'): {
    readonly up: Verdict;
    readonly down: Verdict;
    readonly room: Verdict;
    readonly all: Verdict;
  } {
    const promised = judged === 'all' ? whole : withoutTold;
    const history = this.#ground.history();
    const came = (what: string, name: string): Came[] =>
      history
        .filter(([kind, , user]: Line) => kind === what && user === name)
        .map(([, , , n, redelivered]) => ({ n: n as number, redelivered: redelivered === true }));
    const up = this.members.flatMap(({ name, notes, asks, answers, told }): Stream[] => [
      promised(`${name} notes`, notes, came('handled', name), told.notes),
      promised(`${name} asks`, asks, came('asked', name), told.asks),
      // Whoever was asked later may answer earlier.
      promised(
        `${name} hears answers`,
        asks,
        answers.toSorted((one, other) => one.n - other.n),
        told.asks,
      ),
    ]);
    const down = this.members.map(({ name, ticks, told, holes }): Stream => {
      const sent = this.#ticked.get(name) ?? [];
      return promised(
        `${name} hears ticks`,
        sent,
        ticks,
        union(told.ticks, missing(sent, ticks.map(numberOf), holes.ticks)),
      );
    });
    const room = this.members.map(
      ({ name, said, holes }): Stream =>
        promised(
          `${name} hears the room`,
          this.#said,
          said,
          union(this.#unknownSaid, missing(this.#said, said.map(numberOf), holes.said)),
        ),
    );
    return { up: judge(up), down: judge(down), room: judge(room), all: judge([...up, ...down, ...room]) };
  }

  /** How many sessions were lost, and what of them was told: what clients sent, and what they may have missed. */
  told(): { readonly losses: number; readonly up: number; readonly down: number } {
    const sums = { losses: 0, up: 0, down: 0 };
    for (const { name, losses, told, holes, ticks, said } of this.members) {
      const ticked = union(
        told.ticks,
        missing(this.#ticked.get(name) ?? [], ticks.map(numberOf), holes.ticks),
      );
      sums.losses += losses;
      sums.up += told.notes.size + told.asks.size;
      sums.down +=
        ticked.size + union(this.#unknownSaid, missing(this.#said, said.map(numberOf), holes.said)).size;
    }
    return sums;
  }

  /** `silence`: the longest time in which one client has heard no tick. `ack`: the longest until one was acknowledged. */
  outages(): { readonly silenceMs: number; readonly ackMs: number } {
    return {
      silenceMs: Math.max(0, ...this.members.map(({ tickedAt }) => longestSilence(tickedAt))),
      ackMs: Math.round(this.#ackMs.reduce((top, ms) => Math.max(top, ms), 0)),
    };
  }
}

/** A line of the table of faults. */
export function row(fault: string, crew: Crew): string {
  const { messages, lost, doubled, outOfOrder, redelivered } = crew.verdicts().all;
  const { silenceMs, ackMs } = crew.outages();
  const { losses, up, down } = crew.told();
  const told = losses > 0 ? `, told of ${losses} lost sessions: ${up} up and ${down} down unknown` : '';
  return `${fault}: ${messages} messages, ${lost} lost, ${doubled} doubled, ${outOfOrder} out of order, ${redelivered} again with redelivered${told}; longest silence ${silenceMs} ms, longest ack ${ackMs} ms`;
}

/** A stream without what nobody promises any more. */
function withoutTold(
  name: string,
  sent: readonly number[],
  came: readonly Came[],
  told: ReadonlySet<number>,
): Stream {
  return { name, sent: sent.filter((n) => !told.has(n)), came: came.filter(({ n }) => !told.has(n)) };
}

const numberOf = ({ n }: Came): number => n;

const whole = (name: string, sent: readonly number[], came: readonly Came[]): Stream => ({
  name,
  sent,
  came,
});

/** What lies in holes that were told; one behind which nothing came excuses nothing. */
export function missing(
  sent: readonly number[],
  came: readonly number[],
  holes: ReadonlySet<number>,
): Set<number> {
  const all = new Set<number>();
  for (const hole of holes) {
    const [from, to] = [came[hole - 1] ?? 0, came[hole] ?? 0];
    for (const n of sent) if (n > from && n < to) all.add(n);
  }
  return all;
}

export const union = <V>(one: ReadonlySet<V>, other: ReadonlySet<V>): Set<V> => new Set([...one, ...other]);

export const isUnknown = (error: unknown): boolean =>
  isHoldfastError(error) && 'delivery' in error && error.delivery === 'unknown';

const codeOf = (error: unknown): string =>
  isHoldfastError(error) ? `${error.code} ${'delivery' in error ? error.delivery : ''}` : String(error);

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function within<V>(promise: Promise<V>, what: string, ms = SETTLE_MS): Promise<V> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
