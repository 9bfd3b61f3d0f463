import { Breach, type Case, NotAsked } from './case.js';

export interface Result {
  readonly name: string;
  readonly section: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly why?: string;
}

/** Cases mostly wait, so some run beside each other; each has connections and a session of its own. */
const AT_ONCE = 8;

async function runOne<S>({ name, section, run }: Case<S>, subject: S): Promise<Result> {
  try {
    await run(subject);
    return { name, section, status: 'passed' };
  } catch (error) {
    if (error instanceof NotAsked) return { name, section, status: 'skipped', why: error.message };
    const why = error instanceof Breach ? error.message : String((error as Error).stack ?? error);
    return { name, section, status: 'failed', why };
  }
}

/** Runs all cases; they are told, as the results come, in the order of the cases. */
export async function runCases<S>(
  cases: readonly Case<S>[],
  subject: S,
  told: (result: Result) => void = () => undefined,
): Promise<Result[]> {
  const results = new Map<Case<S>, Result>();
  let toTell = 0;
  const one = async (asked: Case<S>): Promise<void> => {
    results.set(asked, await runOne(asked, subject));
    for (let next = cases[toTell]; next && results.has(next); next = cases[++toTell]) {
      told(results.get(next) as Result);
    }
  };
  const queue = cases.filter(({ isSlow }) => !isSlow);
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) await one(next);
  };
  // The slow ones do nothing but wait: they keep no place from the others.
  const slow = cases.filter(({ isSlow }) => isSlow).map(one);
  await Promise.all([...slow, ...Array.from({ length: AT_ONCE }, work)]);
  return cases.flatMap((one) => results.get(one) ?? []);
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const countsOf = (results: readonly Result[]): Counts => {
  const count = (status: Result['status']): number => results.filter((one) => one.status === status).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
};

const MARKS = { passed: '✓', failed: '✗', skipped: '–' } as const;

/** A result as people read it; a failure names the section and what came instead. */
export const lineOf = ({ name, section, status, why }: Result): string =>
  `${MARKS[status]} ${name}${why === undefined ? '' : `\n    PROTOCOL.md, section ${section}: ${why}`}`;

export const sumOf = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
