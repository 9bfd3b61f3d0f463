import { json, Type } from '@holdfast/protocol';
import { msgpack } from '@holdfast/protocol/msgpack';
import { describe, expect, test } from 'vitest';
import { LiveRoom } from '../../src/hub/room.js';
import { RoomNews } from '../../src/hub/room-news.js';
import { Rules } from '../../src/hub/rules.js';
import { LOG_BOUNDS } from '../../src/store/room-log.js';

const codec = json();
const make = () => new LiveRoom('lobby', 7, codec, () => LOG_BOUNDS);
const event = codec.encode([Type.EVT, 'message', 'hi', { i: 'id', t: 1000, f: 'ada' }]);
const publication = { id: 'id', at: 1000, except: new Set<string>(), event, offset: 3 };

describe('a room on a server', () => {
  test('gives the same bytes to every member with the same codec', () => {
    const news = new RoomNews(make(), { epoch: 'epoch', offset: 2 });
    news.add(publication);
    expect(news.frame(codec)).toBe('[0,0,[6,7,3,"message","hi",{"i":"id","t":1000,"f":"ada"}]]');
    const packed = msgpack();
    // Members of both may come in any order.
    const made = news.frame(packed);
    news.frame(codec);
    expect(news.frame(packed)).toBe(made);
    expect(packed.decode(news.frame(packed))).toEqual(codec.decode(news.frame(codec)));
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
    expect(rules.for('chat:lobby')).toMatchObject(chats);
    expect(rules.for('chat:staff')).toMatchObject(staff);
    expect(rules.for('elsewhere')).toMatchObject(all);
  });

  test('each namespace is for itself, and a later rule for the same names takes the place of the earlier', () => {
    const rules = new Rules();
    rules.add('*', { join: true });
    rules.add('/adm*', { join: true });
    rules.add('chat:*', { publish: true }, '/admin#');
    expect(rules.for('/admin#chat:lobby')).toMatchObject({ publish: true });
    expect(rules.for('/admin#elsewhere')).not.toHaveProperty('join');
    expect(rules.for('/other#chat:lobby')).not.toHaveProperty('join');
    expect(rules.for('/admin#')).not.toHaveProperty('join');
    rules.add('*', { join: false });
    expect(rules.for('chat:lobby')).toMatchObject({ join: false });
  });

  test('without a rule nothing is allowed', () => {
    const rules = new Rules();
    rules.add('chat:*', { join: true });
    const none = { presence: false, history: { ...LOG_BOUNDS, onJoin: 0 } };
    expect(rules.for('chat')).toEqual(none);
    expect(rules.for('__proto__')).toEqual(none);
  });

  test.each(['', '*:chat', 'a*b', 'a**', '$secret', 7])('%j is no pattern', (pattern) => {
    expect(() => new Rules().add(pattern as string, {})).toThrow(
      `rooms(pattern): '${pattern}' must be a name`,
    );
  });

  test('a rule that does not exist is refused by name', () => {
    expect(() => new Rules().add('x', { joins: true } as object)).toThrow(
      "rooms('x'): unknown option 'joins'; allowed: join, publish, presence, history",
    );
  });

  test('a history may be longer than what clients count on, and not shorter', () => {
    const rules = new Rules();
    rules.add('x', { history: { maxMessages: 500, onJoin: 50 } });
    const { maxBytes, ttlMs } = LOG_BOUNDS;
    expect(rules.for('x').history).toEqual({ maxMessages: 500, maxBytes, ttlMs, onJoin: 50 });
  });

  test.each([
    [{ maxMessages: 255 }, 'history.maxMessages must be a whole number of at least 256, not 255'],
    [{ maxBytes: 262_143 }, 'history.maxBytes must be a number of at least 262144, not 262143'],
    [{ ttlMs: 0 }, 'history.ttlMs must be a number of at least 120000, not 0'],
    [{ onJoin: -1 }, 'history.onJoin must be a whole number of at least 0, not -1'],
    [{ last: 5 }, "history: unknown option 'last'; allowed: maxMessages, maxBytes, ttlMs, onJoin"],
  ])('%j is no history', (history, why) => {
    expect(() => new Rules().add('x', { history: history as object })).toThrow(
      new TypeError(`rooms('x'): ${why}`),
    );
  });
});
