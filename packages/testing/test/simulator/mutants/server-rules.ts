import type { Mutant } from './mutant.js';

const RECORD = 'server/src/store/session-record.ts';
const STORE = 'server/src/store/memory-store.ts';
const INBOX = 'server/src/store/inbox.ts';
const RUNNER = 'server/src/runner.ts';
const SESSIONS = 'server/src/sessions.ts';
const SWEEPER = 'server/src/sweeper.ts';

/** Wrong rules between servers and their store. */
export const SERVER_RULES: readonly Mutant[] = [
  {
    name: 'handled-before-the-handler',
    says: 'a message counts as handled before its handler has run',
    edits: [
      {
        file: RUNNER,
        find: 'const outcome = this.#around.run(this.#session, item, aborter ?? ended, hold);',
        put: 'void this.#around.store.done({ sid: this.#session.id, seq: item.seq, token: item.token });\n    const outcome = this.#around.run(this.#session, item, aborter ?? ended, hold);',
      },
    ],
  },
  {
    name: 'redelivery-unmarked',
    says: 'the handler runs, then the message counts as handled: whoever dies in between runs it twice, and does not say so',
    edits: [{ file: INBOX, find: 'if (expired || isBegun(claim)) entry.redelivered = true;', put: '' }],
  },
  {
    name: 'no-store-incarnation',
    says: 'a store that has lost its last writes goes on as if it had not',
    edits: [
      {
        file: RECORD,
        find: "return call.epoch !== this.#settings.epoch || knowsMore ? 'lost' : undefined;",
        put: 'return undefined;',
      },
      {
        file: STORE,
        find: 'const session = epoch === this.#settings.epoch ? this.#sessions.get(sid) : undefined;',
        put: 'const session = epoch ? this.#sessions.get(sid) : undefined;',
      },
    ],
  },
  {
    name: 'claims-without-a-lease',
    says: 'what a dead server was running is never taken over',
    edits: [
      {
        file: INBOX,
        find: 'claim.token !== token && claim.until <= now;',
        put: 'claim.until < 0;',
      },
    ],
  },
  {
    name: 'lease-not-renewed',
    says: 'a running handler loses its claim when it takes longer than a lease',
    edits: [
      {
        file: RUNNER,
        find: 'for (const [seq, running] of this.#running) this.#keep(seq, running);',
        put: '',
      },
      // Covered by this rule: others take nothing as long as the owner is heard of.
      {
        file: STORE,
        find: 'if (!where.isFor(call.holder, now, this.leaseMs))',
        put: 'if (this.leaseMs < 0)',
      },
    ],
  },
  {
    name: 'no-adoption',
    says: 'what a session that has ended was still owed is handled by nobody',
    edits: [{ file: SWEEPER, find: 'if (unhandled > 0) {', put: 'if (unhandled < 0) {' }],
  },
  {
    name: 'done-without-the-claim',
    says: 'who has lost a claim may still say that its message is handled',
    edits: [
      {
        file: INBOX,
        find: 'return entry?.claim?.token === token ? entry : undefined;',
        put: 'return token ? entry : undefined;',
      },
      // Covered by this rule: what is done is gone.
      {
        file: STORE,
        find: "if (!where?.inbox.done(seq, token)) return { status: 'gone' };",
        put: "if (!where) return { status: 'gone' };\n    where.inbox.done(seq, token);",
      },
    ],
  },
  {
    name: 'repeated-calls-count-twice',
    says: 'an append or a publication whose answer was lost is made again',
    edits: [
      {
        file: 'server/src/store/last-calls.ts',
        find: 'if (last && w <= last.w) return last.result;',
        put: 'if (last && w < 0) return last.result;',
      },
    ],
  },
  {
    name: 'claims-passed-by',
    says: 'a message is run before an earlier one that another server may be about to start',
    edits: [
      {
        file: INBOX,
        find: "return serial || claim.stage !== 'started' || entry.expired > 0;",
        put: 'return serial;',
      },
    ],
  },
  {
    name: 'claim-not-repeatable',
    says: 'a claim whose answer was lost is not given again to who made it',
    edits: [{ file: INBOX, find: 'if (running.includes(seq)) return', put: 'if (claim && !expired) return' }],
  },
  {
    name: 'superseded-without-generation',
    says: 'the note of a newer connection closes that one, too',
    edits: [
      {
        file: SESSIONS,
        find: 'if (session.attachment && session.attachment.gen < note.gen) session',
        put: 'if (session.attachment) session',
      },
    ],
  },
  {
    name: 'replay-across-room-epochs',
    says: 'a position of an earlier life of a room counts in the new one',
    edits: [
      {
        file: 'server/src/store/room-log.ts',
        find: 'const sameLog = after.epoch === this.epoch && after.offset <= this.#offset;',
        put: 'const sameLog = after.offset <= this.#offset;',
      },
    ],
  },
  {
    name: 'rooms-forgotten-by-the-next-server',
    says: 'what a session replaces in its rooms is known only to the server that it joined them on',
    edits: [
      {
        file: 'server/src/session.ts',
        find: 'this.joined.add(name, membership);',
        put: 'this.joined.add(name, this.gen > 0 ? membership : { ...membership, replaced: [] });',
      },
    ],
  },
  {
    name: 'publishes-twice',
    says: 'a handler that runs again publishes again',
    edits: [{ file: 'server/src/store/room-log.ts', find: 'if (known) return known;', put: '' }],
  },
  {
    name: 'publishes-in-any-incarnation',
    says: 'a publication whose answer is missing is repeated in an incarnation that may have lost it',
    edits: [
      {
        file: 'server/src/store/publishing.ts',
        find: 'message, incarnation });',
        put: 'message, incarnation: incarnation && undefined });',
      },
    ],
  },
  {
    name: 'membership-guessed',
    says: 'what is said in a room does not wait for the join before it',
    edits: [{ file: 'server/src/session.ts', find: 'return this.#moving === 0;', put: 'return true;' }],
  },
  {
    name: 'busy-while-congested',
    says: 'an ack that is owed keeps ringing while the socket is full',
    edits: [
      {
        file: 'server/src/outflow.ts',
        find: 'return isAbout || isHeldUp ? Infinity : this.#link.ackDueAt;',
        put: 'return this.#link.ackDueAt;',
      },
    ],
  },
  {
    name: 'ack-left-to-nobody',
    says: 'an ack waits for a write that has been made already',
    edits: [
      {
        file: 'server/src/outflow.ts',
        find: '(this.#news && this.#endOfTask.asked > 0)',
        put: 'this.#endOfTask.asked > 0',
      },
    ],
  },
  {
    name: 'store-asked-once',
    says: 'a call that the store did not answer is given up',
    edits: [
      {
        file: 'server/src/store/retrying-store.ts',
        find: 'return isPromiseLike(answer) ? insist(answer, () => ask(operation, call, what)) : answer;',
        put: 'return answer;',
      },
    ],
  },
  {
    name: 'join-waits-for-itself',
    says: 'a join that the store had no place for counts as a move that is under way',
    edits: [
      {
        file: 'server/src/inflow.ts',
        find: 'if (moves) break;',
        put: 'if (moves) this.#session.moveAccepted(incoming.seq);\n      if (moves) break;',
      },
    ],
  },
  {
    name: 'two-runners',
    says: 'what an ended session was still owed is run by a second runner of the same server',
    edits: [
      {
        file: SWEEPER,
        find: 'const known = this.#around.sessions.get(sid) ?? this.#retired.get(sid);',
        put: 'const known = this.#around.sessions.get(sid);',
      },
    ],
  },
  {
    name: 'handled-elsewhere-unheard-of',
    says: 'what another server has handled is never acknowledged',
    edits: [
      { file: 'server/src/outflow.ts', find: 'this.#handledElsewhere(read.handled);', put: '' },
      // Covered by this rule: others run nothing new as long as the owner is heard of.
      {
        file: STORE,
        find: 'if (!where.isFor(call.holder, now, this.leaseMs))',
        put: 'if (this.leaseMs < 0)',
      },
    ],
  },
  {
    name: 'room-made-anew-untold',
    says: 'a room that begins anew while it flows does not say so before its first publication',
    edits: [
      {
        file: 'server/src/lanes.ts',
        find: 'if (top.epoch !== lane.position.epoch) {',
        put: 'if (top.epoch === undefined) {',
      },
    ],
  },
  {
    name: 'moves-forgotten-at-attach',
    says: 'a session learns of its moves only from its own connections',
    edits: [
      {
        file: 'server/src/session.ts',
        find: 'this.#moving = lastMove;',
        put: 'if (gen === 0) this.#moving = lastMove;',
      },
    ],
  },
  {
    name: 'moves-overtaken',
    says: 'the answer to an attach counts more than the note of a move that the store has made since, and that came first',
    edits: [{ file: 'server/src/session.ts', find: 'this.moved();', put: '' }],
  },
  {
    name: 'opened-where-it-was-asked',
    says: 'a room flows on the connection on which its join was asked for, though another one has come meanwhile',
    edits: [
      {
        file: 'server/src/hub/hub.ts',
        find: 'const membership = { position, replaced, presence };',
        put: 'const membership = { position, replaced, presence };\n      const { attachment } = session;',
      },
      {
        file: 'server/src/hub/hub.ts',
        find: 'this.#joined(session, name, { membership, wasIn, status, told })',
        put: 'this.#joined(session, name, { membership, wasIn, status, told, attachment })',
      },
      {
        file: 'server/src/hub/hub.ts',
        find: '#joined(session: Session, name: string, { membership, wasIn, status, told }: Joined)',
        put: '#joined(session: Session, name: string, { membership, wasIn, status, told, attachment }: Joined)',
      },
      {
        file: 'server/src/hub/hub.ts',
        find: 'const { attachment } = session;\n      // Another run',
        put: '// Another run',
      },
    ],
  },
  {
    name: 'rooms-of-before',
    says: 'a session whose connection comes in the middle of a join keeps the rooms that the store had before it',
    edits: [
      {
        file: 'server/src/hub/hub.ts',
        find: "if (status === 'ok') this.#takeIn(session, name, membership);",
        put: '',
      },
    ],
  },
  {
    name: 'publication-before-sync',
    says: 'a room flows before its SYNC has been written',
    edits: [
      {
        file: 'server/src/lanes.ts',
        find: 'this.#outflow.control([Type.SYNC, [sync]], room.number);',
        put: 'void Promise.resolve().then(() => this.#outflow.control([Type.SYNC, [sync]]));',
      },
    ],
  },
  {
    name: 'sync-overtaken-while-reading',
    says: 'a SYNC that waits for an answer of the store does not hold back what flows in its room',
    edits: [
      {
        file: 'server/src/outflow.ts',
        find: 'const isNextToSay = !this.#news && this.#controls.length === 0;',
        put: 'const isNextToSay = true;',
      },
    ],
  },
  {
    name: 'generations-begin-anew',
    says: 'the generations of a session begin anew when it is made anew',
    edits: [
      {
        file: 'server/src/store/memory-store.ts',
        find: 'session.attach(call, ++this.#gen, now,',
        put: 'session.attach(call, session.gen + (++this.#gen > 0 ? 1 : 0), now,',
      },
    ],
  },
  {
    name: 'claims-of-another-life',
    says: 'a claim that went astray runs what a later session of the same id is sent',
    edits: [
      {
        file: 'server/src/store/memory-store.ts',
        find: 'if (call.life && !where.isSame(call.life))',
        put: 'if (call.life && !where.isSame(call.life) && now < 0)',
      },
    ],
  },
];
