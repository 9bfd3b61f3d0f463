/** Vue composables for Holdfast: `createComposables<Chat>()`. */
import type {
  AnyContract,
  ClientRoom,
  Contract,
  HoldfastClient,
  JoinState,
  Listeners,
  Member,
  Presence,
  Unsubscribe,
} from '@holdfast/client';
import { Users } from '@holdfast/client/users';
import {
  hasInjectionContext,
  type InjectionKey,
  inject,
  type MaybeRefOrGetter,
  onScopeDispose,
  shallowRef,
  toValue,
  watch,
} from 'vue';
import type { Composables, UsedRoom } from './composables.js';

export type { Listeners } from '@holdfast/client';
export type { Composables, UsedRoom } from './composables.js';

const IDLE: JoinState = { status: 'idle' };

/** Of all components, whichever call of `createComposables` they come from. */
const users = new Users();

/** A server renders once, and nobody unmounts what it has rendered: whatever is begun there would never end. */
const isServer = (): boolean => typeof document === 'undefined';

/** Begins what ends with the component or scope. */
function untilDisposed(begin: () => Unsubscribe): void {
  if (!isServer()) onScopeDispose(begin());
}

function useRoomOf<C extends AnyContract>(
  client: HoldfastClient<C>,
  name: MaybeRefOrGetter<string | null>,
  listeners: Listeners<C>,
): UsedRoom<C, string | null> {
  const room = shallowRef<ClientRoom<C> | null>(null);
  const members = shallowRef<readonly Member<Presence<C>>[]>([]);
  const state = shallowRef<JoinState>(IDLE);
  const use = (used: ClientRoom<C>, stops: Unsubscribe[]): void => {
    for (const [event, listener] of Object.entries(listeners)) {
      if (listener) stops.push(used.on(event as never, listener as never));
    }
    stops.push(
      used.onMembers((now) => (members.value = now)),
      used.onState((now) => (state.value = now)),
      // Behind the listeners: what comes with the joining is heard.
      users.add(client, used.name, {
        begin: () => void used.join().catch(() => undefined),
        end: () => void used.leave(),
      }),
    );
  };
  const enter = (now: string | null, _before: unknown, onCleanup: (stop: () => void) => void): void => {
    const stops: Unsubscribe[] = [];
    onCleanup(() => {
      for (const stop of stops) stop();
    });
    let used: ClientRoom<C> | null = null;
    try {
      used = now === null ? null : client.room(now);
      room.value = used;
      if (used && !isServer()) use(used, stops);
    } finally {
      // Also for a name that is none: the room before is not used any more.
      room.value = used;
      members.value = used?.members ?? [];
      state.value = used?.getState() ?? IDLE;
    }
  };
  watch(() => toValue(name), enter, { immediate: true, flush: 'sync' });
  return { room, members, state };
}

/** The plugin and the composables of one contract; to be made once, beside the client. */
export function createComposables<C extends AnyContract = Contract>(): Composables<C> {
  type Client = HoldfastClient<C>;
  const key: InjectionKey<Client> = Symbol('holdfast');

  const useClient = (): Client => {
    const client = hasInjectionContext() ? inject(key, undefined) : undefined;
    if (client) return client;
    throw new Error(
      'Holdfast: no client here: call composables in setup(), of an app that uses plugin(client) of the same createComposables()',
    );
  };

  const useEvent: Composables<C>['useEvent'] = (event, listener) => {
    const client = useClient();
    untilDisposed(() => client.on(event, listener));
  };

  return {
    plugin: (client) => ({
      install(app) {
        app.provide(key, client);
        const { mount } = app;
        let stop: Unsubscribe | undefined;
        app.mount = (...where) => {
          const root = mount(...where);
          // Behind the components, so that they listen.
          stop ??= users.add(client, '', {
            begin: () => void client.connect(),
            end: () => void client.disconnect(),
          });
          return root;
        };
        app.onUnmount(() => stop?.());
      },
    }),
    useClient,
    useConnection() {
      const client = useClient();
      const state = shallowRef(client.getState());
      untilDisposed(() => client.onState((now) => (state.value = now)));
      return state;
    },
    useOutbox() {
      const client = useClient();
      const outbox = shallowRef(client.getOutbox());
      untilDisposed(() => client.onOutbox((now) => (outbox.value = now)));
      return outbox;
    },
    useEvent,
    useLatest(event) {
      const latest = shallowRef();
      useEvent(event, (payload) => (latest.value = payload));
      return latest;
    },
    useRoom: (name, listeners = {}) => useRoomOf(useClient(), name, listeners) as never,
    useSessionLost(listener) {
      const client = useClient();
      untilDisposed(() => client.onSessionLost(listener));
    },
  };
}
