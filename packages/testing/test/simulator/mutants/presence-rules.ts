import type { Mutant } from './mutant.js';

const LIST = 'server/src/store/attendance-list.ts';
const ROLL = 'server/src/hub/roll.ts';
const ROLL_CALL = 'server/src/hub/roll-call.ts';

/** Wrong rules about who is there in a room. */
export const PRESENCE_RULES: readonly Mutant[] = [
  {
    name: 'the-dead-stay',
    says: 'what a server has said of its sessions is not taken off when it dies',
    edits: [
      {
        file: ROLL_CALL,
        find: '        this.#takeOffOne(room.name, presence);',
        put: '        void presence;',
      },
    ],
  },
  {
    name: 'gone-by-the-word-of-before',
    says: 'a server that a session has left may take it off where another one has it now',
    edits: [
      {
        file: LIST,
        find: 'return one.gen === other.gen ? one.w > other.w : one.gen > other.gen;',
        put: 'return one.gen === other.gen && one.w > other.w;',
      },
    ],
  },
  {
    name: 'taken-for-dead-for-good',
    says: 'a server that was taken for dead does not say its sessions anew',
    edits: [
      { file: ROLL_CALL, find: 'if (this.#thereIn(session, room)) saying.again();', put: '' },
      // Covered by this rule: what was read as a whole is looked at.
      { file: ROLL_CALL, find: 'if (isOlder) saying.again();', put: 'void isOlder;' },
    ],
  },
  {
    name: 'changes-before-the-list',
    says: 'what comes while the list is being read is forgotten',
    edits: [
      {
        file: ROLL,
        find: "if (this.#stage === 'reading') this.#ahead.push(note);",
        put: "if (this.#stage === 'reading') return;",
      },
      // Covered by this rule: the next change shows the hole.
      { file: ROLL, find: 'if (before !== known) {', put: 'if (before < 0) {' },
    ],
  },
  {
    name: 'shown-until-the-end',
    says: 'whoever has lost a connection is shown until its session ends',
    edits: [
      {
        file: ROLL_CALL,
        find: '!session.attachment && !this.#grace.has(session)',
        put: '!session.attachment && session.ended',
      },
    ],
  },
];
