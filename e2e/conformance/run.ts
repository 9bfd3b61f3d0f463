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
  const results: Result[] = [];
  let next = 0;
  let toTell = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < cases.length; index = next++) {
      results[index] = await runOne(cases[index] as Case<S>, subject);
      for (let result = results[toTell]; result; result = results[++toTell]) told(result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}
