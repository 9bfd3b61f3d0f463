import { expect, test } from 'vitest';
import { MAX_SHOWN, RoomPresence } from '../../src/hub/room-presence.js';

interface One {
  readonly user: { readonly id: string };
}
const of = (id: string): One => ({ user: { id } });
const says = (json: string | undefined, setAt: number) => ({ json, setAt });

test('counts the sessions of a user, and tells of changes only', () => {
  const room = new RoomPresence<One>();
  const [phone, laptop] = [of('ada'), of('ada')];
  expect(room.setThere(phone, true)).toEqual([['ada', 1]]);
  expect(room.setThere(phone, true)).toEqual([]);
  expect(room.setThere(laptop, true)).toEqual([['ada', 2]]);
  expect(room.list).toEqual([['ada', 2]]);
  expect(room.setThere(phone, false)).toEqual([['ada', 1]]);
  expect(room.setThere(phone, false)).toEqual([]);
  expect(room.remove(laptop)).toEqual([['ada', 0]]);
  expect(room.list).toEqual([]);
});

test('of several sessions of a user, what was told last counts, as long as that session is there', () => {
  const room = new RoomPresence<One>();
  const [phone, laptop] = [of('ada'), of('ada')];
  for (const session of [phone, laptop]) room.setThere(session, true);
  expect(room.setState(laptop, says('1', 5))).toEqual([['ada', 2, '1']]);
  expect(room.setState(phone, says('2', 5))).toEqual([['ada', 2, '2']]);
  expect(room.setState(phone, says('2', 6))).toEqual([]);
  expect(room.setState(laptop, says('3', 7))).toEqual([['ada', 2, '3']]);
  expect(room.setThere(laptop, false)).toEqual([['ada', 1, '2']]);
  expect(room.setThere(laptop, true)).toEqual([['ada', 2, '3']]);
  expect(room.setState(laptop, says(undefined, 8))).toEqual([['ada', 2, '2']]);
  expect(room.remove(phone)).toEqual([['ada', 1]]);
  expect(room.list).toEqual([['ada', 1]]);
});

test('what is told by one who is not there is told when it comes, and forgotten when it is no member any more', () => {
  const room = new RoomPresence<One>();
  const ada = of('ada');
  expect(room.setState(ada, says('1', 1))).toEqual([]);
  expect(room.setThere(ada, true)).toEqual([['ada', 1, '1']]);
  room.remove(ada);
  expect(room.setThere(ada, true)).toEqual([['ada', 1]]);
});

test('an older state of the store changes nothing', () => {
  const room = new RoomPresence<One>();
  const ada = of('ada');
  room.setThere(ada, true);
  room.setState(ada, says('2', 2));
  expect(room.restoreState(ada, says('1', 1))).toEqual([]);
  expect(room.restoreState(ada, undefined)).toEqual([]);
  expect(room.restoreState(ada, says('3', 3))).toEqual([['ada', 1, '3']]);
});

test(`shows ${MAX_SHOWN} users, and the next one when one of them goes`, () => {
  const room = new RoomPresence<One>();
  const all = Array.from({ length: MAX_SHOWN + 2 }, (_, index) => of(`u${index}`));
  const [first, last, late] = [all[0], all[MAX_SHOWN], all[MAX_SHOWN + 1]] as [One, One, One];
  for (const session of all.slice(0, MAX_SHOWN)) expect(room.setThere(session, true)).toHaveLength(1);
  for (const session of [last, late]) expect(room.setThere(session, true)).toEqual([]);
  expect(room.setState(late, says('"hidden"', 1))).toEqual([]);
  expect(room.list).toHaveLength(MAX_SHOWN);
  expect(room.setThere(last, false)).toEqual([]);
  expect(room.setThere(first, false)).toEqual([
    ['u0', 0],
    [`u${MAX_SHOWN + 1}`, 1, '"hidden"'],
  ]);
  expect(room.list).toHaveLength(MAX_SHOWN);
});
