/** What one stream of numbered messages, from one sender to one receiver, should have been, and was. */
export interface Stream {
  readonly name: string;
  /** In the order in which they were sent; only what was promised to arrive. */
  readonly sent: readonly number[];
  /** In the order in which they came. `redelivered`: its handler was told that it may have run before. */
  readonly came: readonly { readonly n: number; readonly redelivered: boolean }[];
}

export interface Verdict {
  readonly messages: number;
  readonly lost: number;
  /** Came again, and nobody said so. */
  readonly doubled: number;
  /** Came for the first time after a later one had. */
  readonly outOfOrder: number;
  /** Came again, and said so. */
  readonly redelivered: number;
  /** Came, although nobody has sent it. */
  readonly invented: number;
  /** The first few, in words. */
  readonly examples: readonly string[];
}

const MAX_EXAMPLES = 12;

/** Reads histories, knows nothing of how they came about, and counts what is wrong with them. */
export function judge(streams: readonly Stream[]): Verdict {
  const counts = { messages: 0, lost: 0, doubled: 0, outOfOrder: 0, redelivered: 0, invented: 0 };
  const examples: string[] = [];
  const count = (what: keyof typeof counts, { name }: Stream, n: number): void => {
    counts[what] += 1;
    if (what !== 'redelivered' && examples.length < MAX_EXAMPLES) examples.push(`${what}: ${name} ${n}`);
  };
  for (const stream of streams) {
    const [wanted, seen] = [new Set(stream.sent), new Set<number>()];
    counts.messages += wanted.size;
    let top = Number.NEGATIVE_INFINITY;
    for (const { n, redelivered } of stream.came) {
      if (seen.has(n)) {
        count(redelivered ? 'redelivered' : 'doubled', stream, n);
        continue;
      }
      seen.add(n);
      if (!wanted.has(n)) count('invented', stream, n);
      if (n < top) count('outOfOrder', stream, n);
      top = Math.max(top, n);
    }
    for (const n of wanted) if (!seen.has(n)) count('lost', stream, n);
  }
  return { ...counts, examples };
}

/** The longest time between two moments of a series that should be even, ms. */
export function longestSilence(moments: readonly number[]): number {
  let longest = 0;
  for (const [index, moment] of moments.entries()) {
    longest = Math.max(longest, moment - (moments[index - 1] ?? moment));
  }
  return Math.round(longest);
}

export const EXACT = { lost: 0, doubled: 0, outOfOrder: 0, redelivered: 0, invented: 0, examples: [] };
