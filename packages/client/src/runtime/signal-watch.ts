import type { ConnectionEvent } from '../core/connection.js';
import type { Signal, Signals } from '../ports/signals.js';

/** Hears what the platform says of itself, while somebody wants to be up. */
export class SignalWatch {
  readonly #signals: Signals;
  readonly #tell: (event: ConnectionEvent) => void;
  #stop: (() => void) | undefined;
  /** What the platform says of the network. */
  network: 'there' | 'gone' = 'there';

  constructor(signals: Signals, tell: (event: ConnectionEvent) => void) {
    this.#signals = signals;
    this.#tell = tell;
  }

  /** Listeners on the page stand only while they are wanted. */
  listen(wanted: boolean): void {
    if (wanted) {
      this.#stop ??= this.#signals.listen((signal) => this.#heard(signal));
      return;
    }
    this.#stop?.();
    this.#stop = undefined;
    this.network = 'there';
  }

  #heard(signal: Signal): void {
    if (signal === 'offline') this.network = 'gone';
    if (signal === 'online') this.network = 'there';
    if (signal === 'asleep' || signal === 'gone') this.#tell({ type: 'sleep', bye: signal === 'gone' });
    else this.#tell({ type: signal === 'offline' ? 'doubt' : 'hurry' });
  }
}
