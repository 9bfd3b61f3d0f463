import { createClient, type EventPayload, isHoldfastError, type UndeliveredMessage } from '@holdfast/client';
import { createHooks } from '@holdfast/react';
import { useCallback, useEffect, useState } from 'react';
import type { Chat } from './chat-contract.js'; // types only: no zod in the bundle

const client = createClient<Chat>({
  url: '/realtime',
  auth: async ({ signal }) => (await fetch('/token', { signal })).text(),
  delivery: { typing: 'volatile' },
});
const { HoldfastProvider, useClient, useConnection, useEvent, useRoom, useOutbox, useSessionLost } =
  createHooks<Chat>();

function Banner() {
  const state = useConnection();
  const outbox = useOutbox();
  const client = useClient();
  switch (state.status) {
    case 'connected':
      return state.health === 'good' ? null : <p>Checking the connection…</p>;
    case 'idle':
    case 'connecting':
      return <p>Connecting…</p>;
    case 'reconnecting':
      return (
        <p>
          {state.waitingFor === 'online' ? 'You are offline' : `Attempt ${state.attempt}`}; {outbox.messages}{' '}
          waiting{' '}
          <button type="button" onClick={() => client.connect()}>
            Try now
          </button>
        </p>
      );
    case 'needs-auth':
      return (
        <p>
          {state.error.code}{' '}
          <button type="button" onClick={() => client.connect({ auth: prompt('token') ?? '' })}>
            Log in
          </button>
        </p>
      );
    case 'failed':
      return <p>{state.error.code === 'ERR_CONTRACT_VERSION' ? 'Please reload' : state.error.message}</p>;
    case 'closed':
      return <p>Closed: {state.reason}</p>;
    default: {
      const never: never = state;
      return never;
    }
  }
}
interface Line {
  id: string;
  text: string;
  from?: string | undefined;
  status: 'sending' | 'sent' | 'failed' | 'unknown';
}
function Room({ name }: { name: string }) {
  const [lines, setLines] = useState<Line[]>([]);
  const [typers, setTypers] = useState<ReadonlySet<string>>(new Set());
  const [lost, setLost] = useState<readonly UndeliveredMessage[]>([]);
  const { room, members, state } = useRoom(name, {
    message: ({ text }, { id, from }) =>
      setLines((all) => [...all.filter((l) => l.id !== id), { id, text, from, status: 'sent' }]),
    typing: ({ isTyping }, { from }) =>
      setTypers((s) => {
        const n = new Set(s);
        if (from) isTyping ? n.add(from) : n.delete(from);
        return n;
      }),
  });
  const client = useClient();
  useSessionLost(({ unknown }) => setLost(unknown));
  useEvent('notification', ({ title, at }) => console.log(title, at.getFullYear()));
  useEffect(() => {
    const ac = new AbortController();
    void client
      .request('history', { room: name }, { signal: ac.signal })
      .then((page) => setLines(page.map((m) => ({ ...m, status: 'sent' }))));
    return () => ac.abort();
  }, [client, name]);
  useEffect(() => {
    if (state.status === 'joined') room.setPresence({ status: 'online' });
  }, [room, state.status]);
  const submit = useCallback(
    (text: string, id?: string) => {
      const sending = room.send('message', { text }, { id });
      const mark = (status: Line['status']) =>
        setLines((all) => all.map((l) => (l.id === sending.id ? { ...l, status } : l)));
      setLines((all) => [
        ...all.filter((l) => l.id !== sending.id),
        { id: sending.id, text, status: 'sending' },
      ]);
      sending.then(
        () => mark('sent'),
        (e: unknown) =>
          mark(isHoldfastError(e) && 'delivery' in e && e.delivery === 'unknown' ? 'unknown' : 'failed'),
      );
    },
    [room],
  );
  if (state.status === 'refused') return <p>No entry: {state.error.message}</p>;
  return (
    <>
      <ul>
        {lines.map((l) => (
          <li key={l.id}>
            {l.from}: {l.text}{' '}
            {(l.status === 'unknown' || l.status === 'failed') && (
              <button type="button" onClick={() => submit(l.text, l.id)}>
                Resend
              </button>
            )}
          </li>
        ))}
      </ul>
      {lost.map((m) => (
        <button type="button" key={m.id} onClick={() => client.resend(m)}>
          Resend {m.event}
        </button>
      ))}
      <p>
        {members.map((m) => `${m.userId} (${m.presence?.status ?? '?'}, ${m.sessions})`).join(', ')};{' '}
        {[...typers].join(', ')} typing
      </p>
      <input
        onInput={() => room.send('typing', { isTyping: true })}
        onKeyDown={(e) => e.key === 'Enter' && submit(e.currentTarget.value)}
      />
    </>
  );
}
export const App = () => (
  <HoldfastProvider client={client}>
    <Banner />
    <Room name="chat:lobby" />
  </HoldfastProvider>
);
export type MessageProps = EventPayload<Chat, 'message'>;
export const props: MessageProps = { text: 'x' };
export const at: EventPayload<Chat, 'notification'>['at'] = new Date();
// @ts-expect-error not an event
export type Bad = EventPayload<Chat, 'nope'>;
