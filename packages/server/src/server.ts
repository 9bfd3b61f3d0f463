import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AnyContract,
  type Contract,
  type ContractSchemas,
  checkKeys,
  checkName,
  type Listener,
  numberOption,
} from '@holdfast/protocol';
import type { Handler, Router, StreamHandler } from './hub/router.js';
import { createRoomTarget, createTarget } from './hub/target.js';
import { createOperations, type Operations, type OperationsOptions } from './observe/operations.js';
import type { ServerOptions } from './options.js';
import type { Acceptor, ServerPorts } from './ports/ports.js';
import { ServerCore } from './server-core.js';
import { resolveOptions } from './settings.js';
import type { DrainOptions, HoldfastServer, ServerSession, SessionEnd, Unreached, User } from './types.js';

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
  const { router, rules, lifecycle, errors, upgrades } = core;
  observeLifecycle(core);
  /** Those of `listen`. */
  const own = new Set<HttpServer>();

  const { close, drain } = ending(core, own);
  const operations = (operationsOptions?: OperationsOptions): Operations =>
    createOperations(
      {
        stats: () => core.stats(),
        digest: ports.digest,
        failed: (error) => core.failed(error, { name: 'operations' }),
      },
      operationsOptions,
    );

  const heard = (name: string) => (listener: Listener) => lifecycle.on(name, listener);
  const server: HoldfastServer = {
    contract: options.contract as Contract | undefined,
    ...hearing(router, settings.schemas),
    ...targets(core),
    use: (middleware) => {
      core.middleware.use(middleware);
      return server;
    },
    rooms: (pattern, rule) => {
      rules.add(pattern, rule);
      return server;
    },
    onUnreached: heard('unreached'),
    onSession: heard('session'),
    onSessionEnd: heard('session-end'),
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
      const address = await listening(http, port, host);
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

/** Whom the application can tell. */
function targets(core: ServerCore): Pick<HoldfastServer, 'to' | 'toUser' | 'toSession' | 'toAll'> {
  const { hub, direct, store, end, lifecycle, ports, settings } = core;
  const around = {
    ...{ hub, direct, store, end, random: ports.random, schemas: settings.schemas },
    unreached: (what: Unreached) => void lifecycle.emit('unreached', Object.freeze(what)),
  };
  return {
    to: (...rooms) => createRoomTarget(around, rooms),
    toUser: (...users) => createTarget(around, { users: names(users, 'toUser(userId)') }),
    toSession: (...sids) => createTarget(around, { sids: names(sids, 'toSession(sessionId)') }),
    toAll: () => createTarget(around, {}),
  };
}

/** Ids, checked: one or more. */
function names(ids: readonly string[], what: string): readonly string[] {
  if (ids.length === 0) throw new TypeError(`${what}: name one or more`);
  for (const id of ids) {
    if (typeof id !== 'string' || id === '') throw new TypeError(`${what} must be a text, not ${String(id)}`);
  }
  return ids;
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

function observeLifecycle(core: ServerCore): void {
  const { observe } = core.settings;
  observe.serving(() => core.stats());
  core.lifecycle.on('detach', ({ id: sessionId }: ServerSession, detach: { code: number; reason: string }) =>
    observe.detached({ sessionId, ...detach }),
  );
  core.lifecycle.on('session-end', ({ id: sessionId }: ServerSession, end: SessionEnd) => {
    observe.ended({ sessionId, ...end });
    if (end.undelivered > 0) {
      observe.dropped({ sessionId, reason: 'session-ended', messages: end.undelivered });
    }
  });
}

/** Where the application says what it hears and what it answers. */
function hearing(
  { listeners, handlers, streamers }: Pick<Router, 'listeners' | 'handlers' | 'streamers'>,
  schemas: ContractSchemas | undefined,
): Pick<HoldfastServer, 'on' | 'handle' | 'handleStream'> {
  return {
    on: (event: string, listener: Listener) => {
      checkName(event, 'on(event)');
      if (schemas && !schemas.clientEvents.has(event)) {
        throw new TypeError(`on('${event}'): the contract has no such event for clients`);
      }
      return listeners.on(event, listener);
    },
    handle: (method: string, handler: Listener) => handlers.add(method, handler as Handler),
    handleStream: (method: string, handler: Listener) => streamers.add(method, handler as StreamHandler),
  };
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
