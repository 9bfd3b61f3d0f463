import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { msgpack } from './msgpack.js';
import { lineOf, runCases } from './run.js';
import { conformanceServer } from './server/application.js';
import { serverCases } from './server/cases.js';
import { Server } from './server/subject.js';
import { json } from './wire.js';

// Every case is a test, but all of them run at once beforehand: most of their time is waiting.

const own = conformanceServer();
const codecs = [json, msgpack];
const results = new Map<string, string>();

beforeAll(async () => {
  const { port } = await own.listen(0, '127.0.0.1');
  const run = async (codec: typeof json): Promise<void> => {
    const subject = new Server(`ws://127.0.0.1:${port}/realtime`, codec);
    for (const result of await runCases(serverCases, subject))
      results.set(codec.protocol + result.name, lineOf(result));
    subject.hangUp();
  };
  await Promise.all(codecs.map(run));
});
afterAll(() => own.close());

describe.each(codecs)('our server keeps to PROTOCOL.md, spoken to in $protocol', ({ protocol }) => {
  test.each(serverCases)('$name', ({ name }) => {
    expect(results.get(protocol + name)).toBe(`✓ ${name}`);
  });
});
