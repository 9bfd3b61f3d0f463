import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@holdfast/testing';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { Child } from './child.js';
import type { Contestant } from './contestants/contestant.js';
import { contestantOf } from './contestants/index.js';
import { cutAll, planOf } from './cutter.js';
import type { Options } from './options.js';
import type { Account, Standing } from './questions.js';

const LOOK_MS = 100;
/** When everything is there, so long for what might come twice. */
const ENCORE_MS = 1_000;
/** What is not quiet by then is counted as it stands. */
const SETTLE_MS = 90_000;
/** Traffic on a healthy line, before the first cut and after the last. */
const CALM_MS = 500;

/** Some ten times what it takes: a client that is cut at each turn may stay away ever longer, but not for ever. */
const longest = (cuts: number): number => 60_000 + 3_000 * cuts;

/** What became of the messages of one direction. */
export interface Way {
  readonly sent: number;
  readonly lost: number;
  /** Of those that were lost: the sender was never told. */
  readonly untold: number;
  readonly doubled: number;
  readonly outOfOrder: number;
  /** The sender was told that they failed, or that nobody knows. They may have arrived. */
  readonly told: number;
}

export interface Result {
  readonly contestant: Contestant;
  readonly up: Way;
  readonly down: Way;
  /** From the first message to the last arrival. */
  readonly seconds: number;
  /** False: it was stopped while messages still arrived, and what had not arrived by then counts as lost. */
  readonly isOver: boolean;
}

export async function run(key: string, { cuts, perSecond, seed, delayMs }: Options): Promise<Result> {
  const contestant = contestantOf(key);
  const plan = planOf(cuts, seededRandom(seed));
  const { child: server, port } = await Child.start('server', key);
  try {
    await using proxy = await createTcpProxy({ target: { port } });
    proxy.delay(delayMs);
    const { child: client } = await Child.start('client', key, proxy.port);
    try {
      const start = performance.now();
      for (const child of [server, client]) await child.ask({ ask: 'talk', perSecond });
      await sleep(CALM_MS);
      await cutAll(
        proxy,
        plan,
        AbortSignal.any([server.gone, client.gone, AbortSignal.timeout(longest(cuts))]),
      );
      await sleep(CALM_MS);
      for (const child of [server, client]) await child.ask({ ask: 'hush' });
      const { up, down, quietSince, isOver } = await settle(contestant, server, client);
      const above = await server.ask({ ask: 'account', sentByOther: up.sent });
      const below = await client.ask({ ask: 'account', sentByOther: down.sent });
      return {
        contestant,
        up: wayOf(up.sent, above, below),
        down: wayOf(down.sent, below, above),
        seconds: (quietSince - start) / 1000,
        isOver,
      };
    } finally {
      await client.end();
    }
  } finally {
    await server.end();
  }
}

/** Waits until nothing arrives any more, and nobody waits for anything. */
async function settle(contestant: Contestant, server: Child, client: Child) {
  const end = performance.now() + SETTLE_MS;
  let before = '';
  for (let quietSince = performance.now(); ; await sleep(LOOK_MS)) {
    const down: Standing = await server.ask({ ask: 'look' });
    const up: Standing = await client.ask({ ask: 'look' });
    const now = performance.now();
    const standing = JSON.stringify([up, down]);
    if (standing !== before) quietSince = now;
    before = standing;
    const isWhole = down.heard === up.sent && up.heard === down.sent && up.pending + down.pending === 0;
    const isOver = now - quietSince >= (isWhole ? ENCORE_MS : contestant.quietMs);
    if (isOver || now >= end) return { up, down, quietSince, isOver };
  }
}

function wayOf(sent: number, hearer: Account, speaker: Account): Way {
  const told = new Set(speaker.told);
  return {
    sent,
    lost: hearer.missing.length,
    untold: hearer.missing.filter((number) => !told.has(number)).length,
    doubled: hearer.doubled,
    outOfOrder: hearer.outOfOrder,
    told: told.size,
  };
}
