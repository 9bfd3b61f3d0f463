import type { DurableOutbox, DurableSurroundings, Message } from '../core/types.js';
import type { ClientPorts } from '../ports/ports.js';
import type { Dispatcher } from './dispatcher.js';
import type { Exchange } from './exchange.js';
import type { Rooms } from './rooms.js';
import type { ClientSettings } from './settings.js';
import { publicPart } from './untaken.js';

/** The client that is being made: what it has not yet, it has when it is needed. */
interface StorageSurroundings extends Pick<DurableSurroundings, 'post' | 'wake'> {
  readonly ports: ClientPorts;
  readonly exchange: Exchange;
  readonly dispatcher: Dispatcher;
  readonly rooms: Rooms;
}

/** Where durable messages are kept; undefined if the application has named no storage. */
export function openStorage(
  client: StorageSurroundings,
  { codec, outbox }: Pick<ClientSettings, 'codec' | 'outbox'>,
): DurableOutbox | undefined {
  const { clock, random } = client.ports;
  return outbox.storage?.open({
    ...{ codec, clock, random },
    post: (run) => client.post(run),
    wake: () => client.wake(),
    restore(messages) {
      const told = messages.flatMap(restored);
      client.post(() => client.dispatcher.restored(told));
      client.exchange.restore(messages);
    },
    fail: (...about) => client.exchange.fail(...about),
    report: (error) => client.dispatcher.report(error),
    isWanted: (room) => client.rooms.get(room).wanted,
  });
}

/** What is told of one whose caller is gone. */
const restored = (message: Message) =>
  message.sending ? [Object.freeze({ ...publicPart(message), sending: message.sending })] : [];
