import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { casesInMarkdown } from './listing.js';

test('docs/conformance.md lists the cases as they are: npm run conformance -- --list', () => {
  const paper = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
  const [, listed = ''] = paper.split('<!-- cases: `npm run conformance -- --list` -->\n');
  expect(listed.trim()).toBe(casesInMarkdown());
});

test('each section that a case names is one of PROTOCOL.md', () => {
  const paper = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8').replaceAll('*', '');
  const named = new Set(
    casesInMarkdown()
      .match(/\| \d+ [^|]+ \|$/gm)
      ?.map((cell) => cell.slice(2, -2)),
  );
  expect(named.size).toBeGreaterThan(10);
  const isThere = (section: string): boolean => {
    const [, number = '', heading = ''] = /^(\d+) (.*)$/.exec(section) ?? [];
    const [, chapter = ''] = paper.split(new RegExp(`^## ${number}[.]`, 'm'));
    return chapter.split(/^## /m)[0]?.includes(heading) ?? false;
  };
  expect([...named].filter((section) => !isThere(section))).toEqual([]);
});
