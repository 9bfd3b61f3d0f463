import { readFileSync } from 'node:fs';
import { ERROR_CODES, type ErrorCode, holdfastError } from '@holdfast/protocol';
import { expect, test } from 'vitest';

const reference = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
const sections = new Map(
  reference
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.split('\n')[0], section]),
);

test('the reference has a section for each code, and for no other', () => {
  expect([...sections.keys()].sort()).toEqual([...ERROR_CODES].sort());
});

test.each(ERROR_CODES)('%s: the reference says whether it is worth another try', (code: ErrorCode) => {
  const make = holdfastError as unknown as (code: ErrorCode, message: string) => { retryable: boolean };
  const says = !/\bNot\s+retryable\b/.test(sections.get(code)?.split(/^## /m)[0] ?? '');
  expect(says).toBe(make(code, '').retryable);
});
