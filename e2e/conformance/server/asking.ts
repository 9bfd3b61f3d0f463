import { A_WHILE_MS, type Case, same, sleep } from '../case.js';
import { type Item, T, type Wire } from '../wire.js';
import { type Server, unique } from './subject.js';

// What the server asks its clients: the event 'conformance:ask' has it ask the session, and tell how that ended.

const ask = (data: unknown, timeoutMs = 10_000): Item => [T.EVT, 'conformance:ask', { data, timeoutMs }];

const asked = (wire: Wire) => wire.heard.filter(({ item }) => item[0] === T.REQ);

/** How its requests ended, as events tell. */
const endings = (wire: Wire): unknown[] =>
  wire.all(T.EVT).flatMap(([, name, data]) => (name === 'conformance:asked' ? [data] : []));

async function ends(wire: Wire, count = 1): Promise<unknown[]> {
  await wire.waits(() => endings(wire).length >= count, `${count} events conformance:asked`);
  return endings(wire);
}

export const asking: readonly Case<Server>[] = [
  {
    name: 'its request is a REQ, and RES of its number settles it',
    section: '3 Frames',
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, ask('x')]);
      const { item, seq } = await wire.hearsType(T.REQ, 'a REQ');
      same(item.slice(0, 3), [T.REQ, 'conformance:question', 'x'], 'the request');
      wire.say([0, 2, [T.RES, seq, { a: 1 }]]);
      same(await ends(wire), [{ data: 'x', answer: { a: 1 } }], 'how it ended');
    },
  },
  {
    name: 'ERR of its number settles it, with its code',
    section: '3 Codes',
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, ask('x'), ask('y')]);
      await wire.waits(() => asked(wire).length === 2, '2 REQs');
      const [one, two] = asked(wire).map(({ seq }) => seq);
      wire.say([0, 3, [T.ERR, two, 'ERR_REJECTED', 'no'], [T.ERR, one, 'ERR_NO_HANDLER', '']]);
      const both = (await ends(wire, 2)).map((end) => JSON.stringify(end)).sort();
      const expected = [
        { data: 'x', code: 'ERR_NO_HANDLER' },
        { data: 'y', code: 'ERR_REJECTED' },
      ];
      same(
        both,
        expected.map((end) => JSON.stringify(end)),
        'how they ended',
      );
    },
  },
  {
    name: 'an answer waits for nothing that was said before it',
    section: '3 Answers wait for nothing',
    async run(server) {
      const { wire } = await server.session();
      wire.say([0, 1, [T.REQ, '$join', { room: unique('sure') }], [T.EVT, 'conformance:send', 1]]);
      const { seq } = await wire.hearsType(T.REQ, 'a REQ of the rule that is to decide');
      wire.say([0, 3, [T.RES, seq, 'yes']]);
      await wire.hears((item) => item[0] === T.RES && item[1] === 1, 'RES of the join');
    },
  },
  {
    name: 'a request over a cut is written again, and its answer settles it once',
    section: '4 After WELCOME 1',
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 1, ask('x')]);
      const { seq, item } = await wire.hearsType(T.REQ, 'a REQ');
      wire.cut();
      const { wire: second } = await server.back(welcome, 2, { x: seq - 1 });
      const again = await second.hearsType(T.REQ, 'the REQ again');
      same([again.seq, again.item], [seq, item], 'the same request');
      second.say([0, 2, [T.RES, seq, 1]]);
      second.say([0, 2, [T.RES, seq, 1], [T.RES, seq, 2]]);
      await ends(second);
      await second.settled();
      await sleep(A_WHILE_MS);
      same(endings(second), [{ data: 'x', answer: 1 }], 'how it ended');
      same(asked(second).length, 1, 'REQs');
    },
  },
  {
    name: 'what it gives up gets a CANCEL, past what waits for credit',
    section: '3 Cancelled',
    async run(server) {
      const { wire } = await server.session({ w: [1, 1_048_576] });
      wire.say([0, 1, ask('x', 200), [T.EVT, 'conformance:send', 3]]);
      const { seq } = await wire.hearsType(T.REQ, 'a REQ');
      const { item } = await wire.hearsType(T.CANCEL, 'CANCEL while events wait');
      same(item, [T.CANCEL, seq], 'CANCEL');
      same(wire.all(T.EVT), [], 'events');
    },
  },
  {
    name: 'in place of a request that was given up comes a GAP',
    section: '3 Given up',
    async run(server) {
      const { wire, welcome } = await server.session();
      wire.say([0, 1, ask('x', 200)]);
      const { seq } = await wire.hearsType(T.REQ, 'a REQ');
      await wire.hearsType(T.CANCEL, 'CANCEL');
      wire.cut();
      const { wire: second } = await server.back(welcome, 2, { x: seq - 1 });
      await second.hearsType(T.CANCEL, 'CANCEL again');
      const gap = await second.hearsType(T.GAP, 'a GAP');
      same(gap.item, [T.GAP, seq, seq, 'abandoned'], 'in place of the request');
      same(asked(second), [], 'REQs');
    },
  },
  {
    name: 'no more than q requests are without an answer, and it does not wait with the others',
    section: '3 Window',
    async run(server) {
      const { wire } = await server.session({ q: 2 });
      wire.say([0, 1, ask(1), ask(2), ask(3)]);
      await ends(wire);
      await wire.settled();
      same(asked(wire).length, 2, 'REQs');
      same(endings(wire), [{ data: 3, code: 'ERR_OUTBOX_FULL' }], 'how they ended');
      const [first] = asked(wire);
      wire.say([0, 4, [T.RES, first?.seq, 'a'], ask(4)]);
      await wire.waits(() => asked(wire).length === 3, 'a third REQ, after an answer');
    },
  },
];
