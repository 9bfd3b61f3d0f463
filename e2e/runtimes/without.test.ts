import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { run } from './ground.js';
import { areRuntimesHere, inApp, runtime } from './places.js';

test.skipIf(!areRuntimesHere)('no WebSocket: it fails at once, and says what to do', async () => {
  await build({
    ...{ absWorkingDir: inApp('.'), entryPoints: ['no-websocket.mjs'], outfile: 'no-websocket.bundle.mjs' },
    ...{ tsconfigRaw: {}, bundle: true, format: 'esm', platform: 'browser', logLevel: 'warning' },
  });
  // Node 20 has none of its own.
  expect(JSON.parse(await run(runtime('node20/bin/node'), ['no-websocket.bundle.mjs']))).toEqual({
    code: 'ERR_DIAL_FAILED',
    message:
      'could not dial: no WebSocket here: bundle for Node, or set globalThis.WebSocket before the import',
    status: 'failed',
  });
});
