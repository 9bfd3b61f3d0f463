import { type AnyContract, type Contract, Deferred, holdfastError, type Sending } from '@holdfast/protocol';
import type { ClientPorts } from '../ports/ports.js';
import type { JoinState } from '../types.js';
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
      if (!/idle|closed/.test(connection.state.status)) connection.stop({ status: 'idle' });
    },
    close: async () => {
      if (!isClosed(session)) session.close('close() was called');
    },
  };
  return Object.freeze(client) as unknown as LiteClient<C>;
}

const isClosed = ({ connection }: Session): boolean => connection.state.status === 'closed';

const notJoined = (why: string, messageId = '') =>
  holdfastError('ERR_NOT_JOINED', why, { delivery: 'unsent', messageId });

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
      deferred.reject(notJoined(`send() to '${name}', which is ${status}: call join() first`, id));
      return deferred.sending;
    },
    join: () => {
      if (!isClosed(session)) session.rooms.join(room);
      return room.ears.until('$state', room.state, (state: JoinState) => {
        if ('error' in state) return state.error;
        if (state.status === 'joined' || state.status === 'joining') return state.status === 'joined';
        return isClosed(session) ? clientClosed() : notJoined(`'${name}' was left before it was joined`);
      });
    },
    leave: () => session.rooms.leave(room),
  };
  return Object.freeze(handle);
}

function connect({ connection, lifecycle }: Session): Promise<void> {
  if (connection.state.status !== 'closed') connection.connect();
  return lifecycle.until('state', connection.state, (state) => {
    if (state.status === 'closed') return clientClosed();
    return 'error' in state ? state.error : state.status === 'connected';
  });
}
