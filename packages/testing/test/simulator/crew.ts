import { Worker } from 'node:worker_threads';
import type { Found } from './judge.js';
import type { ClientKind } from './sim-client.js';

/** What became of one seed. */
export interface Result {
  readonly seed: number;
  readonly found: readonly Found[];
  readonly coverage: { readonly [event: string]: number };
}

export interface CrewOptions {
  /** The built worker. */
  readonly program: string;
  /** What clients there are. */
  readonly client: ClientKind;
  readonly workers: number;
  readonly from: number;
  readonly count: number;
  /** Told of each seed; true: that is enough. */
  played(result: Result): boolean;
}

/** A seed takes some ten milliseconds, the slowest some seconds; one for which a thread has worked so long hangs. */
const HANGS_MS = 60_000;
const LOOK_MS = 1_000;

/**
 * What this process has worked, all threads together; ms. The clock on the wall says nothing: where other work has the
 * machine, or all stands still, a seed waits.
 */
function workedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Plays many seeds on several threads. Resolves when all are played, or when it was enough. */
export async function playMany(options: CrewOptions): Promise<void> {
  const { program, client, workers, from, count, played } = options;
  let next = from;
  let enough = false;
  const take = (): number | undefined => (enough || next >= from + count ? undefined : next++);
  const tell = (result: Result): void => {
    if (!enough) enough = played(result);
  };
  const hangsMs = HANGS_MS * workers;
  await Promise.all(Array.from({ length: workers }, () => work({ program, client, hangsMs, take, tell })));
}

interface Shift extends Pick<CrewOptions, 'program' | 'client'> {
  readonly hangsMs: number;
  take(): number | undefined;
  tell(result: Result): void;
}

/** One thread after the other, as long as there are seeds: one that hangs is replaced. */
async function work(shift: Shift): Promise<void> {
  for (let seed = shift.take(); seed !== undefined; ) seed = await onOneThread(shift, seed);
}

function onOneThread(
  { program, client, hangsMs, take, tell }: Shift,
  first: number,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { stdout: false });
    let seed = first;
    let timer: NodeJS.Timeout;
    const leave = (left: number | undefined): void => {
      clearInterval(timer);
      void worker.terminate().then(() => resolve(left));
    };
    const send = (): void => {
      const begunAt = workedMs();
      timer = setInterval(() => {
        if (workedMs() - begunAt < hangsMs) return;
        tell({ seed, found: [{ invariant: 19, text: `hangs: ${HANGS_MS} ms of work` }], coverage: {} });
        leave(take());
      }, LOOK_MS);
      worker.postMessage({ seed, client });
    };
    worker.on('error', reject);
    worker.on('message', (result: Result) => {
      clearInterval(timer);
      tell(result);
      const more = take();
      if (more === undefined) return leave(undefined);
      seed = more;
      send();
    });
    send();
  });
}
