import { Deferred, EndOfTask } from '@holdfast/protocol';
import { expect, test } from 'vitest';

function flushing() {
  const told: string[] = [];
  const clock = { defer: (run: () => void) => queueMicrotask(run) };
  return { told, end: new EndOfTask(clock, { flush: () => told.push('flush') }) };
}
/** After all promises have settled. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('once, however often it was asked for', async () => {
  const { told, end } = flushing();
  end.ask();
  end.ask();
  expect([end.asked, told]).toEqual([2, []]);
  await turn();
  expect([end.asked, told]).toEqual([0, ['flush']]);
  end.ask();
  await turn();
  expect(told).toEqual(['flush', 'flush']);
});

test('what promises do that were waiting comes before', async () => {
  const { told, end } = flushing();
  const talk = async (): Promise<void> => {
    for (const word of ['one', 'two', 'three']) {
      end.ask();
      told.push(word);
      await undefined;
    }
  };
  end.ask();
  void talk();
  await turn();
  expect(told).toEqual(['one', 'two', 'three', 'flush']);
});

test('it is known who awaits what was said last, even if something else had asked before', async () => {
  const deferred = new Deferred<void>('');
  const known: boolean[] = [];
  const clock = { defer: (run: () => void) => queueMicrotask(run) };
  const end = new EndOfTask(clock, { flush: () => known.push(deferred.awaited) });
  const sends = async (): Promise<void> => {
    await undefined;
    end.ask();
    await deferred.sending;
  };
  end.ask();
  void sends();
  await turn();
  expect(known).toEqual([true]);
});
