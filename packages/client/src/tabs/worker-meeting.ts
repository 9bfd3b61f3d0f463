import type { Clock, Random } from '@holdfast/protocol';
import type { Signals } from '../ports/signals.js';
import type { TabChannel, TabLocks } from '../ports/tabs.js';
import type { Dialer } from '../ports/transport.js';
import { Hub } from './hub.js';
import { Members } from './members.js';
import type { Meeting, Tab } from './tab.js';
import { type HubWord, lockOf, type TabWord } from './words.js';

/** A worker that has not said anything by then does not run. */
const ANSWER_MS = 3_000;

/** What a tab says to the worker first. */
type Greeting = readonly ['hello', member: string];

export interface WorkerMeetingSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly signals: Signals;
  readonly locks: TabLocks;
  /** Reaches the worker that all tabs share; `failed`: it cannot be had. */
  worker(heard: (word: unknown) => void, failed: (why: string) => void): TabChannel;
  /** There is no such worker here: tabs have to meet otherwise. */
  failed(why: string): void;
}

/** A worker that all tabs share has the socket: nobody has to hand it over. */
export class WorkerMeeting implements Meeting {
  readonly #around: WorkerMeetingSurroundings;
  readonly #tab: Tab;
  #stay: { readonly port: TabChannel; readonly leave: () => void } | undefined;
  #cancelAnswer: (() => void) | undefined;
  #wanted: 'yes' | 'no' = 'no';

  constructor(around: WorkerMeetingSurroundings, tab: Tab) {
    this.#around = around;
    this.#tab = tab;
  }

  come(): void {
    this.#wanted = 'yes';
    if (this.#stay) return;
    const { random, locks, signals } = this.#around;
    const me = random.id();
    const ignore = (): void => undefined;
    const port = this.#around.worker(
      (word) => this.#heard(port, word as HubWord),
      (why) => this.#fail(port, why),
    );
    const leaveLock = locks.hold(lockOf(me), 'wait', ignore, ignore);
    const stopSignals = signals.listen((signal) => {
      if (signal === 'asleep') this.#leave();
    });
    const leave = (): void => {
      port.close();
      leaveLock();
      stopSignals();
    };
    this.#stay = { port, leave };
    port.post(['hello', me] satisfies Greeting);
    this.#tab.attached((word) => port.post(word));
  }

  go(): void {
    this.#wanted = 'no';
    this.#around.clock.setTimer(() => {
      if (this.#wanted === 'no') this.#leave();
    }, 0);
  }

  asked(): void {
    const port = this.#stay?.port;
    if (!port || this.#cancelAnswer) return;
    this.#cancelAnswer = this.#around.clock.setTimer(() => this.#fail(port, 'it does not answer'), ANSWER_MS);
  }

  #heard(port: TabChannel, word: HubWord): void {
    if (this.#stay?.port !== port) return;
    this.#answered();
    this.#tab.heard(word);
  }

  #fail(port: TabChannel, why: string): void {
    if (this.#stay?.port !== port) return;
    this.#leave();
    this.#around.failed(why);
  }

  #answered(): void {
    this.#cancelAnswer?.();
    this.#cancelAnswer = undefined;
  }

  #leave(): void {
    this.#answered();
    this.#stay?.leave();
    this.#stay = undefined;
    this.#tab.detached();
  }
}

export interface WorkerSurroundings {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly locks: Pick<TabLocks, 'held'>;
}

/** What runs in that worker: given a tab's port, returns what is told each word of it. */
export function tabWorker({
  clock,
  dialer,
  locks,
}: WorkerSurroundings): (port: TabChannel) => (word: unknown) => void {
  const hub = new Hub({ clock, dialer, idle: () => undefined });
  const members = new Members({ clock, hub, locks });
  return (port) => {
    let hear: ((word: TabWord) => void) | undefined;
    return (word) => {
      const [kind, name] = word as Greeting | TabWord;
      if (kind !== 'hello') return hear?.(word as TabWord);
      hear = members.add(
        name,
        (said) => port.post(said),
        () => port.close(),
      );
    };
  };
}
