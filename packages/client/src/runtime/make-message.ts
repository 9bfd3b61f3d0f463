import {
  type Clock,
  type Codec,
  checkDelivery,
  checkKeys,
  checkName,
  checkSignal,
  checkTraceparent,
  type Deferred,
  type Delivery,
  type DeliveryError,
  defer,
  describeIssues,
  encodePayload,
  holdfastError,
  type Item,
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
  type WireMeta,
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
  /** Why it cannot be sent to its room. */
  readonly notJoined?: string | undefined;
  /** Of a request that is answered by a stream. */
  readonly ear?: StreamEar | undefined;
  /** Told of the outcome at once, in the frame that brings it, where a promise would be told a moment later. */
  readonly outcome?: Pick<Message, 'resolve' | 'reject'> | undefined;
}

/** What is known of all messages of a client. */
export interface Defaults {
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly ttlMs: number;
  readonly requestTimeoutMs: number;
  /** Where durable messages are kept, if anywhere. */
  readonly durable: DurableOutbox | undefined;
}

/** The message, or why it cannot be one. */
export interface Made {
  readonly message: Message;
  readonly deferred: Deferred<unknown>;
  readonly error?: DeliveryError;
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
  const { codec, clock, random, ttlMs, requestTimeoutMs, durable } = defaults;
  const { kind, name, payload, room, schema, ear, options = NONE } = draft;
  const call = `${kind === 'event' ? 'send' : 'request'}('${name}')`;
  if (options !== NONE) checkOptions(options, kind, call);
  const { ttlMs: waitMs = ttlMs, delivery = draft.delivery, key } = options;
  const { timeoutMs = kind === 'request' && !ear ? requestTimeoutMs : Infinity } = options;
  const now = clock.now();
  const id = options.id ?? random.id();
  const deferred = defer<unknown>(id);
  const treatment = checkDelivery({ delivery, key }, name, call);
  const sentAt = Math.floor(now);
  const outboxPlace = treatment.delivery === 'durable' ? placeIn(durable, room, call) : undefined;
  const encoding = encode(
    draft,
    { codec, schema, isVolatile: treatment.delivery === 'volatile' },
    {
      i: id,
      s: sentAt,
      // Of a namespace itself, the name of the event tells.
      r: room === prefixOf(name) ? undefined : room,
      o: outboxPlace,
      c: options.traceparent,
      u: payload === undefined ? 1 : undefined,
    },
  );
  const message: Message = {
    delivery: treatment.delivery,
    outboxPlace,
    hold: 'none',
    place: treatment.place === undefined ? undefined : JSON.stringify([room, treatment.place]),
    kind,
    id,
    event: name,
    payload,
    room,
    sentAt,
    encoded: encoding.encoded,
    bytes: sizeOf(encoding.encoded),
    numbers: treatment.delivery === 'volatile' ? 0 : 1,
    ear,
    seq: 0,
    expiresAt: now + waitMs,
    deadlineAt: now + timeoutMs,
    writtenAt: undefined,
    resolve: draft.outcome?.resolve ?? deferred.resolve,
    reject: draft.outcome?.reject ?? deferred.reject,
  };
  return encoding.error ? { message, deferred, error: encoding.error } : { message, deferred };
}

function placeIn(durable: DurableOutbox | undefined, room: string | undefined, call: string): OutboxPlace {
  if (!durable) throw new TypeError(`${call} delivery 'durable' needs an 'outbox.storage'`);
  return durable.nextPlace(room);
}

interface Encoding {
  readonly codec: Codec;
  readonly schema: Schema | undefined;
  readonly isVolatile: boolean;
}

function encode(
  { kind, name, payload, room, ear }: Draft,
  { codec, schema, isVolatile }: Encoding,
  meta: WireMeta,
) {
  const id = meta.i ?? '';
  const issues = schema && validate(schema, payload).issues;
  if (issues) {
    const message = `'${name}' does not fit the contract: ${describeIssues(issues)}`;
    return {
      encoded: '',
      error: holdfastError('ERR_INVALID_PAYLOAD', message, { delivery: 'unsent', messageId: id, issues }),
    };
  }
  try {
    const said = name === PRESENCE ? { room, presence: payload } : payload;
    const data = encodePayload(codec, said, { kind, name, from: 'client' });
    const event = [isVolatile ? Type.VOL : Type.EVT, name, data, meta] as const;
    const { c, u } = meta;
    const more = ear ? { q: ear.credit, u, c } : { c };
    const asks =
      ear || c !== undefined ? ([Type.REQ, name, data, more] as const) : ([Type.REQ, name, data] as const);
    const item: Item = kind === 'event' ? event : asks;
    return { encoded: codec.encode(item) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const error = holdfastError(
      'ERR_INVALID_PAYLOAD',
      `'${name}' cannot be encoded as ${codec.name}: ${why}`,
      {
        delivery: 'unsent',
        messageId: id,
        issues: [{ message: why }],
        cause,
      },
    );
    return { encoded: '', error };
  }
}
