import type { Mutant } from './mutant.js';

const OPEN_MESSAGES = 'client/src/runtime/open-messages.ts';
const CLIENT_SESSION = 'client/src/runtime/client-session.ts';

/** Wrong rules about who has said what, where one user follows on another. */
export const LOGIN_RULES: readonly Mutant[] = [
  {
    name: 'nobody-was-here-before',
    says: 'what was said for a token that has let nobody in is said by the next one who is let in',
    edits: [
      {
        file: OPEN_MESSAGES,
        find: 'ofUser: defaults.isNamed ? 0 : Infinity',
        put: 'ofUser: Infinity',
      },
    ],
  },
  {
    name: 'the-next-speaks-for-the-last',
    says: 'what waited when another user was let in is said by him',
    edits: [{ file: CLIENT_SESSION, find: 'exchange.disown(before.userId);', put: '' }],
  },
  {
    name: 'the-next-looks-like-the-last',
    says: 'what one user has told a room about himself is told of the next',
    edits: [{ file: CLIENT_SESSION, find: 'rooms.disown();', put: '' }],
  },
];
