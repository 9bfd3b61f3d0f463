import {
  type CallOptions,
  checkName,
  type ListenOptions,
  type Scope,
  type Sending,
  type SendOptions,
} from '@holdfast/protocol';
import type { Room } from './runtime/room.js';
import type { Rooms } from './runtime/rooms.js';
import type { Runtime } from './runtime/runtime.js';
import type { ClientNamespace, ClientRoom, ClientScope, Joinable } from './types.js';

/** Says an event in a room, or to the server. Throws a `TypeError` for a bad name or option. */
export type Say = (
  event: string,
  payload: unknown,
  options: SendOptions | undefined,
  room?: string | undefined,
) => Sending;

/** The application's handle of a room. */
export function createRoom(
  { rooms }: Runtime,
  { prefix, schemas }: Scope,
  name: string,
  say: Say,
): ClientRoom {
  const room = rooms.get(prefix + name);
  const handle: ClientRoom = {
    name,
    ...joinable(rooms, room),
    on: (event: string, listener: (...values: never[]) => unknown, options?: ListenOptions) => {
      checkName(event, 'on(event)', prefix);
      return room.listeners.on(prefix + event, listener, options);
    },
    send: (event: string, payload?: unknown, options?: SendOptions) => say(event, payload, options, name),
    get members() {
      return room.members;
    },
    onMembers: (listener) => room.listeners.on('$members', listener),
    setPresence: (state) => rooms.setPresence(room, state, schemas?.presence),
  };
  return Object.freeze(handle);
}

/** The application's handle of a namespace: whoever has joined its room is in it. */
export function createNamespace(
  { rooms }: Runtime,
  { prefix, schemas }: Scope,
  scope: ClientScope,
): ClientNamespace {
  const home = rooms.get(prefix);
  home.versions = schemas?.versions;
  return Object.freeze<ClientNamespace>({ ...scope, name: prefix.slice(0, -1), ...joinable(rooms, home) });
}

function joinable(rooms: Rooms, room: Room): Joinable {
  return {
    getState: () => room.state,
    onState: (listener) => room.listeners.on('$state', listener),
    join: (options?: CallOptions) => rooms.join(room, options),
    leave: () => rooms.leave(room),
  };
}
