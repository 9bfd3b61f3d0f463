import type { TransportEnd, WireData } from '@holdfast/protocol';
import type { ClientPorts } from '../ports/ports.js';
import { PlainConnection } from './plain-connection.js';
import { type PlainOptions, type PlainUrl, resolvePlain } from './plain-options.js';
import { type PlainData, PlainOutbox } from './plain-outbox.js';

type Handler = ((event: never) => unknown) | null;
type Data = string | ArrayBufferLike | ArrayBufferView | Blob;

const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;

/**
 * A `WebSocket` (WHATWG WebSockets Standard) that comes back, on ports of your own. Fires `open` for each connection,
 * `close` for each that is lost and each attempt that fails, `error` before it where there was no connection.
 */
export class PlainSocket extends EventTarget {
  static readonly CONNECTING = STATES.CONNECTING;
  static readonly OPEN = STATES.OPEN;
  static readonly CLOSING = STATES.CLOSING;
  static readonly CLOSED = STATES.CLOSED;
  readonly CONNECTING = STATES.CONNECTING;
  readonly OPEN = STATES.OPEN;
  readonly CLOSING = STATES.CLOSING;
  readonly CLOSED = STATES.CLOSED;
  /** As `WebSocket.binaryType`; default `blob`. */
  binaryType: BinaryType = 'blob';
  /** Subprotocol that the server chose; of the newest connection. */
  protocol = '';
  /** Always empty: what a socket negotiates is its own business. */
  readonly extensions = '';
  readonly #clock: ClientPorts['clock'];
  readonly #outbox: PlainOutbox;
  readonly #make: () => PlainConnection;
  #connection: PlainConnection;
  readonly #handlers = new Map<string, { handler: Handler; listener: (event: Event) => void }>();
  #end: { readonly code: number; readonly reason: string; readonly told: boolean } | undefined;

  constructor(
    ports: ClientPorts,
    url: PlainUrl,
    protocols: string | readonly string[] = [],
    options: PlainOptions = {},
  ) {
    super();
    const { outbox, ...settings } = resolvePlain(ports, url, protocols, options);
    this.#clock = ports.clock;
    this.#outbox = new PlainOutbox(outbox);
    this.#make = () =>
      new PlainConnection(ports, settings, {
        opened: (protocol) => this.#opened(protocol),
        message: (data) => this.#fire(messageOf(this.binaryType, data)),
        lost: (end) => this.#lost(end),
        ended: (why) => this.#ended(why),
        failed: (error) => ports.logger.error('Holdfast: a socket failed', error),
      });
    this.#connection = this.#make();
    // Like a WebSocket it dials by itself, and tells nothing before its maker has had time to listen.
    this.#clock.defer(() => this.#connection.tell({ type: 'connect', anew: false }));
  }

  /** `CONNECTING` also between two connections: `CLOSED` is for good. */
  get readyState(): 0 | 1 | 2 | 3 {
    if (this.#end) return this.#end.told ? STATES.CLOSED : STATES.CLOSING;
    return this.#connection.state.status === 'connected' ? STATES.OPEN : STATES.CONNECTING;
  }

  /** Of the newest attempt. */
  get url(): string {
    return this.#connection.url;
  }

  /** Bytes that wait here, for a connection or for the network. */
  get bufferedAmount(): number {
    return this.#outbox.bytes + this.#connection.bufferedBytes;
  }

  /** Attempts in a row that have failed. */
  get retryCount(): number {
    const { state } = this.#connection;
    return 'attempt' in state && state.status !== 'connected' ? state.attempt - 1 : 0;
  }

  /**
   * Sends, or keeps until there is a connection. No acknowledgements: what was on its way when a connection was lost
   * is lost, too. After `close()` nothing is sent, and nothing thrown, as with `WebSocket`. Throws `ERR_OUTBOX_FULL`.
   */
  send(data: Data): void {
    if (this.#end) return;
    const bytes = copyOf(data);
    if (this.readyState === STATES.OPEN) this.#connection.send(bytes);
    else this.#outbox.push(bytes);
  }

  /** Ends it for good. Throws as `WebSocket.close` does: the code must be 1000 or from 3000 to 4999. */
  close(code = 1000, reason = ''): void {
    if (code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException(`close(${code}): must be 1000 or from 3000 to 4999`, 'InvalidAccessError');
    }
    if (new TextEncoder().encode(reason).length > 123) {
      throw new DOMException('close(): the reason may have 123 bytes', 'SyntaxError');
    }
    if (this.#end) return;
    this.#end = { code, reason, told: false };
    this.#connection.tell({ type: 'close', reason, code });
  }

  /** Leaves the connection, if there is one, and dials at once, also after `close()`. */
  reconnect(): void {
    if (this.#end) this.#connection = this.#make();
    this.#end = undefined;
    this.#connection.tell({ type: 'connect', anew: true });
  }

  get onopen(): Handler {
    return this.#handler('open');
  }
  set onopen(handler: Handler) {
    this.#handle('open', handler);
  }
  get onmessage(): Handler {
    return this.#handler('message');
  }
  set onmessage(handler: Handler) {
    this.#handle('message', handler);
  }
  get onclose(): Handler {
    return this.#handler('close');
  }
  set onclose(handler: Handler) {
    this.#handle('close', handler);
  }
  get onerror(): Handler {
    return this.#handler('error');
  }
  set onerror(handler: Handler) {
    this.#handle('error', handler);
  }

  #opened(protocol: string): void {
    this.protocol = protocol;
    for (let data = this.#outbox.shift(); data !== undefined; data = this.#outbox.shift()) {
      this.#connection.send(data);
    }
    this.#fire(new Event('open'));
  }

  #lost({ code, reason, cause }: TransportEnd): void {
    if (cause !== undefined || code === 1006) {
      this.#fire(Object.assign(new Event('error'), { error: cause, message: reason }));
    }
    this.#fire(closeEvent(code, reason));
  }

  /** `close()` was called, or there is no hope left. */
  #ended(why: string): void {
    const end = this.#end ?? { code: 1006, reason: why, told: false };
    this.#end = end;
    this.#clock.defer(() => {
      // Called back meanwhile.
      if (this.#end !== end) return;
      this.#end = { ...end, told: true };
      this.#fire(closeEvent(end.code, end.reason));
    });
  }

  #fire(event: Event): void {
    this.dispatchEvent(event);
  }

  #handler(name: string): Handler {
    return this.#handlers.get(name)?.handler ?? null;
  }

  /** In the order in which it was set among the other listeners, as HTML has it for event handlers. */
  #handle(name: string, handler: Handler): void {
    const known = this.#handlers.get(name);
    if (typeof handler !== 'function') {
      if (known) this.removeEventListener(name, known.listener);
      this.#handlers.delete(name);
    } else if (known) known.handler = handler;
    else {
      const entry = {
        handler: handler as Handler,
        listener: (event: Event) => void entry.handler?.call(this, event as never),
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

function messageOf(binaryType: BinaryType, data: WireData): Event {
  if (typeof data === 'string') return new MessageEvent('message', { data });
  const bytes = Uint8Array.from(data);
  return new MessageEvent('message', {
    data: binaryType === 'arraybuffer' ? bytes.buffer : new Blob([bytes]),
  });
}

/** What is sent is what it was when `send` was called. */
function copyOf(data: Data): PlainData {
  if (typeof data === 'string') return data;
  if (ArrayBuffer.isView(data)) {
    return Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return 'size' in data ? data : Uint8Array.from(new Uint8Array(data));
}
