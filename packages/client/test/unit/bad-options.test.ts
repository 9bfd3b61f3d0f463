import { seededRandom, VirtualClock } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { createClientOn } from '../../src/client.js';
import { memoryOutbox, outboxOn } from '../../src/storage.js';
import { stream } from '../../src/stream.js';

const NOTHING: readonly unknown[] = [null];
const NO_NUMBERS: readonly unknown[] = [
  null,
  NaN,
  -1,
  '5',
  true,
  [],
  {},
  () => 5,
  Symbol('5'),
  5n,
  new Date(5),
];
const NO_OBJECTS: readonly unknown[] = [null, 5, 'text', true, [], Symbol('5'), 5n, () => undefined];
const NO_FLAGS: readonly unknown[] = [null, 0, 1, 'true', [], {}, () => true];
const UNKNOWN: readonly unknown[] = [{ unheardOf: 1 }];

const client = () => {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const dialer = { dial: () => ({ send() {}, close() {}, bufferedBytes: 0 }) };
  const signals = { listen: () => () => undefined };
  const ports = { clock: new VirtualClock(), random: seededRandom(1), dialer, signals, logger: quiet };
  return (options: unknown) => createClientOn(ports, options as never);
};
const make = (options: object) => client()({ url: 'ws://x', ...options });

/** What is given, under which name it is known in the error, and what nobody may give. */
type Case = readonly [name: string, bad: readonly unknown[], give: (bad: unknown) => unknown];

const inGroup = (group: string, names: readonly string[], bad: readonly unknown[]): Case[] =>
  names.map((name) => [`${group}.${name}`, bad, (value) => make({ [group]: { [name]: value } })]);
const inCall = (
  call: (options: never) => unknown,
  names: readonly string[],
  bad: readonly unknown[],
): Case[] => names.map((name) => [name, bad, (value) => call({ [name]: value } as never)]);

const cases: readonly Case[] = [
  ['createClient(options)', NO_OBJECTS, (bad) => client()(bad)],
  ...['delivery', 'reconnect', 'heartbeat', 'outbox'].map(
    (name): Case => [name, NO_OBJECTS, (bad) => make({ [name]: bad })],
  ),
  ...['autoConnect', 'allowTokenInUrl'].map((name): Case => [name, NO_FLAGS, (bad) => make({ [name]: bad })]),
  ...['url', 'auth', 'tokenIn', 'codec', 'contract', 'logger'].map(
    (name): Case => [name, [null, 5, true, [], {}], (bad) => make({ [name]: bad })],
  ),
  ...inGroup('reconnect', ['baseMs', 'capMs', 'minUptimeMs', 'maxAttempts', 'maxElapsedMs'], NO_NUMBERS),
  ...inGroup('reconnect', ['policy'], [null, 5, 'text', {}]),
  ...inGroup('heartbeat', ['intervalMs', 'timeoutMs', 'maxMissed'], NO_NUMBERS),
  ...inGroup('outbox', ['maxMessages', 'maxBytes', 'ttlMs'], NO_NUMBERS),
  ...inGroup('outbox', ['overflow', 'storage'], [null, 5, 'text', {}]),
  ...(['connect', 'flush', 'close'] as const).flatMap((call): Case[] => [
    [`${call}(options)`, [...NO_OBJECTS, ...UNKNOWN], (bad) => make({})[call](bad as never)],
  ]),
  ...inCall((options) => make({}).close(options), ['flushMs'], NO_NUMBERS),
  ...inCall((options) => make({}).flush(options), ['timeoutMs'], NO_NUMBERS),
  ...inCall((options) => make({}).connect(options), ['signal', 'auth'], [null, 5, {}]),
  ["send('e') options", [...NO_OBJECTS, ...UNKNOWN], (bad) => make({}).send('e', 1, bad as never)],
  ["request('e') options", [...NO_OBJECTS, ...UNKNOWN], (bad) => make({}).request('e', 1, bad as never)],
  ...inCall((options) => make({}).send('e', 1, options), ['ttlMs', 'timeoutMs'], NO_NUMBERS),
  ...inCall((options) => make({}).send('e', 1, options), ['delivery', 'key', 'id', 'signal'], [null, 5, {}]),
  [
    "room('r').join(options)",
    [...NO_OBJECTS, ...UNKNOWN],
    (bad) =>
      make({})
        .room('r')
        .join(bad as never),
  ],
  ...inCall((options) => make({}).room('r').join(options), ['timeoutMs'], NO_NUMBERS),
  ["on('e') options", [...NO_OBJECTS, ...UNKNOWN], (bad) => make({}).on('e', () => undefined, bad as never)],
  ["stream('e') options", NOTHING, (bad) => stream(make({}), 'e', 1, bad as never)],
  ['outbox storage: store', [null, 5, {}, 'text'], (bad) => outboxOn(bad as never)],
  ['outbox storage: store', [5, {}, 'text'], (bad) => memoryOutbox({ store: bad as never })],
];

describe('what makes no sense is a TypeError that names it, where it is given', () => {
  test.each(cases)('%s', async (name, bad, give) => {
    for (const value of bad) {
      const error = await (async () => give(value))().then(
        () => 'it was taken',
        (cause: unknown) => cause,
      );
      expect(error, `of ${String(value)}`).toBeInstanceOf(TypeError);
      expect((error as TypeError).message).toContain(name);
    }
  });
});
