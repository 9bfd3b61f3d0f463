import {
  type Clock,
  type Codec,
  checkDelivery,
  checkKeys,
  checkName,
  checkSignal,
  checkTraceparent,
  Deferred,
  type Delivery,
  type DeliveryError,
  describeIssues,
  encodePayload,
  holdfastError,
  type Item,
  messageOf,
  numberOption,
  type OutboxPlace,
  PRESENCE,
  prefixOf,
  type Random,
  type Schema,
  type SendOptions,
  sizeOf,
  Type,
  validate,
} from '@holdfast/protocol';
import type { DurableOutbox, Message, StreamEar } from '../core/types.js';

/** What the application wants to say, before it is checked and encoded. */
export interface Draft {
  readonly kind: 'event' | 'request';
  readonly name: string;
  readonly payload: unknown;
  readonly room?: string | undefined;
  readonly schema?: Schema | undefined;
  readonly options?: SendOptions | undefined;
  /** Unless the options say otherwise. */
  readonly delivery?: Delivery | undefined;
  /** Of a request: what its answer says. May throw. */
  readonly read?: Message['read'];
  /** Why it cannot be sent to its room. */
  readonly notJoined?: string | undefined;
  /** Of a request that is answered by a stream. */
  readonly ear?: StreamEar | undefined;
  /** Told of the outcome at once, in the frame that brings it, where a promise would be told a moment later. */
  readonly outcome?: Message['outcome'] | undefined;
}

/** What is known of all messages of a client. */
export interface Defaults {
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly ttlMs: number;
  readonly requestTimeoutMs: number;
  /** There is a token: what is said before the first session is said by whoever that is for. */
  readonly isNamed: boolean;
  /** Where durable messages are kept, if anywhere. */
  readonly durable: DurableOutbox | undefined;
}

/** The message, or why it cannot be one. */
export interface Made {
  readonly message: Message;
  readonly deferred: Deferred<unknown>;
  readonly error: DeliveryError | undefined;
}

const CALL_OPTIONS = ['timeoutMs', 'signal', 'ttlMs', 'id', 'traceparent'];
const SEND_OPTIONS = [...CALL_OPTIONS, 'delivery', 'key'];
const NONE: SendOptions = {};

/** Throws a `TypeError` that names the option, the rule and the value. */
function checkOptions(options: SendOptions, kind: Draft['kind'], call: string): void {
  checkKeys(options, kind === 'event' ? SEND_OPTIONS : CALL_OPTIONS, `${call} options`);
  checkSignal(options.signal, `${call} signal`);
  checkTraceparent(options.traceparent, `${call} traceparent`);
  if (options.id !== undefined) checkName(options.id, `${call} id`);
  numberOption(options.ttlMs, `${call} ttlMs`, 0);
  numberOption(options.timeoutMs, `${call} timeoutMs`, 0);
}

/**
 * Checks a payload and encodes it, once: what the application changes in it later changes nothing. Throws a
 * `TypeError` for misuse (a bad name or option); a bad payload is an outcome like any other.
 */
export function makeMessage(draft: Draft, defaults: Defaults): Made {
  const { clock, random, ttlMs, requestTimeoutMs, durable } = defaults;
  const { kind, name, payload, room, ear, read, options = NONE } = draft;
  if (options !== NONE) checkOptions(options, kind, callOf(draft));
  const { ttlMs: waitMs = ttlMs } = options;
  const { timeoutMs = kind === 'request' && !ear ? requestTimeoutMs : Infinity } = options;
  const { delivery, place } = treatmentOf(draft, options);
  const now = clock.now();
  const id = options.id ?? random.id();
  const deferred = new Deferred<unknown>(id);
  const message: Message = {
    no: 0,
    delivery,
    outboxPlace: delivery === 'durable' ? placeIn(durable, room, callOf(draft)) : undefined,
    hold: 'none',
    slot: place === undefined ? undefined : JSON.stringify([room, place]),
    kind,
    id,
    event: name,
    payload,
    room,
    sentAt: Math.floor(now),
    encoded: '',
    bytes: 0,
    numbers: delivery === 'volatile' ? 0 : 1,
    ear,
    read,
    seq: 0,
    expiresAt: now + waitMs,
    deadlineAt: now + timeoutMs,
    writtenAt: undefined,
    outcome: draft.outcome ?? deferred,
    receipt: kind === 'event' && delivery !== 'volatile' ? deferred : undefined,
  };
  return { message, deferred, error: encode(message, draft, defaults.codec) };
}

/** As errors name it. */
const callOf = ({ kind, name }: Draft): string => `${kind === 'event' ? 'send' : 'request'}('${name}')`;

const RELIABLE: ReturnType<typeof checkDelivery> = { delivery: 'reliable', place: undefined };

function treatmentOf(draft: Draft, { delivery = draft.delivery, key }: SendOptions) {
  if (delivery === undefined && key === undefined) return RELIABLE;
  return checkDelivery({ delivery, key }, draft.name, callOf(draft));
}

function placeIn(durable: DurableOutbox | undefined, room: string | undefined, call: string): OutboxPlace {
  if (!durable) throw new TypeError(`${call} delivery 'durable' needs an 'outbox.storage'`);
  return durable.nextPlace(room);
}

function itemOf(message: Message, data: unknown, c: string | undefined): Item {
  const { kind, event: name, payload, room, ear } = message;
  const u = payload === undefined ? 1 : undefined;
  if (kind === 'request') {
    if (ear) return [Type.REQ, name, data, { q: ear.credit, u, c }];
    return c === undefined ? [Type.REQ, name, data] : [Type.REQ, name, data, { c }];
  }
  const { id: i, sentAt: s, outboxPlace: o, delivery } = message;
  // Of a namespace itself, the name of the event tells.
  const r = room === undefined || room === prefixOf(name) ? undefined : room;
  // JSON takes about as long for a field that is absent as for one that is there, and most messages have only these.
  const isPlain = (r ?? o ?? c ?? u) === undefined;
  return [
    delivery === 'volatile' ? Type.VOL : Type.EVT,
    name,
    data,
    isPlain ? { i, s } : { i, s, r, o, c, u },
  ];
}

/** Says why it cannot be encoded, if it cannot. */
function encode(
  message: Message,
  { schema, options = NONE }: Draft,
  codec: Codec,
): DeliveryError | undefined {
  const { kind, event: name, payload, room, id: messageId } = message;
  try {
    // A schema may throw, such as for a text in which it looks for JSON.
    const issues = schema && validate(schema, payload).issues;
    if (issues) {
      const text = `'${name}' does not fit the contract: ${describeIssues(issues)}`;
      return holdfastError('ERR_INVALID_PAYLOAD', text, { delivery: 'unsent', messageId, issues });
    }
    const value = name === PRESENCE ? { room, presence: payload } : payload;
    const data = codec.payloads ? encodePayload(codec, value, { kind, name, from: 'client' }) : value;
    message.encoded = codec.encode(itemOf(message, data, options.traceparent));
    message.bytes = sizeOf(message.encoded);
    return undefined;
  } catch (cause) {
    const why = messageOf(cause);
    const text = `'${name}' cannot be encoded as ${codec.name}: ${why}`;
    const details = { delivery: 'unsent', messageId, issues: [{ message: why }], cause } as const;
    return holdfastError('ERR_INVALID_PAYLOAD', text, details);
  }
}
