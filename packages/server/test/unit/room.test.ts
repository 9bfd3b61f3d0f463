import { json, Type } from '@holdfast/protocol';
import { seededRandom } from '@holdfast/testing';
import { describe, expect, test } from 'vitest';
import { MAX_AGE_MS, type Publication, Room, type RoomMember } from '../../src/hub/room.js';
import { Rules } from '../../src/hub/rules.js';

const codec = json();
const nobody = new Set<string>();
const make = () => new Room('lobby', 7, seededRandom(1));

function member(id: string, userId = id): RoomMember & { readonly got: Publication[] } {
  const got: Publication[] = [];
  return { id, user: { id: userId }, got, publish: (publication) => got.push(publication) };
}
const say = (room: Room, payload: unknown, { except = nobody, at = 1_000 } = {}) =>
  room.publish({ name: 'message', payload, id: 'id', at, from: 'ada', except }, codec);
const offsets = (publications: readonly Publication[]) => publications.map(({ offset }) => offset);

describe('a room', () => {
  test('gives the same bytes to every member but the one who spoke', () => {
    const room = make();
    const [a, b, c] = [member('a'), member('b'), member('c')];
    for (const each of [a, b, c]) room.add(each);
    say(room, 'hi', { except: new Set(['a']) });
    expect([a, b, c].map(({ got }) => got.length)).toEqual([0, 1, 1]);
    expect(b.got[0]).toBe(c.got[0]);
    const frame = b.got[0]?.frame(codec);
    expect(frame).toBe('[0,0,[6,7,1,"message","hi",{"i":"id","t":1000,"f":"ada"}]]');
    expect(JSON.parse(String(frame))[2][0]).toBe(Type.PUB);
  });

  test('counts the sessions of each user', () => {
    const room = make();
    const [phone, laptop] = [member('1', 'ada'), member('2', 'ada')];
    expect([room.add(phone), room.add(phone), room.add(laptop)]).toEqual([true, false, true]);
    expect(room.users).toEqual([['ada', 2]]);
    expect([room.remove(phone, 5), room.remove(phone, 5)]).toEqual([true, false]);
    expect(room.users).toEqual([['ada', 1]]);
    room.remove(laptop, 9);
    expect([room.users, room.emptySince]).toEqual([[], 9]);
  });

  test('an announcement is not part of the log', () => {
    const room = make();
    const a = member('a');
    room.add(a);
    say(room, 1);
    room.announce('b', 1_000, nobody, codec);
    say(room, 2);
    expect(offsets(a.got)).toEqual([1, 1, 2]);
    expect(offsets(room.after(0, []))).toEqual([1, 2]);
  });

  test('what cannot be encoded is thrown back and takes no offset', () => {
    const room = make();
    expect(() => say(room, () => 1)).toThrow(TypeError);
    expect(room.offset).toBe(0);
  });

  test('of its log one gets what follows, less what was not for one, under whatever id one had', () => {
    const room = make();
    for (const by of ['old', 'other', 'new', 'other']) say(room, by, { except: new Set([by]) });
    expect(offsets(room.after(1, ['new', 'old']))).toEqual([2, 4]);
    expect(offsets(room.after(0, []))).toEqual([1, 2, 3, 4]);
  });

  test('its log keeps 256 messages', () => {
    const room = make();
    for (let n = 0; n < 300; n++) say(room, n);
    expect([room.offset, room.base, room.after(0, []).length]).toEqual([300, 44, 256]);
  });

  test('its log keeps 256 KiB', () => {
    const room = make();
    for (let n = 0; n < 10; n++) say(room, 'x'.repeat(60_000));
    expect([room.base, offsets(room.after(0, []))]).toEqual([6, [7, 8, 9, 10]]);
  });

  test('its log keeps two minutes', () => {
    const room = make();
    say(room, 'old', { at: 1_000 });
    say(room, 'new', { at: 1_000 + MAX_AGE_MS });
    expect(room.base).toBe(0);
    say(room, 'newer', { at: 1_001 + MAX_AGE_MS });
    expect(room.base).toBe(1);
  });
});

describe('rules', () => {
  test('the longest pattern counts, a whole name most of all', () => {
    const rules = new Rules();
    const [all, chats, staff] = [{ join: false }, { join: true }, { publish: true }];
    rules.add('*', all);
    rules.add('chat:*', chats);
    rules.add('chat:staff', staff);
    expect(rules.for('chat:lobby')).toBe(chats);
    expect(rules.for('chat:staff')).toBe(staff);
    expect(rules.for('elsewhere')).toBe(all);
  });

  test('without a rule nothing is allowed', () => {
    const rules = new Rules();
    rules.add('chat:*', { join: true });
    expect(rules.for('chat')).toEqual({});
    expect(rules.for('__proto__')).toEqual({});
  });

  test.each(['', '*:chat', 'a*b', 'a**', '$secret', 7])('%j is no pattern', (pattern) => {
    expect(() => new Rules().add(pattern as string, {})).toThrow(
      `rooms(pattern): '${pattern}' must be a name`,
    );
  });

  test('a rule that does not exist is refused by name', () => {
    expect(() => new Rules().add('x', { joins: true } as object)).toThrow(
      "rooms('x'): unknown option 'joins'; allowed: join, publish, presence",
    );
  });
});
