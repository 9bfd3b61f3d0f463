import { Deferred } from '@holdfast/protocol';
import { expect, test } from 'vitest';

/** By then the platform has told what nobody has handled. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const error = new Error('refused');

test('a value is there for whoever asks, before it comes and after', async () => {
  const deferred = new Deferred<number>('an id');
  const early = deferred.sending;
  expect(early.id).toBe('an id');
  const doubled = early.then((value) => 2 * value);
  deferred.resolve(4);
  expect(await early).toBe(4);
  expect(await doubled).toBe(8);
  expect(await deferred.sending).toBe(4);
  expect(await deferred.promise).toBe(4);
});

test('so is an error', async () => {
  const deferred = new Deferred<number>('');
  const early = deferred.sending.catch((reason: unknown) => [reason]);
  deferred.reject(error);
  expect(await early).toEqual([error]);
  await expect(deferred.sending).rejects.toBe(error);
});

test.each(['early', 'late'])('of several outcomes the first counts, for who asks %s', async (when) => {
  const resolved = new Deferred<number>('');
  const rejected = new Deferred<number>('');
  if (when === 'early') for (const { sending } of [resolved, rejected]) sending.catch(() => undefined);
  resolved.resolve(1);
  resolved.resolve(2);
  resolved.reject(error);
  rejected.reject(error);
  rejected.resolve(3);
  expect(await resolved.sending).toBe(1);
  await expect(rejected.sending).rejects.toBe(error);
});

test('it waits for a promise that it is resolved with', async () => {
  const early = new Deferred<number>('');
  const asked = early.sending.then((value) => value + 1);
  early.resolve(Promise.resolve(1));
  expect(await asked).toBe(2);
  const late = new Deferred<number>('');
  late.resolve(Promise.resolve(1));
  expect(await late.sending).toBe(1);
});

test('an error that nobody waits for is not unhandled', async () => {
  const deferred = new Deferred<number>('');
  void deferred.sending;
  deferred.reject(error);
  await turn();
});

test('finally runs and hands on what came', async () => {
  const deferred = new Deferred<number>('');
  const ran: string[] = [];
  const after = deferred.sending.finally(() => ran.push('finally'));
  deferred.resolve(5);
  expect(await after).toBe(5);
  expect(ran).toEqual(['finally']);
});

test('a promise to whoever asks what it is', () => {
  expect(Object.prototype.toString.call(new Deferred('').sending)).toBe('[object Promise]');
});

test.each<[string, boolean, (sending: PromiseLike<number> & Promise<number>) => unknown]>([
  ['nobody', false, () => undefined],
  ['who hears of its failure only', false, (sending) => sending.catch(() => undefined)],
  ['who gives `then` only that', false, (sending) => sending.then(undefined, () => undefined)],
  ['`then`', true, (sending) => sending.then(() => undefined)],
  ['`finally`', true, (sending) => sending.finally(() => undefined)],
  ['`Promise.all`', true, (sending) => Promise.all([sending])],
  ['`await`', true, async (sending) => await sending],
])('is awaited by %s: %s', async (_who, isAwaited, use) => {
  const deferred = new Deferred<number>('');
  void use(deferred.sending);
  await undefined;
  expect(deferred.awaited).toBe(isAwaited);
});
