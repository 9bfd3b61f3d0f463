import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

// Packets that vanish in the kernel, on a link that nobody closes: what a pulled cable or a lost Wi-Fi looks like.

const program = fileURLToPath(new URL('./programs/half-open.mjs', import.meta.url));
const nft = process.env['HOLDFAST_NFT'] ?? '/usr/sbin/nft';
/** A network that vanishes with the process in it, so that there is nothing to clean up. */
const apart = ['--net', ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'])];
const canDrop =
  process.platform === 'linux' && spawnSync('unshare', [...apart, nft, 'list', 'ruleset']).status === 0;

/** As the design has it: two seconds of patience and five for an answer make seven. */
const NOTICED_MS = 8_000;
/** For a machine that has other things to do. */
const MARGIN_MS = 4_000;

describe('a link that is half-open while acks are waited for', () => {
  if (!canDrop) {
    test.skip('needs a network namespace and nft, which this machine does not give', () => undefined);
    return;
  }
  test.concurrent.each(['both', 'up', 'down'])(
    'packets vanish (%s): noticed in time, and what was sent arrives once',
    { timeout: 60_000 },
    async (direction) => {
      const child = spawn('unshare', [...apart, process.execPath, program, direction, nft], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = once(child, 'close');
      const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
      expect([complaints, (await ended)[0]]).toEqual(['', 0]);
      const { noticedMs, ...outcome } = JSON.parse(said) as { noticedMs: number };
      expect(outcome).toEqual({
        lost: 'ERR_CONNECTION_LOST',
        outcomes: Array(4).fill('acknowledged'),
        notes: [0, 1, 2, 3, 4],
        heard: [1, 2, 3],
        recovered: true,
        attaches: [false, true],
        errors: [],
      });
      expect(noticedMs).toBeLessThan(NOTICED_MS + MARGIN_MS);
    },
  );
});
