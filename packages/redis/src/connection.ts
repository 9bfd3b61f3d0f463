import { setImmediate } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import type { Reply } from './replies.js';
import type { Script } from './script.js';

export interface ConnectionOptions {
  readonly url: string;
  /** After so long without an answer a command has failed; ms. */
  readonly commandTimeoutMs: number;
}

export interface ChannelListener {
  heard(message: Buffer): void;
  /** It could not be heard for a while. */
  missed(): void;
}

/** So many commands wait for an answer at most: whoever comes then is refused at once, and comes again. */
const MAX_WAITING = 10_000;
/** Between attempts to connect; ms. */
const LONGEST_PAUSE_MS = 1_000;

/**
 * Connections to one Redis: one for commands, one on which notes come. Nothing waits for a connection but what is asked
 * before the first one stands: a command that cannot be written, or is not answered in time, rejects, and who asked
 * asks again if that is safe.
 */
export class Connection {
  readonly #commands: Redis;
  readonly #notes: Redis;
  readonly #url: string;
  /** The first attempt to connect is over. */
  readonly #tried: Promise<void>;
  readonly #listeners = new Map<string, ChannelListener>();
  #waiting = 0;
  /** Nobody waits any more. */
  #answered = (): void => undefined;
  #phase: 'open' | 'closed' = 'open';
  #closing: Promise<void> | undefined;

  constructor({ url, commandTimeoutMs }: ConnectionOptions) {
    const options: RedisOptions = {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: commandTimeoutMs,
      commandTimeout: commandTimeoutMs,
      // What is not answered would stay in the connection's own row until that ends.
      socketTimeout: 2 * commandTimeoutMs,
      retryStrategy: (times) => Math.min(LONGEST_PAUSE_MS, 50 * times),
    };
    this.#url = withoutPassword(url);
    this.#commands = new Redis(url, options);
    this.#notes = new Redis(url, {
      ...options,
      enableOfflineQueue: true,
      maxRetriesPerRequest: null,
      commandTimeout: undefined,
      autoResubscribe: false,
    });
    this.#notes.on('messageBuffer', (channel: Buffer, message: Buffer) =>
      this.#listeners.get(channel.toString())?.heard(message),
    );
    this.#notes.once('ready', () => this.#notes.on('ready', () => void this.#subscribeAgain()));
    this.#tried = new Promise((resolve) => {
      for (const event of ['ready', 'close']) this.#commands.once(event, () => resolve());
    });
    // Whoever asks meanwhile is told; without a listener the library would write to the console.
    for (const connection of [this.#commands, this.#notes]) connection.on('error', () => undefined);
  }

  /** Makes a step. Rejects when Redis cannot be reached, does not answer in time or refuses it. */
  async run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<Reply> {
    const rest = [keys.length, ...keys, ...args];
    try {
      return await this.#ask('EVALSHA', script.sha, rest);
    } catch (error) {
      if (!/^NOSCRIPT/.test(messageOf(error))) throw this.#explained(error);
    }
    try {
      return await this.#ask('EVAL', script.source, rest);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Names the node that has this key, for who remembers something of it. */
  nodeOf(_key: string): string {
    return '';
  }

  async publish(channel: string, message: Buffer): Promise<void> {
    try {
      await this.#ask('PUBLISH', channel, [message]);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Resolves when what is told from now on is heard. */
  async subscribe(channel: string, listener: ChannelListener): Promise<void> {
    this.#listeners.set(channel, listener);
    await this.#notes.subscribe(channel);
  }

  async #subscribeAgain(): Promise<void> {
    const all = [...this.#listeners];
    try {
      await this.#notes.subscribe(...all.map(([channel]) => channel));
      for (const [, listener] of all) listener.missed();
    } catch {
      // It was cut again, and will be ready again.
    }
  }

  /** Nothing comes on a connection that is dead without having said so: asked, it has to say something, or it is given up. */
  checkNotes(): void {
    if (this.#notes.status === 'ready') void this.#notes.ping().catch(() => undefined);
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#listeners.delete(channel);
    await this.#notes.unsubscribe(channel);
  }

  /** What was asked is still answered, and what has to be asked for its sake. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#notes.disconnect();
    while (this.#waiting > 0) {
      await new Promise<void>((resolve) => {
        this.#answered = resolve;
      });
      // Whoever has the answer may have to ask more.
      await setImmediate();
    }
    this.#phase = 'closed';
    // It cannot be asked to end what does not stand.
    await this.#commands.quit().catch(() => this.#commands.disconnect());
  }

  async #ask(command: string, first: string, rest: readonly (string | number | Buffer)[]): Promise<Reply> {
    if (this.#phase === 'closed') throw new Error('its connection is closed');
    if (this.#waiting >= MAX_WAITING) throw new Error(`${MAX_WAITING} commands wait for an answer already`);
    this.#waiting++;
    try {
      await this.#tried;
      return (await this.#commands.callBuffer(command, [first, ...rest])) as Reply;
    } finally {
      this.#waiting--;
      if (this.#waiting === 0) this.#answered();
    }
  }

  #explained(cause: unknown): Error {
    const message = messageOf(cause);
    const mistake = /^HOLDFAST (.*)/.exec(message)?.[1];
    // Without its cause, which holds the command with all that was to be written.
    return new Error(mistake ?? `Redis at ${this.#url}: ${message}`);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function withoutPassword(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
