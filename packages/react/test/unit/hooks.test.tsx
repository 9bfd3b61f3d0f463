// @vitest-environment happy-dom
import type { LostSession } from '@holdfast/client';
import { Component, type ReactNode, StrictMode } from 'react';
import { expect, test, vi } from 'vitest';
import { type Chat, createStage, hooks, type Stage } from '../support/stage.js';

const { HoldfastProvider, useConnection, useEvent, useLatest, useOutbox, useRoom, useSessionLost } = hooks;

function Status() {
  const { status } = useConnection();
  return <p>{status}</p>;
}

const within = ({ client }: Stage, children: ReactNode) => (
  <HoldfastProvider client={client}>{children}</HoldfastProvider>
);

test('a provider connects when it is mounted, and disconnects when it has gone; the client is not closed', async () => {
  const stage = createStage();
  await stage.render(within(stage, <Status />));
  expect(stage.text()).toBe('connected');
  await stage.unmount();
  expect(stage.client.getState().status).toBe('idle');
  expect(stage.bed.dials(stage.client)).toBe(1);
});

test('StrictMode opens one connection, joins once and hears each message once', async () => {
  const stage = createStage();
  const heard: string[] = [];
  const joins = vi.fn(() => true);
  stage.bed.server.rooms('*', { join: () => joins(), publish: true });
  function Room() {
    const { state } = useRoom('reef', { message: ({ text }) => heard.push(text) });
    return <p>{state.status}</p>;
  }
  await stage.render(<StrictMode>{within(stage, <Room />)}</StrictMode>);
  expect(stage.text()).toBe('joined');
  await stage.during(() => stage.bed.server.to('reef').send('message', { text: 'hello' }));
  expect(heard).toEqual(['hello']);
  expect(stage.bed.dials(stage.client)).toBe(1);
  expect(joins).toHaveBeenCalledTimes(1);
});

test('of two providers of one client, the last that goes disconnects', async () => {
  const stage = createStage();
  const both = (first: boolean, second: boolean) => (
    <>
      {first && <HoldfastProvider client={stage.client} key="first" />}
      {second && <HoldfastProvider client={stage.client} key="second" />}
    </>
  );
  await stage.render(both(true, true));
  await stage.render(both(false, true));
  expect(stage.client.getState().status).toBe('connected');
  // One goes, the other comes: nobody has to connect again.
  await stage.render(both(true, false));
  expect(stage.client.getState().status).toBe('connected');
  expect(stage.bed.dials(stage.client)).toBe(1);
  await stage.render(both(false, false));
  expect(stage.client.getState().status).toBe('idle');
});

test('useEvent hears each of a hundred messages of one task, by the newest listener', async () => {
  const stage = createStage();
  const heard: string[] = [];
  function Ear({ name }: { readonly name: string }) {
    useEvent('message', ({ text }, { seq }) => heard.push(`${name} ${text} ${seq}`));
    return null;
  }
  await stage.render(within(stage, <Ear name="first" />));
  await stage.render(within(stage, <Ear name="second" />));
  await stage.during(() => {
    for (let count = 1; count <= 100; count++) stage.bed.server.toAll().send('message', { text: `${count}` });
  });
  expect(heard).toEqual(Array.from({ length: 100 }, (_, index) => `second ${index + 1} ${index + 1}`));
});

test('useLatest has the newest payload, and none of another event', async () => {
  const stage = createStage();
  function Gauge() {
    return <p>{useLatest('gauge') ?? 'nothing yet'}</p>;
  }
  await stage.render(within(stage, <Gauge />));
  expect(stage.text()).toBe('nothing yet');
  await stage.during(() => {
    for (const value of [1, 2, 3]) stage.bed.server.toAll().send('gauge', value);
  });
  expect(stage.text()).toBe('3');
});

test('useOutbox tells what waits', async () => {
  const stage = createStage();
  function Waiting() {
    return <p>{useOutbox().messages}</p>;
  }
  stage.bed.refuse(stage.client);
  await stage.render(within(stage, <Waiting />));
  expect(stage.text()).toBe('0');
  await stage.during(() => {
    stage.client.send('message', { text: 'one' });
    stage.client.send('message', { text: 'two' });
  });
  expect(stage.text()).toBe('2');
});

test('a room: another name keeps the socket; the last component that uses it leaves it', async () => {
  const stage = createStage();
  function Room({ name }: { readonly name: string | null }) {
    const { room, state } = useRoom(name);
    return <p>{`${room?.name ?? 'none'} ${state.status}`}</p>;
  }
  const roomsOf = async () => (await stage.bed.server.toAll().sessions()).flatMap(({ rooms }) => [...rooms]);
  await stage.render(within(stage, <Room name="reef" />));
  expect(stage.text()).toBe('reef joined');
  await stage.render(within(stage, <Room name="lagoon" />));
  expect(stage.text()).toBe('lagoon joined');
  expect(await roomsOf()).toEqual(['lagoon']);
  const twice = (
    <>
      <Room name="lagoon" key="1" />
      <Room name="lagoon" key="2" />
    </>
  );
  await stage.render(within(stage, twice));
  await stage.render(within(stage, <Room name="lagoon" />));
  expect(await roomsOf()).toEqual(['lagoon']);
  await stage.render(within(stage, <Room name={null} />));
  expect(stage.text()).toBe('none idle');
  expect(await roomsOf()).toEqual([]);
  expect(stage.bed.dials(stage.client)).toBe(1);
});

test('what comes with the joining is heard, and who is there is shown', async () => {
  const stage = createStage();
  const heard: string[] = [];
  stage.bed.server.rooms('*', { join: true, publish: true, presence: true });
  const other = stage.bed.createClient();
  await stage.bed.until(other.connect());
  const room = other.room('reef');
  await stage.bed.until(room.join());
  await stage.bed.until(room.setPresence({ status: 'here' }));
  function Room() {
    const { members, state } = useRoom('reef', { message: ({ text }) => heard.push(text) });
    return (
      <p>{`${state.status} ${members
        .map(({ presence }) => presence?.status ?? '?')
        .sort()
        .join()}`}</p>
    );
  }
  await stage.render(within(stage, <Room />));
  expect(stage.text()).toBe('joined ?,here');
  await stage.during(() => room.send('message', { text: 'hello' }));
  expect(heard).toEqual(['hello']);
  await stage.during(() => room.setPresence({ status: 'away' }));
  expect(stage.text()).toBe('joined ?,away');
  await stage.during(() => room.leave());
  expect(stage.text()).toBe('joined ?');
});

test('a room that refuses says so', async () => {
  const stage = createStage();
  stage.bed.server.rooms('*', { join: false });
  function Room() {
    const { state } = useRoom('reef');
    return <p>{state.status === 'refused' ? state.error.code : state.status}</p>;
  }
  await stage.render(within(stage, <Room />));
  expect(stage.text()).toBe('ERR_REJECTED');
});

test('who is mounted asks anew for what was refused, left or ended, also where another one has just gone or is there', async () => {
  const stage = createStage();
  let opens = false;
  stage.bed.server.rooms('*', { join: () => opens });
  function Room() {
    return <p>{`${useConnection().status} ${useRoom('reef').state.status} `}</p>;
  }
  const withRooms = (provider: string, ...rooms: readonly string[]) => (
    <HoldfastProvider client={stage.client} key={provider}>
      {rooms.map((key) => (
        <Room key={key} />
      ))}
    </HoldfastProvider>
  );
  await stage.render(withRooms('a', '1'));
  expect(stage.text()).toBe('connected refused ');
  await stage.render(withRooms('a', '2'));
  expect(stage.text()).toBe('connected refused ');
  opens = true;
  await stage.render(withRooms('a', '2', '3'));
  expect(stage.text()).toBe('connected joined connected joined ');
  await stage.during(() => stage.client.room('reef').leave());
  await stage.render(withRooms('a', '4'));
  expect(stage.text()).toBe('connected joined ');
  await stage.during(() => stage.client.disconnect());
  expect(stage.text()).toBe('idle joined ');
  await stage.render(withRooms('b', '4'));
  expect(stage.text()).toBe('connected joined ');
});

test('useSessionLost tells what was lost', async () => {
  const stage = createStage();
  const losses: LostSession[] = [];
  function Losses() {
    useSessionLost((lost) => losses.push(lost));
    return <Status />;
  }
  await stage.render(within(stage, <Losses />));
  await stage.during(() => stage.bed.restart({ keepStore: false }), 5_000);
  expect(stage.text()).toBe('connected');
  expect(losses).toHaveLength(1);
});

test('a client that is closed while it is in use is shown as closed', async () => {
  const stage = createStage();
  await stage.render(within(stage, <Status />));
  await stage.during(() => stage.client.close());
  expect(stage.text()).toBe('closed');
  await stage.unmount();
});

class Boundary extends Component<{ readonly children: ReactNode }> {
  override state = { error: '' };
  static getDerivedStateFromError = (error: Error) => ({ error: error.message });

  override render() {
    return this.state.error || this.props.children;
  }
}

test('without a provider the error says what is missing', async () => {
  const stage = createStage();
  // React tells it there, too.
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  await stage.render(
    <Boundary>
      <Status />
    </Boundary>,
  );
  expect(stage.text()).toContain('there is no <HoldfastProvider client={client}> above this component');
});

test('what the contract does not have does not compile', () => {
  const wrong = () => {
    // @ts-expect-error not an event
    useEvent('nope', () => undefined);
    // @ts-expect-error a text, not a number
    useEvent('message', ({ text }: { text: number }) => text);
    // @ts-expect-error no name, no room
    useRoom(null).room.send('message', { text: '' });
    useRoom('reef', {
      // @ts-expect-error not an event
      nope: () => undefined,
    });
  };
  expect(wrong).toBeTypeOf('function');
  expect({} as Chat).toBeDefined();
});
