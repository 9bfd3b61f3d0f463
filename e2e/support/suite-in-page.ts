import { vi } from 'vitest';
import type { Visitor } from './visitor.js';

/** How one case of a suite ended that runs in a page. */
export interface CaseResult {
  readonly name: string;
  /** Why it failed; absent if it has not. */
  readonly why?: string;
}

/** A whole suite in a browser, on a loaded machine. */
export const SUITE_MS = 120_000;

/** What the page has written into `results`, once its suite is through. */
export const resultsOf = (visitor: Visitor): Promise<readonly CaseResult[]> =>
  vi.waitFor(
    async () => {
      const all = await visitor.read<readonly CaseResult[] | null>('results ?? null');
      if (!all) throw new Error('the suite is not through yet');
      return all;
    },
    { timeout: SUITE_MS, interval: 100 },
  );
