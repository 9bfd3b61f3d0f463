import { check } from './case.js';
import { type Item, T, type Wire } from './wire.js';

const TIMES = 21;

/**
 * An ack that is asked for takes about as long as the answer to a PING, not 100 ms more. The two in turn, and the median of
 * what the first took more: whatever slows the machine down slows both.
 */
export async function acknowledgesAtOnce(wire: Wire, event: (n: number) => Item): Promise<void> {
  const more: number[] = [];
  for (let n = 1; n <= TIMES; n++) {
    const saidAt = performance.now();
    wire.say([0, n, event(n), [T.ACK_NOW]]);
    await wire.acked(n);
    const ackedAt = performance.now();
    await wire.settled();
    more.push(ackedAt - saidAt - (performance.now() - ackedAt));
  }
  const median = more.sort((one, other) => one - other)[(TIMES - 1) / 2] ?? 0;
  check(median < 50, 'acks as soon as answers to a PING', `acks ${Math.round(median)} ms later`);
}
