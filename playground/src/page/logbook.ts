import type { ClientConnection } from '@holdfast/client';
import { byId, el, time } from './dom.js';
import { count, stateLine } from './words.js';

const MAX_LINES = 20;

/** What the connection has been through, the latest first. Not read out by itself: the state's title is. */
export class Logbook {
  readonly #list = byId('logbook', HTMLOListElement);
  #last = '';

  constructor(client: ClientConnection) {
    client.onState((state) => this.#write(stateLine(state)));
    client.onSessionLost(({ unknown }) =>
      this.#write(`session lost: ${count(unknown.length, 'message')} unknown`),
    );
    client.onGap(({ room, reason, messages }) =>
      this.#write(`gap in ${room}: ${reason}, ${messages || '?'} missing`),
    );
    this.#write(stateLine(client.getState()).replace(': disconnected by you', ''));
  }

  #write(line: string): void {
    if (line === this.#last) return;
    this.#last = line;
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
