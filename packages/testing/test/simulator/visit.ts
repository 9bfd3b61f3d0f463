import type { ClientNamespace, HoldfastClient } from '@holdfast/client';
import type { Judge } from './judge.js';
import { type Guests, NAMESPACE } from './namespaces.js';
import type { Published } from './store-watch.js';

export interface VisitSurroundings {
  readonly name: string;
  readonly user: string;
  readonly judge: Judge;
  readonly guests: Guests;
  now(): number;
}

/** A client and the namespace: since when it cannot be in, whatever its server may believe. */
export class Visit {
  readonly namespace: ClientNamespace;
  readonly #around: VisitSurroundings;
  #joiningSince = Infinity;
  #outSince = Infinity;
  #dialledAt = Infinity;

  constructor(client: HoldfastClient, around: VisitSurroundings) {
    this.namespace = client.namespace(NAMESPACE);
    this.#around = around;
    this.namespace.onState(({ status }) => this.#state(status));
  }

  /** True if it is out only when it has said so. */
  get isOwnMaster(): boolean {
    return this.#around.guests.isLeftAlone(this.#around.user);
  }

  dials(): void {
    this.#dialledAt = this.#around.now();
  }

  /** A server has bound a connection to its session: who was dismissed before it was dialled is out by now. */
  connected(): void {
    if (this.#dismissedBefore(this.#dialledAt)) this.#isOut();
  }

  /** Hears what was said in the namespace, or in one of its rooms. */
  hear({ text, at }: Published): void {
    const { judge, name } = this.#around;
    judge.demand(at <= this.#outSince, 20, () => `${name} hears ${text}, and is out of ${NAMESPACE}`);
  }

  #state(status: string): void {
    const { judge, name, now } = this.#around;
    if (status === 'joining') this.#joiningSince = now();
    if (status === 'refused') this.#isOut();
    if (status !== 'joined') return;
    const isWrong = this.#dismissedBefore(this.#joiningSince);
    judge.demand(!isWrong, 20, () => `${name} was let in, and had been dismissed before it asked`);
    this.#outSince = Infinity;
  }

  #isOut(): void {
    this.#outSince = Math.min(this.#outSince, this.#around.now());
  }

  #dismissedBefore(moment: number): boolean {
    const { guests, user } = this.#around;
    return (guests.dismissedSince(user) ?? Infinity) < moment;
  }
}
