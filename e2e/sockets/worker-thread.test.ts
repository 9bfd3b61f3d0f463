import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { liveInWorker } from '../support/worker-life.js';
import { WorkerSite } from '../support/worker-site.js';
import { soon } from './peers.js';

test('in a worker thread of Node, which ends by itself after close()', async () => {
  const site = await WorkerSite.open();
  onTestFinished(() => site.close());
  const worker = new Worker(new URL('./programs/worker-thread.mjs', import.meta.url));
  onTestFinished(() => void worker.terminate());
  const ended = once(worker, 'exit');
  await liveInWorker(site, {
    async ask(word) {
      const answer = once(worker, 'message');
      worker.postMessage(word);
      const [seen] = await soon(answer, `an answer to ${word[0]}`);
      return seen;
    },
  });
  expect(await soon(ended, 'the thread ends')).toEqual([0]);
});
