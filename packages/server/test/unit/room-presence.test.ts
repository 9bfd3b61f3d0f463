import { expect, test } from 'vitest';
import { MAX_SHOWN, RoomPresence } from '../../src/hub/room-presence.js';

/** A room, and what is said of sessions there: `ada.1` is one of ada's. */
function room() {
  const presence = new RoomPresence();
  let w = 0;
  const of = (sid: string, state?: { json?: string; setAt: number }, node = 'A') => {
    const there = { userId: sid.split('.', 1)[0] ?? '', node, ...(state && { state }) };
    return { sid, gen: 1, w: ++w, there };
  };
  const there = (...what: Parameters<typeof of>) => presence.set(of(...what), 0);
  const gone = (sid: string) => presence.set({ sid, gen: 1, w: ++w }, 0);
  return { presence, of, there, gone };
}
const says = (json: string | undefined, setAt: number) => ({ setAt, ...(json !== undefined && { json }) });

test('counts the sessions of a user, and tells of changes only', () => {
  const { presence, there, gone } = room();
  expect(there('ada.1')).toEqual([['ada', 1]]);
  expect(there('ada.1')).toEqual([]);
  expect(there('ada.2')).toEqual([['ada', 2]]);
  expect(presence.list).toEqual([['ada', 2]]);
  expect(gone('ada.1')).toEqual([['ada', 1]]);
  expect(gone('ada.1')).toEqual([]);
  expect(gone('ada.2')).toEqual([['ada', 0]]);
  expect(presence.list).toEqual([]);
});

test('of several sessions of a user, what was told last counts, as long as that session is there', () => {
  const { presence, there, gone } = room();
  for (const sid of ['ada.1', 'ada.2']) there(sid);
  expect(there('ada.2', says('1', 5))).toEqual([['ada', 2, '1']]);
  expect(there('ada.1', says('2', 5))).toEqual([['ada', 2, '2']]);
  expect(there('ada.1', says('2', 6))).toEqual([]);
  expect(there('ada.2', says('3', 7))).toEqual([['ada', 2, '3']]);
  expect(gone('ada.2')).toEqual([['ada', 1, '2']]);
  expect(there('ada.2', says('3', 7))).toEqual([['ada', 2, '3']]);
  expect(there('ada.2', says(undefined, 8))).toEqual([['ada', 2, '2']]);
  expect(gone('ada.1')).toEqual([['ada', 1]]);
  expect(presence.list).toEqual([['ada', 1]]);
});

test(`shows ${MAX_SHOWN} users, and the next one when one of them goes`, () => {
  const { presence, of, there, gone } = room();
  for (let n = 0; n < MAX_SHOWN; n++) expect(there(`u${n}.1`)).toHaveLength(1);
  for (const sid of ['last.1', 'late.1']) expect(there(sid)).toEqual([]);
  expect(there('late.1', says('"hidden"', 1))).toEqual([]);
  expect(presence.list).toHaveLength(MAX_SHOWN);
  expect(presence.with('later.1', of('later.1').there)).toBe(undefined);
  expect(gone('last.1')).toEqual([]);
  expect(gone('u0.1')).toEqual([
    ['u0', 0],
    ['late', 1, '"hidden"'],
  ]);
  expect(presence.list).toHaveLength(MAX_SHOWN);
});

test('a list that is read anew tells of what has changed, each user once', () => {
  const { presence, of, there } = room();
  for (const sid of ['ada.1', 'ada.2', 'bob.1', 'eve.1']) there(sid);
  const anew = [of('ada.3'), of('bob.1'), of('zoe.1', says('1', 1))];
  expect(presence.replace(anew, 0)).toEqual([
    ['ada', 1],
    ['zoe', 1, '1'],
    ['eve', 0],
  ]);
  expect(presence.list).toEqual([
    ['ada', 1],
    ['bob', 1],
    ['zoe', 1, '1'],
  ]);
  expect(presence.replace(anew, 0)).toEqual([]);
});

test('how it will stand with one more is known before', () => {
  const { presence, of, there } = room();
  there('ada.1', says('1', 1));
  expect(presence.with('ada.2', of('ada.2').there)).toEqual(['ada', 2, '1']);
  expect(presence.with('ada.2', of('ada.2', says('2', 2)).there)).toEqual(['ada', 2, '2']);
  expect(presence.with('bob.1', of('bob.1').there)).toEqual(['bob', 1]);
  expect(presence.with('ada.1', of('ada.1').there)).toBe(undefined);
});

test('what the dead have said is found, as far as it was heard before they were asked for', () => {
  const { presence, of } = room();
  for (const [sid, node, at] of [
    ['ada.1', 'A', 10],
    ['bob.1', 'B', 10],
    ['eve.1', 'B', 20],
  ] as const)
    presence.set(of(sid, undefined, node), at);
  const sids = (...living: string[]) => [...presence.ofOthers(new Set(living), 20)].map(({ sid }) => sid);
  expect(sids('A', 'B', 'C')).toEqual([]);
  expect(sids('A')).toEqual(['bob.1']);
  presence.set({ sid: 'bob.1', gen: 1, w: 99 }, 30);
  expect(sids('A')).toEqual([]);
});
