import { parentPort } from 'node:worker_threads';
import { createClient } from '@holdfast/client';

// In a worker thread: does as it is told, and says what it has seen.

const seen = { heard: [], answers: [], troubles: [], hasWindow: typeof window !== 'undefined' };
let client;
const steps = {
  connect(url) {
    client = createClient({ url, reconnect: { baseMs: 20 } });
    client.on('tick', (n) => void seen.heard.push(n));
    client.onSessionLost(() => void seen.troubles.push('session lost'));
    client.onError(({ code }) => void seen.troubles.push(code));
    client.connect();
  },
  note(times) {
    for (let n = 1; n <= times; n++) client.send('note', n);
  },
  ask: (value) => void client.request('echo', value).then((answer) => seen.answers.push(answer)),
  close: () => client.close({ flushMs: 1_000 }),
};

parentPort.on('message', async ([word, value]) => {
  await steps[word]?.(value);
  const { status, recovered } = client.getState();
  parentPort.postMessage({ ...seen, status, recovered });
  // Nothing else is to keep the thread.
  if (word === 'close') parentPort.unref();
});
