import type { Case } from './case.js';
import { clientCases } from './client/cases.js';
import { serverCases } from './server/cases.js';

type Named = Pick<Case<never>, 'name' | 'section'>;

const table = (title: string, cases: readonly Named[]): string =>
  [
    `### ${title}: ${cases.length} cases`,
    '',
    '| case | section of PROTOCOL.md |',
    '|---|---|',
    ...cases.map(({ name, section }) => `| ${name.replaceAll('|', '\\|')} | ${section} |`),
  ].join('\n');

/** All cases, as they stand in docs/conformance.md. */
export const casesInMarkdown = (): string =>
  `${table('Servers', serverCases)}\n\n${table('Clients', clientCases)}`;
