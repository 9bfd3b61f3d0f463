import { type ClientOptions, createClient, type HoldfastClient, isHoldfastError } from '@holdfast/client';
import { redis } from '@holdfast/redis';
import { createHoldfastServer, type HoldfastServer } from '@holdfast/server';
import { onTestFinished } from 'vitest';
import type { Ground, Line } from './ground.js';
import { judge, longestSilence, type Stream, type Verdict } from './histories.js';

const ROOM = 'reef';
/** Generous: it only passes when something hangs. */
const SETTLE_MS = 60_000;

export interface CrewOptions {
  readonly size: number;
  /** Where clients dial; default: nginx. */
  readonly url?: string;
  readonly client?: Partial<ClientOptions>;
  /** The number of the first: no two crews have the same names. Default 0. */
  readonly from?: number;
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
interface Member {
  readonly name: string;
  readonly client: HoldfastClient;
  readonly notes: number[];
  readonly asks: number[];
  readonly answers: Came[];
  readonly ticks: Came[];
  readonly tickedAt: number[];
  readonly said: Came[];
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
  readonly #open: Promise<unknown>[] = [];
  readonly #ackMs: number[] = [];

  private constructor(ground: Ground, { size, url = ground.url, client: options, from = 0 }: CrewOptions) {
    this.#ground = ground;
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
    };
    const trouble = (what: string) => this.troubles.push(`${name}: ${what}`);
    client.onSessionLost(({ unknown }) => trouble(`session lost, ${unknown.length} unknown`));
    client.onGap(({ reason, room, messages }) => trouble(`gap in ${room}: ${reason}, ${messages}`));
    client.onUndelivered((_message, error) => trouble(`${error.code} ${error.delivery}`));
    client.on('tick', (n, { redelivered }) => {
      member.ticks.push({ n: n as number, redelivered: redelivered === true });
      member.tickedAt.push(performance.now());
    });
    client.room(ROOM).on('said', (n) => member.said.push({ n: n as number, redelivered: false }));
    return member;
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

  #ask({ client, asks, answers, name }: Member): void {
    const n = asks.length + 1;
    asks.push(n);
    const answered = client.request('ask', n, { timeoutMs: SETTLE_MS }).then(
      (answer) => {
        if (answer !== `answer ${n}`) this.troubles.push(`${name}: ${String(answer)} to ask ${n}`);
        answers.push({ n, redelivered: false });
      },
      (error: unknown) => this.troubles.push(`${name}: ask ${n}: ${codeOf(error)}`),
    );
    this.#open.push(answered);
  }

  #tick({ name }: Member): void {
    const ticked = this.#ticked.get(name) ?? [];
    this.#ticked.set(name, ticked);
    const n = ticked.push(ticked.length + 1);
    this.#open.push(
      this.#office
        .toUser(name)
        .send('tick', n)
        .then(
          ({ members }) => {
            if (members !== 1) this.troubles.push(`tick ${n}: ${members} sessions of ${name}`);
          },
          (error: unknown) => this.troubles.push(`tick ${n} to ${name}: ${codeOf(error)}`),
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
          (error: unknown) => this.troubles.push(`said ${n}: ${codeOf(error)}`),
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

  verdicts(): {
    readonly up: Verdict;
    readonly down: Verdict;
    readonly room: Verdict;
    readonly all: Verdict;
  } {
    const history = this.#ground.history();
    const came = (what: string, name: string): Came[] =>
      history
        .filter(([kind, , user]: Line) => kind === what && user === name)
        .map(([, , , n, redelivered]) => ({ n: n as number, redelivered: redelivered === true }));
    const up = this.members.flatMap(({ name, notes, asks, answers }): Stream[] => [
      { name: `${name} notes`, sent: notes, came: came('handled', name) },
      { name: `${name} asks`, sent: asks, came: came('asked', name) },
      { name: `${name} hears answers`, sent: asks, came: answers },
    ]);
    const down = this.members.map(
      ({ name, ticks }): Stream => ({
        ...{ name: `${name} hears ticks`, sent: this.#ticked.get(name) ?? [], came: ticks },
      }),
    );
    const room = this.members.map(
      ({ name, said }): Stream => ({ name: `${name} hears the room`, sent: this.#said, came: said }),
    );
    return { up: judge(up), down: judge(down), room: judge(room), all: judge([...up, ...down, ...room]) };
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
  return `${fault}: ${messages} messages, ${lost} lost, ${doubled} doubled, ${outOfOrder} out of order, ${redelivered} again with redelivered; longest silence ${silenceMs} ms, longest ack ${ackMs} ms`;
}

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
