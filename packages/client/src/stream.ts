/** Streams: requests that the server answers with one item after the other. An entry of its own. */
import {
  type AnyContract,
  type Arguments,
  checkName,
  type MessageOptions,
  type StreamInput,
  type StreamMethod,
  type StreamOutput,
} from '@holdfast/protocol';
import { StreamReader } from './runtime/stream-reader.js';
import { STREAMING, type Streaming } from './runtime/streaming.js';
import type { ClientScope } from './types.js';

/**
 * Asks the server for a stream, and reads it: `for await (const line of stream(client, 'export', { room })) …`. Asked
 * when the first item is wanted. The server is at most 16 items ahead of the reader; a cut loses and doubles none. To
 * leave the loop, or to abort `signal`, ends the stream: the handler's `signal` is aborted.
 *
 * Ends when the server's handler returns. Throws in the loop, after the items that have come: `ERR_REJECTED` if the
 * handler threw a `RejectError`, `ERR_HANDLER_FAILED` if it failed otherwise, `ERR_NO_HANDLER`, `ERR_INVALID_PAYLOAD`
 * if input or an item do not fit the contract, `ERR_SESSION_LOST` or `ERR_STREAM_LOST` if the session or the server
 * that ran the stream is gone (ask again from where you stand), `ERR_TIMEOUT` after `timeoutMs` (of the whole stream;
 * default: never), `ERR_EXPIRED`, `ERR_OUTBOX_FULL`, `ERR_CLOSED`; `signal.reason`, at once, when aborted.
 *
 * Throws a `TypeError` for a bad name, a stream that is not in the contract, and what is no client of Holdfast,
 * nor a namespace of one.
 */
export function stream<C extends AnyContract, K extends StreamMethod<C>>(
  client: ClientScope<C>,
  method: K,
  ...[input, options]: Arguments<StreamInput<C, K>, MessageOptions>
): AsyncIterableIterator<StreamOutput<C, K>> {
  const streaming = (client as { [STREAMING]?: Streaming })[STREAMING];
  if (!streaming)
    throw new TypeError('stream(client): not a client made by createClient(), nor a namespace of one');
  const { prefix, schemas } = streaming.scope;
  checkName(method, 'stream(method)', prefix);
  if (schemas && !schemas.streams.has(prefix + method)) {
    throw new TypeError(`stream('${method}'): the contract has no such stream`);
  }
  return new StreamReader(streaming, prefix + method, input, options) as AsyncIterableIterator<
    StreamOutput<C, K>
  >;
}
