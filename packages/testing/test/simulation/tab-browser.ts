import type { HoldfastClient } from '@holdfast/client';
import type { Clock, Dialer, Signal, Signals } from '@holdfast/client/ports';
import { createClientOnTabs, type TabChannel, type TabLocks, type TabPlatform } from '@holdfast/client/tabs';
import { type MemoryLink, type MemoryNetwork, seededRandom, type VirtualClock } from '@holdfast/testing';
import { silent } from './people.js';

interface TabOptions {
  readonly auth?: string;
  /** Whether a channel can be made: where a page may store nothing, Firefox throws. */
  readonly channels?: 'there' | 'barred';
}

interface Request {
  readonly tab: BrowserTab;
  held(): void;
  lost(): void;
}

/** What the tabs of one browser have in common: locks and channels. Every word takes a moment. */
export class TabBrowser {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly tabs: BrowserTab[] = [];
  readonly holders = new Map<string, Request>();
  readonly queues = new Map<string, Request[]>();
  readonly channels = new Map<string, Set<{ readonly tab: BrowserTab; heard(word: unknown): void }>>();
  /** How long a word takes. */
  latencyMs = 1;
  /** What the dice of a tab show, where a test decides that. */
  fraction: ((tab: string) => number) | undefined;

  constructor(clock: VirtualClock, network: MemoryNetwork) {
    this.clock = clock;
    this.network = network;
  }

  open(options: TabOptions = {}): BrowserTab {
    const tab = new BrowserTab(this, `tab-${this.tabs.length + 1}`, options);
    this.tabs.push(tab);
    return tab;
  }

  /** Who has the socket, as the browser knows it. */
  get leader(): BrowserTab | undefined {
    return this.holders.get('holdfast-tabs:1:leader')?.tab;
  }

  /** Sockets that at least one end believes in, of tabs that live. */
  get sockets(): number {
    const living = this.tabs.filter(({ state }) => state !== 'dead');
    return living.reduce((sum, { link }) => sum + link.connections, 0);
  }

  grant(name: string): void {
    if (this.holders.has(name)) return;
    const next = this.queues.get(name)?.shift();
    if (!next) return;
    this.holders.set(name, next);
    this.clock.setTimer(() => next.tab.gate(() => this.holders.get(name) === next && next.held()), 1);
  }

  drop(gone: (request: Request) => boolean): void {
    for (const [name, queue] of this.queues)
      this.queues.set(
        name,
        queue.filter((one) => !gone(one)),
      );
    for (const [name, holder] of [...this.holders]) {
      if (!gone(holder)) continue;
      this.holders.delete(name);
      this.grant(name);
    }
  }
}

/** A page with a client. It may be frozen, may die, and its platform may say something. */
export class BrowserTab {
  readonly name: string;
  readonly link: MemoryLink;
  readonly client: HoldfastClient;
  readonly warnings: string[] = [];
  readonly #browser: TabBrowser;
  readonly #listeners = new Set<(signal: Signal) => void>();
  readonly #channels: 'there' | 'barred';
  #held: (() => void)[] = [];
  state: 'alive' | 'frozen' | 'dead' = 'alive';

  constructor(browser: TabBrowser, name: string, { auth = name, channels = 'there' }: TabOptions) {
    this.#browser = browser;
    this.#channels = channels;
    this.name = name;
    this.link = browser.network.link(name);
    const signals: Signals = {
      listen: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
    const dice = seededRandom(browser.tabs.length + 1);
    const random = { ...dice, fraction: () => browser.fraction?.(name) ?? dice.fraction() };
    const logger = { ...silent, warn: (text: unknown) => void this.warnings.push(String(text)) };
    const ports = { clock: this.#clock(), random, dialer: this.#dialer(), signals, logger };
    this.client = createClientOnTabs(ports, this.#platform(), { url: 'ws://testbed/realtime', auth, logger });
  }

  /** How much waits for it. */
  get waiting(): number {
    return this.#held.length;
  }

  /** Nothing of it runs, and what comes for it waits. */
  freeze(): void {
    if (this.state === 'alive') this.state = 'frozen';
  }

  thaw(): void {
    if (this.state !== 'frozen') return;
    this.state = 'alive';
    for (const run of this.#held.splice(0)) this.gate(run);
  }

  /** A crash: nothing is said. */
  die(): void {
    this.state = 'dead';
    this.#held = [];
    this.link.cut('server');
    this.#browser.drop(({ tab }) => tab === this);
  }

  signal(signal: Signal): void {
    for (const listener of [...this.#listeners]) listener(signal);
  }

  gate(run: () => unknown): void {
    if (this.state === 'alive') run();
    else if (this.state === 'frozen') this.#held.push(() => run());
  }

  #clock(): Clock {
    const { clock } = this.#browser;
    return {
      now: () => clock.now(),
      defer: (run) => clock.defer(() => this.gate(run)),
      setTimer: (run, delayMs) => {
        let isOver = false;
        const cancel = clock.setTimer(() => this.gate(() => !isOver && run()), delayMs);
        return () => {
          isOver = true;
          cancel();
        };
      },
    };
  }

  #dialer(): Dialer {
    return {
      dial: (url, protocols, events) =>
        this.link.dial(url, protocols, {
          open: (protocol) => this.gate(() => events.open(protocol)),
          message: (data) => this.gate(() => events.message(data)),
          close: (end) => this.gate(() => events.close(end)),
        }),
    };
  }

  #platform(): TabPlatform {
    return { locks: this.#locks(), channel: (name, heard) => this.#channel(name, heard) };
  }

  #locks(): TabLocks {
    const browser = this.#browser;
    return {
      hold: (name, how, held, lost) => {
        const request: Request = { tab: this, held, lost: () => this.gate(() => lost()) };
        const robbed = browser.holders.get(name);
        const queue = browser.queues.get(name) ?? [];
        browser.queues.set(name, how === 'steal' ? [request, ...queue] : [...queue, request]);
        if (how === 'steal' && robbed) {
          browser.holders.delete(name);
          robbed.lost();
        }
        browser.grant(name);
        return () => browser.drop((one) => one === request);
      },
      held: async () => new Set(browser.holders.keys()),
    };
  }

  #channel(name: string, heard: (word: unknown) => void): TabChannel {
    if (this.#channels === 'barred') throw new DOMException('The operation is insecure.', 'SecurityError');
    const browser = this.#browser;
    const { channels, clock } = browser;
    const all = channels.get(name) ?? new Set();
    channels.set(name, all);
    let isClosed = false;
    const own = { tab: this, heard: (word: unknown) => this.gate(() => !isClosed && heard(word)) };
    all.add(own);
    return {
      post: (word) => {
        if (isClosed) throw new Error('posted on a channel that is closed');
        const copy = structuredClone(word);
        for (const one of all) if (one !== own) clock.setTimer(() => one.heard(copy), browser.latencyMs);
      },
      close: () => {
        isClosed = true;
        all.delete(own);
      },
    };
  }
}
