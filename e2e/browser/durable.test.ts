import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHoldfastServer, type HoldfastServer } from '@holdfast/server';
import { createTcpProxy, type TcpProxy } from '@holdfast/testing/tcp-proxy';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundle } from '../support/bundle.js';
import { inEachEngine } from '../support/engines.js';
import { eventually } from '../support/pages.js';
import type { Visitor } from '../support/visitor.js';

// Durable messages in pages that are loaded anew and closed.

/** `prepare`: done before the client is made, such as taking something away from the page. */
const page = (
  url: string,
  database: string,
  prepare: string,
) => `<!doctype html><title>A page that keeps</title>
<link rel="icon" href="data:,">
<script src="/holdfast.js"></script>
<script src="/storage.js"></script>
<script>
  const seen = { stored: [], ends: [], restored: [], errors: [] };
  const told = (list, what) => [() => list.push(what), (error) => list.push(what + ' ' + error.code)];
  ${prepare}
  const client = Holdfast.createClient({
    url: '${url}',
    auth: 'ada',
    outbox: { storage: storage.indexedDbOutbox({ name: '${database}', userId: 'ada' }) },
    reconnect: { baseMs: 20, capMs: 200 },
  });
  client.onError((error) => { seen.errors.push(error.code); });
  client.onRestored((messages) => {
    for (const { payload, sending } of messages) {
      seen.restored.push(payload);
      sending.then(...told(seen.ends, payload));
    }
  });
  const say = (text) => {
    const sending = client.send('note', text, { delivery: 'durable' });
    sending.stored.then(...told(seen.stored, text));
    sending.then(...told(seen.ends, text));
  };
  client.connect();
  const countKept = () => {
    indexedDB.open('${database}', 1).onsuccess = ({ target: { result } }) => {
      const counting = result.transaction('messages').objectStore('messages').count();
      counting.onsuccess = () => { seen.kept = counting.result; result.close(); };
    };
  };
</script>`;

/** What a page may have to do without; `/blocked`, … */
const PREPARED: { readonly [path: string]: string } = {
  '/': '',
  '/blocked': `indexedDB.constructor.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };`,
  '/refused': `
    const { open } = indexedDB.constructor.prototype;
    indexedDB.constructor.prototype.open = function (name) {
      const request = open.call(this, name, 1);
      request.onupgradeneeded = ({ target }) => target.transaction.abort();
      return request;
    };`,
  '/without-locks': `Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined });`,
  // The second of two, so that half would be left.
  '/full': `
    const { put } = IDBObjectStore.prototype;
    let puts = 0;
    IDBObjectStore.prototype.put = function (...args) {
      if (++puts === 2) throw new DOMException('full', 'QuotaExceededError');
      return put.apply(this, args);
    };`,
  // As browsers do it: the transaction is aborted when it is to be written.
  '/full-at-the-end': `
    const { put } = IDBObjectStore.prototype;
    let puts = 0;
    IDBObjectStore.prototype.put = function (...args) {
      const request = put.apply(this, args);
      if (++puts === 2) request.addEventListener('success', () => this.transaction.abort());
      return request;
    };`,
};

interface Seen {
  readonly stored: readonly string[];
  readonly ends: readonly string[];
  readonly restored: readonly string[];
  readonly errors: readonly string[];
  /** Messages in the database, when they were last counted. */
  readonly kept?: number;
  readonly status: string;
  readonly waits: number;
}
const SEEN = '({ ...seen, status: client.getState().status, waits: client.getOutbox().messages })';

/** A server that can be out of reach, and its pages. Each has databases of its own. */
class Place {
  readonly notes: string[] = [];
  #close: () => Promise<void> = async () => undefined;

  private constructor(
    readonly url: string,
    readonly proxy: TcpProxy,
    readonly server: HoldfastServer,
  ) {
    server.on('note', (payload, { session }) => this.notes.push(`${session.user.id} ${payload}`));
  }

  static async open(scripts: { readonly [path: string]: string }): Promise<Place> {
    const database = `outbox-${Math.random()}`;
    let realtime = '';
    const http = createServer(({ url = '/' }, response) => {
      const script = scripts[url];
      response.setHeader(
        'Content-Type',
        script === undefined ? 'text/html; charset=utf-8' : 'text/javascript',
      );
      response.end(script ?? page(realtime, database, PREPARED[url] ?? ''));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const auth = (token?: string) => ({ user: { id: token ?? 'nobody' } });
    const server = createHoldfastServer({ origins: [url], auth }).attach(http);
    const proxy = await createTcpProxy({ target: { port } });
    realtime = `ws://127.0.0.1:${proxy.port}/realtime`;
    const place = new Place(url, proxy, server);
    place.#close = async () => {
      await server.close();
      await proxy.close();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    };
    return place;
  }

  /** Nobody reaches the server until `come`. */
  async go(): Promise<void> {
    this.proxy.refuse();
    await this.proxy.cut();
  }

  come(): void {
    this.proxy.heal();
  }

  close(): Promise<void> {
    return this.#close();
  }
}

let scripts: { readonly [path: string]: string };
beforeAll(async () => {
  const [client, storage] = await Promise.all([
    bundle('@holdfast/client', 'Holdfast'),
    bundle('@holdfast/client/storage', 'storage'),
  ]);
  scripts = { '/holdfast.js': client, '/storage.js': storage };
});

inEachEngine(({ open }) => {
  let visitor: Visitor;
  let place: Place;
  const look = (tab = visitor) => tab.read<Seen>(SEEN);
  const stored = async (tab = visitor) => (await look(tab)).stored;
  const say = (texts: string, tab = visitor) => tab.read(`void '${texts}'.split(' ').map(say)`);
  /** A message is taken out of the database after its end was told: who leaves between the two finds it again. */
  const nothingIsKept = () =>
    eventually(async () => {
      await visitor.read('void countKept()');
      return (await look()).kept;
    }).toBe(0);
  const isConnected = (tab = visitor) => eventually(async () => (await look(tab)).status).toBe('connected');

  beforeAll(async () => {
    visitor = await open();
  });
  afterAll(() => visitor?.close());
  beforeEach(async () => {
    place = await Place.open(scripts);
  });
  afterEach(async () => {
    await visitor.goTo('about:blank');
    await place.close();
  });

  test('said while the server is away, the page loaded anew: they arrive, once and in order', async () => {
    await place.go();
    await visitor.goTo(place.url);
    await say('one two three');
    await eventually(stored).toEqual(['one', 'two', 'three']);
    await visitor.goTo(`${place.url}/?again`);
    await eventually(async () => (await look()).restored).toEqual(['one', 'two', 'three']);
    await say('four');
    place.come();
    await eventually(() => place.notes).toEqual(['ada one', 'ada two', 'ada three', 'ada four']);
    await eventually(async () => (await look()).ends).toEqual(['one', 'two', 'three', 'four']);
    await nothingIsKept();
    await visitor.goTo(place.url);
    await isConnected();
    await say('five');
    await eventually(() => place.notes.at(-1)).toBe('ada five');
    expect(place.notes).toHaveLength(5);
    expect(await look()).toMatchObject({ restored: [], errors: [] });
  });

  test('heard by the server, which the page never learns: it comes again and is not handled again', async () => {
    await visitor.goTo(place.url);
    await isConnected();
    place.proxy.freeze('down');
    await say('one');
    await eventually(() => place.notes).toEqual(['ada one']);
    await visitor.goTo('about:blank');
    place.proxy.heal();
    await visitor.goTo(place.url);
    await eventually(async () => (await look()).ends).toEqual(['one']);
    await say('two');
    await eventually(() => place.notes).toEqual(['ada one', 'ada two']);
  });

  test('in a tab that is closed: they go out from the next one', async () => {
    await visitor.goTo(`${place.url}/?other`);
    await place.go();
    const tab = await visitor.newTab();
    await tab.goTo(place.url);
    await say('one two', tab);
    await eventually(() => stored(tab)).toEqual(['one', 'two']);
    await tab.close();
    const next = await visitor.newTab();
    await next.goTo(place.url);
    await eventually(async () => (await look(next)).restored).toEqual(['one', 'two']);
    place.come();
    await eventually(() => place.notes).toEqual(['ada one', 'ada two']);
    await next.close();
  });

  test('two tabs of one page: each sends its own, and what a closed one leaves, the other with its next connection', async () => {
    await place.go();
    await visitor.goTo(place.url);
    const tab = await visitor.newTab();
    await tab.goTo(place.url);
    await say('one', visitor);
    await say('two', tab);
    await eventually(() => stored()).toEqual(['one']);
    await eventually(() => stored(tab)).toEqual(['two']);
    // Who comes now finds nothing that nobody cares for.
    const third = await visitor.newTab();
    await third.goTo(place.url);
    await say('four', third);
    await eventually(() => stored(third)).toEqual(['four']);
    await say('three', tab);
    await eventually(() => stored(tab)).toEqual(['two', 'three']);
    const restored = await Promise.all([visitor, tab, third].map(async (one) => (await look(one)).restored));
    expect(restored).toEqual([[], [], []]);
    await third.close();
    await tab.close();
    // A browser may take its time to let go of what a tab has held.
    await eventually(async () => {
      await visitor.read(
        'void navigator.locks.query().then(({ held }) => { globalThis.locksHeld = held.length; })',
      );
      return visitor.read('globalThis.locksHeld');
    }).toBe(1);
    place.come();
    await eventually(() => [...place.notes].sort()).toEqual(['ada four', 'ada one', 'ada three', 'ada two']);
    expect(place.notes.indexOf('ada two')).toBeLessThan(place.notes.indexOf('ada three'));
  });

  test.each(['/blocked', '/refused', '/without-locks'])(
    '%s: stored says so, the message goes',
    async (path) => {
      await visitor.goTo(place.url + path);
      await isConnected();
      await say('one two');
      await eventually(() => place.notes).toEqual(['ada one', 'ada two']);
      await eventually(async () => (await look()).ends).toEqual(['one', 'two']);
      const { stored: said, status, errors } = await look();
      expect([said, status]).toEqual([['one ERR_STORAGE', 'two ERR_STORAGE'], 'connected']);
      expect(errors).toContain('ERR_STORAGE');
    },
  );

  test.each(['/full', '/full-at-the-end'])(
    '%s: stored says so, none is half stored, and they go',
    async (path) => {
      const said = ['one ERR_STORAGE', 'two ERR_STORAGE'];
      await place.go();
      await visitor.goTo(place.url + path);
      await say('one two');
      await eventually(stored).toEqual(said);
      await visitor.goTo(place.url);
      await say('three');
      await eventually(stored).toEqual(['three']);
      expect((await look()).restored).toEqual([]);
      place.come();
      await visitor.goTo(place.url + path);
      await isConnected();
      await say('one two');
      await eventually(async () => (await look()).ends).toEqual(expect.arrayContaining(['one', 'two']));
      // What cannot be marked as written waits, and holds nobody up.
      await eventually(() => place.notes.filter((note) => note !== 'ada three')).toEqual([
        'ada one',
        'ada two',
      ]);
      expect((await look()).status).toBe('connected');
    },
  );
});
