import {
  type AnyContract,
  type Contract,
  checkOptions,
  checkSignal,
  type Scope,
  type Unsubscribe,
} from '@holdfast/protocol';
import type { ClientPorts } from './ports/ports.js';
import { Runtime } from './runtime/runtime.js';
import { createNamespace, createScope, type Say } from './scope.js';
import { checkTokenSource, resolveOptions } from './settings.js';
import type { ClientNamespace, ClientOptions, HoldfastClient, UndeliveredMessage } from './types.js';

const CONNECT = { auth: checkTokenSource, signal: checkSignal<AbortSignal | undefined> };
const CLOSE = { flushMs: [0, 0] } as const;
const FLUSH = { timeoutMs: [30_000, 0], signal: checkSignal<AbortSignal | undefined> } as const;

/** As `createClient`, on ports of your own: for test kits and platforms that are not known here. */
export function createClientOn<C extends AnyContract = Contract>(
  ports: ClientPorts,
  options: ClientOptions<C>,
): HoldfastClient<C> {
  const settings = resolveOptions(options, ports);
  const runtime = new Runtime(ports, settings);
  const { dispatcher } = runtime;
  const { scopes } = settings;
  const root = createScope(runtime, settings, scopes.root);
  const namespaces = new Map<Scope, { readonly handle: ClientNamespace; readonly say: Say }>();
  const inNamespace = (scope: Scope) => {
    const known = namespaces.get(scope);
    if (known) return known;
    const { handle, say } = createScope(runtime, settings, scope);
    const made = { handle: createNamespace(runtime, scope, handle), say };
    namespaces.set(scope, made);
    return made;
  };

  const lifecycle =
    (name: string) =>
    (listener: (...values: never[]) => unknown): Unsubscribe =>
      dispatcher.lifecycle.on(name, listener);

  const stopAutoConnect = settings.autoConnect
    ? ports.clock.setTimer(() => void runtime.connect({}), 0)
    : () => undefined;

  const close = async (options?: { flushMs?: number | undefined }): Promise<void> => {
    const { flushMs: timeoutMs } = checkOptions(options, 'close(options)', CLOSE);
    stopAutoConnect();
    // What is open even then ends with the client.
    if (timeoutMs > 0) await runtime.flush({ timeoutMs }).catch(() => undefined);
    await runtime.close('close() was called');
  };

  const client: HoldfastClient = {
    ...root.handle,
    getState: () => runtime.state,
    onState: lifecycle('state'),
    getOutbox: () => runtime.exchange.outbox,
    onOutbox: lifecycle('outbox'),
    onRestored: lifecycle('restored'),
    onSessionLost: lifecycle('session-lost'),
    onGap: lifecycle('gap'),
    onUndelivered: lifecycle('undelivered'),
    onError: (listener) => dispatcher.errors.on('error', listener),
    resend: ({ kind, id, event, payload, room }: UndeliveredMessage) => {
      if (kind === 'request')
        throw new TypeError(`resend(): '${event}' is a request; ask again with request()`);
      const scope = scopes.of(event);
      if (!scope)
        throw new TypeError(`resend(): '${event}' is in a namespace that this client has not named`);
      const { say } = scope === scopes.root ? root : inNamespace(scope);
      const { length } = scope.prefix;
      return say(event.slice(length), payload, { id }, room?.slice(length));
    },
    namespace: ((name, contract) =>
      inNamespace(scopes.namespace(name, contract)).handle) as HoldfastClient['namespace'],
    connect: (options) => runtime.connect(checkOptions(options, 'connect(options)', CONNECT)),
    disconnect: async () => {
      stopAutoConnect();
      runtime.disconnect();
    },
    flush: (options) => runtime.flush(checkOptions(options, 'flush(options)', FLUSH)),
    inspect: () => runtime.inspection,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
  return Object.freeze(client) as unknown as HoldfastClient<C>;
}
