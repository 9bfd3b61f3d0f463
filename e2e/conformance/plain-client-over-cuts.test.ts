import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { sleep, until } from './case.js';
import { commandOf } from './client/command.js';
import { Program } from './client/program.js';
import { conformanceServer } from './server/application.js';
import { noted, Server, unique } from './server/subject.js';

test('the plain client and our server, over 30 cuts: everything once, in order, in both directions', {
  timeout: 120_000,
}, async () => {
  const own = conformanceServer();
  const { port } = await own.listen(0, '127.0.0.1');
  onTestFinished(() => own.close());
  const proxy = await createTcpProxy({ target: { port }, seed: 7 });
  onTestFinished(() => proxy.close());
  const client = new Program(commandOf('plain'), `ws://${proxy.host}:${proxy.port}/realtime`);
  onTestFinished(() => client.end());
  const list = unique('cuts');
  client.does({ do: 'send', name: 'conformance:send', data: 300 });
  const there = () =>
    JSON.stringify(proxy.connections.map(({ id, carried, held }) => ({ id, carried, held })));
  // A dead line may take its time to be noticed; what does not come at all is named.
  const comes = (what: string, isSo: () => boolean) =>
    until(isSo, what, () => `${there()}, ${client.told}`, 60_000);
  let count = 0;
  for (let cuts = 0; cuts < 30; await sleep(5)) {
    await comes(`a connection after ${cuts} cuts`, () => proxy.connections.length > 0);
    let cut: number | undefined;
    proxy.cut({ within: 800, how: cuts % 2 === 0 ? 'reset' : 'end' }).then((done) => {
      cut = done;
    });
    for (const end = count + 10; count < end; ) {
      client.does({ do: 'send', name: 'conformance:note', data: { list, value: ++count } });
      client.does({ do: 'request', method: 'conformance:echo', data: count });
    }
    await comes(`cut ${cuts + 1}`, () => cut !== undefined);
    cuts += cut ?? 0;
  }
  const settled = (as: string) => client.lines.filter((line) => line.was === 'settled' && line.as === as);
  await comes('all answers', () => settled('answered').length === count);
  await comes('all acks', () => settled('acknowledged').length === count + 1);
  await comes('all events', () => client.values('event').length >= 300);
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
