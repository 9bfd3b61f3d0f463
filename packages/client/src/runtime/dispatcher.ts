import {
  type Codec,
  type DeliveryError,
  describeIssues,
  type EventMeta,
  type HoldfastError,
  holdfastError,
  type Item,
  Listeners,
  type Logger,
  messageOf,
  readPayload,
  type SchemaResult,
  type Scopes,
  Type,
} from '@holdfast/protocol';
import type {
  ConnectionState,
  Gap,
  LostSession,
  OutboxState,
  RestoredMessage,
  UndeliveredMessage,
} from '../types.js';
import { eventMeta } from './event-meta.js';
import type { ClientSettings } from './settings.js';

/** Names of events that nobody listens to, in the log: a server may say any number of them. */
const MAX_UNHEARD = 100;

/** Tells the application: its listeners of events, and those of what happens to the client itself. */
export class Dispatcher {
  readonly #codec: Codec;
  readonly #scopes: Scopes;
  readonly #logger: Logger;
  /** After `close()` no message reaches the application. */
  #audience: 'listening' | 'gone' = 'listening';
  readonly #unheardNames = new Set<string>();
  readonly events: Listeners;
  /** `state`, `outbox`, `session-lost`, `gap`, `undelivered`, `restored`. */
  readonly lifecycle: Listeners;
  readonly errors: Listeners;

  constructor({ codec, scopes, logger }: Pick<ClientSettings, 'codec' | 'scopes' | 'logger'>) {
    this.#codec = codec;
    this.#scopes = scopes;
    this.#logger = logger;
    this.events = new Listeners((error, name) => this.failed(error, name));
    this.lifecycle = new Listeners((error, name) => this.failed(error, name));
    this.errors = new Listeners((error) => this.#log('error', 'a listener of onError failed', error));
  }

  /** What came for the session itself. False if it is about a room. */
  take(item: Item, seq: number): boolean {
    if (item[0] === Type.EVT || (item[0] === Type.VOL && item[3]?.r === undefined)) {
      const [, name, payload, meta] = item;
      this.deliver(name, meta?.u ? undefined : payload, eventMeta(meta, seq));
    } else if (item[0] === Type.GAP && item[4] === undefined) {
      // A request whose asker has given it up is missed by nobody.
      if (item[3] !== 'abandoned') this.gap({ messages: item[2] - item[1] + 1, reason: item[3] });
    } else {
      return false;
    }
    return true;
  }

  /** An event for the application; in a room first to the room's own listeners. */
  deliver(name: string, data: unknown, meta: EventMeta, room?: Listeners): void {
    if (this.#audience === 'gone') return;
    if (!this.events.has(name) && !room?.has(name)) {
      const where = meta.room === undefined ? '' : ` in room '${meta.room}'`;
      return this.#unheard(name, holdfastError('ERR_NO_LISTENER', `nobody listens to '${name}'${where}`));
    }
    const result = this.#read(name, data);
    if (!result) return;
    if (result.issues) {
      const { issues } = result;
      const text = `'${name}' from the server does not fit the contract: ${describeIssues(issues)}`;
      const details = { delivery: 'rejected', messageId: meta.id, issues } as const;
      return this.report(holdfastError('ERR_INVALID_PAYLOAD', text, details));
    }
    Object.freeze(meta);
    room?.emit(name, result.value, meta);
    this.events.emit(name, result.value, meta);
  }

  state(state: ConnectionState, previous: ConnectionState): void {
    this.lifecycle.emit('state', state, previous);
  }

  outbox(outbox: OutboxState): void {
    this.lifecycle.emit('outbox', outbox);
  }

  restored(messages: readonly RestoredMessage[]): void {
    this.lifecycle.emit('restored', messages);
  }

  sessionLost(lost: LostSession): void {
    this.lifecycle.emit('session-lost', lost);
  }

  gap(gap: Gap): void {
    if (this.lifecycle.emit('gap', gap)) return;
    const what = gap.messages > 0 ? `${gap.messages} messages are missing` : 'messages may be missing';
    this.#log(
      'warn',
      `${what}${gap.room === undefined ? '' : ` in room '${gap.room}'`} (${gap.reason}); listen with onGap`,
    );
  }

  undelivered(message: UndeliveredMessage, error: DeliveryError): void {
    this.lifecycle.emit('undelivered', message, error);
  }

  /** A listener of the application threw. */
  failed(cause: unknown, name: string): void {
    const why = messageOf(cause);
    this.report(holdfastError('ERR_LISTENER_FAILED', `a listener of '${name}' failed: ${why}`, { cause }));
  }

  /** From here on no message reaches the application, not even the rest of a frame that is being dispatched. */
  mute(): void {
    this.#audience = 'gone';
    this.events.clear();
  }

  /** Undefined if the schema itself failed. */
  #read(name: string, data: unknown): SchemaResult<unknown> | undefined {
    const schema = this.#scopes.of(name)?.schemas?.serverEvents.get(name);
    try {
      return readPayload(this.#codec, data, { kind: 'event', name, from: 'server' }, schema);
    } catch (error) {
      this.failed(error, name);
      return undefined;
    }
  }

  /** Told each time to whoever asks for it; in the log, once for each name is enough, and so are so many names. */
  #unheard(name: string, error: HoldfastError): void {
    if (!this.errors.has('error')) {
      if (this.#unheardNames.has(name) || this.#unheardNames.size === MAX_UNHEARD) return;
      this.#unheardNames.add(name);
    }
    this.report(error);
  }

  /** Something failed that concerns no message and ends nothing. */
  report(error: HoldfastError): void {
    if (!this.errors.emit('error', error)) this.#log('error', `${error.code}: ${error.message}`, error);
  }

  /** One that throws stops nothing, and there is nobody left to tell. */
  #log(level: 'warn' | 'error', text: string, ...more: unknown[]): void {
    try {
      this.#logger[level](`Holdfast: ${text}`, ...more);
    } catch {}
  }
}
