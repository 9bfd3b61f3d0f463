import type { UndeliveredMessage } from '@holdfast/client';
import type { Entry, Fate, MessageEntry, NoticeEntry } from './chat-log.js';
import { el, shell, svg, time } from './dom.js';

const CONTINUED_MS = 120_000;

const FATES: { readonly [status in Fate['status']]: { readonly mark: string; readonly words: string } } = {
  waiting: { mark: 'M8 3v5l3 2M8 1.5a6.5 6.5 0 1 0 .01 0Z', words: 'waiting in the outbox' },
  'on-the-wire': { mark: 'M2 8h10M9 4.5 12.5 8 9 11.5', words: 'on the wire' },
  acknowledged: { mark: 'M2.5 8.5 6.2 12 13.5 4', words: 'acknowledged' },
  unknown: {
    mark: 'M5.5 5.5a2.5 2.5 0 1 1 3.6 2.3C8.3 8.3 8 8.8 8 9.8M8 13v.01',
    words: 'unknown: it may have arrived or not',
  },
  rejected: { mark: 'M3.5 3.5l9 9M12.5 3.5l-9 9', words: 'rejected' },
  unsent: { mark: 'M3.5 3.5l9 9M12.5 3.5l-9 9', words: 'not sent' },
};

export type Resend = (message: UndeliveredMessage) => void;

/** One line of the conversation; `before` is the entry above it. */
export function entryView(entry: Entry, before: Entry | undefined, resend: Resend): HTMLLIElement {
  return entry.kind === 'notice' ? noticeView(entry) : messageView(entry, before, resend);
}

function noticeView({ text, tone }: NoticeEntry): HTMLLIElement {
  return el('li', { class: 'notice', 'data-tone': tone }, text);
}

function messageView(entry: MessageEntry, before: Entry | undefined, resend: Resend): HTMLLIElement {
  const { from, text, at, fate, id } = entry;
  const own = fate !== undefined;
  const classes = ['message', own && 'own', continues(entry, before) && 'continued']
    .filter(Boolean)
    .join(' ');
  const item = el('li', { class: classes, 'data-id': id, 'data-fate': fate?.status });
  if (!own) item.append(shell(from));
  const stamp = el('time', { datetime: new Date(at).toISOString() }, time(at));
  item.append(
    el('p', { class: own ? 'visually-hidden' : 'who' }, el('strong', {}, own ? 'You' : from), ' ', stamp),
    el('p', { class: 'text' }, text),
  );
  if (fate) item.append(fateView(fate, text, resend));
  return item;
}

function fateView(fate: Fate, text: string, resend: Resend): HTMLElement {
  const { mark, words } = FATES[fate.status];
  const icon = svg('svg', {
    class: 'fate-mark',
    viewBox: '0 0 16 16',
    'aria-hidden': 'true',
    focusable: 'false',
  });
  icon.append(svg('path', { d: mark }));
  const reason = 'reason' in fate ? `${words}: ${fate.reason}` : words;
  const line = el('p', { class: 'fate', 'data-fate': fate.status }, icon, el('span', {}, reason));
  // What was rejected would be rejected again.
  if (fate.status === 'unknown' || fate.status === 'unsent') {
    const { message } = fate;
    const button = el(
      'button',
      { type: 'button', class: 'button', 'aria-label': `Resend: ${text.slice(0, 60)}` },
      'Resend',
    );
    button.addEventListener('click', () => resend(message));
    line.append(button);
  }
  return line;
}

function continues(entry: MessageEntry, before: Entry | undefined): boolean {
  if (before?.kind !== 'message' || entry.at - before.at > CONTINUED_MS) return false;
  return before.from === entry.from && (before.fate === undefined) === (entry.fate === undefined);
}
