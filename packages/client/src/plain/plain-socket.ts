import type { TransportEnd, WireData } from '@holdfast/protocol';
import type { ClientPorts } from '../ports/ports.js';
import { PlainConnection } from './plain-connection.js';
import { type PlainOptions, type PlainProtocols, type PlainUrl, resolvePlain } from './plain-options.js';
import { type PlainData, PlainOutbox } from './plain-outbox.js';

const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;

/** `EventTarget`, which knows the types of a socket's events. */
const SocketEvents: {
  new (): Pick<WebSocket, 'addEventListener' | 'removeEventListener' | 'dispatchEvent'>;
} = EventTarget;

type EventName = 'open' | 'message' | 'close' | 'error';
type Handler = WebSocket[`on${EventName}`];
type Listener = (event: Event) => void;

/** From `connect` to `close()`, or until nothing is hoped for any more. */
interface Life {
  readonly connection: PlainConnection;
  end?: { readonly code: number; readonly reason: string; told: boolean };
}

/**
 * A `WebSocket` (WHATWG WebSockets Standard) that comes back, on ports of your own. Fires `open` for each connection,
 * `close` for each that is lost and each attempt that fails, `error` before it where that was nobody's wish, and at
 * last a `close` at which `readyState` is `CLOSED`.
 */
export class PlainSocket extends SocketEvents implements WebSocket {
  static readonly CONNECTING = STATES.CONNECTING;
  static readonly OPEN = STATES.OPEN;
  static readonly CLOSING = STATES.CLOSING;
  static readonly CLOSED = STATES.CLOSED;
  readonly CONNECTING = STATES.CONNECTING;
  readonly OPEN = STATES.OPEN;
  readonly CLOSING = STATES.CLOSING;
  readonly CLOSED = STATES.CLOSED;
  /** Always empty: what a socket negotiates is its own business. */
  readonly extensions = '';
  readonly #clock: ClientPorts['clock'];
  readonly #outbox: PlainOutbox;
  readonly #make: () => Life;
  readonly #handlers = new Map<EventName, { handler: Handler; readonly listener: Listener }>();
  #life: Life;
  #isStarted: boolean;
  #binaryType: BinaryType = 'blob';
  #protocol = '';
  #url: string;
  #origin = '';

  constructor(ports: ClientPorts, url: PlainUrl, protocols: PlainProtocols = [], options: PlainOptions = {}) {
    super();
    const {
      outbox,
      autoConnect,
      url: fixedUrl = '',
      ...settings
    } = resolvePlain(ports, url, protocols, options);
    this.#clock = ports.clock;
    this.#url = fixedUrl;
    this.#outbox = new PlainOutbox(outbox);
    this.#make = () => {
      const connection = new PlainConnection(ports, settings, {
        dialling: (url) => (this.#url = url),
        opened: (protocol) => this.#opened(protocol),
        message: (data) => this.#fire(messageOf(this.#binaryType, data, this.#origin)),
        lost: (end) => this.#lost(end),
        ended: (why) => this.#ended(life, why),
        failed: (error) => ports.logger.error('Holdfast: a socket failed', error),
      });
      const life: Life = { connection };
      return life;
    };
    this.#life = this.#make();
    this.#isStarted = autoConnect;
    // Like a WebSocket it dials by itself, and tells nothing before its maker has had time to listen.
    if (autoConnect) this.#clock.defer(() => this.#life.connection.tell({ type: 'connect', anew: false }));
  }

  /** `CONNECTING` also between two connections: `CLOSED` is for good. */
  get readyState(): 0 | 1 | 2 | 3 {
    const { end, connection } = this.#life;
    if (end?.told) return STATES.CLOSED;
    if (end || connection.isOver) return STATES.CLOSING;
    if (!this.#isStarted) return STATES.CLOSED;
    return connection.isUp ? STATES.OPEN : STATES.CONNECTING;
  }

  /** Of the newest attempt. */
  get url(): string {
    return this.#url;
  }

  /** Subprotocol that the server chose; of the newest connection. */
  get protocol(): string {
    return this.#protocol;
  }

  /** As `WebSocket.binaryType`; default `blob`. */
  get binaryType(): BinaryType {
    return this.#binaryType;
  }
  set binaryType(type: BinaryType) {
    // Like a WebSocket it ignores a word that it does not know.
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;
  }

  /** Bytes that wait here, for a connection or for the network. */
  get bufferedAmount(): number {
    return this.#outbox.bytes + this.#life.connection.bufferedBytes;
  }

  /** Attempts in a row that have failed. */
  get retryCount(): number {
    return this.#life.connection.retries;
  }

  /**
   * Sends, or keeps until there is a connection. No acknowledgements: what was on its way when a connection was lost
   * is lost, too. After `close()` nothing is sent, and nothing thrown, as with `WebSocket`. Throws `ERR_OUTBOX_FULL`.
   */
  send(data: Parameters<WebSocket['send']>[0]): void {
    if (this.#isOver) return;
    const bytes = copyOf(data);
    if (this.readyState === STATES.OPEN) this.#life.connection.send(bytes);
    else this.#outbox.push(bytes);
  }

  /**
   * Ends it for good; what still waits for a connection goes only if `reconnect()` is called. Throws as
   * `WebSocket.close` does: the code must be 1000 or from 3000 to 4999.
   */
  close(code = 1000, reason = ''): void {
    if (code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException(`close(${code}): must be 1000 or from 3000 to 4999`, 'InvalidAccessError');
    }
    if (new TextEncoder().encode(reason).length > 123) {
      throw new DOMException('close(): the reason may have 123 bytes', 'SyntaxError');
    }
    if (this.#isOver || !this.#isStarted) return;
    this.#life.end = { code, reason, told: false };
    this.#life.connection.tell({ type: 'close', reason, code });
  }

  /** Leaves the connection, if there is one, and dials at once and as for the first time, also after `close()`. */
  reconnect(): void {
    this.#isStarted = true;
    const { connection } = this.#life;
    // What a listener sends from here on is meant for the next connection, though this one is left only behind the event.
    this.#life = this.#make();
    connection.tell({ type: 'disconnect' });
    this.#life.connection.tell({ type: 'connect', anew: false });
  }

  get onopen(): WebSocket['onopen'] {
    return this.#handler('open');
  }
  set onopen(handler: WebSocket['onopen']) {
    this.#handle('open', handler);
  }
  get onmessage(): WebSocket['onmessage'] {
    return this.#handler('message');
  }
  set onmessage(handler: WebSocket['onmessage']) {
    this.#handle('message', handler);
  }
  get onclose(): WebSocket['onclose'] {
    return this.#handler('close');
  }
  set onclose(handler: WebSocket['onclose']) {
    this.#handle('close', handler);
  }
  get onerror(): WebSocket['onerror'] {
    return this.#handler('error');
  }
  set onerror(handler: WebSocket['onerror']) {
    this.#handle('error', handler);
  }

  /** Also in the listeners that hear of the last attempt, before its end has been told. */
  get #isOver(): boolean {
    return this.#life.end !== undefined || this.#life.connection.isOver;
  }

  #opened(protocol: string): void {
    this.#protocol = protocol;
    this.#origin = new URL(this.#url).origin;
    for (let data = this.#outbox.shift(); data !== undefined; data = this.#outbox.shift()) {
      this.#life.connection.send(data);
    }
    this.#fire(new Event('open'));
  }

  #lost({ code, reason, cause }: TransportEnd): void {
    if (cause !== undefined || code === 1006) {
      this.#fire(Object.assign(new Event('error'), { error: cause, message: reason }));
    }
    this.#fire(closeEvent(code, reason));
  }

  /** `close()` was called, or there is no hope left. `life`: by now there may be another. */
  #ended(life: Life, why: string): void {
    life.end ??= { code: 1006, reason: why, told: false };
    const { end } = life;
    this.#clock.defer(() => {
      end.told = true;
      this.#fire(closeEvent(end.code, end.reason));
    });
  }

  #fire(event: Event): void {
    this.dispatchEvent(event);
  }

  #handler<N extends EventName>(name: N): WebSocket[`on${N}`] {
    return (this.#handlers.get(name)?.handler ?? null) as WebSocket[`on${N}`];
  }

  /** In the order in which it was set among the other listeners, as HTML has it for event handlers. */
  #handle(name: EventName, handler: Handler): void {
    const known = this.#handlers.get(name);
    if (typeof handler !== 'function') {
      if (known) this.removeEventListener(name, known.listener);
      this.#handlers.delete(name);
    } else if (known) known.handler = handler;
    else {
      const entry: { handler: Handler; readonly listener: Listener } = {
        handler,
        listener: (event) => void entry.handler?.call(this, event as CloseEvent & MessageEvent),
      };
      this.#handlers.set(name, entry);
      this.addEventListener(name, entry.listener);
    }
  }
}

/** `CloseEvent` is not everywhere: Node has it from version 23 on. */
function closeEvent(code: number, reason: string): Event {
  return Object.assign(new Event('close'), { code, reason, wasClean: code !== 1006 });
}

function messageOf(binaryType: BinaryType, data: WireData, origin: string): Event {
  if (typeof data === 'string') return new MessageEvent('message', { data, origin });
  const bytes = Uint8Array.from(data);
  return new MessageEvent('message', {
    data: binaryType === 'arraybuffer' ? bytes.buffer : new Blob([bytes]),
    origin,
  });
}

/** What is sent is what it was when `send` was called. Whatever is neither bytes nor a blob is sent as text. */
function copyOf(data: unknown): PlainData {
  if (typeof data !== 'object' || data === null) return String(data);
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  }
  if ('byteLength' in data) return new Uint8Array(data as ArrayBufferLike).slice();
  return 'size' in data && 'stream' in data ? (data as Blob) : String(data);
}
