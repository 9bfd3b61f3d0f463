import { type HoldfastServer, RejectError, type ServerNamespace, type ServerSession } from '@holdfast/server';
import type { Coverage } from './coverage.js';
import type { Dice } from './dice.js';
import type { Judge } from './judge.js';
import type { SimProcess } from './sim-process.js';

/** Servers have this one, where the climate has namespaces. */
export const NAMESPACE = '/ns';
/** It is a room itself, of this name, and what is in it begins so. */
export const HOME = '/ns#';
/** A room in it; outside there is another one of that name. */
export const INSIDE = '/ns#r0';

/** Whom the middleware of the namespace lets in: everybody who has not been dismissed. Servers ask the same list. */
export class Guests {
  readonly #dismissed = new Map<string, number>();
  readonly #unsure = new Set<string>();

  dismiss(user: string, at: number): void {
    this.#unsure.add(user);
    if (!this.#dismissed.has(user)) this.#dismissed.set(user, at);
  }

  appoint(user: string): void {
    this.#dismissed.delete(user);
  }

  /** Taken out, and let in again when it asks. */
  expel(user: string): void {
    this.#unsure.add(user);
  }

  /** Undefined: whoever asks is let in. */
  dismissedSince(user: string): number | undefined {
    return this.#dismissed.get(user);
  }

  /** True if only this user's own clients have said where they are. */
  isLeftAlone(user: string): boolean {
    return !this.#unsure.has(user);
  }
}

export interface HostSurroundings {
  readonly judge: Judge;
  readonly coverage: Coverage;
  readonly process: SimProcess;
  readonly guests: Guests;
  readonly namespaceDice: Dice;
  /** There are no other servers. */
  readonly alone: boolean;
  /** And there was none before it. */
  readonly first: boolean;
}

/** The namespace of one server: who is let in, who is told to be in, and who to be out. */
export function hostNamespace(
  name: string,
  server: HoldfastServer,
  { judge, coverage, process, guests, namespaceDice, alone, first }: HostSurroundings,
): ServerNamespace {
  const namespace = server.namespace(NAMESPACE);
  const told = new Map<string, 'in' | 'out'>();
  namespace.use(({ user }, { resumed }) => {
    const look = (): void => {
      if (guests.dismissedSince(user.id) === undefined) return;
      coverage.add(`namespace: refuses ${resumed ? 'who comes back' : 'a join'}`);
      throw new RejectError('dismissed');
    };
    const ms = namespaceDice.pick([0, 0, 0, 20, 1_000]);
    if (ms === 0) return look();
    return new Promise<void>((resolve) => void process.setTimer(resolve, ms)).then(look);
  });
  namespace.rooms('*', { join: true, publish: true, presence: true });
  namespace.onSession(({ id }: ServerSession) => {
    judge.note(() => `${name} is told that ${id} is in ${NAMESPACE}`);
    coverage.add('namespace: a session is in');
    judge.demand(told.get(id) !== 'in', 20, () => `${name} is told twice that ${id} is in ${NAMESPACE}`);
    told.set(id, 'in');
  });
  namespace.onSessionEnd(({ id }, { reason }) => {
    judge.note(() => `${name} is told that ${id} is out of ${NAMESPACE}: ${reason}`);
    coverage.add(`namespace: a session is out: ${reason}`);
    // Another server may have let it in, and told nobody here.
    const isTwice = alone && first && told.get(id) === 'out';
    judge.demand(!isTwice, 20, () => `${name} is told twice that ${id} is out of ${NAMESPACE}`);
    told.set(id, 'out');
  });
  return namespace;
}
