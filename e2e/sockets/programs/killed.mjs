// Says durable notes, one number after the other, and prints which are stored, until it is killed. With 'last' it says
// nothing: it waits until all that its earlier lives have left is through, and ends.

import { createClient } from '@holdfast/client';
import { fileOutbox } from '@holdfast/client/storage-file';

const [url, path, from] = process.argv.slice(2);
/** Bounds what a life that cannot reach its server leaves to the next one. */
const MOST_WAITING = 50;

const client = createClient({
  url,
  auth: 'ada',
  outbox: { storage: fileOutbox({ path, userId: 'ada' }) },
  reconnect: { baseMs: 10, capMs: 50 },
});
client.onError(({ code, message }) => console.log(`error ${code} ${message}`));
client.onUndelivered(({ payload }, { code, delivery }) =>
  console.log(`undelivered ${payload} ${code} ${delivery}`),
);
client.connect().catch((error) => console.log(`error ${error.message}`));

let n = Number(from);
function say() {
  for (let some = 0; some < 3 && client.getOutbox().messages < MOST_WAITING; some++) {
    const number = n++;
    const sending = client.send('note', number, { delivery: 'durable' });
    sending.catch(() => undefined);
    // A pipe is written to at once: what is printed is printed, whatever happens next.
    sending.stored.then(
      () => console.log(`stored ${number}`),
      (error) => console.log(`error ${error.message}`),
    );
  }
  setTimeout(say, 1);
}

if (from === 'last') {
  client.onRestored((messages) => console.log(`restored ${messages.length}`));
  // Behind all that is left.
  await client.send('note', 1e9, { delivery: 'durable' });
  await client.close();
  console.log('closed');
} else {
  say();
}
