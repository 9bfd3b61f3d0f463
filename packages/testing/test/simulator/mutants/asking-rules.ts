import type { Mutant } from './mutant.js';

const ASKING = 'server/src/asking.ts';
const RUNNER = 'server/src/runner.ts';
const LANE = 'server/src/store/out-lane.ts';
const INFLOW = 'server/src/inflow.ts';
const ATTACHMENT = 'server/src/attachment.ts';
const ANSWERING = 'client/src/runtime/answering.ts';

/** Wrong rules of what the server asks its clients. */
export const ASKING_RULES: readonly Mutant[] = [
  {
    name: 'cancel-unsaid',
    says: 'who gives up a request does not tell the client',
    edits: [
      {
        file: ASKING,
        find: 'const appended = append(call, () => undefined);',
        put: 'const appended = void [append, call];',
      },
    ],
  },
  {
    name: 'no-lending',
    says: 'a handler that waits for its client keeps its place, which what the client does first may need',
    edits: [{ file: RUNNER, find: 'concurrency + this.#lent - ', put: 'concurrency - ' }],
  },
  {
    name: 'unsent-guessed',
    says: 'a request whose number this server does not know is called unsent',
    edits: [
      {
        file: ASKING,
        find: "told(answer.status === 'ok' && life !== undefined ? 'unsent' : 'unknown');",
        put: "told('unsent');",
      },
    ],
  },
  {
    name: 'taken-back-in-another-life',
    says: 'a store that has lost its last writes says what was never written, of an earlier incarnation too',
    edits: [
      {
        file: 'server/src/store/memory-store.ts',
        find: 'return life && !session?.isSame(life) ? undefined : session;',
        put: 'return life && session;',
      },
      {
        file: 'server/src/sessions.ts',
        find: 'const unwritten = note.epoch === session.life?.epoch ? note.unwritten : [];',
        put: 'const { unwritten } = note;',
      },
      {
        file: ASKING,
        find: 'ask.life !== undefined && ask.seq === undefined;',
        put: 'ask.life !== undefined;',
      },
    ],
  },
  {
    name: 'requests-without-a-bound',
    says: 'a server asks more at once than the client takes',
    edits: [
      {
        file: LANE,
        find: "if (this.#requests.length + this.#asked.size >= maxRequests) return { status: 'full' };",
        put: "if (maxRequests < 0) return { status: 'full' };",
      },
    ],
  },
  {
    name: 'cancelled-written-again',
    says: 'a request that was given up is written again on the next connection',
    edits: [{ file: LANE, find: "if (numbered) numbered.state = 'abandoned';", put: 'void numbered;' }],
  },
  {
    name: 'answers-of-a-lost-session',
    says: 'a handler that a lost session has started answers in the next one',
    edits: [
      {
        file: ANSWERING,
        find: 'this.#open.get(seq) !== aborter;',
        put: 'aborter.signal.reason?.reason !== undefined;',
      },
    ],
  },
  {
    name: 'answers-in-their-turn',
    says: 'an answer waits for what the client has said before it',
    edits: [
      {
        file: ATTACHMENT,
        find: 'if (isAnswer && this.session.asking.answered(item)) return',
        put: 'if (isAnswer && !item) return',
      },
      {
        file: INFLOW,
        find: 'if (item[0] !== Type.RES && item[0] !== Type.ERR) return incoming;\n    this.#answers.push(item);\n    return {',
        put: 'if (item) return incoming;\n    return {',
      },
      {
        file: INFLOW,
        find: 'batch.push(next);\n      if (moves) break;',
        put: 'batch.push(next);\n      if (moves) break;\n      if (incoming.item[0] === Type.RES || incoming.item[0] === Type.ERR) this.#answers.push(incoming.item);',
      },
    ],
  },
];
