import { setTimeout as sleep } from 'node:timers/promises';
import { createTcpProxy, type TcpProxy } from '@holdfast/testing/tcp-proxy';
import { filling } from '../push.js';
import type { System } from '../system.js';

/** Bytes on the TCP connection, frames and acknowledgements included. */
export interface Bytes {
  readonly up: number;
  readonly down: number;
}

/** Of messages of 100 bytes; absent: what the system has nothing for. */
export interface WireBytes {
  /** One way up, alone. */
  readonly event: Bytes;
  readonly request?: Bytes;
  /** Of one of so many that are said at once. */
  readonly batched: Bytes;
}

export const BATCH = 32;
/** When nothing has come for so long, whoever acknowledges late has done it. */
const QUIET_MS = 500;
const SETTLE_MS = 5_000;

export async function wireBytesOf(system: System): Promise<WireBytes> {
  const { port } = await system.serve(() => undefined);
  await using proxy = await createTcpProxy({ target: { port } });
  const end = await system.dial(proxy.port, () => undefined, false);
  const payload = { n: 1, text: filling(100) };
  const request = async (): Promise<void> => void (await end.request(payload));
  const canAsk = system.cannot?.request === undefined;
  // What a system does only once is no cost of a message.
  end.send(payload);
  if (canAsk) await request();
  await quiet(proxy);
  const event = await carried(proxy, () => end.send(payload));
  const batch = await carried(proxy, () => {
    for (let n = 0; n < BATCH; n++) end.send(payload);
  });
  const batched = { up: batch.up / BATCH, down: batch.down / BATCH };
  return canAsk ? { event, request: await carried(proxy, request), batched } : { event, batched };
}

/** Both directions of all connections up to now. */
const total = (proxy: TcpProxy): Bytes =>
  proxy.connections.reduce(
    ({ up, down }, { carried }) => ({ up: up + carried.up, down: down + carried.down }),
    { up: 0, down: 0 },
  );

async function carried(proxy: TcpProxy, act: () => unknown): Promise<Bytes> {
  const before = total(proxy);
  await act();
  await quiet(proxy);
  const after = total(proxy);
  return { up: after.up - before.up, down: after.down - before.down };
}

async function quiet(proxy: TcpProxy): Promise<void> {
  const end = performance.now() + SETTLE_MS;
  let before = '';
  for (let since = performance.now(); performance.now() < end; await sleep(20)) {
    const now = JSON.stringify(total(proxy));
    if (now !== before) since = performance.now();
    before = now;
    if (performance.now() - since >= QUIET_MS) return;
  }
}
