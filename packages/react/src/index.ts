/** React hooks for Holdfast: `createHooks<Chat>()`. */
import type {
  AnyContract,
  ConnectionState,
  Contract,
  HoldfastClient,
  JoinState,
  Listeners,
  OutboxState,
} from '@holdfast/client';
import { Users } from '@holdfast/client/users';
import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useInsertionEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { Hooks, UsedRoom } from './hooks.js';

export type { Listeners } from '@holdfast/client';
export type { Hooks, ProviderProps, UsedRoom } from './hooks.js';

// What a client says that nobody has asked anything; the same objects each time, as React wants it of a server's snapshot.
const IDLE: ConnectionState & JoinState = { status: 'idle' };
const EMPTY: OutboxState = { messages: 0, bytes: 0, inflight: 0 };
const NOBODY: readonly never[] = [];

const idle = (): typeof IDLE => IDLE;
const empty = (): OutboxState => EMPTY;
const nobody = (): readonly never[] => NOBODY;
const never = (): (() => void) => () => undefined;

/** Of all providers and hooks, whichever call of `createHooks` they come from. */
const users = new Users();

/** The newest value, also for whoever has subscribed with an older one. */
function useNewest<V>(value: V): { readonly current: V } {
  const newest = useRef(value);
  // Before every other effect, and never in a rendering that is thrown away.
  useInsertionEffect(() => {
    newest.current = value;
  });
  return newest;
}

function useRoomOf<C extends AnyContract>(
  client: HoldfastClient<C>,
  name: string | null,
  listeners: Listeners<C>,
): UsedRoom<C, string | null> {
  const room = name === null ? null : client.room(name);
  const newest = useNewest<Listeners<C>>(listeners);
  const events = Object.keys(listeners).sort().join('\n');
  useEffect(() => {
    if (!room) return;
    const stops = events
      .split('\n')
      .filter(Boolean)
      .map((event) =>
        room.on(event as never, (payload, meta) => newest.current[event as never]?.(payload, meta)),
      );
    return () => {
      for (const stop of stops) stop();
    };
  }, [room, events, newest]);
  // Behind the listeners: what comes with the joining is heard.
  useEffect(() => {
    if (!room) return;
    const begin = (): void => void room.join().catch(() => undefined);
    return users.add(client, room.name, { begin, end: () => void room.leave() });
  }, [client, room]);
  return {
    room,
    members: useSyncExternalStore(room?.onMembers ?? never, room ? () => room.members : nobody, nobody),
    state: useSyncExternalStore(room?.onState ?? never, room?.getState ?? idle, idle),
  };
}

/** The provider and the hooks of one contract; to be made once, beside the client. */
export function createHooks<C extends AnyContract = Contract>(): Hooks<C> {
  type Client = HoldfastClient<C>;
  const Context = createContext<Client | undefined>(undefined);

  const useClient = (): Client => {
    const client = useContext(Context);
    if (client) return client;
    throw new Error(
      'Holdfast: there is no <HoldfastProvider client={client}> above this component, or it comes from another call of createHooks()',
    );
  };

  const useEvent: Hooks<C>['useEvent'] = (event, listener) => {
    const client = useClient();
    const newest = useNewest(listener);
    useEffect(
      () => client.on(event, (payload, meta) => newest.current(payload, meta)),
      [client, event, newest],
    );
  };

  return {
    HoldfastProvider({ client, children }) {
      useEffect(
        () =>
          users.add(client, '', { begin: () => void client.connect(), end: () => void client.disconnect() }),
        [client],
      );
      return createElement(Context.Provider, { value: client }, children);
    },
    useClient,
    useConnection() {
      const client = useClient();
      return useSyncExternalStore(client.onState, client.getState, idle);
    },
    useOutbox() {
      const client = useClient();
      return useSyncExternalStore(client.onOutbox, client.getOutbox, empty);
    },
    useEvent,
    useLatest(event) {
      const client = useClient();
      const [latest, setLatest] = useState<{ of: unknown; event: string; payload: unknown }>();
      useEvent(event, (payload) => setLatest({ of: client, event, payload }));
      // Not what was heard under another name, or at another client.
      return (latest?.of === client && latest.event === event ? latest.payload : undefined) as never;
    },
    useRoom: (name, listeners = {}) => useRoomOf(useClient(), name, listeners) as never,
    useSessionLost(listener) {
      const client = useClient();
      const newest = useNewest(listener);
      useEffect(() => client.onSessionLost((lost) => newest.current(lost)), [client, newest]);
    },
  };
}
