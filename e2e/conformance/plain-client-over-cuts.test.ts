import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { sleep } from './case.js';
import { commandOf } from './client/command.js';
import { Program } from './client/program.js';
import { conformanceServer } from './server/application.js';
import { noted, Server, unique } from './server/subject.js';

test('the plain client and our server, over 30 cuts: everything once, in order, in both directions', async () => {
  const own = conformanceServer();
  const { port } = await own.listen(0, '127.0.0.1');
  onTestFinished(() => own.close());
  const proxy = await createTcpProxy({ target: { port }, seed: 7 });
  onTestFinished(() => proxy.close());
  const client = new Program(commandOf('plain'), `ws://${proxy.host}:${proxy.port}/realtime`);
  onTestFinished(() => client.end());
  const list = unique('cuts');
  client.does({ do: 'send', name: 'conformance:send', data: 300 });
  let count = 0;
  for (let cuts = 0; cuts < 30; await sleep(5)) {
    if (proxy.connections.length === 0) continue;
    const cut = proxy.cut({ within: 800, how: cuts % 2 === 0 ? 'reset' : 'end' });
    for (const end = count + 10; count < end; ) {
      client.does({ do: 'send', name: 'conformance:note', data: { list, value: ++count } });
      client.does({ do: 'request', method: 'conformance:echo', data: count });
    }
    cuts += await cut;
  }
  const settled = (as: string) => client.lines.filter((line) => line.was === 'settled' && line.as === as);
  await client.was(() => settled('answered').length === count, 'all answers');
  await client.was(() => settled('acknowledged').length === count + 1, 'all acks');
  await client.was(() => client.values('event').length >= 300, 'all events');
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
  const all = upTo(count);
  expect(client.values('event')).toEqual(upTo(300));
  expect(
    settled('answered')
      .map(({ data }) => data)
      .sort((a, b) => Number(a) - Number(b)),
  ).toEqual(all);
  expect(await noted(new Server(`ws://127.0.0.1:${port}/realtime`), list)).toEqual(all);
  expect(client.lines.filter(({ was }) => was === 'lost')).toEqual([]);
});
