import type { HoldfastClient } from '@holdfast/client';
import { stream } from '@holdfast/client/stream';
import { type HoldfastServer, RejectError, type ServerContext } from '@holdfast/server';
import type { Coverage } from './coverage.js';
import type { Judge } from './judge.js';
import { type Ledger, outcomeOf, type Streamed, type StreamWish } from './ledger.js';
import type { SimProcess } from './sim-process.js';

interface Surroundings {
  readonly judge: Judge;
  readonly coverage: Coverage;
  readonly ledger: Ledger;
  readonly process: SimProcess;
}

/** As it stands in the request: which stream it is, everybody can look up. */
interface Opening {
  readonly index: number;
}
interface Item extends Opening {
  readonly n: number;
}

export interface StreamOptions {
  readonly wish: StreamWish;
  /** How many items there are, before it ends as the wish says. */
  readonly length: number;
  /** How long the handler takes for an item, and the reader; ms. */
  readonly yieldMs: number;
  readonly readMs: number;
  /** After how many items the reader leaves; Infinity: it reads to the end. */
  readonly leaveAfter: number;
  readonly timeoutMs: number;
  readonly filler: string | undefined;
}

/** How far a handler may be ahead of who reads. */
const AHEAD = 16;

const ENDINGS: { readonly [wish in StreamWish]: readonly string[] } = {
  count: ['done'],
  endless: [],
  refuse: ['ERR_REJECTED rejected'],
  throw: ['ERR_HANDLER_FAILED rejected'],
  unheard: ['ERR_NO_HANDLER rejected'],
};
/** More than a server yields at once. */
const TOO_MANY = 'too-many-streams';
const ANY = [
  ...['left', 'ERR_TIMEOUT', 'ERR_SESSION_LOST unknown', 'ERR_STREAM_LOST unknown', 'ERR_CLOSED'],
  ...['ERR_OUTBOX_FULL unsent', 'ERR_EXPIRED unsent', TOO_MANY],
];

function endOf(error: unknown): string {
  return (error as { reason?: string }).reason === TOO_MANY ? TOO_MANY : outcomeOf(error);
}

/** The streams that the application of one client reads. */
export class Reading {
  readonly #name: string;
  readonly #client: HoldfastClient;
  readonly #around: Surroundings;
  /** Those that do not end by themselves. */
  readonly #endless = new Set<AsyncIterableIterator<unknown>>();

  constructor(name: string, client: HoldfastClient, around: Surroundings) {
    this.#name = name;
    this.#client = client;
    this.#around = around;
  }

  /** Reads it item by item, and checks each. */
  async read(options: StreamOptions): Promise<void> {
    const { judge, coverage, ledger, process } = this.#around;
    const index = ledger.streams.length;
    const streamed: Streamed = { ...options, index, process, runs: [], read: 0, outcome: undefined };
    ledger.streams.push(streamed);
    judge.note(() => `${this.#name} opens stream ${index}: ${JSON.stringify(options)}`);
    const method = options.wish === 'unheard' ? 'unheard' : 'count';
    const { timeoutMs } = options;
    const items = stream(this.#client, method, { index } satisfies Opening, { timeoutMs });
    if (options.wish === 'endless') this.#endless.add(items);
    const outcome = await this.#all(items, streamed).catch(endOf);
    this.#endless.delete(items);
    judge.note(() => `${this.#name} stream ${index} ends after ${streamed.read}: ${outcome}`);
    coverage.add(`stream: ${outcome}`);
    streamed.outcome = outcome;
    this.#checkEnd(streamed, outcome);
  }

  /** Leaves those that would never end. */
  leave(): void {
    for (const items of this.#endless) void items.return?.();
  }

  async #all(items: AsyncIterableIterator<unknown>, streamed: Streamed): Promise<string> {
    const { process } = this.#around;
    for await (const item of items) {
      this.#check(item as Item, streamed);
      if (streamed.read >= streamed.leaveAfter) return 'left';
      const { readMs } = streamed;
      if (readMs > 0) await new Promise<void>((resolve) => void process.setTimer(resolve, readMs));
    }
    return streamed.wish === 'endless' ? 'left' : 'done';
  }

  #check({ index, n }: Item, streamed: Streamed): void {
    const { judge } = this.#around;
    const what = `${this.#name} stream ${streamed.index}`;
    judge.demand(index === streamed.index, 1, () => `${what}: an item of ${index}`);
    judge.demand(n > streamed.read, 1, () => `${what}: item ${n} again, or out of order`);
    judge.demand(n <= streamed.read + 1, 2, () => `${what}: item ${n} after ${streamed.read}`);
    streamed.read = n;
  }

  #checkEnd({ index, wish, length, read, runs }: Streamed, outcome: string): void {
    const { judge } = this.#around;
    const what = `${this.#name} stream ${index} (${wish})`;
    const isWell = ENDINGS[wish].includes(outcome);
    const isFit = isWell || ANY.some((code) => outcome.startsWith(code));
    judge.demand(isFit, 11, () => `${what} ended ${outcome}`);
    const isWhole = !isWell || wish === 'unheard' || read === length;
    judge.demand(isWhole, 2, () => `${what} ended ${outcome} after ${read} of ${length}`);
    const isSilent = outcome.endsWith(' unsent');
    judge.demand(!isSilent || runs.length === 0, 11, () => `${what} ended ${outcome}, and was run`);
  }
}

export interface StreamingApp {
  readonly name: string;
  readonly server: HoldfastServer;
}

/** The application of a server yields what it is asked for, and checks that it may. */
export function yieldStreams({ name, server }: StreamingApp, { judge, ledger, process }: Surroundings): void {
  server.handleStream('count', (input, { signal }) => run((input as Opening).index, signal));

  async function* run(index: number, signal: ServerContext['signal']): AsyncGenerator<Item & object> {
    const streamed = ledger.streams[index];
    judge.note(() => `${name} yields stream ${index}`);
    if (!streamed) return judge.violate(1, `${name} is asked for stream ${index}, which nobody reads`);
    judge.demand(streamed.runs.length === 0, 1, () => `stream ${index} is run a second time, by ${name}`);
    const mine: Streamed['runs'][number] = { process, state: 'running' };
    streamed.runs.push(mine);
    try {
      for (let n = 1; n <= streamed.length || streamed.wish === 'endless'; n++) {
        const { filler, yieldMs, read } = streamed;
        judge.demand(n <= read + AHEAD + 1, 12, () => `stream ${index}: ${n} wanted, ${read} read`);
        if (yieldMs > 0) await pause(yieldMs, signal);
        yield { index, n, ...(filler === undefined ? {} : { filler }) };
      }
      if (streamed.wish === 'refuse') throw new RejectError('enough');
      if (streamed.wish === 'throw') throw new Error('a handler that throws');
    } finally {
      mine.state = 'over';
    }
  }

  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        cancel();
        signal.removeEventListener('abort', over);
        resolve();
      };
      const cancel = process.setTimer(over, ms);
      signal.addEventListener('abort', over);
    });
  }
}

/** When all is quiet: every stream has ended for its reader, and no handler goes on for nobody. */
export function checkStreams(judge: Judge, { streams }: Ledger, isAlone: boolean): void {
  for (const { index, process, outcome, read, runs, wish } of streams) {
    const isOpen = process.alive && outcome === undefined;
    judge.demand(!isOpen, 19, () => `stream ${index} (${wish}) never ended, after ${read}`);
    const [run] = runs;
    // A server does not yet learn of a CANCEL that another one, or its predecessor, has heard before the request was run.
    const mayBeUntold = !isAlone && (outcome === 'left' || outcome === 'ERR_TIMEOUT unknown');
    const isLeft = run?.process.alive && run.state === 'running' && !mayBeUntold;
    judge.demand(!isLeft, 19, () => `stream ${index} (${wish}) ended ${outcome}; its handler was not told`);
  }
}
