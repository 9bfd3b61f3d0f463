import { Admission, type Admittance } from '@holdfast/server/ports';
import { seededRandom } from '@holdfast/testing';
import { Bottleneck, type Door } from './bottleneck.js';
import { Calendar } from './calendar.js';
import { Fifo } from './fifo.js';
import type { Strategy } from './strategies.js';

export interface HerdOptions {
  readonly clients: number;
  /** Handshakes a second. */
  readonly rate: number;
  readonly strategy: Strategy;
  /** False: whoever comes waits in one queue without end. */
  readonly hasAdmission: boolean;
  readonly seed: number;
}

export interface Outcome {
  /** `livelock`: the server works, and what it does is hardly of use to anybody. */
  readonly end: 'all back' | 'some gave up' | 'livelock' | 'not over';
  /** When the last one was back, from the cut, s. */
  readonly seconds: number;
  /** Most attempts within any second, divided by the rate; only those that meet a server. */
  readonly peak: number;
  readonly gaveUp: number;
  /** Who had no connection at some time. */
  readonly cut: number;
  /** Who was refused by a server, and who more than once. */
  readonly refused: number;
  readonly refusedAgain: number;
}

const DOWN_MS = 10_000;
const DIAL_DEADLINE_MS = 10_000;
/** One way, ms: from the first, up to the second more. */
const [WAY_MS, WAY_JITTER_MS] = [10, 90];
const WATCH_MS = 120_000;
const PEAK_BIN_MS = 100;
/** After the spread: who has not moved by then is cut. */
const DRAIN_GRACE_MS = 10_000;

const OUT = 0;
const PENDING = 1;
const BACK = 2;
const GONE = 3;

/** What is possible at best, s. */
export function idealSeconds({
  clients,
  rate,
  strategy,
}: Omit<HerdOptions, 'hasAdmission' | 'seed'>): number {
  return clients / rate + (strategy.drainOver === undefined ? DOWN_MS / 1_000 : 0);
}

export function playHerd(options: HerdOptions): Outcome {
  return new Herd(options).play();
}

/** All clients of a server are cut in one moment; it is away for ten seconds, then does so many handshakes a second. */
class Herd implements Door {
  readonly #options: HerdOptions;
  readonly #spreadMs: number;
  readonly #downMs: number;
  readonly #lengthMs: number;
  readonly #calendar: Calendar;
  readonly #bottleneck: Bottleneck;
  /** All deadlines are of one length, so they pass in the order of the attempts. */
  readonly #deadlines = new Fifo();
  readonly #admission: Admission<number> | undefined;
  readonly #fraction: () => number;
  readonly #state: Uint8Array;
  readonly #attempt: Uint16Array;
  readonly #refusals: Uint16Array;
  /** Attempts in each tenth of a second. */
  readonly #bins: Uint32Array;
  #back = 0;
  #gaveUp = 0;
  #cut = 0;
  #lastBackAt = 0;

  constructor(options: HerdOptions) {
    const { clients, rate, strategy, hasAdmission, seed } = options;
    const isDrain = strategy.drainOver !== undefined;
    this.#options = options;
    this.#spreadMs = (clients / rate) * 1_000;
    this.#downMs = isDrain ? 0 : DOWN_MS;
    this.#lengthMs = Math.ceil(3_600_000 + 10 * this.#spreadMs);
    this.#calendar = new Calendar(clients, this.#lengthMs);
    this.#bottleneck = new Bottleneck(rate, this);
    this.#admission = hasAdmission ? new Admission<number>(rate) : undefined;
    this.#fraction = seededRandom(seed).fraction;
    this.#state = new Uint8Array(clients);
    this.#attempt = new Uint16Array(clients);
    this.#refusals = new Uint16Array(clients);
    this.#bins = new Uint32Array(Math.ceil(this.#lengthMs / PEAK_BIN_MS));
    this.#cut = isDrain ? 0 : clients;
  }

  play(): Outcome {
    this.#begin();
    const arrive = (client: number): void => this.#arrive(client);
    let backBefore = 0;
    for (; this.#now < this.#lengthMs && this.#isOn; this.#now++) {
      this.#calendar.take(this.#now, arrive);
      if (this.#now >= this.#downMs) this.#bottleneck.work(this.#now);
      this.#giveUpWaiting();
      if (this.#now % WATCH_MS !== 0 || this.#now === 0) continue;
      const isFutile = this.#back - backBefore < 0.01 * this.#options.rate * (WATCH_MS / 1_000);
      if (isFutile) return this.#outcome('livelock');
      backBefore = this.#back;
    }
    if (this.#isOn) return this.#outcome('not over');
    return this.#outcome(this.#gaveUp > 0 ? 'some gave up' : 'all back');
  }

  #now = 0;

  get #isOn(): boolean {
    return this.#back + this.#gaveUp < this.#options.clients;
  }

  #begin(): void {
    const { clients, strategy } = this.#options;
    for (let client = 0; client < clients; client++) {
      if (strategy.drainOver === undefined) this.#dial(client, this.#way(), undefined);
      else {
        this.#attempt[client] = 1;
        this.#send(client, this.#way() + this.#fraction() * strategy.drainOver * this.#spreadMs);
      }
    }
  }

  #way(): number {
    return WAY_MS + this.#fraction() * WAY_JITTER_MS;
  }

  #send(client: number, at: number): void {
    this.#state[client] = OUT;
    this.#calendar.add(client, Math.max(this.#now + 1, Math.round(at + this.#way())));
  }

  /** It knows at `at` that it has no connection, and dials when its strategy says so. */
  #dial(client: number, at: number, retryAfterMs: number | undefined): void {
    const attempt = (this.#attempt[client] ?? 0) + 1;
    this.#attempt[client] = attempt;
    const told = { spreadMs: this.#spreadMs, retryAfterMs };
    const delay = this.#options.strategy.delay(attempt, this.#fraction(), told);
    if (delay < Number.POSITIVE_INFINITY) return this.#send(client, at + delay);
    this.#state[client] = GONE;
    this.#gaveUp++;
  }

  #arrive(client: number): void {
    const now = this.#now;
    if (now < this.#downMs) return this.#dial(client, now + this.#way(), undefined);
    const bin = Math.floor(now / PEAK_BIN_MS);
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    const attempt = this.#attempt[client] ?? 0;
    this.#state[client] = PENDING;
    this.#bottleneck.knock(now, client, attempt);
    this.#deadlines.push(client, attempt, now + DIAL_DEADLINE_MS);
  }

  #giveUpWaiting(): void {
    for (; this.#deadlines.at <= this.#now; this.#deadlines.shift()) {
      const { client, attempt } = this.#deadlines;
      if (this.isThere(client, attempt)) this.#dial(client, this.#now, undefined);
    }
  }

  isThere(client: number, attempt: number): boolean {
    return this.#state[client] === PENDING && this.#attempt[client] === attempt;
  }

  ask(now: number, client: number): Admittance {
    if (!this.#admission) return { admit: 'now' };
    return this.#admission.ask(now, this.#options.strategy.isKnown ? client : undefined);
  }

  refuse(client: number, retryAfterMs: number): void {
    this.#refusals[client] = (this.#refusals[client] ?? 0) + 1;
    this.#dial(client, this.#now + this.#way(), retryAfterMs);
  }

  welcome(client: number): void {
    this.#state[client] = BACK;
    this.#back++;
    this.#lastBackAt = this.#now + this.#way();
    const { drainOver } = this.#options.strategy;
    if (drainOver !== undefined && this.#now > drainOver * this.#spreadMs + DRAIN_GRACE_MS) this.#cut++;
  }

  #outcome(end: Outcome['end']): Outcome {
    const { clients, rate } = this.#options;
    return {
      end,
      seconds: this.#lastBackAt / 1_000,
      peak: mostInASecond(this.#bins) / rate,
      gaveUp: this.#gaveUp / clients,
      cut: this.#cut,
      refused: this.#refusals.reduce((sum, times) => sum + (times > 0 ? 1 : 0), 0),
      refusedAgain: this.#refusals.reduce((sum, times) => sum + (times > 1 ? 1 : 0), 0),
    };
  }
}

function mostInASecond(bins: Uint32Array): number {
  const width = 1_000 / PEAK_BIN_MS;
  let [sum, most] = [0, 0];
  for (let bin = 0; bin < bins.length; bin++) {
    sum += (bins[bin] ?? 0) - (bins[bin - width] ?? 0);
    most = Math.max(most, sum);
  }
  return most;
}
