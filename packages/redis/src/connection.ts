import { setImmediate } from 'node:timers/promises';
import { Alarm, type Clock } from '@holdfast/protocol';
import { type Address, type Dialled, dial } from './dial.js';
import type { Reply } from './replies.js';
import type { Script } from './script.js';

export interface ConnectionOptions {
  /** Of one Redis, or of some nodes of a cluster. */
  readonly at: Address;
  /** After so long without an answer a command has failed; ms. */
  readonly commandTimeoutMs: number;
  readonly clock: Clock;
}

export interface ChannelListener {
  heard(message: Buffer): void;
  /** It could not be heard for a while. */
  missed(): void;
}

/** So many commands wait for an answer at most: whoever comes then is refused at once, and comes again. */
const MAX_WAITING = 10_000;
/**
 * Nodes that come and go within that time are one reason to look; ms. One that is dead is found a hundred times a second:
 * the others go on naming it until its replica has taken over.
 */
const LOOK_MS = 1_000;

/**
 * Connections to one Redis or one cluster: one for commands, one on which notes come. Nothing waits for a connection but what is asked
 * before the first one stands: a command that cannot be written, or is not answered in time, rejects, and who asked
 * asks again if that is safe.
 */
export class Connection {
  readonly #dialled: Dialled;
  readonly #commands: Dialled['commands'];
  readonly #notes: Dialled['notes'];
  readonly #listeners = new Map<string, ChannelListener>();
  readonly #looking: Alarm;
  #waiting = 0;
  /** Nobody waits any more. */
  #answered = (): void => undefined;
  #phase: 'open' | 'closed' = 'open';
  #closing: Promise<void> | undefined;

  constructor({ at, commandTimeoutMs, clock }: ConnectionOptions) {
    this.#dialled = dial(at, commandTimeoutMs);
    this.#commands = this.#dialled.commands;
    this.#notes = this.#dialled.notes;
    this.#looking = new Alarm(clock, () => this.#missed());
    this.#dialled.watch(() => this.#looking.set(clock.now() + LOOK_MS));
    this.#notes.on('messageBuffer', (channel: Buffer, message: Buffer) =>
      this.#listeners.get(channel.toString())?.heard(message),
    );
    this.#notes.once('ready', () => this.#notes.on('ready', () => void this.#subscribeAgain()));
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
  nodeOf(key: string): string {
    return this.#dialled.nodeOf(key);
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
      this.#missed();
    } catch {
      // It was cut again, and will be ready again.
    }
  }

  #missed(): void {
    for (const listener of this.#listeners.values()) listener.missed();
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
    // What has come by now is still passed on by the library.
    this.#listeners.clear();
    this.#looking.set(Infinity);
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
      await this.#dialled.tried;
      return (await this.#commands.callBuffer(command, [first, ...rest])) as Reply;
    } finally {
      this.#waiting--;
      if (this.#waiting === 0) this.#answered();
    }
  }

  #wordsFor(message: string): string {
    if (!NOT_CONNECTED.test(message)) return message;
    const reason = this.#dialled.reason();
    return reason ? `not connected: ${reason}` : 'not connected';
  }

  #explained(cause: unknown): Error {
    const message = messageOf(cause);
    const mistake = /^HOLDFAST (.*)/.exec(message)?.[1];
    // Without its cause, which holds the command with all that was to be written.
    return new Error(mistake ?? `${this.#dialled.name}: ${this.#wordsFor(message)}`);
  }
}

/** In the library's words, of an option that nobody has set. */
const NOT_CONNECTED = /enableOfflineQueue/;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
