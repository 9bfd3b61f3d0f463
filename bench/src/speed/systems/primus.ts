import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Primus, { type Spark } from 'primus';
import { HOST, RECONNECT, type ServerEnd, type System } from '../system.js';
import { answering, asking, type Message, saying } from './by-hand.js';

const options = { transformer: 'websockets', parser: 'JSON' } as const;

export const primus: System = {
  key: 'primus',
  packages: ['primus', 'ws'],
  how: 'over `ws`, JSON with an id by hand, else its defaults',
  page: () => new Primus(createServer(), options).library(),
  async serve(hear): Promise<ServerEnd> {
    const http = createServer();
    const server = new Primus(http, options);
    const subscribed = new Set<Spark>();
    server.on('connection', (spark) => {
      const take = answering(
        (message) => spark.write(message),
        hear,
        () => subscribed.add(spark),
      );
      spark.on('data', (message) => take(message as Message));
      spark.on('end', () => subscribed.delete(spark));
    });
    http.listen(0, HOST);
    await once(http, 'listening');
    return {
      port: (http.address() as AddressInfo).port,
      publish(payload) {
        for (const spark of subscribed) spark.write(saying(payload));
      },
    };
  },
  async dial(port, hear, subscribed) {
    const Socket = Primus.createSocket(options);
    const socket = new Socket(`http://${HOST}:${port}`, {
      reconnect: {
        min: RECONNECT.minMs,
        max: RECONNECT.maxMs,
        retries: Number.POSITIVE_INFINITY,
        'reconnect timeout': RECONNECT.dialMs,
      },
    });
    const end = asking((message) => socket.write(message), hear);
    socket.on('data', (message) => end.take(message as Message));
    await new Promise<void>((resolve) => {
      // Whenever it has come back: the server knows nothing of the connection before.
      socket.on('open', () => (subscribed ? void end.subscribe().then(() => resolve()) : resolve()));
    });
    return end;
  },
};
