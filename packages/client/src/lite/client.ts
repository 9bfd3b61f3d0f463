import { type AnyContract, type Contract, Deferred, holdfastError, type Sending } from '@holdfast/protocol';
import type { ClientPorts } from '../ports/ports.js';
import type { ConnectionState } from '../types.js';
import type { Handler } from './answering.js';
import { checkName } from './checks.js';
import type { Said } from './messages.js';
import { Session } from './session.js';
import type { LiteClient, LiteMessageOptions, LiteOptions, LiteRoom } from './types.js';

/** As `createClient` of `@holdfast/client/lite`, on ports of your own. */
export function createLiteClientOn<C extends AnyContract = Contract>(
  ports: ClientPorts,
  options: LiteOptions,
): LiteClient<C> {
  const session = new Session(ports, options);
  const { connection, events, lifecycle } = session;
  const listen = (name: string) => (listener: (...values: never[]) => unknown) =>
    lifecycle.on(name, listener);
  const client: LiteClient = {
    contract: undefined,
    getState: () => connection.state,
    onState: listen('state'),
    onSessionLost: listen('session-lost'),
    onGap: listen('gap'),
    onUndelivered: listen('undelivered'),
    onError: listen('error'),
    on: (event, listener) => events.on(checkName(event), listener),
    send: (event, payload, options) =>
      say(session, { kind: 'event', event, payload, room: undefined }, options) as Sending,
    request: (event, payload, options) =>
      say(session, { kind: 'request', event, payload, room: undefined }, options) as Sending<never>,
    handle: (method, handler) => session.answering.handle(checkName(method), handler as Handler),
    room: (name) => roomOf(session, name),
    connect: () => connect(session),
    disconnect: async () => {
      if (!isClosed(session)) connection.stop({ status: 'idle' });
    },
    close: async () => {
      if (!isClosed(session)) session.close('close() was called', clientClosed());
    },
  };
  return Object.freeze(client) as unknown as LiteClient<C>;
}

const isClosed = ({ connection }: Session): boolean => connection.state.status === 'closed';

const clientClosed = () =>
  holdfastError('ERR_CLOSED', 'the client was closed', { delivery: 'unsent', messageId: '' });

function say(session: Session, what: Said, options?: LiteMessageOptions): Sending<unknown> {
  checkName(what.event);
  const { sending } = session.messages.say(what, options);
  if (isClosed(session)) session.messages.end('the client is closed');
  return sending;
}

function roomOf(session: Session, name: string): LiteRoom {
  const room = session.rooms.get(checkName(name));
  const handle: LiteRoom = {
    name,
    getState: () => room.state,
    onState: (listener) => room.ears.on('$state', listener),
    on: (event, listener) => room.ears.on(checkName(event), listener),
    send: (event, payload, options) => {
      const { status } = room.state;
      const what = { kind: 'event', event, payload, room: name } as const;
      if (status === 'joined' || status === 'joining') return say(session, what, options) as Sending;
      const id = session.ports.random.id();
      const deferred = new Deferred<never>(id);
      const text = `send() to '${name}', which is ${status}: call join() first`;
      deferred.reject(holdfastError('ERR_NOT_JOINED', text, { delivery: 'unsent', messageId: id }));
      return deferred.sending;
    },
    join: () => session.rooms.join(room, isClosed(session) ? clientClosed() : undefined),
    leave: async () => session.rooms.leave(room),
  };
  return Object.freeze(handle);
}

/** Resolves when connected; its rejection is never unhandled. */
function connect(session: Session): Promise<void> {
  const { connection, lifecycle } = session;
  const waiter = new Deferred<void>('');
  const look = (state: ConnectionState): void => {
    if (state.status === 'connected') waiter.resolve();
    else if (state.status === 'closed') waiter.reject(clientClosed());
    else if (state.status === 'failed' || state.status === 'needs-auth') waiter.reject(state.error);
    else return;
    stop();
  };
  if (!isClosed(session)) connection.connect();
  const stop = lifecycle.on('state', look);
  look(connection.state);
  return waiter.sending;
}
