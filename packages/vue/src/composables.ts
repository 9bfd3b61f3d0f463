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
import type { MaybeRefOrGetter, Plugin, ShallowRef } from 'vue';

export interface UsedRoom<C extends AnyContract, N extends string | null> {
  /** `null` where there is no name. */
  readonly room: Readonly<ShallowRef<N extends string ? ClientRoom<C> : null>>;
  /** Who is there; a new array at each change. */
  readonly members: Readonly<ShallowRef<readonly Member<Presence<C>>[]>>;
  /** `idle` where there is no name. */
  readonly state: Readonly<ShallowRef<JoinState>>;
}

/**
 * The composables of one contract, to be called in `setup` or an effect scope, with which what they began ends. Each throws an
 * `Error` that says so if the app does not use the plugin. On a server they connect to nothing and say what a client says that
 * nobody has asked to connect.
 */
export interface Composables<C extends AnyContract> {
  /**
   * `app.use(plugin(client))`: connects when the app is mounted, disconnects when it is unmounted. `client.close()` stays yours
   * to call. The client is made outside, once.
   */
  readonly plugin: (client: HoldfastClient<C>) => Plugin;
  readonly useClient: () => HoldfastClient<C>;
  readonly useConnection: () => Readonly<ShallowRef<ConnectionState>>;
  /** What waits and is under way. */
  readonly useOutbox: () => Readonly<ShallowRef<OutboxState>>;
  /** Hears each message. Of an event in a room, too, whoever has joined it. */
  readonly useEvent: <K extends ServerEvent<C>>(
    event: K,
    listener: (payload: ServerEventOutput<C, K>, meta: EventMeta) => unknown,
  ) => void;
  /** The newest payload, for gauges. */
  readonly useLatest: <K extends ServerEvent<C>>(
    event: K,
  ) => Readonly<ShallowRef<ServerEventOutput<C, K> | undefined>>;
  /**
   * Listens, then joins; leaves one task after the last component that uses the room has gone. `null` is no room. `listeners`
   * hear each message of this room.
   */
  readonly useRoom: <N extends string | null>(
    name: MaybeRefOrGetter<N>,
    listeners?: Listeners<C>,
  ) => UsedRoom<C, N>;
  /** What was lost with a session. */
  readonly useSessionLost: (listener: (lost: LostSession) => unknown) => void;
}
