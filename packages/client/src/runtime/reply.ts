import {
  type Codec,
  type DeliveryError,
  decodePayload,
  describeIssues,
  holdfastError,
  type SchemaResult,
  undecodable,
} from '@holdfast/protocol';
import type { Message } from '../core/types.js';

/** What is in the answer to a request, or why nobody can know. */
export function readReply(
  { id: messageId, event: name, read }: Message,
  data: unknown,
  codec: Codec,
): { readonly value?: unknown; readonly error?: DeliveryError } {
  let reply: SchemaResult<unknown> & { readonly cause?: unknown };
  try {
    const value = decodePayload(codec, data, { kind: 'reply', name, from: 'server' });
    reply = read?.(value) ?? { value };
  } catch (cause) {
    reply = { issues: [undecodable(cause)], cause };
  }
  if (!reply.issues) return { value: reply.value };
  const { issues, cause } = reply;
  const text = `the reply to '${name}' cannot be used: ${describeIssues(issues)}`;
  const details = { delivery: 'rejected', messageId, issues, cause } as const;
  return { error: holdfastError('ERR_INVALID_PAYLOAD', text, details) };
}
