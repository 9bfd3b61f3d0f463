import { expect } from 'vitest';
import { eventually } from './pages.js';
import type { WorkerLine, WorkerSite } from './worker-site.js';

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** The life of a client in a worker: connected, both ways, asked, cut, resumed, closed. */
export async function liveInWorker(site: WorkerSite, { ask }: WorkerLine): Promise<void> {
  const look = () => ask(['look']);
  await ask(['connect', site.realtimeUrl]);
  await eventually(async () => (await look()).status).toBe('connected');
  await ask(['note', 10]);
  await ask(['ask', 'hello']);
  site.tell(1, 10);
  await eventually(() => site.notes).toEqual(upTo(10));
  await eventually(async () => (await look()).answers).toEqual(['hello']);
  site.cut();
  site.tell(11, 60);
  await ask(['ask', 'after the cut']);
  await eventually(async () => (await look()).heard).toEqual(upTo(60));
  await eventually(async () => (await look()).answers).toEqual(['hello', 'after the cut']);
  expect(await look()).toMatchObject({
    status: 'connected',
    recovered: true,
    troubles: [],
    hasWindow: false,
  });
  expect(site.sessions).toHaveLength(1);
  expect((await ask(['close'])).status).toBe('closed');
  await eventually(() => site.server.stats()).toMatchObject({ sessions: 0, connections: 0 });
}
