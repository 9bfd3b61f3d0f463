import type { Clock, Random } from '@holdfast/protocol';
import type { Signals } from '../ports/signals.js';
import type { TabChannel, TabPlatform } from '../ports/tabs.js';
import type { Dialer } from '../ports/transport.js';
import { Hub } from './hub.js';
import { Members } from './members.js';
import type { Meeting, Tab } from './tab.js';
import { type HubWord, lockOf, PLACE, type TabWord } from './words.js';

/** Whoever has the socket answers at once, also in the background; one that does not is frozen or has hung. */
const ANSWER_MS = 3_000;
/** Not everybody at the same time. */
const SPREAD_MS = 1_000;
/** Whoever is about to take the socket says so; of two that say it within this, the one with the lower name does. */
const NOTICE_MS = 200;

const LEADER = `${PLACE}:leader`;

/** What is said where all tabs hear it. */
type Call =
  /** I am here: who has the socket? */
  | readonly ['who', member: string]
  /** I have, since now, or: I have heard you (`to`). */
  | readonly ['here', leader: string, to?: string]
  /** I wait in vain, and am about to take it. */
  | readonly ['take', member: string];

export interface MeetingSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** Of sockets. */
  readonly dialer: Dialer;
  readonly signals: Signals;
  readonly platform: TabPlatform;
  /** Tabs cannot meet here: why. */
  failed(error: unknown): void;
}

type Role =
  | { readonly name: 'waiting' }
  | { readonly name: 'following'; readonly leader: string; readonly pair: TabChannel }
  | { readonly name: 'leading'; readonly hub: Hub; readonly members: Members };

/** As long as this tab wants a connection, or has the socket of others. */
interface Stay {
  /** Another one each time: what was said to the one before is not for this one. */
  readonly me: string;
  readonly lobby: TabChannel;
  role: Role;
  /** Gives up the lock, or the wait for it. */
  release: () => void;
  readonly leaveLock: () => void;
  readonly stopSignals: () => void;
  cancelAnswer: (() => void) | undefined;
  /** Whether we have told the others that we are about to take the socket. */
  taking: 'no' | 'announced';
}

/**
 * One tab leads: it holds a lock, which the browser gives to the next one when it ends, however it ends, and has the socket.
 * The others reach it over a channel each. A leader that does not answer loses the lock.
 */
export class LockMeeting implements Meeting {
  readonly #around: MeetingSurroundings;
  readonly #tab: Tab;
  #stay: Stay | undefined;
  #wanted: 'yes' | 'no' = 'no';

  constructor(around: MeetingSurroundings, tab: Tab) {
    this.#around = around;
    this.#tab = tab;
  }

  come(): void {
    this.#wanted = 'yes';
    if (this.#stay) return;
    try {
      this.#enter();
    } catch (error) {
      // Where a page may store nothing, Firefox throws when the channel, which comes first, is made.
      this.#around.failed(error);
    }
  }

  #enter(): void {
    const { random, platform, signals } = this.#around;
    const me = random.id();
    const ignore = (): void => undefined;
    const stay: Stay = {
      me,
      lobby: platform.channel(PLACE, (word) => this.#called(stay, word as Call)),
      role: { name: 'waiting' },
      release: ignore,
      leaveLock: platform.locks.hold(lockOf(me), 'wait', ignore, ignore),
      stopSignals: signals.listen((signal) => {
        if (signal === 'asleep') this.#leave();
      }),
      cancelAnswer: undefined,
      taking: 'no',
    };
    this.#stay = stay;
    this.#queue(stay, 'wait');
    stay.lobby.post(['who', me]);
  }

  go(): void {
    this.#wanted = 'no';
    this.#lookLater();
  }

  asked(): void {
    const stay = this.#stay;
    if (!stay || stay.role.name === 'leading' || stay.cancelAnswer) return;
    const { clock, random } = this.#around;
    const take = (): void => {
      this.#answered(stay);
      if (this.#stay === stay && stay.role.name !== 'leading') this.#queue(stay, 'steal');
    };
    const late = (): void => {
      stay.taking = 'announced';
      stay.cancelAnswer = clock.setTimer(take, NOTICE_MS);
      stay.lobby.post(['take', stay.me]);
    };
    stay.cancelAnswer = clock.setTimer(late, ANSWER_MS + random.fraction() * SPREAD_MS);
  }

  #answered(stay: Stay): void {
    stay.cancelAnswer?.();
    stay.cancelAnswer = undefined;
    stay.taking = 'no';
  }

  /** Somebody else takes it, or has it since now: if we wait, then from here on for that one. */
  #waitAnew(stay: Stay): void {
    if (!stay.cancelAnswer) return;
    this.#answered(stay);
    this.asked();
  }

  #queue(stay: Stay, how: 'wait' | 'steal'): void {
    stay.release();
    const held = (): void => {
      if (this.#stay === stay) this.#lead(stay);
    };
    const lost = (error?: unknown): void => {
      if (this.#stay !== stay) return;
      if (error === undefined) return this.#robbed(stay);
      this.#leave();
      this.#around.failed(error);
    };
    stay.release = this.#around.platform.locks.hold(LEADER, how, held, lost);
  }

  #lead(stay: Stay): void {
    const { clock, dialer, platform } = this.#around;
    this.#answered(stay);
    this.#unfollow(stay);
    const hub = new Hub({ clock, dialer, idle: () => this.#lookLater() });
    const members = new Members({ clock, hub, locks: platform.locks });
    stay.role = { name: 'leading', hub, members };
    const here = hub.join((word) => {
      if (stay.role.name === 'leading' && stay.role.hub === hub) this.#tab.heard(word);
    });
    stay.lobby.post(['here', stay.me]);
    this.#tab.attached((word) => here.hear(word));
  }

  /** Somebody waited in vain for us: while we slept, most likely. */
  #robbed(stay: Stay): void {
    this.#queue(stay, 'wait');
    if (stay.role.name !== 'leading') return;
    this.#abdicate(stay);
    stay.role = { name: 'waiting' };
    stay.lobby.post(['who', stay.me]);
  }

  #called(stay: Stay, call: Call): void {
    if (this.#stay !== stay) return;
    if (call[0] === 'who') return this.#receive(stay, call[1]);
    if (call[0] === 'take') {
      if (stay.taking === 'no' || call[1] < stay.me) this.#waitAnew(stay);
      return;
    }
    const [, leader, to] = call;
    if (stay.role.name === 'leading') return;
    const isKnown = stay.role.name === 'following' && stay.role.leader === leader;
    if (to === stay.me && !isKnown) return this.#follow(stay, leader);
    if (to !== undefined) return;
    // Somebody else has taken over.
    this.#waitAnew(stay);
    this.#unfollow(stay);
    stay.lobby.post(['who', stay.me]);
  }

  /** A leader meets another tab. */
  #receive({ me, lobby, role }: Stay, member: string): void {
    if (role.name !== 'leading' || role.members.has(member)) return;
    let hear: ((word: TabWord) => void) | undefined;
    const pair = this.#around.platform.channel(pairOf(me, member), (word) => hear?.(word as TabWord));
    hear = role.members.add(
      member,
      (word) => pair.post(word),
      () => pair.close(),
    );
    lobby.post(['here', me, member]);
  }

  #follow(stay: Stay, leader: string): void {
    this.#unfollow(stay);
    const pair = this.#around.platform.channel(pairOf(leader, stay.me), (word) => {
      if (stay.role.name !== 'following' || stay.role.pair !== pair) return;
      this.#answered(stay);
      this.#tab.heard(word as HubWord);
    });
    this.#answered(stay);
    stay.role = { name: 'following', leader, pair };
    this.#tab.attached((word) => pair.post(word));
  }

  #unfollow(stay: Stay): void {
    if (stay.role.name !== 'following') return;
    stay.role.pair.close();
    stay.role = { name: 'waiting' };
    this.#tab.detached();
  }

  #abdicate({ role }: Stay): void {
    if (role.name !== 'leading') return;
    role.hub.close();
    role.members.close();
  }

  /** Not in the middle of what is going on, and not if somebody comes again at once. */
  #lookLater(): void {
    this.#around.clock.setTimer(() => this.#leaveIfDone(), 0);
  }

  #leaveIfDone(): void {
    const role = this.#stay?.role;
    if (this.#wanted === 'yes' || (role?.name === 'leading' && !role.hub.isIdle)) return;
    this.#leave();
  }

  #leave(): void {
    const stay = this.#stay;
    if (!stay) return;
    this.#stay = undefined;
    this.#answered(stay);
    this.#abdicate(stay);
    if (stay.role.name === 'following') stay.role.pair.close();
    stay.stopSignals();
    stay.lobby.close();
    stay.release();
    stay.leaveLock();
    this.#tab.detached();
  }
}

const pairOf = (leader: string, member: string): string => `${PLACE}:${leader}:${member}`;
