import {
  CloseCode,
  type Logger,
  type Transport,
  type TransportEvents,
  type WireData,
} from '@holdfast/protocol';
import type { Dialer } from '../ports/transport.js';
import type { HubWord, TabWord } from './words.js';

/** The server is told what was heard when it is so many messages, or so many characters or bytes. */
const TAKEN_MESSAGES = 32;
const TAKEN_SIZE = 16_384;

const NOT_SHARED =
  'this server shares no socket among tabs: each has its own. Behind @holdfast/server of this version they do, unless it takes tokens from a cookie (docs/tabs.md)';

/** How the tabs of a browser come together. */
export interface Meeting {
  /** Somebody here wants a connection: find out who has the socket, and call `attached` of the tab. */
  come(): void;
  /** Nobody here does any more. */
  go(): void;
  /** Something was asked of whoever has the socket: an answer is due. */
  asked(): void;
}

type Stage =
  /** Nobody who has the socket is known yet, or it has not opened. */
  | { readonly name: 'dialing' }
  | { readonly name: 'open' }
  | { readonly name: 'own'; readonly transport: Transport }
  | { readonly name: 'over' };

interface Line {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly events: TransportEvents;
  stage: Stage;
  /** Handed over, and not known to be on its way. */
  buffered: number;
  heardMessages: number;
  heardSize: number;
}

/** A tab's dialer: its connections are on the socket that the tabs share, or on their own where the server has it so. */
export class Tab implements Dialer {
  readonly #own: Dialer;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #lines = new Map<number, Line>();
  /** Addresses of servers that share no sockets. */
  readonly #alone = new Set<string>();
  #last = 0;
  #post: ((word: TabWord) => void) | undefined;
  #meeting: Meeting | undefined;

  /** `own`: for sockets of this tab alone. */
  constructor(own: Dialer, logger: Pick<Logger, 'warn'>) {
    this.#own = own;
    this.#logger = logger;
  }

  /** Where it meets the others; undefined: nowhere, each has a socket of its own. */
  set meeting(meeting: Meeting | undefined) {
    this.#meeting = meeting;
    if (meeting && this.#lines.size > 0) meeting.come();
    for (const [id, line] of [...this.#lines]) {
      if (!meeting) this.#dialAlone(id, line);
      else if (line.stage.name === 'dialing') meeting.asked();
    }
  }

  dial(url: string, protocols: readonly string[], events: TransportEvents): Transport {
    const isAlone = this.#alone.has(url);
    // Before there is anything to ask for: who is found at once would be asked twice, and one of the answers be nobody's.
    if (!isAlone) this.#meeting?.come();
    if (!this.#meeting || isAlone) return this.#own.dial(url, protocols, events);
    const id = ++this.#last;
    const stage: Stage = { name: 'dialing' };
    const line: Line = { url, protocols, events, stage, buffered: 0, heardMessages: 0, heardSize: 0 };
    this.#lines.set(id, line);
    this.#ask(id, line);
    const tab = this;
    return {
      send: (data) => this.#send(id, line, data),
      close: (code, reason) => this.#close(id, line, code, reason),
      get bufferedBytes() {
        return tab.#bufferedOf(line);
      },
    };
  }

  /** Whoever has the socket is found; connections by way of somebody else are over. */
  attached(post: (word: TabWord) => void): void {
    this.detached();
    this.#post = post;
    for (const [id, line] of [...this.#lines]) this.#ask(id, line);
  }

  /** Whoever had it is gone. What was not open yet waits for the next one. */
  detached(): void {
    this.#post = undefined;
    for (const [id, line] of [...this.#lines]) {
      if (line.stage.name === 'open')
        this.#ended(id, line, CloseCode.ABNORMAL, 'the tab that had the socket is gone');
    }
  }

  heard(word: HubWord): void {
    if (word[0] === 'here') return;
    const [kind, id] = word;
    const line = this.#lines.get(id);
    if (!line || line.stage.name === 'own') return;
    switch (kind) {
      case 'opened':
        line.stage = { name: 'open' };
        return line.events.open(word[2]);
      case 'told':
        return this.#told(id, line, word[2]);
      case 'passed':
        line.buffered = Math.max(0, line.buffered - word[2]);
        return;
      case 'closed':
        return this.#ended(id, line, word[2], word[3]);
      case 'alone':
        if (!this.#alone.has(line.url)) this.#logger.warn(`Holdfast: ${NOT_SHARED}`);
        this.#alone.add(line.url);
        return this.#dialAlone(id, line);
    }
  }

  #ask(id: number, { url, protocols }: Line): void {
    this.#meeting?.asked();
    this.#post?.(['open', id, url, protocols]);
  }

  #send(id: number, line: Line, data: WireData): void {
    if (line.stage.name === 'own') return line.stage.transport.send(data);
    if (line.stage.name !== 'open') return;
    line.buffered += data.length;
    this.#post?.(['say', id, data]);
  }

  #bufferedOf(line: Line): number {
    return line.stage.name === 'own' ? line.stage.transport.bufferedBytes : line.buffered;
  }

  #told(id: number, line: Line, data: WireData): void {
    // In any case: what is told is acknowledged only when it was heard.
    line.events.message(data);
    line.heardMessages++;
    line.heardSize += data.length;
    if (line.heardMessages < TAKEN_MESSAGES && line.heardSize < TAKEN_SIZE) return;
    if (line.stage.name === 'open') this.#post?.(['taken', id, line.heardMessages]);
    line.heardMessages = 0;
    line.heardSize = 0;
  }

  #close(id: number, line: Line, code: number, reason: string): void {
    const { stage } = line;
    if (stage.name === 'over') return;
    if (stage.name === 'own') stage.transport.close(code, reason);
    else this.#post?.(['close', id, code, reason]);
    this.#forget(id, line);
  }

  #ended(id: number, line: Line, code: number, reason: string): void {
    this.#forget(id, line);
    line.events.close({ code, reason });
  }

  #forget(id: number, line: Line): void {
    line.stage = { name: 'over' };
    this.#lines.delete(id);
    this.#lookAround();
  }

  /** Its own sockets are nobody else's business. */
  #lookAround(): void {
    if ([...this.#lines.values()].every(({ stage }) => stage.name === 'own')) this.#meeting?.go();
  }

  #dialAlone(id: number, line: Line): void {
    if (line.stage.name === 'open') {
      return this.#ended(id, line, CloseCode.ABNORMAL, 'the shared socket is gone');
    }
    if (line.stage.name !== 'dialing') return;
    const { url, protocols, events } = line;
    const over: TransportEvents['close'] = (end) => {
      this.#lines.delete(id);
      events.close(end);
    };
    const heard: TransportEvents = {
      open: (protocol) => events.open(protocol),
      message: (data) => events.message(data),
      close: over,
    };
    line.stage = { name: 'own', transport: this.#own.dial(url, protocols, heard) };
    this.#lookAround();
  }
}
