import type { ClientOptions, ClientRoom, HoldfastClient, OutboxState } from '@holdfast/client';
import { type ClientPorts, createClientOn, createLiteClientOn } from '@holdfast/client/ports';
import type { Codec } from '@holdfast/protocol';

/** What the applications of a run are on: the whole client, or the small one. */
export type ClientKind = 'whole' | 'lite';

/** What the simulation needs of a room. */
export type SimRoom = Pick<ClientRoom, 'getState' | 'onState' | 'on' | 'send' | 'join' | 'leave'>;

type Common =
  | ('getState' | 'onState' | 'onSessionLost' | 'onGap' | 'onUndelivered' | 'onError')
  | ('on' | 'send' | 'request' | 'handle' | 'connect' | 'disconnect' | 'close');
type Counts = Pick<OutboxState, 'messages' | 'inflight'>;

/** What it needs of a client. */
export interface SimClient extends Pick<HoldfastClient, Common> {
  getOutbox(): Counts;
  room(name: string): SimRoom;
}

export interface SimClientOptions {
  readonly kind: ClientKind;
  readonly auth: string | (() => string | Promise<string>);
  readonly codec: Codec;
  /** The small one does not know `overflow`. */
  readonly outbox: NonNullable<ClientOptions['outbox']>;
  /** What has no outcome yet, as its application counts it: the small one does not tell. */
  counted(): Counts;
}

export function createSimClient(
  ports: ClientPorts,
  { kind, auth, codec, outbox, counted }: SimClientOptions,
): SimClient {
  const options = { url: 'ws://simulated/realtime', auth, codec, reconnect: { baseMs: 200, capMs: 4_000 } };
  if (kind === 'whole') return createClientOn(ports, { ...options, outbox });
  const { maxMessages, ttlMs: timeoutMs } = outbox;
  const client = createLiteClientOn(ports, { ...options, outbox: { maxMessages } });
  return {
    ...client,
    // What it has written it gives up, too, when the time is over.
    send: (event: string, payload: unknown) => client.send(event, payload, { timeoutMs }),
    room: (name) => {
      const room = client.room(name);
      return { ...room, send: (event: string, payload: unknown) => room.send(event, payload, { timeoutMs }) };
    },
    getOutbox: counted,
  };
}
