import type {
  AnyContract,
  ClientRoom,
  ConnectionState,
  EventMeta,
  HoldfastClient,
  JoinState,
  Listeners,
  LostSession,
  Member,
  OutboxState,
  Presence,
  ServerEvent,
  ServerEventOutput,
} from '@holdfast/client';
import type { ReactNode } from 'react';

export interface ProviderProps<C extends AnyContract> {
  /** Made outside, once: not in a component, or each rendering makes another. */
  readonly client: HoldfastClient<C>;
  readonly children?: ReactNode;
}

export interface UsedRoom<C extends AnyContract, N extends string | null> {
  /** `null` where there is no name. */
  readonly room: N extends string ? ClientRoom<C> : null;
  /** Who is there; a new array at each change. */
  readonly members: readonly Member<Presence<C>>[];
  /** `idle` where there is no name. */
  readonly state: JoinState;
}

/**
 * The hooks of one contract, and the provider that they need above them; each throws an `Error` that says so if it is missing.
 * On a server they connect to nothing and say what a client says that nobody has asked to connect.
 */
export interface Hooks<C extends AnyContract> {
  /**
   * Gives the client to all hooks below. Connects when it is mounted, and disconnects one task after the last provider of that
   * client has gone: StrictMode opens one connection. `client.close()` stays yours to call.
   */
  readonly HoldfastProvider: (props: ProviderProps<C>) => ReactNode;
  readonly useClient: () => HoldfastClient<C>;
  /** Renders at each change. */
  readonly useConnection: () => ConnectionState;
  /** What waits and is under way. Renders at each change. */
  readonly useOutbox: () => OutboxState;
  /**
   * Hears each message, however many come between two renderings, by the newest `listener`: it need not be memoized. Of an event
   * in a room, too, whoever has joined it.
   */
  readonly useEvent: <K extends ServerEvent<C>>(
    event: K,
    listener: (payload: ServerEventOutput<C, K>, meta: EventMeta) => unknown,
  ) => void;
  /** The newest payload, for gauges: of several that come between two renderings, the others are never seen. */
  readonly useLatest: <K extends ServerEvent<C>>(event: K) => ServerEventOutput<C, K> | undefined;
  /**
   * Listens, then joins; leaves one task after the last component that uses the room has gone. `null` is no room. `listeners`
   * need not be memoized, and hear each message of this room.
   */
  readonly useRoom: <N extends string | null>(name: N, listeners?: Listeners<C>) => UsedRoom<C, N>;
  /** What was lost with a session; the newest `listener` is called. */
  readonly useSessionLost: (listener: (lost: LostSession) => unknown) => void;
}
