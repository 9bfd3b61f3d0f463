import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { casesScript, lifeScript } from './scripts.js';

const PAGE = `<!doctype html><title>Storage</title>
<link rel="icon" href="data:,">
<body>
<script src="/suite.js"></script>
<script>
  let results;
  const start = (kind) => suite.run(kind).then(
    (all) => { results = all; },
    (error) => { results = [{ name: 'the suite', why: String(error) }]; });
</script>`;
const FRAME = '<!doctype html><title>A life</title><script src="/frame.js"></script>';

const IN_WORKER = `{
  post: (message) => postMessage(message),
  hear: (listener) => addEventListener('message', ({ data }) => listener(data)),
}`;
/** By the port that the page hands in. */
const IN_FRAME = `(() => {
  const port = new Promise((resolve) => addEventListener('message', ({ ports: [port] }) => resolve(port), { once: true }));
  return {
    post: (message) => port.then((to) => to.postMessage(message)),
    hear: (listener) => port.then((from) => { from.onmessage = ({ data }) => listener(data); }),
  };
})()`;

/** Serves the pages that run the cases. */
export async function openShelf(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const [suite, worker, frame] = await Promise.all([
    casesScript(),
    lifeScript('browser', IN_WORKER),
    lifeScript('browser', IN_FRAME),
  ]);
  const files: { readonly [path: string]: string } = {
    '/suite.js': suite,
    '/life.js': worker,
    '/frame.js': frame,
    '/life.html': FRAME,
  };
  const http: Server = createServer(({ url = '/' }, response) => {
    response.setHeader('Content-Type', url.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(files[url] ?? PAGE);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`,
    async close() {
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
}
