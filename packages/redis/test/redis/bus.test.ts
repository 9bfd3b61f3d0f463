import { nats } from '@holdfast/nats';
import type { BusPort } from '@holdfast/server/ports';
import { afterAll, beforeAll, describe } from 'vitest';
import { MemoryBus } from '../../../../test/bus-suite/memory-bus.js';
import { busOutageSuite, busSuite, type FrailBus } from '../../../../test/bus-suite/suite.js';
import { NatsServer, natsProgram } from '../../../../test/nats-server.js';
import { type RedisServer, redisProgram, startRedis } from '../../../../test/redis-server.js';
import { sessionStoreSuite } from '../../../../test/session-store/suite.js';
import { connectionTo, redisWith } from './harness.js';

const inMemory = (): FrailBus => {
  const bus = new MemoryBus();
  const away = async () => {
    bus.away();
    return async () => bus.back();
  };
  return { bus, away };
};
busSuite('memory', inMemory);
busOutageSuite('memory', inMemory);

describe.skipIf(!redisProgram)('over a real Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());
  // Notes of the store are told by its scripts; on the same channel, this is what carries them.
  busSuite('Pub/Sub', () => ({ bus: pubSub(server.url) }));
});

function pubSub(url: string): BusPort {
  const join: BusPort['join'] = (channel, { heard, up }) => {
    const connection = connectionTo({ url });
    void connection.subscribe(channel, { heard, missed: up }).then(up);
    return {
      publish: (message) => void connection.publish(channel, Buffer.from(message)).catch(() => undefined),
      close: () => connection.close(),
    };
  };
  return { name: 'redis', join };
}

describe.skipIf(!natsProgram)('over a real NATS', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server?.stop());
  const overNats = (): FrailBus => {
    const away = async () => {
      await server.stop();
      return () => server.start();
    };
    return { bus: nats({ servers: server.url }) as BusPort, away };
  };
  busSuite('NATS', overNats);
  busOutageSuite('NATS', overNats);

  describe.skipIf(!redisProgram)('and a real Redis', () => {
    const { make } = redisWith(() => nats({ servers: server.url }) as BusPort);
    sessionStoreSuite('RedisStore', make);
  });
});
