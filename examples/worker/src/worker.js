// The same import as in a page; there is no window here, and none is needed.
import { createClient } from '@holdfast/client';

const client = createClient({ url: new URL('/realtime', location.href), autoConnect: true });

// What is posted is copied, and of an error the copy has only `name` and `message`: say what the page is to know.
client.onState(({ status, error }) => postMessage({ status, code: error?.code }));
client.on('number', (number) => postMessage({ number }));
