import type { Observer } from './observer.js';

/** What `stats()` counts since the start. */
export class Counts implements Observer {
  messagesIn = 0;
  messagesOut = 0;
  errors = 0;

  messages(direction: 'in' | 'out', count: number): void {
    if (direction === 'in') this.messagesIn += count;
    else this.messagesOut += count;
  }

  failed(): void {
    this.errors++;
  }
}
