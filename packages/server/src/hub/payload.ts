import {
  decodePayload,
  describeIssues,
  type EventItem,
  plainIssues,
  type RequestItem,
  type Schema,
  type SchemaIssue,
  Type,
  undecodable,
  type VolatileItem,
  validate,
} from '@holdfast/protocol';
import type { Session } from '../session.js';

/** The protocol's own refusals; the application's are `RejectError`. */
export class Refusal extends Error {
  readonly code: 'ERR_NO_HANDLER' | 'ERR_INVALID_PAYLOAD' | 'ERR_RATE_LIMITED';
  readonly data: readonly SchemaIssue[] | { readonly retryAfterMs: number } | undefined;

  constructor(code: Refusal['code'], message: string, data?: Refusal['data']) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** The client sends more than it may. */
export function tooMany(retryAfterMs: number): Refusal {
  return new Refusal('ERR_RATE_LIMITED', 'too many messages', { retryAfterMs });
}

/** What the client has said. Throws a refusal if the codec's encoding of payloads cannot read it. */
export function dataOf(
  { codec }: Session,
  [type, name, data, { u } = {}]: EventItem | VolatileItem | RequestItem,
): unknown {
  // JSON has no word for `undefined`: an absent last element is, or `u` says so.
  if (u) return undefined;
  try {
    return decodePayload(codec, data, {
      kind: type === Type.REQ ? 'request' : 'event',
      name,
      from: 'client',
    });
  } catch (cause) {
    const issue = undecodable(cause);
    throw new Refusal('ERR_INVALID_PAYLOAD', issue.message, [issue]);
  }
}

/** The payload as the handler gets it. Throws a refusal if it does not fit. */
export function checkPayload(schema: Schema | undefined, payload: unknown): unknown {
  if (!schema) return payload;
  const result = validate(schema, payload);
  if (!result.issues) return result.value;
  throw new Refusal('ERR_INVALID_PAYLOAD', describeIssues(result.issues), plainIssues(result.issues));
}
