import { type PublicationItem, Type } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { Room } from '../../src/runtime/room.js';

test('a room in which the server has put us again, before the connection broke, does not flow on the next one', () => {
  const heard: unknown[] = [];
  const nothing = (): void => undefined;
  const flowing = new Map<number, Room>();
  const room = new Room('lobby', {
    dispatcher: { deliver: (_name, payload) => void heard.push(payload), failed: nothing, gap: nothing },
    flowing,
    status: () => 'connected',
    nextTask: nothing,
    tell: (run) => run(),
    isNew: () => true,
  });
  const say = (offset: number): PublicationItem => [Type.PUB, 1, offset, 'said', offset];
  room.want();
  room.joined({ epoch: 'e', offset: 1, members: [] });
  room.sync(['lobby', 'e', 1, 7]);
  room.take(say(2));
  room.sync(['lobby', '', 0, 0]);
  room.sync(['lobby', 'e', 5, 8]);
  room.take(say(6));
  expect([...flowing.keys()]).toEqual([8]);
  room.detached(undefined);
  expect({ heard, flowing: [...flowing.keys()], position: room.position }).toEqual({
    heard: [2, 6],
    flowing: [],
    position: ['lobby', 'e', 6],
  });
});
