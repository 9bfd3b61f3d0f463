import { type Contract, checkName, type Listener, type Scope } from '@holdfast/protocol';
import type { Handler, StreamHandler } from './hub/handlers.js';
import { createRoomTarget, createTarget } from './hub/target.js';
import type { ServerCore } from './server-core.js';
import type { ServerScope } from './server-types.js';
import type { MessageMiddleware, Middleware, RoomRule, Unreached } from './types.js';

/** What an application hears, says and rules: for the server itself, or in a namespace. `self`: what calls in a chain go on with. */
export function createScope<S>(core: ServerCore, scope: Scope, self: () => S) {
  const { prefix } = scope;
  const { lifecycle, rules } = core;
  const middleware = core.middleware.of(scope);
  const chained =
    <A extends unknown[]>(add: (...what: A) => void) =>
    (...what: A): S => {
      add(...what);
      return self();
    };
  return {
    contract: scope.contract as Contract | undefined,
    ...hearing(core, scope),
    ...targets(core, scope),
    use: chained((one: Middleware) => middleware.sessions.use(one)),
    useMessages: chained((one: MessageMiddleware) => middleware.messages.use(one)),
    rooms: chained((pattern: string, rule: RoomRule) => rules.add(pattern, rule, prefix)),
    onSession: (listener: Listener) => lifecycle.on(`session${prefix}`, listener),
    onSessionEnd: (listener: Listener) => lifecycle.on(`session-end${prefix}`, listener),
  };
}

/** Where the application says what it hears and what it answers. */
function hearing(
  { router: { listeners, handlers, streamers } }: ServerCore,
  scope: Scope,
): Pick<ServerScope, 'on' | 'handle' | 'handleStream'> {
  const { prefix, schemas } = scope;
  return {
    on: (event: string, listener: Listener) => {
      checkName(event, 'on(event)', prefix);
      if (schemas && !schemas.clientEvents.has(prefix + event)) {
        throw new TypeError(`on('${event}'): the contract has no such event for clients`);
      }
      return listeners.on(prefix + event, listener);
    },
    handle: (method: string, handler: Listener) => handlers.add(method, handler as Handler, scope),
    handleStream: (method: string, handler: Listener) =>
      streamers.add(method, handler as StreamHandler, scope),
  };
}

/** Whom the application can tell. */
function targets(core: ServerCore, scope: Scope): Pick<ServerScope, 'to' | 'toUser' | 'toSession' | 'toAll'> {
  const { hub, direct, store, end, lifecycle, lookups, ports } = core;
  const around = {
    ...{ hub, direct, store, end, lookups, random: ports.random, scope },
    unreached: (what: Unreached) => void lifecycle.emit('unreached', Object.freeze(what)),
  };
  return {
    to: (...rooms) => createRoomTarget(around, rooms),
    toUser: (...users) => createTarget(around, { users: ids(users, 'toUser(userId)') }),
    toSession: (...sids) => createTarget(around, { sids: ids(sids, 'toSession(sessionId)') }),
    // Whoever is in a namespace is in its room.
    toAll: () => createTarget(around, scope.prefix === '' ? {} : { rooms: [scope.prefix] }),
  };
}

/** Ids, checked: one or more. */
function ids(given: readonly string[], what: string): readonly string[] {
  if (given.length === 0) throw new TypeError(`${what}: name one or more`);
  for (const id of given) {
    if (typeof id !== 'string' || id === '') throw new TypeError(`${what} must be a text, not ${String(id)}`);
  }
  return given;
}
