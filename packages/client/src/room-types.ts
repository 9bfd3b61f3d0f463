import type {
  AnyContract,
  Arguments,
  CallOptions,
  Contract,
  EventMeta,
  HoldfastError,
  ListenOptions,
  Member,
  Presence,
  PresenceInput,
  RoomEvent,
  RoomEventInput,
  Sending,
  SendOptions,
  ServerEvent,
  ServerEventOutput,
  Unsubscribe,
} from '@holdfast/protocol';

export type JoinState =
  /** `left`: by `leave()`. */
  | { readonly status: 'idle' | 'joining' | 'joined' | 'left' }
  | { readonly status: 'refused'; readonly error: HoldfastError };

/** What a client is in or not: a room, or a namespace. */
export interface Joinable {
  getState(): JoinState;
  onState(listener: (state: JoinState) => unknown): Unsubscribe;
  /**
   * Idempotent; comes back by itself after a reconnect, with what was published meanwhile. Refused: `ERR_REJECTED`
   * with `reason`. Messages begin one task after it settles, so a listener added then misses nothing.
   */
  join(options?: CallOptions): Promise<void>;
  /**
   * Leaves for every holder of this handle; a namespace with all its rooms. Resolves when the server has answered, or when there
   * is no connection: then it hears of it on the next one.
   */
  leave(): Promise<void>;
}

export interface ClientRoom<C extends AnyContract = Contract> extends Joinable {
  readonly name: string;
  /** Only what is sent to this room. */
  on<K extends ServerEvent<C>>(
    event: K,
    listener: (payload: ServerEventOutput<C, K>, meta: EventMeta) => unknown,
    options?: ListenOptions,
  ): Unsubscribe;
  /**
   * Publishes to the other members; refused unless the server's rule for the room allows it. Rejects with
   * `ERR_NOT_JOINED` unless the room has been joined or is being joined.
   */
  send<K extends RoomEvent<C>>(event: K, ...args: Arguments<RoomEventInput<C, K>, SendOptions>): Sending;
  /** Users, not sessions; empty unless the room's rule has `presence: true`. A new array at each change. */
  readonly members: readonly Member<Presence<C>>[];
  onMembers(listener: (members: readonly Member<Presence<C>>[]) => unknown): Unsubscribe;
  /**
   * Told to the members as `presence`, plain JSON of at most 1 KiB; the newest counts, of several sessions of a user, too.
   * Gone when the room is left or the session ends; what was set last comes again with a new session. Settles when the
   * server has it. Rejects with `ERR_NOT_JOINED` unless the room has been joined or is being joined, with
   * `ERR_INVALID_PAYLOAD` for what the contract's `presence` does not allow, and with `ERR_REJECTED`: `presence-too-large`,
   * or `no-presence` where the room's rule has none.
   */
  setPresence(state: PresenceInput<C>): Sending;
}

/** What to call for which event; one listener each. For bindings to UI libraries. */
export type Listeners<C extends AnyContract> = {
  readonly [K in ServerEvent<C>]?:
    | ((payload: ServerEventOutput<C, K>, meta: EventMeta) => unknown)
    | undefined;
};
