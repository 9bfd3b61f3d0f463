import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@holdfast/client/ports';
import type { CutOptions, Direction, TcpConnection, TcpProxy } from '@holdfast/testing/tcp-proxy';
import { wallMs } from './wall-clock.js';

/** What is done to one connection. */
interface Cut {
  /** How long it is left in peace. */
  readonly peaceMs: number;
  /** Then so many bytes more, which mostly ends in the middle of a frame. */
  readonly bytes: number;
  readonly direction: Direction | undefined;
  readonly how: 'reset' | 'end';
  /** Before anybody is told: what is sent meanwhile goes nowhere. */
  readonly silenceMs: number;
}

/** A client that has not come back by then never will. */
const BACK_MS = 30_000;
/** Bytes that do not come are not waited for longer. */
const BYTES_MS = 500;

/** Drawn beforehand: everybody gets the same cuts. */
export function planOf(count: number, { fraction }: Random): readonly Cut[] {
  const upTo = (most: number): number => Math.floor(fraction() * (most + 1));
  return Array.from({ length: count }, () => {
    // One in ten comes early, into the handshake or what the library says after it.
    const isEarly = fraction() < 0.1;
    return {
      peaceMs: isEarly ? 0 : 20 + upTo(380),
      bytes: upTo(isEarly ? 1_500 : 200),
      direction: ([undefined, 'up', 'down'] as const)[upTo(2)],
      how: fraction() < 0.5 ? 'reset' : 'end',
      silenceMs: fraction() < 1 / 3 ? 20 + upTo(230) : 0,
    };
  });
}

/**
 * Cuts one connection after the other, as they come. Resolves when the client has come back for the last time, with the
 * times of the cuts (see `wallMs`); rejects with the signal's reason, since a client may dial for ever.
 */
export async function cutAll(
  proxy: TcpProxy,
  plan: readonly Cut[],
  signal: AbortSignal,
): Promise<readonly number[]> {
  const cutsAt: number[] = [];
  let victim = await next(proxy, 0, signal);
  for (const cut of plan) {
    let cutAt = await cutOne(proxy, victim, cut);
    // One that ended before it could be cut has used up none of the cuts.
    while (cutAt === undefined) {
      victim = await next(proxy, victim.id, signal);
      cutAt = await cutOne(proxy, victim, cut);
    }
    cutsAt.push(cutAt);
    victim = await next(proxy, victim.id, signal);
  }
  return cutsAt;
}

async function next(proxy: TcpProxy, after: number, signal: AbortSignal): Promise<TcpConnection> {
  for (const end = performance.now() + BACK_MS; performance.now() < end; await sleep(1)) {
    signal.throwIfAborted();
    const newest = proxy.connections.at(-1);
    if (newest && newest.id > after) return newest;
  }
  throw new Error(`no new connection within ${BACK_MS} ms`);
}

/** Resolves with the time from which nothing got through any more. */
async function cutOne(proxy: TcpProxy, which: TcpConnection, cut: Cut): Promise<number | undefined> {
  const { peaceMs, bytes, direction, how, silenceMs } = cut;
  await sleep(peaceMs);
  const first = silenceMs > 0 ? 'silent' : how;
  if (!(await within(proxy, { which, how: first, after: bytes, direction }))) return undefined;
  const cutAt = wallMs();
  if (silenceMs > 0) {
    await sleep(silenceMs);
    await proxy.cut({ which, how });
  }
  return cutAt;
}

/** Cuts after the bytes, or at once when they do not come. */
async function within(proxy: TcpProxy, options: CutOptions): Promise<boolean> {
  const done = new AbortController();
  const impatience = sleep(BYTES_MS, undefined, { signal: done.signal }).catch(() => undefined);
  // What was waited for is never: it says that it has cut nothing, when something else has.
  const cut = await Promise.race([proxy.cut(options), impatience]);
  done.abort();
  return (cut ?? (await proxy.cut({ ...options, after: 0 }))) > 0;
}
