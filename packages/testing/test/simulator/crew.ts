import { Worker } from 'node:worker_threads';
import type { Found } from './judge.js';

/** What became of one seed. */
export interface Result {
  readonly seed: number;
  readonly found: readonly Found[];
  readonly coverage: { readonly [event: string]: number };
}

export interface CrewOptions {
  /** The built worker. */
  readonly program: string;
  readonly workers: number;
  readonly from: number;
  readonly count: number;
  /** Told of each seed; true: that is enough. */
  played(result: Result): boolean;
}

/** A seed takes some ten milliseconds; one that takes so long hangs. */
const HANGS_MS = 60_000;

/** Plays many seeds on several threads. Resolves when all are played, or when it was enough. */
export async function playMany({ program, workers, from, count, played }: CrewOptions): Promise<void> {
  let next = from;
  let enough = false;
  const take = (): number | undefined => (enough || next >= from + count ? undefined : next++);
  const tell = (result: Result): void => {
    if (!enough) enough = played(result);
  };
  await Promise.all(Array.from({ length: workers }, () => work(program, take, tell)));
}

/** One thread after the other, as long as there are seeds: one that hangs is replaced. */
async function work(
  program: string,
  take: () => number | undefined,
  tell: (result: Result) => void,
): Promise<void> {
  for (let seed = take(); seed !== undefined; ) seed = await onOneThread(program, seed, take, tell);
}

function onOneThread(
  program: string,
  first: number,
  take: () => number | undefined,
  tell: (result: Result) => void,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { stdout: false });
    let seed = first;
    let timer: NodeJS.Timeout;
    const leave = (left: number | undefined): void => {
      clearTimeout(timer);
      void worker.terminate().then(() => resolve(left));
    };
    const send = (): void => {
      timer = setTimeout(() => {
        tell({ seed, found: [{ invariant: 19, text: `hangs for ${HANGS_MS} ms` }], coverage: {} });
        leave(take());
      }, HANGS_MS);
      worker.postMessage(seed);
    };
    worker.on('error', reject);
    worker.on('message', (result: Result) => {
      clearTimeout(timer);
      tell(result);
      const more = take();
      if (more === undefined) return leave(undefined);
      seed = more;
      send();
    });
    send();
  });
}
