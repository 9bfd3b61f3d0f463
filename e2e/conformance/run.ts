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

/** Runs all cases; results come in the order of the cases. */
export async function runCases<S>(
  cases: readonly Case<S>[],
  subject: S,
  told: (result: Result) => void = () => undefined,
): Promise<Result[]> {
  const results: Promise<Result>[] = [];
  const running = new Set<Promise<unknown>>();
  const printing = (async () => {
    for (let index = 0; index < cases.length; index++) {
      while (results[index] === undefined) await Promise.race([...running]);
      const result = await results[index];
      if (result) told(result);
    }
  })();
  for (const one of cases) {
    const running1 = runOne(one, subject);
    results.push(running1);
    running.add(running1);
    void running1.then(() => running.delete(running1));
    if (running.size >= AT_ONCE) await Promise.race(running);
  }
  await printing;
  return Promise.all(results);
}
