import { type Case, check, DEADLINE_MS, NotAsked, same } from '../case.js';
import { T } from '../wire.js';
import { backTo, note, noted, type Server, unique } from './subject.js';

/** Longer than this no case waits for a heartbeat. */
const LONGEST_HEARTBEAT_MS = 5_000;

const heartbeatOf = (h: number): number => {
  if (h <= LONGEST_HEARTBEAT_MS) return h;
  throw new NotAsked(`its heartbeat of ${h} ms is longer than ${LONGEST_HEARTBEAT_MS} ms`);
};

export const liveness: readonly Case<Server>[] = [
  {
    name: 'a PING is answered at once',
    section: '6 Liveness',
    async run(server) {
      const { wire } = await server.session();
      const since = Date.now();
      await wire.settled();
      check(Date.now() - since < 5_000, 'a PONG at once', `one after ${Date.now() - since} ms`);
    },
  },
  {
    name: 'the server pings every h ms, give or take a tenth',
    section: '6 Liveness',
    async run(server) {
      const since = Date.now();
      const { wire, welcome } = await server.session();
      const h = heartbeatOf(welcome.h);
      await wire.waits(() => wire.all(T.PING).length > 0, `a PING every ${h} ms`, 1.1 * h + DEADLINE_MS);
      check(
        Date.now() - since > 0.85 * h,
        `no PING before ${0.9 * h} ms`,
        `one after ${Date.now() - since} ms`,
      );
    },
  },
  {
    name: 'a connection that is silent for 2.2 h is dropped, and its session goes on',
    section: '6 Liveness',
    isSlow: true,
    async run(server) {
      const since = Date.now();
      const { wire, welcome } = await server.session();
      const h = heartbeatOf(welcome.h);
      wire.answersPings = false;
      await wire.closes(3008, 2.2 * h + DEADLINE_MS);
      check(Date.now() - since > 2 * h, `silence of ${2.2 * h} ms`, `a close after ${Date.now() - since} ms`);
      await server.back(welcome, 2);
    },
  },
  {
    name: 'BYE ends the session: verdict 2 to who comes back',
    section: '7 The end',
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 0, [T.BYE, 'closed', '']]);
      wire.close(1000);
      await wire.closes(1000);
      const again = await server.visit(backTo(welcome, 2));
      same(again.welcome.q, 2, 'verdict');
    },
  },
  {
    name: 'what was said before BYE is handled',
    section: '7 The end',
    async run(server) {
      const list = unique('bye');
      const { wire } = await server.session();
      wire.say([0, 1, note(list, 1), note(list, 2), [T.BYE, 'closed', '']]);
      await wire.waits(() => true, 'nothing');
      wire.close(1000);
      await wire.closes(1000);
      same(await noted(server, list), [1, 2], 'values handled');
    },
  },
  {
    name: 'what goes away without BYE leaves its session',
    section: '7 The end',
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.close(1000);
      await wire.closes(1000);
      await server.back(welcome, 2);
    },
  },
];
