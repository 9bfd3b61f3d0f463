import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@holdfast/testing';
import { createTcpProxy, type TcpProxy } from '@holdfast/testing/tcp-proxy';
import { cutAll, planOf } from '../cutter.js';
import { Contest } from './contest.js';
import { type Recovery, recoveries } from './recoveries.js';
import type { System } from './system.js';

const PER_SECOND = 500;
/** Everybody gets the same cuts. */
const SEED = 1;
/** Traffic on a healthy line, before the first cut and after the last. */
const CALM_MS = 300;
/** When nothing has arrived for so long, nothing will; and what has not arrived by then counts as lost. */
const QUIET_MS = 2_000;
/** When everything is there, so long for what might come twice. */
const ENCORE_MS = 500;
const LOOK_MS = 100;
const SETTLE_MS = 20_000;
/** Some five times what it takes. */
const longest = (cuts: number): number => 20_000 + 3_000 * cuts;

/** Cuts the connection at random bytes while its client talks. Rejects when it does not come back. */
export async function recover(system: System, cuts: number): Promise<Recovery> {
  let proxy: TcpProxy | undefined;
  let contest: Contest | undefined;
  try {
    contest = await Contest.start(system, async (port) => {
      proxy = await createTcpProxy({ target: { port } });
      return proxy.port;
    });
    if (!proxy) throw new Error('started without its proxy');
    return await interrupt(contest, proxy, cuts);
  } finally {
    await contest?.end();
    await proxy?.close();
  }
}

async function interrupt(contest: Contest, proxy: TcpProxy, cuts: number): Promise<Recovery> {
  const plan = planOf(cuts, seededRandom(SEED));
  await contest.server({ ask: 'listen' });
  await contest.client({ ask: 'talk', perSecond: PER_SECOND });
  await sleep(CALM_MS);
  const end = AbortSignal.any([contest.gone, AbortSignal.timeout(longest(cuts))]);
  const cutsAt = await cutAll(proxy, plan, end);
  await sleep(CALM_MS);
  const { saidAt } = await contest.client({ ask: 'hush' });
  await settle(contest, saidAt.length);
  const { heardAt, doubled } = await contest.server({ ask: 'arrivals' });
  const heard = heardAt.filter((at) => at !== null).length;
  return {
    cuts,
    sent: saidAt.length,
    lost: saidAt.length - heard,
    doubled,
    recoveriesMs: recoveries(cutsAt, saidAt, heardAt),
  };
}

/** Waits until all has arrived, or nothing arrives any more. */
async function settle(contest: Contest, sent: number): Promise<void> {
  const end = performance.now() + SETTLE_MS;
  let before = -1;
  for (let quietSince = performance.now(); performance.now() < end; await sleep(LOOK_MS)) {
    const { heard } = await contest.server({ ask: 'heard' });
    if (heard !== before) quietSince = performance.now();
    before = heard;
    if (performance.now() - quietSince >= (heard === sent ? ENCORE_MS : QUIET_MS)) return;
  }
}
