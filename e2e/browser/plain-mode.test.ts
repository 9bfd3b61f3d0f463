import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTcpProxy, type TcpProxy } from '@holdfast/testing/tcp-proxy';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocketServer } from '../sockets/ws.js';
import { bundle } from '../support/bundle.js';
import { inEachEngine } from '../support/engines.js';
import { eventually } from '../support/pages.js';
import type { Visitor } from '../support/visitor.js';

const CLOSED = 3;

/** What a page says of itself; the rest of its events is for others, such as those who drive the browser. */
const SIGNALS = [
  'online',
  'offline',
  'change',
  'visibilitychange',
  'freeze',
  'resume',
  'pagehide',
  'pageshow',
  'unload',
];

/** Who listens on the page is counted from before the socket is made. */
const page = (url: string) => `<!doctype html><title>A page with a plain socket</title>
<link rel="icon" href="data:,">
<script src="/plain.js"></script>
<script>
  const ears = [];
  const signals = ${JSON.stringify(SIGNALS)};
  for (const place of [window, document, navigator.connection ?? new EventTarget()]) {
    const { addEventListener, removeEventListener } = place;
    place.addEventListener = (type, ...more) => {
      if (signals.includes(type)) ears.push(type);
      addEventListener.call(place, type, ...more);
    };
    place.removeEventListener = (type, ...more) => {
      if (ears.includes(type)) ears.splice(ears.indexOf(type), 1);
      removeEventListener.call(place, type, ...more);
    };
  }
  const log = [];
  const socket = new plain.ReconnectingWebSocket('${url}', [], { reconnect: { baseMs: 20, capMs: 500 } });
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => log.push('open');
  socket.onclose = ({ code }) => log.push('close ' + code);
  socket.onerror = () => log.push('error');
  socket.onmessage = ({ data }) =>
    log.push(typeof data === 'string' ? data : 'bytes ' + new Uint8Array(data).join());
  socket.send('early');
</script>`;

interface Seen {
  readonly log: readonly string[];
  readonly ears: readonly string[];
  readonly state: number;
  readonly retries: number;
}
const SEEN = '({ log, ears, state: socket.readyState, retries: socket.retryCount })';

/** A server of somebody else, which says again what it hears, behind a bad network; and a page that talks to it. */
class Stranger {
  readonly heard: string[] = [];
  readonly ended: string[] = [];
  #close: () => Promise<void> = async () => undefined;

  private constructor(
    readonly url: string,
    readonly proxy: TcpProxy,
  ) {}

  static async open(script: string): Promise<Stranger> {
    let socketUrl = '';
    const http = createServer(({ url }, response) => {
      const isScript = url === '/plain.js';
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
      response.end(
        isScript ? script : url === '/' ? page(socketUrl) : '<!doctype html><title>Elsewhere</title>',
      );
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    const proxy = await createTcpProxy({ target: { port } });
    socketUrl = `ws://127.0.0.1:${proxy.port}/`;
    const stranger = new Stranger(`http://127.0.0.1:${port}/`, proxy);
    const server = new WebSocketServer({ server: http });
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('message', (data, isBinary) => {
        stranger.heard.push(isBinary ? `bytes ${[...(data as Buffer)]}` : String(data));
        socket.send(data, { binary: isBinary });
      });
      socket.on('close', (code, reason) => stranger.ended.push(`${code} ${reason}`.trimEnd()));
    });
    stranger.#close = async () => {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await proxy.close();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    };
    return stranger;
  }

  close(): Promise<void> {
    return this.#close();
  }
}

let script: string;
beforeAll(async () => {
  script = await bundle('@holdfast/client/plain', 'plain');
});

inEachEngine(({ name, open }) => {
  let visitor: Visitor;
  let stranger: Stranger;
  const look = () => visitor.read<Seen>(SEEN);
  const last = async () => (await look()).log.at(-1);

  beforeAll(async () => {
    visitor = await open();
  });
  afterAll(() => visitor?.close());
  beforeEach(async () => {
    stranger = await Stranger.open(script);
    await visitor.goTo(stranger.url);
    await eventually(last).toBe('early');
  });
  afterEach(async () => {
    await visitor.goTo('about:blank');
    await stranger.close();
  });

  test('talks, is cut, comes back, sends what waited in order; close is for good and leaves nothing', async () => {
    await visitor.read(
      `void (socket.send(new Uint8Array([1, 2])), socket.send(new Blob([new Uint8Array([3])])))`,
    );
    await eventually(last).toBe('bytes 3');
    const before = await look();
    expect(before.log).toEqual(['open', 'early', 'bytes 1,2', 'bytes 3']);
    expect(before.ears).toEqual(expect.arrayContaining(['online', 'visibilitychange', 'pagehide']));

    stranger.proxy.refuse();
    await stranger.proxy.cut();
    await eventually(async () => (await look()).retries).toBeGreaterThan(1);
    const waits = ['a', 'b', 'c', 'd'];
    await visitor.read(`void [...'abcd'].map((text) => socket.send(text))`);
    await visitor.read('void socket.send(new Uint8Array([4]))');
    stranger.proxy.heal();
    await eventually(last).toBe('bytes 4');
    expect(stranger.heard).toEqual(['early', 'bytes 1,2', 'bytes 3', ...waits, 'bytes 4']);
    const after = (await look()).log.slice(4);
    expect(after.slice(0, 2)).toEqual(['error', 'close 1006']);
    expect(after.slice(-6)).toEqual(['open', ...waits, 'bytes 4']);

    await visitor.read(
      `void (socket.send('last'), socket.close(4321, 'ä'.repeat(61)), socket.send('too late'))`,
    );
    await eventually(() => stranger.ended.at(-1)).toBe(`4321 ${'ä'.repeat(61)}`);
    await eventually(last).toBe('close 4321');
    // Longer than any wait for the next attempt.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { log, state, ears } = await look();
    expect([log.at(-1), state, ears]).toEqual(['close 4321', CLOSED, []]);
    expect([stranger.heard.at(-1), stranger.ended.length]).toEqual(['last', 2]);
    expect(stranger.proxy.connections).toHaveLength(0);
  });

  // Firefox keeps no page with a connection, and ends it before the page is told that it is put away.
  test.skipIf(name === 'Firefox')(
    'a page that is put away closes with 1000, and is connected again when it is back',
    async () => {
      await visitor.goTo(`${stranger.url}elsewhere`);
      await eventually(() => stranger.ended).toEqual(['1000']);
      await visitor.back();
      await eventually(last).toBe('open');
      expect((await look()).log).toEqual(['open', 'early', 'close 1000', 'open']);
    },
  );
});
