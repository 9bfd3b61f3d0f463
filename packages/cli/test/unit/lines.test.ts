import { expect, test } from 'vitest';
import { parseLine } from '../../src/connect/commands.js';

test.each([
  ['', { do: 'nothing' }],
  ['   ', { do: 'nothing' }],
  ['/join chat:lobby', { do: 'join', name: 'chat:lobby' }],
  ['  /join  a room ', { do: 'join', name: 'a room' }],
  ['/listen welcome', { do: 'listen', name: 'welcome' }],
  ['/leave', { do: 'leave' }],
  ['/members', { do: 'members' }],
  ['/state', { do: 'state' }],
  ['/help', { do: 'help' }],
  ['/quit', { do: 'quit' }],
  ['/send ping', { do: 'send', name: 'ping', payload: undefined }],
  ['/send message {"text": "a b"}', { do: 'send', name: 'message', payload: { text: 'a b' } }],
  ['message "a b"', { do: 'send', name: 'message', payload: 'a b' }],
  ['/request add [1, 2]', { do: 'request', name: 'add', payload: [1, 2] }],
])('%j', (line, command) => {
  expect(parseLine(line)).toEqual(command);
});

test.each([
  ['/join', '/join needs a name'],
  ['/listen ', '/listen needs a name'],
  ['/send', 'a name is needed, and then JSON'],
  ['/request', 'a name is needed, and then JSON'],
  ['/send message {text}', "what follows 'message' is no JSON: {text}"],
  ['hello there', "what follows 'hello' is no JSON: there"],
  ['/quit now', '/quit takes nothing behind it'],
  ['/', 'no command /; /help shows what there is'],
  ['/jion x', 'no command /jion; /help shows what there is'],
  ['/constructor', 'no command /constructor; /help shows what there is'],
])('%j is refused', (line, message) => {
  expect(() => parseLine(line)).toThrow(message);
});
