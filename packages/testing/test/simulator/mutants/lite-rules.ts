import type { Mutant } from './mutant.js';

const SESSION = 'client/src/lite/session.ts';
const MESSAGES = 'client/src/lite/messages.ts';

/** Wrong rules of the small client, where it has code of its own. */
export const LITE_RULES: readonly Mutant[] = [
  {
    name: 'lite-holes-untold',
    client: 'lite',
    says: 'the small client does not tell its application of a hole',
    edits: [{ file: SESSION, find: "if (item[3] !== 'abandoned') this.gap(", put: 'if (seq < 0) this.gap(' }],
  },
  {
    name: 'lite-nonce-kept',
    client: 'lite',
    says: 'the small client does not draw its nonce anew when a session has begun or was lost',
    edits: [
      {
        file: SESSION,
        find: 'this.#proof = undefined;\n    this.#nonce = undefined;',
        put: 'this.#proof = undefined;',
      },
      {
        file: SESSION,
        find: 'this.#proof = { s, k, e };\n    this.#nonce = undefined;',
        put: 'this.#proof = { s, k, e };',
      },
    ],
  },
  {
    name: 'lite-written-again-after-rejection',
    client: 'lite',
    says: 'the small client writes again what it has given up',
    edits: [{ file: MESSAGES, find: "if (fate === 'unknown') this.#link.abandon(message);", put: '' }],
  },
  {
    name: 'lite-refused-after-the-ack',
    client: 'lite',
    says: 'the small client settles by an ack before it has heard the refusals in its frame',
    edits: [
      {
        file: MESSAGES,
        find: 'for (const incoming of link.take(frame, bytes)) {',
        put: 'const came = link.take(frame, bytes);\n    const settled = link.acknowledge(frame.ack);\n    for (const one of settled) if (one.kind === "event") this.#succeed(one, { id: one.id, outcome: "acknowledged" });\n    for (const incoming of came) {',
      },
    ],
  },
  {
    name: 'lite-answers-of-a-lost-session',
    client: 'lite',
    says: 'a handler that a lost session has started answers in the next one',
    edits: [
      {
        file: 'client/src/lite/answering.ts',
        find: 'if (!signal.aborted) this.#session.messages.control(item);',
        put: 'this.#session.messages.control(item);',
      },
    ],
  },
  {
    name: 'lite-left-at-once',
    client: 'lite',
    says: 'what the frame that answers $leave says behind it counts as the wish of the server',
    edits: [
      {
        file: 'client/src/lite/rooms.ts',
        find: 'outcome.promise.then(over, over);',
        put: 'Object.assign(outcome, { resolve: over, reject: over });',
      },
    ],
  },
  {
    name: 'lite-rooms-without-a-position',
    client: 'lite',
    says: 'the small client joins anew from the newest, not from where it was',
    edits: [
      {
        file: 'client/src/lite/rooms.ts',
        find: '{ room: name, ...room.position, replaced',
        put: '{ room: name, replaced',
      },
    ],
  },
];
