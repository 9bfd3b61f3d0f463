import { type ErrorItem, Type } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import type { AttachCall } from '../../../src/ports/store.js';
import { HandledMarks } from '../../../src/store/handled-marks.js';
import { Keys } from '../../../src/store/keys.js';
import { Tombstones } from '../../../src/store/tombstones.js';

const refusals = (bytes: number): ErrorItem[] => [
  [Type.ERR, 1, 'ERR_REJECTED', 'x'.repeat(bytes), undefined],
];
const call = (sid: string): AttachCall => ({
  ...{
    sid,
    fresh: false,
    user: { id: 'ada' },
    n: 2,
    key: 'key',
    newKey: 'new',
    epoch: 'e',
    received: 0,
    acked: 0,
    maxRequests: 1,
  },
  ...{ codec: 'json', node: 'here' },
});

test('what was refused is kept within a bound of all together: the oldest go as a whole, the newest stay', () => {
  const tombstones = new Tombstones();
  const add = (sid: string, refused: ErrorItem[]): void =>
    tombstones.add(sid, {
      ...{ userId: 'ada', keys: new Keys('key'), handled: new HandledMarks(), heard: true, endedAt: 0 },
      refused,
      reason: undefined,
    });
  const known = (sid: string): boolean => 'refused' in tombstones.ask(call(sid), 0);
  add('nothing was refused', []);
  for (let n = 1; n <= 10; n++) add(`session ${n}`, refusals(1_000_000));
  expect([1, 6, 7, 10].map((n) => known(`session ${n}`))).toEqual([false, false, true, true]);
  // One that is added anew counts once.
  for (let n = 1; n <= 10; n++) add('session 10', refusals(1_000_000));
  expect([7, 10].map((n) => known(`session ${n}`))).toEqual([true, true]);
});
