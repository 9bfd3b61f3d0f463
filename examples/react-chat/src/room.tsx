import { isHoldfastError } from '@holdfast/client';
import { useEffect, useRef, useState } from 'react';
import { me, useRoom } from './chat';
import type { Fate, Line } from './lines';

const NOTES: Record<Fate, string> = {
  sending: 'sending',
  sent: '✓',
  failed: 'not sent',
  unknown: 'may not have arrived',
};

interface RoomProps {
  name: string;
  lines: readonly Line[];
  show: (line: Line) => void;
}

export function Room({ name, lines, show }: RoomProps) {
  const typers = useNames(3_000);
  const { room, members, state } = useRoom(`chat:${name}`, {
    // What was said before comes first: the server's rule says how much of it.
    message({ text }, { id, from = 'somebody' }) {
      show({ id, from, text, fate: 'sent' });
      typers.remove(from);
    },
    typing: (_payload, { from }) => from && typers.add(from),
  });

  useEffect(() => {
    if (state.status !== 'joined') return;
    const tell = () => {
      const status = document.visibilityState === 'visible' ? 'here' : 'away';
      room.setPresence({ status }).catch(() => undefined); // told anew with the next session
    };
    tell();
    document.addEventListener('visibilitychange', tell);
    return () => document.removeEventListener('visibilitychange', tell);
  }, [room, state.status]);

  function say(text: string, again?: string): void {
    // The same id again: should the first one have arrived after all, this one takes its place in everybody's list.
    const sending = room.send('message', { text }, again ? { id: again } : {});
    const tell = (fate: Fate) => show({ id: sending.id, from: me, text, fate });
    tell('sending');
    sending.then(
      () => tell('sent'),
      (error: unknown) =>
        tell(
          isHoldfastError(error) && 'delivery' in error && error.delivery === 'unknown'
            ? 'unknown'
            : 'failed',
        ),
    );
  }

  if (state.status === 'refused') return <p>No entry: {state.error.message}</p>;
  return (
    <>
      <h1>{name}</h1>
      <p className="members">
        {members.map(({ userId, presence }) => (
          <span key={userId} className={presence?.status === 'away' ? 'away' : undefined}>
            {userId}
          </span>
        ))}
      </p>
      <Lines lines={lines} again={say} />
      <p className="typing">{typers.names.length > 0 && `${typers.names.join(', ')} …`}</p>
      <Composer typing={() => void room.send('typing', {})} say={say} />
    </>
  );
}

function Lines({ lines, again }: { lines: readonly Line[]; again: (text: string, id: string) => void }) {
  const end = useRef<HTMLLIElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is the reason to scroll
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' });
  }, [lines.length]);
  return (
    <ol role="log" aria-label="What was said">
      {lines.map(({ id, from, text, fate }) => (
        <li key={id} className={from === me ? 'own' : undefined}>
          <b>{from}</b> {text} {from === me && <small>{NOTES[fate]}</small>}
          {(fate === 'failed' || fate === 'unknown') && (
            <button type="button" onClick={() => again(text, id)}>
              Send again
            </button>
          )}
        </li>
      ))}
      <li ref={end} aria-hidden="true" />
    </ol>
  );
}

function Composer({ typing, say }: { typing: () => void; say: (text: string) => void }) {
  const [text, setText] = useState('');
  const told = useRef(0);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) say(text.trim());
        setText('');
      }}
    >
      <input
        aria-label="Message"
        placeholder="Message"
        autoComplete="off"
        maxLength={500}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          if (Date.now() - told.current < 1_000) return;
          told.current = Date.now();
          typing();
        }}
      />
      <button type="submit">Send</button>
    </form>
  );
}

/** Names that are forgotten after some time. */
function useNames(forMs: number) {
  const [names, setNames] = useState<readonly string[]>([]);
  const timers = useRef(new Map<string, number>());
  const remove = (name: string) => setNames((all) => all.filter((other) => other !== name));
  const add = (name: string) => {
    clearTimeout(timers.current.get(name));
    timers.current.set(name, window.setTimeout(remove, forMs, name));
    setNames((all) => (all.includes(name) ? all : [...all, name]));
  };
  return { names, add, remove };
}
