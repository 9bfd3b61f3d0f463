import type { UndeliveredMessage } from '@holdfast/client';

/** What has become of a message of one's own. */
export type Fate =
  | { readonly status: 'waiting' | 'on-the-wire' | 'acknowledged' }
  | { readonly status: 'unknown'; readonly message: UndeliveredMessage }
  | { readonly status: 'unsent' | 'rejected'; readonly reason: string; readonly message: UndeliveredMessage };

export interface MessageEntry {
  readonly kind: 'message';
  readonly key: string;
  readonly id: string;
  readonly from: string;
  readonly text: string;
  readonly at: number;
  /** Only of one's own. */
  readonly fate?: Fate;
}

export interface NoticeEntry {
  readonly kind: 'notice';
  readonly key: string;
  readonly tone: 'plain' | 'warning';
  readonly text: string;
  readonly at: number;
}

export type Entry = MessageEntry | NoticeEntry;
export type LogChange =
  | { readonly type: 'added' | 'changed'; readonly entry: Entry }
  | { readonly type: 'removed'; readonly key: string };

const MAX_ENTRIES = 500;

/** What was said in one room, in the order in which this page came to know it. */
export class ChatLog {
  readonly #entries = new Map<string, Entry>();
  readonly #listener: (change: LogChange) => void;
  #notices = 0;

  constructor(listener: (change: LogChange) => void) {
    this.#listener = listener;
  }

  get entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  addOwn(id: string, from: string, text: string): void {
    const at = Date.now();
    this.#add({ kind: 'message', key: ownKey(id), id, from, text, at, fate: { status: 'waiting' } });
  }

  /** An id heard before is a message that was sent again: it is shown once. False if so. */
  addHeard(message: { id: string; from: string; text: string; at: number }, own: boolean): boolean {
    if (own && this.#entries.has(ownKey(message.id))) {
      this.setFate(message.id, { status: 'acknowledged' });
      return false;
    }
    const key = `heard ${message.from} ${message.id}`;
    if (this.#entries.has(key)) return false;
    this.#add({ kind: 'message', key, ...message });
    return true;
  }

  addNotice(text: string, tone: NoticeEntry['tone']): void {
    this.#notices += 1;
    this.#add({ kind: 'notice', key: `notice ${this.#notices}`, tone, text, at: Date.now() });
  }

  /** What is known to have arrived stays so, whatever a late answer says. */
  setFate(id: string, fate: Fate): void {
    const entry = this.#entries.get(ownKey(id));
    if (entry?.kind !== 'message' || entry.fate?.status === 'acknowledged') return;
    if (entry.fate?.status === fate.status && !('message' in fate)) return;
    this.#put({ ...entry, fate }, 'changed');
  }

  fateOf(id: string): Fate | undefined {
    const entry = this.#entries.get(ownKey(id));
    return entry?.kind === 'message' ? entry.fate : undefined;
  }

  #add(entry: Entry): void {
    this.#put(entry, 'added');
    for (const [key, oldest] of this.#entries) {
      if (this.#entries.size <= MAX_ENTRIES) break;
      // What is not settled stays visible, however old.
      if (oldest.kind === 'message' && oldest.fate && oldest.fate.status !== 'acknowledged') continue;
      this.#entries.delete(key);
      this.#listener({ type: 'removed', key });
    }
  }

  #put(entry: Entry, type: 'added' | 'changed'): void {
    this.#entries.set(entry.key, entry);
    this.#listener({ type, entry });
  }
}

const ownKey = (id: string): string => `own ${id}`;
