import { readFileSync } from 'node:fs';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sleep } from './case.js';
import { commandOf, keepsToProtocol } from './client/keeps-to-protocol.js';
import { Program } from './client/program.js';
import { conformanceServer } from './server/application.js';
import { noted, Server, unique } from './server/subject.js';

describe('the plain client keeps to PROTOCOL.md', () => {
  // It says itself that it leaves these out.
  keepsToProtocol('plain', [
    'what was given up is not written again: a GAP takes its number',
    'a request that is given up is cancelled',
  ]);
});

test('it imports nothing', () => {
  const source = readFileSync(new URL('../../examples/plain-client.mjs', import.meta.url), 'utf8');
  expect(source.match(/^import |import\(|require/gm)).toBeNull();
});

test('the plain client and our server, over 30 cuts: everything once, in order, in both directions', async () => {
  const own = conformanceServer();
  const { port } = await own.listen(0, '127.0.0.1');
  onTestFinished(() => own.close());
  const proxy = await createTcpProxy({ target: { port }, seed: 7 });
  onTestFinished(() => proxy.close());
  const client = new Program(commandOf('plain'), `ws://${proxy.host}:${proxy.port}/realtime`);
  onTestFinished(() => client.end());
  const count = 300;
  const list = unique('cuts');
  const cutting = (async () => {
    for (let cuts = 0; cuts < 30; await sleep(20))
      cuts += await proxy.cut({ within: 2_000, how: cuts % 2 ? 'end' : 'reset' });
  })();
  client.does({ do: 'send', name: 'conformance:send', data: count });
  for (let value = 1; value <= count; value++) {
    client.does({ do: 'send', name: 'conformance:note', data: { list, value } });
    client.does({ do: 'request', method: 'conformance:echo', data: value });
    await sleep(5);
  }
  await cutting;
  proxy.heal();
  const settled = (as: string) => client.lines.filter((line) => line.was === 'settled' && line.as === as);
  await client.was(() => settled('answered').length === count, 'all answers');
  await client.was(() => settled('acknowledged').length === count + 1, 'all acks');
  await client.was(() => client.values('event').length >= count, 'all events');
  const all = Array.from({ length: count }, (_, index) => index + 1);
  expect(client.values('event')).toEqual(all);
  expect(
    settled('answered')
      .map(({ data }) => data)
      .sort((a, b) => Number(a) - Number(b)),
  ).toEqual(all);
  expect(await noted(new Server(`ws://127.0.0.1:${port}/realtime`), list)).toEqual(all);
  expect(client.lines.filter(({ was }) => was === 'lost')).toEqual([]);
});
