import { expect } from 'vitest';
import type { Case } from '../case.js';
import { type Result, runCases } from '../run.js';
import type { Mutant } from './rewrite.js';

// A case that cannot fail proves nothing: each of them meets an implementation that is wrong, and has to say so.

/** Nobody wants to wait long for what a wrong implementation will not do. */
export const PATIENCE_MS = 1_500;

const meant = <S>(cases: readonly Case<S>[], { fails }: Mutant): readonly Case<S>[] =>
  cases.filter(({ name }) => fails.some((part) => name.includes(part)));

/** Each part of a name means a case; each case that is meant notices that something is wrong, and says what. */
export async function isNoticed<S>(cases: readonly Case<S>[], mutant: Mutant, subject: S): Promise<void> {
  for (const part of mutant.fails)
    expect(
      cases.some(({ name }) => name.includes(part)),
      part,
    ).toBe(true);
  const results: readonly Result[] = await runCases(meant(cases, mutant), subject);
  expect(results.filter(({ status }) => status !== 'failed')).toEqual([]);
  // A client that had not even begun says nothing of the case.
  for (const { name, why } of results) expect(why, name).toMatch(/^expected (?!dial 1 |\{"was":"ready"\})/);
}

/** Cases that no mutant is meant for. */
export const neverFailed = <S>(cases: readonly Case<S>[], mutants: readonly Mutant[]): string[] =>
  cases.filter((one) => !mutants.some((mutant) => meant([one], mutant).length > 0)).map(({ name }) => name);

/** Each failure is told by the name of its case. */
export const namesTwice = (cases: readonly Case<never>[]): string[] => {
  const names = cases.map(({ name }) => name);
  return names.filter((name, index) => names.indexOf(name) !== index);
};
