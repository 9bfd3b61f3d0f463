import type { BusConnection, BusListener, BusPort } from '@holdfast/server/ports';
import type { Dialled } from './dial.js';

/** So much may be on its way to NATS: of what it does not take in time nothing is kept. */
const MAX_UNHEARD_BYTES = 8 * 1_048_576;
/** Between attempts to connect; ms. */
const LONGEST_PAUSE_MS = 1_000;
const PAUSE_STEP_MS = 50;
/** What was published last has so long to reach NATS when this server goes; ms. */
const FAREWELL_MS = 1_000;

export interface NatsConnectionSurroundings {
  dial(heard: (message: Uint8Array) => void): Promise<Dialled>;
  readonly listener: BusListener;
  readonly clock: Parameters<BusPort['join']>[2]['clock'];
  /** For errors: without a password. */
  readonly name: string;
}

type State =
  | { readonly name: 'dialing' }
  | { readonly name: 'up'; readonly dialled: Dialled }
  | { readonly name: 'closed' };

/** Keeps a connection to NATS as long as its server lives. */
export class NatsConnection implements BusConnection {
  readonly #around: NatsConnectionSurroundings;
  #state: State = { name: 'dialing' };
  /** Bytes that NATS has not said to have. */
  #unheard = 0;
  #cutShort = (): void => undefined;

  constructor(around: NatsConnectionSurroundings) {
    this.#around = around;
    void this.#keep();
  }

  publish(message: Uint8Array): void {
    if (this.#state.name !== 'up' || this.#unheard + message.length > MAX_UNHEARD_BYTES) return;
    const { dialled } = this.#state;
    try {
      dialled.publish(message);
    } catch {
      // It has just ended, and says so in a moment.
      return;
    }
    const isAsked = this.#unheard > 0;
    this.#unheard += message.length;
    if (!isAsked) void this.#ask(dialled);
  }

  async close(): Promise<void> {
    const { name } = this.#state;
    const dialled = this.#state.name === 'up' ? this.#state.dialled : undefined;
    if (name === 'closed') return;
    this.#state = { name: 'closed' };
    this.#cutShort();
    if (!dialled) return;
    const { clock } = this.#around;
    await new Promise<void>((resolve) => {
      const cancel = clock.setTimer(resolve, FAREWELL_MS);
      const over = (): void => {
        cancel();
        resolve();
      };
      dialled.flush().then(over, over);
    });
    await dialled.close();
  }

  /** How much of it NATS has: one question at a time. */
  async #ask(dialled: Dialled): Promise<void> {
    while (this.#unheard > 0) {
      const bytes = this.#unheard;
      try {
        await dialled.flush();
      } catch {
        return;
      }
      if (this.#state.name !== 'up' || this.#state.dialled !== dialled) return;
      this.#unheard -= bytes;
    }
  }

  async #keep(): Promise<void> {
    let told: 'nothing' | 'up' | 'down' = 'nothing';
    const { listener, name } = this.#around;
    for (let failures = 0; this.#state.name !== 'closed'; ) {
      let reason: unknown;
      try {
        const dialled = await this.#around.dial((message) => this.#heard(message));
        if (this.#isClosed) return void (await dialled.close());
        failures = 0;
        this.#unheard = 0;
        this.#state = { name: 'up', dialled };
        told = 'up';
        listener.up();
        reason = await dialled.ended;
      } catch (error) {
        reason = error;
      }
      if (this.#isClosed) return;
      this.#state = { name: 'dialing' };
      if (told !== 'down') listener.down(new Error(`${name}: ${messageOf(reason)}`));
      told = 'down';
      await this.#pause(Math.min(LONGEST_PAUSE_MS, PAUSE_STEP_MS * ++failures));
    }
  }

  get #isClosed(): boolean {
    return this.#state.name === 'closed';
  }

  #heard(message: Uint8Array): void {
    if (!this.#isClosed) this.#around.listener.heard(message);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#around.clock.setTimer(resolve, ms);
      this.#cutShort = () => {
        cancel();
        resolve();
      };
    });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
