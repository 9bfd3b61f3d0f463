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
  isHoldfastError,
  isPromiseLike,
  type MessageOptions,
  messageOf,
  numberOption,
  type Random,
  type RequestSchemas,
  readPayload,
  type Scope,
  type Sending,
  Type,
  validate,
  type WireData,
} from '@holdfast/protocol';
import type { Question } from '../asking.js';
import type { ServerSendOptions } from '../types.js';

const REQUEST_TIMEOUT_MS = 30_000;

/** What the application wants to tell clients. */
export interface ServerEventDraft {
  readonly event: string;
  readonly payload: unknown;
  readonly options: ServerSendOptions | undefined;
}

/** How it is to go out. */
export interface Treatment {
  readonly id: string;
  /** As it is on the wire. */
  readonly name: string;
  readonly delivery: Delivery;
  /** Of a `latest` one: what was said under the same word before and has not gone out gives way to it. */
  readonly place: string | undefined;
  readonly traceparent: string | undefined;
}

/**
 * Checks an event that the server sends, and has it carried out by `deliver`, whatever that throws (what the codec
 * has no word for) being an outcome like any other. Throws a `TypeError` for misuse: a bad name or option.
 */
export function sendEvent<R>(
  { random, scope }: { readonly random: Random; readonly scope: Scope },
  { event, payload, options = NONE }: ServerEventDraft,
  deliver: (treatment: Treatment) => R | PromiseLike<R> | Sending<R>,
): Sending<R> {
  const { prefix, schemas } = scope;
  checkName(event, 'send(event)', prefix);
  const name = prefix + event;
  const { delivery, place } = options === NONE ? RELIABLE : treatmentOf(options, event, name);
  const { id = random.id(), traceparent } = options;
  const schema = schemas?.serverEvents.get(name);
  if (schemas && !schema) throw new TypeError(`send('${event}'): the contract has no such event for servers`);

  const issues = schema && validate(schema, payload).issues;
  if (issues) {
    const text = `'${event}' does not fit the contract: ${describeIssues(issues)}`;
    return rejected(
      holdfastError('ERR_INVALID_PAYLOAD', text, { delivery: 'unsent', messageId: id, issues }),
    );
  }
  try {
    const delivered = deliver({ id, name, delivery, place, traceparent });
    return isSending(delivered) ? delivered : settling(delivered, event, id);
  } catch (cause) {
    return rejected(notEncoded(event, id, cause));
  }
}

const NONE: ServerSendOptions = {};
const RELIABLE = { delivery: 'reliable', place: undefined } as const;

/** Throws a `TypeError` for a bad option. */
function treatmentOf(options: ServerSendOptions, event: string, name: string) {
  const call = `send('${event}')`;
  checkKeys(options, ['id', 'delivery', 'key', 'traceparent'], `${call} options`);
  checkTraceparent(options.traceparent, `${call} traceparent`);
  if (options.id !== undefined) checkName(options.id, `${call} id`);
  const treatment = checkDelivery(options, name, call);
  if (treatment.delivery !== 'durable') return treatment;
  const why = 'is for clients: what a server keeps is for its store to say';
  throw new TypeError(`${call} delivery 'durable' ${why}`);
}

/** What goes to a single session has a promise of its own already. */
function isSending<R>(delivered: R | PromiseLike<R> | Sending<R>): delivered is Sending<R> {
  return isPromiseLike(delivered) && 'id' in delivered;
}

function rejected<R>(error: DeliveryError): Sending<R> {
  const deferred = new Deferred<R>(error.messageId);
  deferred.reject(error);
  return deferred.sending;
}

function settling<R>(delivered: R | PromiseLike<R>, event: string, id: string): Sending<R> {
  const deferred = new Deferred<R>(id);
  // A store may have to be asked before it is known in which codec to encode.
  const later = (cause: unknown) =>
    deferred.reject(isHoldfastError(cause) ? cause : notEncoded(event, id, cause));
  if (isPromiseLike(delivered)) delivered.then((value) => deferred.resolve(value), later);
  else deferred.resolve(delivered);
  return deferred.sending;
}

function notEncoded(name: string, messageId: string, cause: unknown) {
  const why = messageOf(cause);
  const details = { delivery: 'unsent', messageId, issues: [{ message: why }], cause } as const;
  return holdfastError('ERR_INVALID_PAYLOAD', `'${name}' cannot be encoded: ${why}`, details);
}

/** What the application wants to know of a client. */
export interface QuestionDraft {
  readonly method: string;
  readonly input: unknown;
  readonly options: MessageOptions | undefined;
}

/** What asking a client needs of its server. */
export interface AskSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly scope: Scope;
  readonly codec: Codec;
  ask(question: Question): Promise<unknown>;
}

/**
 * Asks a client, and checks what it answers: trust begins here. Throws a `TypeError` for misuse: a bad name or option.
 * Everything else is an outcome.
 */
export function askClient(around: AskSurroundings, draft: QuestionDraft): Promise<unknown> {
  const { method, options = {} } = draft;
  const { scope, random } = around;
  const { prefix, schemas } = scope;
  checkName(method, 'request(method)', prefix);
  const name = prefix + method;
  const call = `request('${method}')`;
  checkKeys(options, ['timeoutMs', 'signal', 'traceparent'], `${call} options`);
  checkTraceparent(options.traceparent, `${call} traceparent`);
  const { signal } = options;
  checkSignal(signal, `${call} signal`);
  const timeoutMs = numberOption(options.timeoutMs, `${call} timeoutMs`, REQUEST_TIMEOUT_MS);
  const entry = schemas?.serverRequests.get(name);
  if (schemas && !entry) throw new TypeError(`${call}: the contract has no such request`);

  const id = random.id();
  const answer = (async () => {
    const data = encoded(around, { ...draft, method: name }, id, entry);
    const reply = await around.ask({ id, method: name, data, timeoutMs, signal });
    return checkedReply(around.codec, reply, { method: name, id, entry });
  })();
  // A failure that nobody looks at is no unhandled rejection.
  answer.catch(() => undefined);
  return answer;
}

/** Throws what becomes of a request that cannot be asked. */
function encoded(
  { clock, codec }: AskSurroundings,
  { method, input, options }: QuestionDraft,
  id: string,
  entry: RequestSchemas | undefined,
): WireData {
  const issues = entry && validate(entry.input, input).issues;
  if (issues) {
    const text = `'${method}' does not fit the contract: ${describeIssues(issues)}`;
    throw holdfastError('ERR_INVALID_PAYLOAD', text, { delivery: 'unsent', messageId: id, issues });
  }
  const meta = {
    i: id,
    t: Math.floor(clock.now()),
    u: input === undefined ? 1 : undefined,
    c: options?.traceparent,
  } as const;
  try {
    const data = encodePayload(codec, input, { kind: 'request', name: method, from: 'server' });
    return codec.encode([Type.REQ, method, data, meta]);
  } catch (cause) {
    throw notEncoded(method, id, cause);
  }
}

function checkedReply(
  codec: Codec,
  data: unknown,
  { method, id, entry }: { method: string; id: string; entry: RequestSchemas | undefined },
): unknown {
  const info = { kind: 'reply', name: method, from: 'client' } as const;
  const result = readPayload(codec, data, info, entry?.output);
  if (!result.issues) return result.value;
  const text = `the reply to '${method}' cannot be used: ${describeIssues(result.issues)}`;
  const details = { delivery: 'rejected', messageId: id, issues: result.issues } as const;
  throw holdfastError('ERR_INVALID_PAYLOAD', text, details);
}
