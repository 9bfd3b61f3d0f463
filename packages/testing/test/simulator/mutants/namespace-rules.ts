import type { Mutant } from './mutant.js';

const HUB = 'server/src/hub/hub.ts';
/** What covers the rules about rooms of a namespace: whoever is found in one of them and not in it is taken out. */
const NOBODY_FOUND = {
  file: 'server/src/hub/home.ts',
  find: "return [...rooms.keys()].filter((room) => prefixOf(room) !== '' && !rooms.has(prefixOf(room)));",
  put: 'return [];',
};

/** Wrong rules of namespaces, and of those who are taken out of what they are joining. */
export const NAMESPACE_RULES: readonly Mutant[] = [
  {
    name: 'resume-unasked',
    says: 'the middleware of a namespace is not asked when a session comes back',
    edits: [
      {
        file: 'server/src/hub/middleware.ts',
        find: '() => after(this.admit(session, { room: home }, handshake), () => home),',
        put: '() => home,',
      },
    ],
  },
  {
    name: 'joins-unasked',
    says: 'the middleware of a namespace is not asked when a session joins it',
    edits: [
      {
        file: 'server/src/hub/permits.ts',
        find: "return middleware.admit(session.facadeIn(''), request, handshake);",
        put: 'return undefined;',
      },
    ],
  },
  {
    name: 'rooms-outlive-their-namespace',
    says: 'who is taken out of a namespace stays in its rooms',
    edits: [
      NOBODY_FOUND,
      { file: HUB, find: 'if (prefixOf(room) === name) unawaited', put: 'if (room === name) unawaited' },
    ],
  },
  {
    name: 'strays',
    says: 'who is taken out of a namespace while it joins a room there stays in that room',
    edits: [
      NOBODY_FOUND,
      {
        file: HUB,
        find: 'unawaited(dropStray(this, this.#around.store, session.id, name), this.#around);',
        put: '',
      },
    ],
  },
  {
    name: 'namespace-guessed',
    says: 'what is said in a namespace does not wait for the join before it',
    edits: [
      {
        file: 'server/src/inflow.ts',
        find: "return item[3]?.r !== undefined || prefixOf(item[1]) !== '';",
        put: 'return item[3]?.r !== undefined;',
      },
    ],
  },
  {
    name: 'late-joins-unasked',
    says: 'a join that was let in on one connection is not asked about again when it ends on the next one',
    edits: [
      {
        file: 'server/src/session.ts',
        find: 'if (hasMoved && seq === this.#late?.lastMove) this',
        put: 'if (seq === -1) this',
      },
    ],
  },
  {
    name: 'late-joins-believed',
    says: 'a client believes an answer to its join that comes on a later connection',
    edits: [
      {
        file: 'client/src/runtime/rooms.ts',
        find: 'if (lost < this.#lost && room.position)',
        put: 'if (lost < 0 && room.position)',
      },
    ],
  },
];
