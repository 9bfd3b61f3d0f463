import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import mqttPackage from 'mqtt';
import { createWebSocketStream, WebSocketServer } from 'ws';
import {
  type ClientEnd,
  type End,
  HOST,
  type Payload,
  RECONNECT,
  type ServerEnd,
  type System,
} from '../system.js';
import { answering, asking, type Message, saying } from './by-hand.js';

const ALL = 'all';
/** What a client says, and what is said to it alone. */
/** The broker's acknowledgement is what matters. */
const NOTED = 'noted';
const fromTopic = (id: string) => `from/${id}`;
const toTopic = (id: string) => `to/${id}`;

const bytesOf = (message: Message): Buffer => Buffer.from(JSON.stringify(message));
const messageIn = (payload: Buffer | string): Message => JSON.parse(String(payload)) as Message;

async function serve(hear: (payload: Payload, from: End) => void): Promise<ServerEnd> {
  const broker = await Aedes.createBroker();
  const publish = (topic: string, message: Message): void =>
    broker.publish(
      { cmd: 'publish', topic, payload: bytesOf(message), qos: 1, retain: false, dup: false },
      () => undefined,
    );
  const takers = new Map<string, (message: Message) => void>();
  const takerOf = (id: string) => {
    // Whoever subscribes does it at the broker, and needs nobody's help.
    const taker =
      takers.get(id) ??
      answering(
        (message) => publish(toTopic(id), message),
        hear,
        () => undefined,
      );
    takers.set(id, taker);
    return taker;
  };
  await new Promise<void>((resolve) => {
    broker.subscribe(
      fromTopic('+'),
      ({ topic, payload }, done) => {
        takerOf(topic.slice(fromTopic('').length))(messageIn(payload));
        done();
      },
      resolve,
    );
  });
  const server = new WebSocketServer({ port: 0, host: HOST, perMessageDeflate: false });
  server.on('connection', (socket, request) => {
    const stream = createWebSocketStream(socket);
    stream.on('error', () => undefined);
    broker.handle(stream, request);
  });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    publish: (payload) => publish(ALL, saying(payload)),
  };
}

async function dial(port: number, hear: (payload: Payload) => void, subscribed: boolean): Promise<ClientEnd> {
  const id = randomUUID();
  const client = await mqttPackage.connectAsync(`ws://${HOST}:${port}`, {
    clientId: id,
    // The broker keeps what it is subscribed to and what it has not acknowledged.
    clean: false,
    reconnectPeriod: RECONNECT.minMs,
    connectTimeout: RECONNECT.dialMs,
  });
  client.on('error', () => undefined);
  const end = asking((message) => client.publish(fromTopic(id), bytesOf(message), { qos: 1 }), hear);
  client.on('message', (_topic, payload) => end.take(messageIn(payload)));
  await client.subscribeAsync([toTopic(id), ...(subscribed ? [ALL] : [])], { qos: 1 });
  const acknowledged = (payload: Payload): Promise<unknown> =>
    client.publishAsync(NOTED, bytesOf(saying(payload)), { qos: 1 });
  return { ...end, acknowledged };
}

export const mqtt: System = {
  key: 'mqtt',
  packages: ['mqtt', 'aedes'],
  how: 'MQTT 3.1.1 over WebSockets, QoS 1, sessions that stay; requests are messages with an id by hand on topics there and back',
  page: () => "export { default } from 'mqtt'",
  serve,
  dial,
};
