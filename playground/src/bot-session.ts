import {
  type ClientRoom,
  type ConnectionState,
  createClient,
  type DeliveryError,
  type HoldfastClient,
  type Member,
  type Sending,
  type UndeliveredMessage,
} from '@holdfast/client';
import type { Chat } from './contract.js';
import { MAX_TEXT_CHARS } from './limits.js';
import { printable, type Terminal } from './terminal.js';

const FLUSH_MS = 3000;
const TYPING_SHOWN_MS = 6000;
const REMEMBERED = 1000;

const COMMANDS = `/members  who is here
/resend   sends again what may have been lost
/quit     says goodbye (so does Ctrl-C)
/help     this text
Anything else is said to the room.`;

/** A chat in the terminal: prints what happens, sends what is typed. */
export class ChatSession {
  readonly #options: { readonly room: string; readonly name: string };
  readonly #terminal: Pick<Terminal, 'print' | 'close'>;
  readonly #client: HoldfastClient<Chat>;
  readonly #room: ClientRoom<Chat>;
  /** Messages whose fate nobody knows, until they are sent again. */
  readonly #unknown = new Map<string, UndeliveredMessage>();
  readonly #typedAt = new Map<string, number>();
  /** Ids of what has been printed: what is sent again may come again. */
  readonly #seen = new Set<string>();
  /** Who was there last. */
  #names: ReadonlySet<string> | undefined;
  #stage: 'talking' | 'leaving' = 'talking';

  constructor(
    options: { room: string; name: string; url: string },
    terminal: Pick<Terminal, 'print' | 'close'>,
  ) {
    this.#options = options;
    this.#terminal = terminal;
    this.#client = createClient<Chat>({ url: options.url, auth: options.name, reconnect: { capMs: 5000 } });
    this.#room = this.#client.room(options.room);
    this.#listen();
  }

  start(): void {
    const { room, name } = this.#options;
    this.#terminal.print(
      `You are ${printable(name)}, on the way to the room '${printable(room)}'. /help for help.`,
      'soft',
    );
    // How it goes is told by the state.
    this.#client.connect().catch(() => undefined);
    this.#room.join({ timeoutMs: Infinity }).catch(() => undefined);
  }

  line(text: string): void {
    const trimmed = text.trim();
    if (trimmed === '' || this.#stage === 'leaving') return;
    if (trimmed.startsWith('/')) {
      this.#obey(trimmed);
    } else if (trimmed.length > MAX_TEXT_CHARS) {
      this.#warn(`! not sent: ${trimmed.length} characters, at most ${MAX_TEXT_CHARS} are allowed`);
    } else {
      this.#follow(this.#room.send('message', { text: trimmed }), trimmed);
    }
  }

  /** What has been typed gets a moment to arrive. */
  async end(exitCode = 0): Promise<void> {
    if (this.#stage === 'leaving') return;
    this.#stage = 'leaving';
    process.exitCode = exitCode;
    await this.#client.close({ flushMs: this.#client.getState().status === 'needs-auth' ? 0 : FLUSH_MS });
    this.#terminal.close();
    // Standard input may still be open, and would keep us.
    process.stdin.destroy();
  }

  #note(text: string): void {
    this.#terminal.print(text, 'soft');
  }

  #warn(text: string): void {
    this.#terminal.print(text, 'warning');
  }

  #listen(): void {
    this.#client.onState((state, previous) => this.#told(state, previous));
    this.#client.on('served-by', ({ node }) => this.#note(`~ served by ${printable(node)}`));
    this.#client.onGap(({ messages }) => {
      this.#warn(`! what was said meanwhile is not known${messages > 0 ? `: ${messages} messages` : ''}`);
    });
    this.#client.onUndelivered((message, error) => {
      if (message.event === 'message') this.#lost(message, error);
    });
    this.#room.onState((state) => {
      if (state.status === 'joined') this.#note(`* in the room '${printable(this.#options.room)}'`);
      if (state.status !== 'refused') return;
      this.#warn(`* not let into the room: ${printable(state.error.message)}`);
      void this.end(1);
    });
    this.#room.onMembers((members) => this.#compare(members));
    this.#room.on('message', ({ text }, { from = 'server', id }) => {
      this.#typedAt.delete(from);
      const key = `${from} ${id}`;
      if (this.#seen.has(key)) return;
      this.#remember(key);
      this.#terminal.print(`${printable(from)}: ${printable(text)}`);
    });
    this.#room.on('typing', ({ isTyping }, { from = 'server' }) => {
      const isNews = Date.now() - (this.#typedAt.get(from) ?? 0) > TYPING_SHOWN_MS;
      if (isTyping && isNews) this.#note(`  ${printable(from)} is typing…`);
      if (isTyping) this.#typedAt.set(from, Date.now());
      else this.#typedAt.delete(from);
    });
  }

  #lost(message: UndeliveredMessage, error: DeliveryError): void {
    const text = printable(textOf(message));
    if (error.delivery === 'rejected') {
      this.#warn(`✗ ${text} (rejected: ${printable(error.message)})`);
    } else {
      this.#unknown.set(message.id, message);
      const what = error.delivery === 'unknown' ? 'unknown whether it arrived' : 'not sent';
      this.#warn(`? ${text} (${what}${this.#stage === 'talking' ? '; /resend sends it again' : ''})`);
    }
  }

  #remember(key: string): void {
    this.#seen.add(key);
    const [oldest] = this.#seen;
    if (this.#seen.size > REMEMBERED && oldest !== undefined) this.#seen.delete(oldest);
  }

  #obey(command: string): void {
    switch (command) {
      case '/members':
        this.#note(`* here: ${this.#room.members.map(nameAndSessions).join(', ') || 'nobody known'}`);
        break;
      case '/resend':
        this.#resend();
        break;
      case '/quit':
        void this.end();
        break;
      case '/help':
        this.#note(COMMANDS);
        break;
      default:
        this.#warn(`! no such command: ${printable(command)}; /help shows what there is`);
    }
  }

  #resend(): void {
    if (this.#unknown.size === 0) this.#note('* nothing to send again');
    const messages = [...this.#unknown.values()];
    this.#unknown.clear();
    for (const message of messages) this.#follow(this.#client.resend(message), textOf(message));
  }

  /** How it ends badly is told by onUndelivered. */
  #follow(sending: Sending, text: string): void {
    sending.then(
      () => this.#note(`✓ ${printable(text)}`),
      () => undefined,
    );
  }

  #compare(members: readonly Member[]): void {
    // Known only on a connection; who came and went meanwhile is told when it is back.
    if (this.#stage === 'leaving') return;
    if (this.#client.getState().status !== 'connected') return;
    const [before, now] = [this.#names, new Set(members.map(({ userId }) => userId))];
    this.#names = now;
    if (before === undefined) {
      this.#note(`* here: ${members.map(nameAndSessions).join(', ')}`);
      return;
    }
    for (const name of now) if (!before.has(name)) this.#note(`* ${printable(name)} joined`);
    for (const name of before) if (!now.has(name)) this.#note(`* ${printable(name)} left`);
  }

  #told(state: ConnectionState, previous: ConnectionState): void {
    if (state.status === 'connected' && previous.status !== 'connected') {
      this.#note('~ connected');
    } else if (state.status === 'reconnecting' && state.waitingFor === 'timer') {
      const seconds = Math.max(0, (state.retryAt ?? 0) - Date.now()) / 1000;
      const wait = `next attempt in ${seconds.toFixed(1)} s; what you write waits`;
      this.#warn(`~ no connection: ${printable(state.lastError.message)}; ${wait}`);
    } else if (state.status === 'needs-auth' || state.status === 'failed') {
      this.#warn(`~ ${printable(state.error.message)}`);
      void this.end(1);
    }
  }
}

const textOf = ({ payload }: UndeliveredMessage): string => (payload as { text: string }).text;

const nameAndSessions = ({ userId, sessions }: Member): string =>
  sessions === 1 ? printable(userId) : `${printable(userId)} (${sessions} sessions)`;
