import type { Mutant } from './mutant.js';

const STREAMS = 'server/src/streams.ts';
const SESSION = 'server/src/session.ts';
const EXCHANGE = 'client/src/runtime/exchange.ts';
const OPEN = 'client/src/runtime/open-messages.ts';

/** Wrong rules of streams. */
export const STREAM_RULES: readonly Mutant[] = [
  {
    name: 'credit-untold-after-a-cut',
    says: 'a client does not tell again how much of its streams may come',
    edits: [
      { file: EXCHANGE, find: '    this.giveCredit();\n    return this.#link', put: '    return this.#link' },
    ],
  },
  {
    name: 'items-without-credit',
    says: 'a handler is asked for items as long as there is place for them',
    edits: [{ file: STREAMS, find: '!this.#isLeft && this.#sent >= this.#credit', put: 'false' }],
  },
  {
    name: 'full-for-an-item',
    says: 'an item that finds no place is dropped',
    edits: [{ file: STREAMS, find: "if (status !== 'full') return status;", put: "return status as 'ok';" }],
  },
  {
    name: 'place-unnoticed',
    says: 'what comes free while the store is asked is not noticed',
    edits: [{ file: STREAMS, find: 'if (changes === this.#changes) {', put: '{' }],
  },
  {
    name: 'stream-left-untold',
    says: 'a handler is not told that its stream has been left',
    edits: [
      {
        file: SESSION,
        find: 'if (!this.#streams?.cancel(seq, reason)) this.runner.cancel(seq, reason);',
        put: 'this.runner.cancel(seq, reason);',
      },
    ],
  },
  {
    name: 'stream-lost-untold',
    says: 'a server says nothing of a stream that it does not run',
    edits: [
      { file: STREAMS, find: '    this.#ended(seq);\n    this.#lose(seq);', put: '    this.#ended(seq);' },
    ],
  },
  {
    name: 'abandoned-as-ended',
    says: 'a stream that was left because its session was elsewhere counts as ended by its client',
    edits: [{ file: STREAMS, find: '    this.#over.clear();\n', put: '' }],
  },
  {
    name: 'streams-kept-for-nobody',
    says: 'a stream whose session has gone to another server is kept for its return',
    edits: [
      {
        file: SESSION,
        find: '      this.#streams?.abandon();\n    }\n    this.life',
        put: '    }\n    this.life',
      },
      {
        file: SESSION,
        find: 'if (!this.attachment && this.#around.clock.now() >= this.#detachedAt + idleMs) this.#streams?.abandon();',
        put: 'void idleMs;',
      },
    ],
  },
  {
    name: 'cancel-of-what-has-ended',
    says: 'who leaves what has ended cancels the number that it had',
    edits: [
      {
        file: OPEN,
        find: 'if (!this.has(message)) return;\n      if (message.writtenAt',
        put: 'if (message.writtenAt',
      },
    ],
  },
];
