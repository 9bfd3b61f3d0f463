// Its connection is closed by the server, and it gives up: says what would still keep this process.

import { createClient } from '@holdfast/client';

const [url] = process.argv.slice(2);
const client = createClient({ url, reconnect: { policy: () => null } });
client.onState(({ status }) => {
  if (status !== 'failed') return;
  // What has to be done to end it has been done by then.
  setImmediate(() => console.log(status, process.getActiveResourcesInfo().includes('Timeout')));
});
client.connect().catch(() => undefined);
