import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AnyContract,
  type Contract,
  checkKeys,
  checkThat,
  type Listener,
  numberOption,
  type Scope,
} from '@holdfast/protocol';
import { createOperations, type Operations, type OperationsOptions } from './observe/operations.js';
import type { ServerOptions } from './options.js';
import type { Acceptor, ServerPorts } from './ports/ports.js';
import { createScope } from './scope.js';
import { ServerCore } from './server-core.js';
import type { DrainOptions, HoldfastServer, ServerNamespace } from './server-types.js';
import { resolveOptions } from './settings.js';
import type { User } from './types.js';

/** A server, and the way in for connections that do not come from an http server. */
export interface ServerOnPorts<C extends AnyContract, U extends User> {
  readonly server: HoldfastServer<C, U>;
  readonly accept: Acceptor;
}

/** As `createHoldfastServer`, on ports of your own: for test kits and transports that are not known here. */
export function createServerOn<C extends AnyContract = Contract, U extends User = User>(
  ports: ServerPorts,
  options: ServerOptions<C, U> = {},
): ServerOnPorts<C, U> {
  const settings = resolveOptions(options, ports);
  const core = new ServerCore(ports, settings);
  const { lifecycle, errors, upgrades } = core;
  const { scopes } = settings;
  settings.observe.serving(() => core.stats());
  /** Those of `listen`. */
  const own = new Set<HttpServer>();

  const { close, drain } = ending(core, own);
  const operations = (operationsOptions?: OperationsOptions): Operations =>
    createOperations(
      {
        stats: () => core.stats(),
        look: () => core.store.health.look(),
        digest: ports.digest,
        failed: (error) => core.failed(error, { name: 'operations' }),
      },
      operationsOptions,
    );

  const heard = (name: string) => (listener: Listener) => lifecycle.on(name, listener);
  const namespaces = new Map<Scope, ServerNamespace>();
  const server: HoldfastServer = {
    ...createScope(core, scopes.root, () => server),
    namespace: ((name, contract) => {
      const scope = scopes.namespace(name, contract);
      const known = namespaces.get(scope);
      if (known) return known;
      const made: ServerNamespace = Object.freeze({ ...createScope(core, scope, () => made), name });
      namespaces.set(scope, made);
      return made;
    }) as HoldfastServer['namespace'],
    onUnreached: heard('unreached'),
    onAttach: heard('attach'),
    onDetach: heard('detach'),
    onError: (listener) => errors.on('error', listener),
    attach: (http, attachOptions = {}) => {
      checkKeys(attachOptions, ['path'], 'attach(server, options)');
      upgrades.attach(http, attachOptions.path);
      return server;
    },
    handleUpgrade: (request, socket, head) => upgrades.handleUpgrade(request, socket, head),
    listen: async (port, host) => {
      const pages = operations();
      const http = createServer((request, response) => {
        if (pages(request, response)) return;
        response
          .writeHead(426, { 'Content-Type': 'text/plain', Upgrade: 'websocket' })
          .end('WebSockets only\n');
      });
      const address = await listening(http, portOf(port), host);
      own.add(http);
      try {
        upgrades.attach(http);
      } catch (error) {
        await ended(http);
        throw error;
      }
      return address;
    },
    stats: () => core.stats(),
    operations,
    revoke: (revocation) => core.revocations.revoke(revocation),
    drain,
    close,
    [Symbol.asyncDispose]: close,
  };
  return { server: Object.freeze(server) as unknown as HoldfastServer<C, U>, accept: core.accept };
}

/** How a server goes: at once, or when its clients have moved away. `own`: http servers that go with it. */
function ending(core: ServerCore, own: ReadonlySet<HttpServer>): Pick<HoldfastServer, 'close' | 'drain'> {
  const { logger } = core.settings;
  let closing: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await core.close();
    await Promise.all([...own].map(ended));
    logger.info('closed');
  };
  const close = (): Promise<void> => {
    closing ??= end();
    return closing;
  };
  const drain = async (drainOptions: DrainOptions = {}): Promise<void> => {
    checkKeys(drainOptions, ['deadlineMs'], 'drain(options)');
    const deadlineMs = numberOption(drainOptions.deadlineMs, 'drain(options): deadlineMs', 30_000);
    logger.info('draining', { deadlineMs, connections: core.stats().connections });
    await core.drain(deadlineMs);
    await close();
  };
  return { close, drain };
}

/** Digits count, too, since an environment variable holds nothing else; left to Node, any other text would be a path. */
function portOf(given: number | string): number {
  const port = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535;
  checkThat(isPort, 'listen(port)', 'a whole number from 0 to 65535', given);
  return port as number;
}

/** Resolves when it listens; rejects with why it cannot. */
function listening(http: HttpServer, port: number, host: string | undefined): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => resolve({ port: (http.address() as AddressInfo).port }));
  });
}

function ended(http: HttpServer): Promise<unknown> {
  const closed = new Promise((resolve) => http.close(resolve));
  // Connections that have said nothing would hold it for ever.
  http.closeAllConnections();
  return closed;
}
