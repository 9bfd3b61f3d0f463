import { type Case, check, NotAsked, same } from '../case.js';
import { type Item, T, type Wire } from '../wire.js';
import { note, noted, type Server, unique } from './subject.js';

const DURABLE = '4 Durable messages';

/** An event with its place in a durable outbox. */
const placed = ([type, name, data]: Item, outbox: string, n: number): Item => [
  ...[type, name, data],
  { o: [outbox, n] },
];

/** A session of this user, of a server that knows outboxes beyond the session. */
async function sessionOf(server: Server, user: string): Promise<Wire> {
  const { wire, welcome } = await server.session({ a: user });
  if (welcome.dw === undefined) throw new NotAsked('it has no dw');
  return wire;
}

/** Said in a session of their own, up to the ack; then that one is over. */
async function say(server: Server, user: string, ...items: readonly Item[]): Promise<void> {
  const wire = await sessionOf(server, user);
  wire.say([0, 1, ...items]);
  await wire.acked(items.length);
  wire.cut();
}

/** A list of the application, an outbox, and a user of whom nobody else has heard. */
const names = () => ({
  list: unique('list'),
  outbox: unique('outbox'),
  ada: unique('ada'),
  bob: unique('bob'),
});

export const durable: readonly Case<Server>[] = [
  {
    name: 't of WELCOME is a time, and dw a number, if it is there',
    section: '4 WELCOME',
    async run(server) {
      const { welcome } = await server.session();
      const { t, dw = 0 } = welcome;
      // The clocks of two machines, a day apart at most.
      check(typeof t === 'number' && Math.abs(t - Date.now()) < 86_400_000, 'the time, in ms', welcome);
      check(Number.isFinite(dw) && dw >= 0, 'dw of 0 or more', welcome);
    },
  },
  {
    name: 'a durable event is handled in one session of its user, and acknowledged in every one',
    section: DURABLE,
    async run(server) {
      const { list, outbox, ada } = names();
      for (let session = 1; session <= 3; session++) {
        await say(server, ada, placed(note(list, 1), outbox, 1), placed(note(list, 2), outbox, 2));
      }
      same(await noted(server, list), [1, 2], 'handled');
    },
  },
  {
    name: 'a number below the highest of its outbox is taken for handled, one above it is handled',
    section: DURABLE,
    async run(server) {
      const { list, outbox, ada } = names();
      await say(server, ada, placed(note(list, 5), outbox, 5));
      await say(server, ada, placed(note(list, 4), outbox, 4), placed(note(list, 9), outbox, 9));
      same(await noted(server, list), [5, 9], 'handled');
    },
  },
  {
    name: 'an outbox of the same name, of another user, is another one',
    section: DURABLE,
    async run(server) {
      const { list, outbox, ada, bob } = names();
      await say(server, ada, placed(note(list, 'ada'), outbox, 1));
      await say(server, bob, placed(note(list, 'bob'), outbox, 1));
      same(await noted(server, list), ['ada', 'bob'], 'handled');
    },
  },
  {
    name: 'what was accepted is taken for handled, also if it would be refused now',
    section: DURABLE,
    async run(server) {
      const { list, outbox, ada } = names();
      await say(server, ada, placed(note(list, 1), outbox, 1));
      const wire = await sessionOf(server, ada);
      wire.say([0, 1, placed([T.EVT, 'conformance:refuse', 1], outbox, 1)]);
      await wire.acked(1);
      await wire.settled();
      same(wire.all(T.ERR), [], 'refusals');
    },
  },
];
