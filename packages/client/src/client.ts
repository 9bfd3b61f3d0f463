import {
  type AnyContract,
  type CallOptions,
  type Clock,
  type Contract,
  checkKeys,
  checkName,
  checkSignal,
  defer,
  describeIssues,
  holdfastError,
  type ListenOptions,
  numberOption,
  type Sending,
  type SendOptions,
  type Unsubscribe,
  validate,
} from '@holdfast/protocol';
import type { ClientPorts } from './ports/ports.js';
import { createRoom } from './room.js';
import type { RequestHandler } from './runtime/answering.js';
import { Runtime } from './runtime/runtime.js';
import type { ClientSettings } from './runtime/settings.js';
import { STREAMING, type Streaming } from './runtime/streaming.js';
import { checkTokenSource, resolveOptions } from './settings.js';
import type { ClientOptions, ClientRoom, HoldfastClient, UndeliveredMessage } from './types.js';

/** As `createClient`, on ports of your own: for test kits and platforms that are not known here. */
export function createClientOn<C extends AnyContract = Contract>(
  ports: ClientPorts,
  options: ClientOptions<C>,
): HoldfastClient<C> {
  const settings = resolveOptions(options, ports);
  const runtime = new Runtime(ports, settings);
  const { dispatcher } = runtime;
  const rooms = new Map<string, ClientRoom>();

  const lifecycle =
    (name: string) =>
    (listener: (...values: never[]) => unknown): Unsubscribe =>
      dispatcher.lifecycle.on(name, listener);

  const stopAutoConnect = settings.autoConnect
    ? ports.clock.setTimer(() => void runtime.connect({}), 0)
    : () => undefined;
  const { send, request } = createSpeech(runtime, settings);

  const close = async ({ flushMs }: { flushMs?: number | undefined } = {}): Promise<void> => {
    const waitMs = numberOption(flushMs, 'close({ flushMs })', 0);
    stopAutoConnect();
    // What is not settled by then is settled by the end.
    if (waitMs > 0) await flush(runtime, ports.clock, { timeoutMs: waitMs }).catch(() => undefined);
    await runtime.close('close() was called');
  };

  const client: HoldfastClient & { [STREAMING]: Streaming } = {
    [STREAMING]: createStreaming(runtime, settings),
    contract: options.contract as Contract | undefined,
    getState: () => runtime.state,
    onState: lifecycle('state'),
    getOutbox: () => runtime.exchange.outbox,
    onOutbox: lifecycle('outbox'),
    onRestored: lifecycle('restored'),
    onSessionLost: lifecycle('session-lost'),
    onGap: lifecycle('gap'),
    onUndelivered: lifecycle('undelivered'),
    onError: (listener) => dispatcher.errors.on('error', listener),
    on: (event: string, listener: (...values: never[]) => unknown, listen?: ListenOptions) => {
      checkName(event, 'on(event)');
      return dispatcher.events.on(event, listener, listen);
    },
    handle: (method: string, handler: (...values: never[]) => unknown) =>
      runtime.exchange.answering.handlers.add(method, handler as RequestHandler),
    send: (event: string, payload?: unknown, options?: SendOptions) => send(event, payload, options),
    request: (method: string, payload?: unknown, options?: CallOptions) => request(method, payload, options),
    resend: ({ kind, id, event, payload, room }: UndeliveredMessage) => {
      if (kind === 'request')
        throw new TypeError(`resend(): '${event}' is a request; ask again with request()`);
      return send(event, payload, { id }, room);
    },
    room: (name) => {
      checkName(name, 'room(name)');
      const room = rooms.get(name) ?? createRoom(runtime, name, send, settings.schemas);
      rooms.set(name, room);
      return room;
    },
    connect: (options = {}) => {
      checkKeys(options, ['auth', 'signal'], 'connect(options)');
      checkTokenSource(options.auth, 'connect({ auth })');
      checkSignal(options.signal, 'connect({ signal })');
      return runtime.connect(options);
    },
    disconnect: async () => {
      stopAutoConnect();
      runtime.disconnect();
    },
    flush: (options) => flush(runtime, ports.clock, options),
    inspect: () => runtime.inspection,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
  return Object.freeze(client) as unknown as HoldfastClient<C>;
}

function createStreaming(runtime: Runtime, { codec, schemas }: ClientSettings): Streaming {
  return {
    codec,
    schemas,
    open: (draft) => runtime.submit(draft),
    giveCredit: (ear) => runtime.exchange.giveCredit(ear),
  };
}

/** Waits until nothing is open any more. */
function flush(runtime: Runtime, clock: Clock, options: CallOptions = {}): Promise<void> {
  checkKeys(options, ['timeoutMs', 'signal'], 'flush(options)');
  const { signal } = options;
  checkSignal(signal, 'flush({ signal })');
  const timeoutMs = numberOption(options.timeoutMs, 'flush({ timeoutMs })', 30_000);
  const { sending, resolve, reject } = defer<void>('');
  const text = `not every message was settled within ${timeoutMs} ms`;
  const late = (): void => reject(holdfastError('ERR_TIMEOUT', text, { delivery: 'unknown', messageId: '' }));
  const abort = (): void => reject(signal?.reason as Error);
  const cancelTimer = timeoutMs < Infinity ? clock.setTimer(late, timeoutMs) : () => undefined;
  const forget = runtime.whenFlushed(resolve);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  const done = (): void => {
    cancelTimer();
    forget();
    signal?.removeEventListener('abort', abort);
  };
  sending.then(done, done);
  return sending;
}

/**
 * What the application says. Names are strings here: the types of the contract are checked where they are known, by
 * the caller's compiler.
 */
function createSpeech(
  runtime: Runtime,
  { schemas, delivery: usual }: Pick<ClientSettings, 'schemas' | 'delivery'>,
) {
  const send = (event: string, payload: unknown, options?: SendOptions, room?: string): Sending => {
    checkName(event, 'send(event)');
    const schema = schemas?.clientEvents.get(event);
    if (schemas && !schema)
      throw new TypeError(`send('${event}'): the contract has no such event for clients`);
    const target = room === undefined ? undefined : runtime.rooms.get(room);
    const notJoined = target?.notJoined(`send('${event}')`);
    const delivery = usual.get(event);
    const draft = {
      kind: 'event',
      name: event,
      payload,
      room,
      schema,
      options,
      delivery,
      notJoined,
    } as const;
    return runtime.submit(draft) as Sending;
  };
  const request = (method: string, payload: unknown, options?: CallOptions): Promise<unknown> => {
    checkName(method, 'request(method)');
    const entry = schemas?.requests.get(method);
    if (schemas && !entry) throw new TypeError(`request('${method}'): the contract has no such request`);
    const draft = { kind: 'request', name: method, payload, schema: entry?.input, options } as const;
    const sending = runtime.submit(draft);
    const answer = sending.then((reply) => {
      const result = entry ? validate(entry.output, reply) : { value: reply };
      if (!result.issues) return result.value;
      const { issues } = result;
      const text = `the reply to '${method}' does not fit the contract: ${describeIssues(issues)}`;
      throw holdfastError('ERR_INVALID_PAYLOAD', text, {
        delivery: 'rejected',
        messageId: sending.id,
        issues,
      });
    });
    // As with `send`: whoever does not look at it has been told by `onUndelivered`.
    answer.catch(() => undefined);
    return answer;
  };
  return { send, request };
}
