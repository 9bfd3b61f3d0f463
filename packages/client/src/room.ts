import {
  type CallOptions,
  checkName,
  defer,
  holdfastError,
  type ListenOptions,
  type Sending,
  type SendOptions,
} from '@holdfast/protocol';
import type { Runtime } from './runtime/runtime.js';
import type { ClientRoom } from './types.js';

type Send = (event: string, payload: unknown, options: SendOptions | undefined, room: string) => Sending;

/** The application's handle of a room. */
export function createRoom(runtime: Runtime, name: string, send: Send): ClientRoom {
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
    send: (event: string, payload?: unknown, options?: SendOptions) =>
      room.wanted ? send(event, payload, options, name) : notJoined(event, options?.id ?? ''),
    get members() {
      return room.members;
    },
    onMembers: (listener) => room.listeners.on('$members', listener),
  };
  return Object.freeze(handle);

  function notJoined(event: string, messageId: string): Sending {
    const { sending, reject } = defer<never>(messageId);
    const text = `send('${event}') to the room '${name}', which is ${room.state.status}: call join() first`;
    reject(holdfastError('ERR_NOT_JOINED', text, { delivery: 'unsent', messageId }));
    return sending;
  }
}
