import type { ClientEnd, End, Payload } from '../system.js';

// What one writes by hand where a library has messages, but no answers: an id, and the answer with the same one. Nothing is
// numbered, kept or limited.

export type Message =
  | { readonly kind: 'say' | 'answer' | 'ask'; readonly id: number; readonly payload: Payload }
  | { readonly kind: 'subscribe'; readonly id: number };

export type Say = (message: Message) => void;

const NOTHING: Payload = { n: 0, text: '' };

export const saying = (payload: Payload): Message => ({ kind: 'say', id: 0, payload });

/** A server's part in one connection: what it does with what comes. */
export function answering(
  say: Say,
  hear: (payload: Payload, from: End) => void,
  subscribe: () => void,
): (message: Message) => void {
  const end: End = { send: (payload) => say(saying(payload)) };
  return (message) => {
    if (message.kind === 'subscribe') {
      subscribe();
      say({ kind: 'answer', id: message.id, payload: NOTHING });
    } else if (message.kind === 'ask') say({ ...message, kind: 'answer' });
    else hear(message.payload, end);
  };
}

/** A client's part. */
export interface Asking extends ClientEnd {
  take(message: Message): void;
  subscribe(): Promise<unknown>;
}

export function asking(say: Say, hear: (payload: Payload) => void): Asking {
  const asked = new Map<number, (payload: Payload) => void>();
  let ids = 0;
  const ask = (message: (id: number) => Message): Promise<unknown> =>
    new Promise((resolve) => {
      const id = ++ids;
      asked.set(id, resolve);
      say(message(id));
    });
  const request = (payload: Payload): Promise<unknown> => ask((id) => ({ kind: 'ask', id, payload }));
  return {
    take(message) {
      if (message.kind === 'say') hear(message.payload);
      else if (message.kind === 'answer') {
        asked.get(message.id)?.(message.payload);
        asked.delete(message.id);
      }
    },
    send: (payload) => say(saying(payload)),
    request,
    acknowledged: request,
    subscribe: () => ask((id) => ({ kind: 'subscribe', id })),
  };
}
