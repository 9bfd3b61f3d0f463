// So many clients: `crowd.js 41234 99 all`. What all of them have heard they tell the server; one alone tells nothing.
import { createClient } from '@holdfast/client';
import { quantile } from './figures.js';
import { type Latency, now, type Tick } from './questions.js';

process.on('disconnect', () => process.exit(1));

const [port, count, ...rooms] = process.argv.slice(2);
const size = Number(count);
let heard = 0;
let confirmed = 0;
let latencies: number[] = [];

const clients = Array.from({ length: size }, () => createClient({ url: `ws://127.0.0.1:${port}/realtime` }));
const [speaker] = clients;

function hear({ at }: Tick): void {
  latencies.push(now() - at);
  heard++;
  if (size === 1 || heard < (confirmed + 1) * size) return;
  confirmed = Math.floor(heard / size);
  speaker?.send('confirmed', confirmed).catch(() => undefined);
}

for (const client of clients) {
  await client.connect();
  client.on('tick', (payload) => hear(payload as Tick));
  client.on('fill', () => undefined);
  // It is meant to miss some.
  client.onGap(() => undefined);
  for (const name of rooms) {
    const room = client.room(name);
    room.on('tick', (payload) => hear(payload as Tick));
    room.on('fill', () => undefined);
    await room.join();
  }
}

process.on('message', () => {
  const latency: Latency = {
    heard: latencies.length,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  };
  latencies = [];
  process.send?.(latency);
});
process.send?.({});
