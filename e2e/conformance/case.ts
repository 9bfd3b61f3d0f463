/** One thing that PROTOCOL.md says, and a way to see whether an implementation keeps to it. */
export interface Case<S> {
  readonly name: string;
  /** Where PROTOCOL.md says so: number and heading of a paragraph. */
  readonly section: string;
  /** Waits for one of the protocol's deadlines: the others run meanwhile. */
  readonly isSlow?: boolean;
  /** Throws a `Breach` if the subject does otherwise, a `NotAsked` if this cannot be asked of it. */
  run(subject: S): Promise<void>;
}

/** What should have come and what came instead. */
export class Breach extends Error {
  readonly expected: string;
  readonly came: string;

  constructor(expected: string, came: string) {
    super(`expected ${expected}; came ${came}`);
    this.expected = expected;
    this.came = came;
  }
}

/** The subject does not offer what this case needs. */
export class NotAsked extends Error {}

/** Long enough for a loaded machine; nobody waits longer than what is waited for takes. */
export const DEADLINE_MS = 10_000;
let deadlineMs = DEADLINE_MS;

/** For subjects that are known to be wrong: nobody wants to wait long for what will not come. */
export function beImpatient(ms: number): void {
  deadlineMs = ms;
}

/** Long enough for what must not come to come, most of the time; what is right passes in any case. */
export const A_WHILE_MS = 200;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A value as it stands on the wire, cut to a readable length. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

export function check(isSo: boolean, expected: string, came: unknown): void {
  if (!isSo) throw new Breach(expected, show(came));
}

export function same(came: unknown, expected: unknown, what: string): void {
  check(JSON.stringify(came) === JSON.stringify(expected), `${what}: ${show(expected)}`, came);
}

/** Waits for `look` to give something; what there was instead stands in the failure. */
export async function until<V>(
  look: () => V | undefined | false,
  expected: string,
  came: () => unknown,
  longestMs = DEADLINE_MS,
): Promise<V> {
  const limitMs = longestMs - DEADLINE_MS + deadlineMs;
  for (const end = Date.now() + limitMs; ; await sleep(3)) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > end) throw new Breach(`${expected} within ${limitMs} ms`, show(came()));
  }
}
