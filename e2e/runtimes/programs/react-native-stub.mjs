// What the JavaScript of a React Native app finds, over `ws` in the place of the phone's own sockets. After its
// Libraries/WebSocket/WebSocket.js, AppState.js and performance, with the two polyfills that docs/runtimes.md asks for.

import { randomFillSync } from 'node:crypto';
import { WebSocket as Native } from 'ws';

const bare = new Event('error');

/** Not an EventTarget to the standard; bytes go through a bridge as base64; `bufferedAmount` is never set. */
class ReactNativeWebSocket {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;
  readyState = 0;
  bufferedAmount = undefined;
  protocol = undefined;
  #binaryType;
  #native;

  constructor(url, protocols) {
    this.url = url;
    this.#native = new Native(url, Array.isArray(protocols) ? protocols : []);
    this.#native.on('open', () => this.#bridge(() => this.#opened(this.#native.protocol)));
    this.#native.on('message', (data, isBinary) => {
      const passed = data.toString(isBinary ? 'base64' : 'utf8');
      this.#bridge(() => this.onmessage?.({ type: 'message', data: isBinary ? bytesOf(passed) : passed }));
    });
    this.#native.on('error', ({ message }) => this.#bridge(() => this.#failed(message)));
    this.#native.on('close', (code, reason) => this.#bridge(() => this.#closed(code, String(reason))));
  }

  get binaryType() {
    return this.#binaryType;
  }

  set binaryType(binaryType) {
    if (binaryType !== 'blob' && binaryType !== 'arraybuffer') {
      throw new Error("binaryType must be either 'blob' or 'arraybuffer'");
    }
    this.#binaryType = binaryType;
  }

  send(data) {
    if (this.readyState === 0) throw new Error('INVALID_STATE_ERR');
    if (typeof data === 'string') this.#native.send(data);
    else if (ArrayBuffer.isView(data))
      this.#native.send(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    else throw new Error('Unsupported data type');
  }

  close(code = 1000, reason = '') {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    this.#native.close(code, reason);
  }

  /** Each call is a task of its own. */
  #bridge(run) {
    setImmediate(run);
  }

  #opened(protocol) {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.protocol = protocol;
    this.onopen?.({ type: 'open' });
  }

  #failed(message) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onerror?.(bare);
    this.onclose?.({ type: 'close', code: 1006, reason: message });
  }

  #closed(code, reason) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ type: 'close', code, reason });
  }
}

const bytesOf = (base64) => new Uint8Array(Buffer.from(base64, 'base64')).buffer;

const states = new Set();
/** What the app does: it becomes `active`, `background`, … */
export const becomes = (state) => {
  for (const tell of states) tell(state);
};
export const AppState = {
  addEventListener(_type, listener) {
    states.add(listener);
    return { remove: () => states.delete(listener) };
  },
};

const now = performance.now.bind(performance);
// Asked for by Node's fetch.
const markResourceTiming = performance.markResourceTiming.bind(performance);
const globals = {
  WebSocket: ReactNativeWebSocket,
  performance: { now, markResourceTiming },
  crypto: { getRandomValues: (bytes) => randomFillSync(bytes) },
  navigator: { product: 'ReactNative' },
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
