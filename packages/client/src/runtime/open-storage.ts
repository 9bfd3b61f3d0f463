import type { DurableOutbox, DurableSurroundings } from '../core/types.js';
import type { ClientPorts } from '../ports/ports.js';
import type { Dispatcher } from './dispatcher.js';
import type { Exchange } from './exchange.js';
import type { Rooms } from './rooms.js';
import type { ClientSettings } from './settings.js';
import { publicPart } from './untaken.js';

interface StorageSurroundings extends Pick<DurableSurroundings, 'post' | 'wake'> {
  readonly ports: ClientPorts;
  exchange(): Exchange;
  dispatcher(): Dispatcher;
  rooms(): Rooms;
}

/** Where durable messages are kept; undefined if the application has named no storage. */
export function openStorage(
  { codec, outbox }: Pick<ClientSettings, 'codec' | 'outbox'>,
  { ports: { clock, random }, post, wake, exchange, dispatcher, rooms }: StorageSurroundings,
): DurableOutbox | undefined {
  return outbox.storage?.open({
    ...{ codec, clock, random, post, wake },
    restore: (messages) => {
      const told = messages.flatMap((message) => {
        const { sending } = message;
        return sending ? [Object.freeze({ ...publicPart(message), sending })] : [];
      });
      post(() => dispatcher().restored(told));
      exchange().restore(messages);
    },
    fail: (...about) => exchange().fail(...about),
    report: (error) => dispatcher().report(error),
    isWanted: (room) => rooms().get(room).wanted,
  });
}
