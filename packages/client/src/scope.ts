import {
  type CallOptions,
  checkName,
  type Listener,
  type Listeners,
  type ListenOptions,
  type MessageOptions,
  type Scope,
  type Sending,
  type SendOptions,
  type Unsubscribe,
  validate,
} from '@holdfast/protocol';
import type { StreamEar } from './core/types.js';
import type { RequestHandler } from './runtime/answering.js';
import type { Draft } from './runtime/make-message.js';
import type { Room } from './runtime/room.js';
import type { Runtime } from './runtime/runtime.js';
import type { ClientSettings } from './runtime/settings.js';
import { STREAMING, type Streaming } from './runtime/streaming.js';
import type { ClientNamespace, ClientRoom, ClientScope, Joinable } from './types.js';

/** Says an event in a room, or to the server. Throws a `TypeError` for a bad name or option. */
export type Say = (
  event: string,
  payload: unknown,
  options: SendOptions | undefined,
  room?: string | undefined,
) => Sending;

/**
 * What an application hears, says and asks: as itself, or in a namespace. Names are strings here: the types of the
 * contract are checked where they are known, by the caller's compiler.
 */
export function createScope(
  runtime: Runtime,
  { codec, delivery }: ClientSettings,
  scope: Scope,
): { readonly handle: ClientScope & { [STREAMING]: Streaming }; readonly say: Say } {
  const { prefix, schemas, contract } = scope;
  const { rooms, dispatcher, exchange } = runtime;
  /** To a room, named as it stands on the wire, or with an empty name to the server itself. */
  const submit = (call: string, draft: Draft, where = prefix) => {
    if (where === '') return runtime.submit(draft);
    const notJoined = rooms.get(where).notJoined(`${call}('${draft.name.slice(prefix.length)}')`);
    return runtime.submit({ ...draft, room: where, notJoined });
  };
  const say: Say = (event, payload, options, room = '') => {
    checkName(event, 'send(event)', prefix);
    const name = prefix + event;
    const schema = schemas?.clientEvents.get(name);
    if (schemas && !schema)
      throw new TypeError(`send('${event}'): the contract has no such event for clients`);
    const draft = { kind: 'event', name, payload, schema, options, delivery: delivery.get(name) } as const;
    return submit('send', draft, prefix + room).sending as Sending;
  };
  const request = (method: string, payload?: unknown, options?: MessageOptions): Promise<unknown> => {
    checkName(method, 'request(method)', prefix);
    const name = prefix + method;
    const entry = schemas?.requests.get(name);
    if (schemas && !entry) throw new TypeError(`request('${method}'): the contract has no such request`);
    const read = entry && ((reply: unknown) => validate(entry.output, reply));
    const draft = { kind: 'request', name, payload, schema: entry?.input, read, options } as const;
    const answer = submit('request', draft).promise;
    // As with `send`: whoever does not look at it has been told by `onUndelivered`.
    answer.catch(() => undefined);
    return answer;
  };
  const handles = new Map<string, ClientRoom>();
  const handle = {
    [STREAMING]: {
      scope,
      codec,
      open: (draft: Draft) => submit('stream', draft),
      giveCredit: (ear: StreamEar) => exchange.giveCredit(ear),
    },
    contract: contract as ClientScope['contract'],
    on: hearing(dispatcher.events, prefix),
    handle: (method: string, handler: Listener) =>
      exchange.answering.handlers.add(method, handler as RequestHandler, scope),
    send: (event: string, payload?: unknown, options?: SendOptions) => say(event, payload, options),
    request,
    room: (name: string) => {
      checkName(name, 'room(name)', prefix);
      const room = handles.get(name) ?? createRoom(runtime, scope, name, say);
      handles.set(name, room);
      return room;
    },
  };
  return { say, handle };
}

/** The application's handle of a room. */
function createRoom(runtime: Runtime, { prefix, schemas }: Scope, name: string, say: Say): ClientRoom {
  const { rooms } = runtime;
  const room = rooms.get(prefix + name);
  return Object.freeze<ClientRoom>({
    name,
    ...joinable(runtime, room),
    on: hearing(room.listeners, prefix),
    send: (event: string, payload?: unknown, options?: SendOptions) => say(event, payload, options, name),
    get members() {
      return room.members;
    },
    onMembers: (listener) => room.listeners.on('$members', listener),
    setPresence: (state) => rooms.setPresence(room, state, schemas?.presence),
  });
}

/** The application's handle of a namespace: whoever has joined its room is in it. */
export function createNamespace(
  runtime: Runtime,
  { prefix, schemas }: Scope,
  scope: ClientScope,
): ClientNamespace {
  const home = runtime.rooms.get(prefix);
  home.versions = schemas?.versions;
  return Object.freeze<ClientNamespace>({ ...scope, name: prefix.slice(0, -1), ...joinable(runtime, home) });
}

/** Listens to what is said where names begin with `prefix`. */
function hearing(listeners: Listeners, prefix: string) {
  return (event: string, listener: Listener, options?: ListenOptions): Unsubscribe => {
    checkName(event, 'on(event)', prefix);
    return listeners.on(prefix + event, listener, options);
  };
}

function joinable(runtime: Runtime, room: Room): Joinable {
  const { rooms, mailbox } = runtime;
  return {
    getState: () => room.state,
    onState: (listener) => room.listeners.on('$state', listener),
    join: (options?: CallOptions) => mailbox.atOnce(() => rooms.join(room, options)),
    leave: () => mailbox.atOnce(() => rooms.leave(room)),
  };
}
