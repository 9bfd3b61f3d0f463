// @vitest-environment happy-dom
import { type ContractType, defineContract, type HoldfastClient, type LostSession } from '@holdfast/client';
import { createTestbed, type Testbed } from '@holdfast/testing';
import { createComposables } from '@holdfast/vue';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type App, createApp, defineComponent, effectScope, h, nextTick, ref, type VNode } from 'vue';
import { z } from 'zod';

const definition = defineContract({
  events: { message: z.object({ text: z.string() }) },
  serverEvents: { gauge: z.number() },
  presence: z.object({ status: z.string() }),
});
interface Chat extends ContractType<typeof definition> {}
const { plugin, useClient, useConnection, useEvent, useLatest, useOutbox, useRoom, useSessionLost } =
  createComposables<Chat>();

interface Stage {
  readonly bed: Testbed<Chat>;
  readonly client: HoldfastClient<Chat>;
  readonly app: App;
  mount(): Promise<void>;
  unmount(): Promise<void>;
  /** What happens within it, and so many ms later (default 100), has been rendered afterwards. */
  during(happens: () => unknown, ms?: number): Promise<void>;
  text(): string;
}

/** A client, not yet asked to connect, a server with rooms that are open, and an app of one component. */
function createStage(setup: () => () => VNode | string | number): Stage {
  const bed = createTestbed<Chat>({
    setup: (server) => server.rooms('*', { join: true, publish: true, presence: true }),
  });
  const client = bed.createClient();
  const place = document.createElement('div');
  const app = createApp(defineComponent({ setup: () => setup() })).use(plugin(client));
  const during = async (happens: () => unknown, ms = 100): Promise<void> => {
    void happens();
    await nextTick();
    // What is put off by a task, such as the end of a use, comes first.
    await new Promise((resolve) => setTimeout(resolve, 1));
    await bed.advance(ms);
    await nextTick();
  };
  let state: 'new' | 'mounted' | 'gone' = 'new';
  const unmount = async (): Promise<void> => {
    if (state === 'mounted') await during(() => app.unmount());
    state = 'gone';
  };
  onTestFinished(async () => {
    await unmount();
    await bed[Symbol.asyncDispose]();
  });
  return {
    bed,
    client,
    app,
    during,
    unmount,
    mount: () => {
      state = 'mounted';
      return during(() => app.mount(place));
    },
    text: () => place.textContent ?? '',
  };
}

test('an app connects when it is mounted, and disconnects when it has gone; the client is not closed', async () => {
  const stage = createStage(() => {
    const connection = useConnection();
    return () => connection.value.status;
  });
  expect(stage.client.getState().status).toBe('idle');
  await stage.mount();
  expect(stage.text()).toBe('connected');
  await stage.unmount();
  expect(stage.client.getState().status).toBe('idle');
  expect(stage.bed.dials(stage.client)).toBe(1);
});

test('useEvent hears each of a hundred messages of one task, and none after its component has gone', async () => {
  const heard: string[] = [];
  const isShown = ref(true);
  const Ear = defineComponent(() => {
    useEvent('message', ({ text }, { seq }) => heard.push(`${text} ${seq}`));
    return () => null;
  });
  const stage = createStage(() => () => (isShown.value ? h(Ear) : 'gone'));
  await stage.mount();
  const send = (text: string) => stage.bed.server.toAll().send('message', { text });
  await stage.during(() => {
    for (let count = 1; count <= 100; count++) send(`${count}`);
  });
  expect(heard).toEqual(Array.from({ length: 100 }, (_, index) => `${index + 1} ${index + 1}`));
  const errors = vi.fn();
  stage.client.onError(errors);
  await stage.during(() => (isShown.value = false));
  await stage.during(() => send('late'));
  expect(heard).toHaveLength(100);
  expect(errors).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_NO_LISTENER' }));
});

test('useLatest has the newest payload, useOutbox tells what waits', async () => {
  const stage = createStage(() => {
    const gauge = useLatest('gauge');
    const outbox = useOutbox();
    return () => `${gauge.value ?? 'nothing yet'} ${outbox.value.messages}`;
  });
  await stage.mount();
  expect(stage.text()).toBe('nothing yet 0');
  await stage.during(() => {
    for (const value of [1, 2, 3]) stage.bed.server.toAll().send('gauge', value);
  });
  expect(stage.text()).toBe('3 0');
  stage.bed.refuse(stage.client);
  stage.bed.cut(stage.client);
  await stage.during(() => {
    stage.client.send('message', { text: 'one' });
    stage.client.send('message', { text: 'two' });
  });
  expect(stage.text()).toBe('3 2');
});

test('a room: another name keeps the socket; no name is no room; the last component that uses it leaves it', async () => {
  const name = ref<string | null>('reef');
  const uses = ref(2);
  const User = defineComponent(() => {
    const { room, state } = useRoom(() => name.value);
    return () => `${room.value?.name ?? 'none'} ${state.value.status} `;
  });
  const stage = createStage(
    () => () =>
      h(
        'p',
        Array.from({ length: uses.value }, (_, key) => h(User, { key })),
      ),
  );
  const roomsOf = async () => (await stage.bed.server.toAll().sessions()).flatMap(({ rooms }) => [...rooms]);
  await stage.mount();
  expect(stage.text()).toBe('reef joined reef joined ');
  await stage.during(() => (uses.value = 1));
  expect(stage.text()).toBe('reef joined ');
  expect(await roomsOf()).toEqual(['reef']);
  await stage.during(() => (name.value = 'lagoon'));
  expect(stage.text()).toBe('lagoon joined ');
  expect(await roomsOf()).toEqual(['lagoon']);
  await stage.during(() => (name.value = null));
  expect(stage.text()).toBe('none idle ');
  expect(await roomsOf()).toEqual([]);
  await stage.during(() => (name.value = 'reef'));
  await stage.during(() => (uses.value = 0));
  expect(await roomsOf()).toEqual([]);
  expect(stage.bed.dials(stage.client)).toBe(1);
});

test('what comes with the joining is heard, and who is there is shown', async () => {
  const heard: string[] = [];
  const stage = createStage(() => {
    const { members, state } = useRoom('reef', { message: ({ text }) => heard.push(text) });
    const states = () => members.value.map(({ presence }) => presence?.status ?? '?').sort();
    return () => `${state.value.status} ${states().join()}`;
  });
  const other = stage.bed.createClient();
  await stage.bed.until(other.connect());
  const room = other.room('reef');
  await stage.bed.until(room.join());
  await stage.bed.until(room.setPresence({ status: 'here' }));
  await stage.mount();
  expect(stage.text()).toBe('joined ?,here');
  await stage.during(() => room.send('message', { text: 'hello' }));
  expect(heard).toEqual(['hello']);
  await stage.during(() => room.leave());
  expect(stage.text()).toBe('joined ?');
});

test('who is mounted asks anew for a room that was refused or left, also where another one has just gone or is there', async () => {
  let opens = false;
  const keys = ref(['1']);
  const User = defineComponent(() => {
    const { state } = useRoom('reef');
    return () => `${state.value.status} `;
  });
  const stage = createStage(
    () => () =>
      h(
        'p',
        keys.value.map((key) => h(User, { key })),
      ),
  );
  stage.bed.server.rooms('*', { join: () => opens });
  await stage.mount();
  expect(stage.text()).toBe('refused ');
  opens = true;
  await stage.during(() => (keys.value = ['1', '2']));
  expect(stage.text()).toBe('joined joined ');
  await stage.during(() => stage.client.room('reef').leave());
  await stage.during(() => (keys.value = ['3']));
  expect(stage.text()).toBe('joined ');
});

test('a listener that is undefined, as the types allow, is none', async () => {
  const errors = vi.fn();
  const stage = createStage(() => {
    const { state } = useRoom('reef', { message: undefined });
    return () => state.value.status;
  });
  stage.client.onError(errors);
  await stage.mount();
  expect(stage.text()).toBe('joined');
  await stage.during(() => stage.bed.server.to('reef').send('message', { text: 'hello' }));
  expect(errors).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_NO_LISTENER' }));
});

test('useSessionLost tells what was lost', async () => {
  const losses: LostSession[] = [];
  const stage = createStage(() => {
    useSessionLost((lost) => losses.push(lost));
    return () => 'here';
  });
  await stage.mount();
  await stage.during(() => stage.bed.restart({ keepStore: false }), 5_000);
  expect(losses).toHaveLength(1);
});

test('a client that is closed while it is in use is shown as closed', async () => {
  const stage = createStage(() => {
    const connection = useConnection();
    return () => connection.value.status;
  });
  await stage.mount();
  await stage.during(() => stage.client.close());
  expect(stage.text()).toBe('closed');
});

test('in an effect scope of the app it ends with the scope', async () => {
  const stage = createStage(() => () => 'here');
  await stage.mount();
  const heard = vi.fn();
  const scope = effectScope();
  stage.app.runWithContext(() => scope.run(() => useEvent('gauge', heard)));
  await stage.during(() => stage.bed.server.toAll().send('gauge', 1));
  scope.stop();
  stage.client.onError(() => undefined);
  await stage.during(() => stage.bed.server.toAll().send('gauge', 2));
  expect(heard).toHaveBeenCalledTimes(1);
});

test('without the plugin the error says what is missing', () => {
  expect(() => useClient()).toThrow(
    'no client here: call composables in setup(), of an app that uses plugin(client)',
  );
});

test('what the contract does not have does not compile', () => {
  const wrong = () => {
    // @ts-expect-error not an event
    useEvent('nope', () => undefined);
    // @ts-expect-error a text, not a number
    useEvent('message', ({ text }: { text: number }) => text);
    useRoom('reef', {
      // @ts-expect-error not an event
      nope: () => undefined,
    });
  };
  expect(wrong).toBeTypeOf('function');
});

test('a name that is none is an error, and no room; the next name is one again', async () => {
  const name = ref<string | null>('reef');
  const told: string[] = [];
  const stage = createStage(() => {
    const { room, members, state } = useRoom(name);
    return () => `${room.value?.name ?? 'none'} ${state.value.status} ${members.value.length}`;
  });
  stage.app.config.errorHandler = (error) => told.push(String(error));
  await stage.mount();
  expect(stage.text()).toBe('reef joined 1');
  await stage.during(() => (name.value = '$reef'));
  expect([stage.text(), told.length]).toEqual(['none idle 0', 1]);
  expect(told[0]).toContain('$reef');
  expect((await stage.bed.server.toAll().sessions()).flatMap(({ rooms }) => [...rooms])).toEqual([]);
  await stage.during(() => (name.value = 'lagoon'));
  expect([stage.text(), told.length]).toEqual(['lagoon joined 1', 1]);
});

test('a listener that is none is an error, and those beside it hear nothing after the component has gone', async () => {
  const heard: string[] = [];
  const isShown = ref(true);
  const Ear = defineComponent(() => {
    useRoom('reef', { message: ({ text }) => heard.push(text), gauge: 'none' as never });
    return () => null;
  });
  const told: string[] = [];
  const stage = createStage(() => () => (isShown.value ? h(Ear) : 'gone'));
  stage.app.config.errorHandler = (error) => told.push(String(error));
  await stage.mount();
  expect(told).toHaveLength(1);
  await stage.during(() => (isShown.value = false));
  const errors = vi.fn();
  stage.client.onError(errors);
  await stage.during(() => stage.client.room('reef').join());
  await stage.during(() => stage.bed.server.to('reef').send('message', { text: 'late' }));
  expect(heard).toEqual([]);
});
