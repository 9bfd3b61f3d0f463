import type { ClientConnection } from '@holdfast/client';
import { byId, el, time } from './dom.js';
import { count, stateLine } from './words.js';

const MAX_LINES = 20;

/** What the connection has been through, the latest first. Not read out by itself: the state's title is. */
export class Logbook {
  readonly #list = byId('logbook', HTMLOListElement);
  #lastState = '';

  constructor(client: ClientConnection) {
    client.onState((state) => this.#writeState(stateLine(state)));
    client.onSessionLost(({ unknown }) => {
      const messages = unknown.filter(({ event }) => event === 'message').length;
      this.#write(`session lost: ${count(messages, 'message')} unknown`);
    });
    client.onGap(({ room, reason, messages }) => {
      this.#write(`gap in ${room}: ${reason}, ${messages || '?'} missing`);
    });
    this.#writeState(stateLine(client.getState()));
  }

  servedBy(node: string): void {
    this.#write(`served by ${node}`);
  }

  /** A new round-trip time is a new state, but no transition. */
  #writeState(line: string): void {
    if (line === this.#lastState) return;
    this.#lastState = line;
    this.#write(line);
  }

  #write(line: string): void {
    const now = new Date();
    this.#list.prepend(
      el(
        'li',
        {},
        el('time', { datetime: now.toISOString() }, time(now.getTime())),
        el('span', { class: 'what' }, line),
      ),
    );
    while (this.#list.childElementCount > MAX_LINES) this.#list.lastElementChild?.remove();
  }
}
