import {
  type CallOptions,
  type ContractSchemas,
  checkName,
  type ListenOptions,
  type Sending,
  type SendOptions,
} from '@holdfast/protocol';
import type { Runtime } from './runtime/runtime.js';
import type { ClientRoom } from './types.js';

type Send = (event: string, payload: unknown, options: SendOptions | undefined, room: string) => Sending;

/** The application's handle of a room. */
export function createRoom(
  runtime: Runtime,
  name: string,
  send: Send,
  schemas: ContractSchemas | undefined,
): ClientRoom {
  const { rooms } = runtime;
  const room = rooms.get(name);
  const handle: ClientRoom = {
    name,
    getState: () => room.state,
    onState: (listener) => room.listeners.on('$state', listener),
    join: (options?: CallOptions) => rooms.join(room, options),
    leave: () => rooms.leave(room),
    on: (event: string, listener: (...values: never[]) => unknown, options?: ListenOptions) => {
      checkName(event, 'on(event)');
      return room.listeners.on(event, listener, options);
    },
    send: (event: string, payload?: unknown, options?: SendOptions) => send(event, payload, options, name),
    get members() {
      return room.members;
    },
    onMembers: (listener) => room.listeners.on('$members', listener),
    setPresence: (state) => rooms.setPresence(room, state, schemas?.presence),
  };
  return Object.freeze(handle);
}
