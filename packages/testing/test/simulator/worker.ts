import { parentPort } from 'node:worker_threads';
import { play } from './play.js';
import type { ClientKind } from './sim-client.js';

// Plays the seeds that it is sent, one after the other.

// What fails on purpose makes many errors; nobody reads where they were made.
Error.stackTraceLimit = 0;

parentPort?.on('message', ({ seed, client }: { seed: number; client: ClientKind }) => {
  play(seed, { client }).then(
    ({ found, coverage }) => parentPort?.postMessage({ seed, found, coverage }),
    (error: unknown) => {
      const text = `the simulation failed: ${error instanceof Error ? error.message : String(error)}`;
      parentPort?.postMessage({ seed, found: [{ invariant: 13, text }], coverage: {} });
    },
  );
});
