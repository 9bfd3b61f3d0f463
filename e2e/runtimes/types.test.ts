import { describe, test } from 'vitest';
import { run } from './ground.js';
import { inApp, inInstalled, versionOf } from './places.js';

// The declarations of the packed packages, which the compilers check whole (`skipLibCheck: false`), and programs that use them:
// as a bundler finds them, which takes `.d.ts`, and as Node does from CommonJS, which takes `.d.cts`.

/** The declarations of all that they stand on are read, too: some 5 s of a processor each, of one that is busy otherwise more. */
const DEADLINE_MS = 240_000;

const versions = ['5.4', '5.9', '6', '7'].map((name) => `typescript-${name}`);

describe.each(versions.map((name) => ({ name, version: versionOf(name) })))(
  'TypeScript $version',
  ({ name }) => {
    test.each(['page', 'service'])('%s', { timeout: DEADLINE_MS + 10_000 }, async (program) => {
      const tsc = inInstalled(`${name}/bin/tsc`);
      await run(process.execPath, [tsc, '-p', inApp(`types/tsconfig.${program}.json`)], DEADLINE_MS);
    });
  },
);
