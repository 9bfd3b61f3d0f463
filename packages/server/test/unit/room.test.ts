import { json, Type } from '@holdfast/protocol';
import { msgpack } from '@holdfast/protocol/msgpack';
import { describe, expect, test } from 'vitest';
import { LiveRoom } from '../../src/hub/room.js';
import { Rules } from '../../src/hub/rules.js';
import type { Session } from '../../src/session.js';

const codec = json();
const make = () => new LiveRoom('lobby', 7, codec);
const session = (id: string, userId = id) => ({ id, user: { id: userId } }) as Session;
const event = codec.encode([Type.EVT, 'message', 'hi', { i: 'id', t: 1000, f: 'ada' }]);
const publication = { id: 'id', at: 1000, except: new Set<string>(), event, offset: 3 };

describe('a room on a server', () => {
  test('gives the same bytes to every member with the same codec', () => {
    const news = make().news('epoch', publication);
    expect(news.frame(codec)).toBe('[0,0,[6,7,3,"message","hi",{"i":"id","t":1000,"f":"ada"}]]');
    const packed = msgpack();
    expect(news.frame(packed)).toBe(news.frame(packed));
    expect(packed.decode(news.frame(packed))).toEqual(codec.decode(news.frame(codec)));
  });

  test('counts the sessions of each user that are there', () => {
    const room = make();
    const [phone, laptop] = [session('1', 'ada'), session('2', 'ada')];
    expect(room.setPresence(phone, true)).toEqual(['ada', 1]);
    expect(room.setPresence(phone, true)).toBeUndefined();
    expect(room.setPresence(laptop, true)).toEqual(['ada', 2]);
    expect(room.users).toEqual([['ada', 2]]);
    expect(room.setPresence(phone, false)).toEqual(['ada', 1]);
    expect(room.setPresence(laptop, false)).toEqual(['ada', 0]);
    expect(room.users).toEqual([]);
  });

  test('an aside is at the offset up to which the members have been told', () => {
    const room = make();
    room.told = { epoch: 'e', offset: 5 };
    expect(room.aside('$member', ['ada', 1], 9)).toEqual([Type.PUB, 7, 5, '$member', ['ada', 1], { t: 9 }]);
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
