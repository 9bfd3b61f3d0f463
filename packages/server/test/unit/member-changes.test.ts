import type { MemberChange } from '@holdfast/protocol';
import { VirtualClock } from '@holdfast/testing';
import { expect, test } from 'vitest';
import { MemberChanges } from '../../src/hub/member-changes.js';

/** A room of so many, and what they are told, with when, in ms from the beginning. */
function room(members: number) {
  const clock = new VirtualClock(0);
  const told: [at: number, ...MemberChange[]][] = [];
  const changes = new MemberChanges({
    clock,
    members: () => members,
    tell: (all) => told.push([clock.now(), ...all.values()]),
  });
  return { clock, told, changes };
}

test('what changes in one task is told at its end, of each user the last, in the order of these', async () => {
  const { clock, told, changes } = room(1_000);
  changes.add([
    ['ada', 1],
    ['bob', 1],
  ]);
  changes.add([['eve', 1]]);
  changes.add([['ada', 2]]);
  changes.add([['eve', 0]]);
  expect(told).toEqual([]);
  await clock.settle();
  expect(told).toEqual([[0, ['bob', 1], ['ada', 2], ['eve', 0]]]);
});

test('what follows waits: a tenth of a millisecond for each who has to be told, and a second at most', async () => {
  for (const [members, waitMs] of [
    [9, 0],
    [10, 1],
    [1_000, 100],
    [10_000, 1_000],
    [100_000, 1_000],
  ] as const) {
    const { clock, told, changes } = room(members);
    for (let n = 1; n <= 3; n++) {
      changes.add([['ada', n]]);
      await clock.settle();
    }
    await clock.advance(10_000);
    changes.add([['ada', 4]]);
    await clock.settle();
    const follow =
      waitMs === 0
        ? [
            [0, ['ada', 2]],
            [0, ['ada', 3]],
          ]
        : [[waitMs, ['ada', 3]]];
    expect(told, `${members} members`).toEqual([[0, ['ada', 1]], ...follow, [10_000, ['ada', 4]]]);
  }
});

test('what has to be told before something else is told at once, and once', async () => {
  const { clock, told, changes } = room(1_000);
  changes.add([['ada', 1]]);
  changes.tell();
  changes.add([['ada', 2]]);
  changes.tell();
  changes.tell();
  await clock.advance(10_000);
  expect(told).toEqual([
    [0, ['ada', 1]],
    [0, ['ada', 2]],
  ]);
});

test('what was told at once puts off what comes after it in the same task', async () => {
  const { clock, told, changes } = room(1_000);
  changes.add([['ada', 1]]);
  changes.tell();
  changes.add([['ada', 2]]);
  await clock.advance(99);
  expect(told).toHaveLength(1);
  await clock.advance(1);
  expect(told).toEqual([
    [0, ['ada', 1]],
    [100, ['ada', 2]],
  ]);
});

test('when nobody is to be told any more, nothing waits', async () => {
  const { clock, told, changes } = room(1_000);
  changes.add([['ada', 1]]);
  changes.tell();
  changes.add([['ada', 2]]);
  changes.stop();
  changes.add([['ada', 3]]);
  expect(clock.timers).toBe(0);
  await clock.advance(10_000);
  expect(told).toHaveLength(1);
});
