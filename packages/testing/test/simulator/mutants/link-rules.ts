import type { Edit, Mutant } from './mutant.js';

const STORE = 'server/src/store/memory-store.ts';
const LINK = 'protocol/src/link.ts';
const RECORD = 'server/src/store/session-record.ts';
const SESSIONS = 'server/src/sessions.ts';
const EXCHANGE = 'client/src/runtime/exchange.ts';
const RUNTIME = 'client/src/runtime/runtime.ts';

const NO_FENCING: Edit = {
  file: STORE,
  find: "return gen === session.gen ? session : 'fenced';",
  put: 'return session;',
};

/** Wrong rules between a client and its server. */
export const LINK_RULES: readonly Mutant[] = [
  {
    name: 'ack-before-persisting',
    says: 'an ack goes out when a message has come in, not when it is stored',
    edits: [
      {
        file: 'server/src/attachment.ts',
        find: 'this.#inflow.receive(inOrder, frame.ack, bytes);',
        put: 'for (const one of inOrder) this.#link.accept(one);\n    this.#inflow.receive(inOrder, frame.ack, bytes);',
      },
    ],
  },
  { name: 'no-fencing', says: 'the store lets an older generation go on', edits: [NO_FENCING] },
  {
    name: 'stale-frames-in-the-client',
    says: 'the client listens to connections that it has left',
    edits: [
      {
        file: RUNTIME,
        find: 'if (dial === this.#connection.dial || dial === this.#socket) event();',
        put: 'if (dial > 0) event();',
      },
      // Asked a second time where frames come in: without that, such a frame is nobody's, and dropped.
      {
        file: RUNTIME,
        find: 'if (dial === this.#socket) this.#take',
        put: 'if (this.#socket !== undefined) this.#take',
      },
    ],
  },
  {
    name: 'ring-trimmed-at-send',
    says: 'what was written is not kept for another connection',
    edits: [
      {
        file: LINK,
        find: 'const missing = this.inflight.filter(({ seq, numbers }) => seq + numbers - 1 > received);',
        put: 'const missing: M[] = received < 0 ? [...this.inflight] : [];',
      },
    ],
  },
  {
    name: 'counters-reset-on-resume',
    says: 'the receiver counts from one again on each connection',
    edits: [
      {
        file: LINK,
        find: 'this.#taken = this.#accepted;\n    const missing',
        put: 'this.#taken = 0;\n    const missing',
      },
    ],
  },
  {
    name: 'new-before-replay',
    says: 'new messages go out before those that are written again',
    edits: [
      {
        file: EXCHANGE,
        find: 'return this.#link.replay(accepted, now, this.#messages.maxMessageBytes, told);',
        put: 'return [...this.frames(now), ...this.#link.replay(accepted, now, this.#messages.maxMessageBytes, told)];',
      },
    ],
  },
  {
    name: 'no-attach-order',
    says: 'a late HELLO takes the session over',
    edits: [{ file: RECORD, find: "if (call.n <= this.#n) return 'stale';", put: '' }],
  },
  {
    name: 'silence-unnoticed',
    says: 'the client does not ask after a server that has been silent',
    edits: [
      {
        file: 'client/src/core/heartbeat.ts',
        find: 'heardAt + 1.25 * intervalMs',
        put: 'heardAt + 125 * intervalMs',
      },
    ],
  },
  {
    name: 'no-welcome-deadline',
    says: 'the client waits for a WELCOME for ever',
    edits: [
      {
        file: 'client/src/core/connection/state.ts',
        find: 'const deadlineAt = now + PHASE_MS;',
        put: "const deadlineAt = now + (phase === 'handshaking' ? 100_000_000 : PHASE_MS);",
      },
    ],
  },
  {
    name: 'no-dedupe',
    says: 'what comes again is taken again',
    edits: [
      { file: LINK, find: 'if (last > this.#taken) {', put: 'if (last > 0) {' },
      // Covered by this rule: what the other end has is not written again.
      { file: LINK, find: 'seq + numbers - 1 > received);', put: 'seq + numbers - 1 > 0);' },
    ],
  },
  {
    name: 'stale-connection-at-the-server',
    says: 'a server keeps the older connection of a session',
    edits: [
      {
        file: SESSIONS,
        find: "before?.drop(CloseCode.SUPERSEDED, 'superseded');",
        put: '',
      },
      {
        file: SESSIONS,
        find: 'if (session.attachment && session.attachment.gen < note.gen) session',
        put: 'if (session.attachment && note.gen < 0) session',
      },
      NO_FENCING,
    ],
  },
  {
    name: 'no-gap-check',
    says: 'a number above the next one is taken',
    edits: [
      { file: LINK, find: 'if (seq > this.#taken + 1) {', put: 'if (seq < 0) {' },
      {
        file: EXCHANGE,
        find: 'return this.#link.replay(accepted, now, this.#messages.maxMessageBytes, told);',
        put: 'return this.#link.replay(accepted, now, this.#messages.maxMessageBytes, told).slice(1);',
      },
    ],
  },
  {
    name: 'nonce-kept',
    says: 'the nonce is not drawn anew when a session was lost',
    edits: [
      {
        file: 'client/src/runtime/client-session.ts',
        find: 'this.#standing = undefined;\n    this.#nonce = undefined;',
        put: 'this.#standing = undefined;',
      },
      {
        file: 'client/src/runtime/client-session.ts',
        find: 'this.#before = this.#standing;\n    this.#nonce = undefined;',
        put: 'this.#before = this.#standing;',
      },
    ],
  },
  {
    name: 'settled-by-welcome',
    says: 'the position in WELCOME settles messages, before their refusals come again',
    edits: [
      {
        file: EXCHANGE,
        find: 'return this.#link.replay(accepted, now, this.#messages.maxMessageBytes, told);',
        put: `const frames = this.#link.replay(accepted, now, this.#messages.maxMessageBytes, told);
    this.receive({ ack: accepted, firstSeq: 0, items: [] }, 0);
    return frames;`,
      },
    ],
  },
  {
    name: 'refusal-after-its-ack',
    says: 'an ack may cover a message whose refusal has not been written',
    edits: [
      {
        file: 'server/src/outflow.ts',
        find: 'frames.push(...this.#link.frames(all, now));',
        put: 'frames.push(...this.#link.frames([], now), ...this.#link.frames(all, now));',
      },
    ],
  },
  {
    name: 'offsets-as-numbers',
    says: 'the offsets of a room are expected without holes',
    edits: [
      {
        file: 'client/src/runtime/room.ts',
        find: 'if (offset <= position.offset) return;',
        put: 'if (offset !== position.offset + 1) return;',
      },
    ],
  },
  {
    name: 'written-again-after-rejection',
    says: 'a message that was given up is written again all the same',
    edits: [{ file: LINK, find: 'if (!this.#abandoned?.has(seq)) return entry;', put: 'return entry;' }],
  },
  {
    name: 'acks-of-what-was-never-written-here',
    says: 'who moves to another connection acknowledges there what the one before has brought meanwhile',
    edits: [
      {
        file: LINK,
        find: 'return Math.min(this.#accepted, this.#known);',
        put: 'return this.#known < 0 ? 0 : this.#accepted;',
      },
    ],
  },
];
