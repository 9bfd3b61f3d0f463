import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CaseResult } from '../support/suite-in-page.js';
import { MemoryGround } from '../transport-suite/memory.js';
import { Peers } from '../transport-suite/peers.js';
import { suiteScript } from '../transport-suite/scripts.js';
import { runTransportCases, socketCases, transportCases } from '../transport-suite/suite.js';
import { eventually } from './peers.js';

// The suite of transports over all that Node has; e2e/browser/transport-suite.test.ts has the browsers.

const SLOW_MS = 120_000;

describe('the memory network of the test kit', () => {
  test.concurrent.for(transportCases)('$name', async (one) => {
    expect(await runTransportCases([one], new MemoryGround())).toEqual([{ name: one.name }]);
  });
});

/** The suite in a process of its own, for which the platform can be chosen. */
async function runInNode(platform: 'browser' | 'node', flags: readonly string[], peers: Peers) {
  const child = spawn(process.execPath, [...flags, '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  // What a case that failed has left open must not keep the process.
  child.stdin.end(`${await suiteScript(platform)}
    suite.run(sockets.webSocketDialer, ${JSON.stringify(peers.where)})
      .then((all) => process.stdout.write(JSON.stringify(all), () => process.exit()));`);
  const [out, noise] = await said;
  if (out === '') throw new Error(noise);
  return JSON.parse(out) as CaseResult[];
}

const platforms = [
  ['the package ws, which the client brings for Node', 'node', []],
  ["Node's own WebSocket", 'browser', ['--experimental-websocket', '--no-warnings']],
] as const;

describe.each(platforms)('%s', (_name, platform, flags) => {
  let peers: Peers;
  let results: readonly CaseResult[] = [];
  beforeAll(async () => {
    peers = await Peers.open();
    results = await runInNode(platform, flags, peers);
  }, SLOW_MS);
  afterAll(() => peers?.close());

  test.each(socketCases)('$name', ({ name }) => {
    expect(results.find((result) => result.name === name)).toEqual({ name });
  });

  test('no connection is left', async () => {
    await eventually(() => peers.held.length === 0, 'all are gone');
  });
});
