import { A_WHILE_MS, type Case, check, same, sleep, until } from '../case.js';
import { T, type Wire } from '../wire.js';
import {
  type ClientProgram,
  type Hello,
  helloOn,
  numbered,
  type Play,
  payloads,
  play,
  welcome,
} from './play.js';

const HANDSHAKE = '4 The handshake';
const LOST = '4 After WELCOME 2';

/** A session that has sent an event which the server has not acknowledged; then it is cut. */
async function cutWithEvent(scene: Play): Promise<number> {
  const wire = await scene.session();
  const id = scene.send('on the wire');
  await wire.hearsType(T.EVT, 'the event');
  wire.cut();
  return id;
}

/**
 * The session is given up: the application is told, and another one begins, here or on the next connection. What the
 * application was told may come before the HELLO, so that the session's own first HELLO, without `s` as well, is passed by.
 */
async function beginsAnew(scene: Play, id: number, before: Hello): Promise<Wire> {
  await scene.settled(id, 'unknown');
  await scene.was(({ was }) => was === 'lost', '{"was":"lost"}');
  const hellos = () =>
    scene.wires.flatMap((wire) => wire.all(T.HELLO).map((item) => ({ wire, hello: item[1] as Hello })));
  const seen = await until(
    () => hellos().find(({ hello }) => hello.n >= before.n && hello.s === undefined),
    'a HELLO without s',
    () => scene.wires.map((wire) => wire.story),
  );
  check(seen.hello.c !== before.c, 'a new nonce', seen.hello);
  return seen.wire;
}

export const greeting: readonly Case<ClientProgram>[] = [
  play('HELLO is the first frame, alone: [0, 0, HELLO]', HANDSHAKE, async (scene) => {
    scene.send('early');
    const { wire, hello } = await scene.dial(1);
    const { v, c, n, w, a } = hello;
    same([v, a], [1, 'ada'], 'v, a');
    check(typeof c === 'string' && c.length >= 22, 'a nonce of 128 bits', c);
    check(Number.isSafeInteger(n) && n >= 1, 'an attach number from 1', n);
    check(
      w.length === 2 && w.every((size) => Number.isSafeInteger(size) && size > 0),
      'w [messages, bytes]',
      w,
    );
    await sleep(A_WHILE_MS);
    same(wire.frames, [{ ack: 0, first: 0, items: [[T.HELLO, hello]] }], 'nothing but HELLO before WELCOME');
  }),
  play(
    'a server that chose no subprotocol is left',
    '2 Negotiation',
    async (scene) => {
      await until(
        () => scene.wires.length >= 2,
        'a second dial',
        () => scene.told,
      );
      same(scene.wires[0]?.frames, [], 'no HELLO');
    },
    { chooses: 'none' },
  ),
  play(
    'the nonce stays until a WELCOME has come; n rises with each dial',
    "4 The session's id",
    async (scene) => {
      const first = await scene.dial(1);
      first.wire.cut();
      const second = await scene.dial(2);
      second.wire.close(1011);
      const third = await scene.dial(3);
      same([second.hello.c, third.hello.c], [first.hello.c, first.hello.c], 'nonces of dials 2 and 3');
      check(first.hello.n < second.hello.n && second.hello.n < third.hello.n, 'n that rises', third.hello.n);
      same(third.hello.s, undefined, 's');
    },
  ),
  play('it comes back with s, k, e, x and y, a new nonce and a higher n', '4 HELLO', async (scene) => {
    const { wire, hello } = await scene.dial(1);
    wire.say(welcome());
    const id = scene.send(1);
    await wire.hearsType(T.EVT, 'the event');
    wire.say([1, 1, [T.EVT, 'said', 'a', {}], [T.EVT, 'said', 'b', {}]]);
    await scene.settled(id, 'acknowledged');
    await scene.hearsEvents(2);
    wire.cut();
    const back = (await scene.dial(2)).hello;
    same([back.s, back.k, back.e, back.x, back.y], ['session', 'key-1', 'epoch', 2, 1], 's, k, e, x, y');
    check(back.c !== hello.c && back.n > hello.n, 'a new nonce and a higher n', back);
  }),
  play('it shows the newest key', '4 The server', async (scene) => {
    (await scene.session()).cut();
    const second = await scene.resumed(2);
    await second.wire.hearsType(T.SYNC, 'SYNC');
    second.wire.cut();
    same((await scene.dial(3)).hello.k, 'key-2', 'k');
  }),
  play(
    'no WELCOME within 10 s: hangs up with 3008 and dials anew',
    '4 Refusals',
    async (scene) => {
      const { wire } = await scene.dial(1);
      const since = Date.now();
      await wire.closes(3008, 20_000);
      check(Date.now() - since > 8_000, 'to wait 10 s', `a close after ${Date.now() - since} ms`);
      await scene.dial(2);
    },
    { isSlow: true },
  ),
  play('the first frame is no WELCOME: hangs up and dials anew', '8 Both ends as machines', async (scene) => {
    const { wire } = await scene.dial(1);
    wire.say([0, 1, [T.EVT, 'said', 'early', {}]]);
    await scene.dial(2);
    same(scene.events, [], 'events told to the application');
  }),
  play('verdict 2 without having asked for a session: hangs up', LOST, async (scene) => {
    const { wire } = await scene.dial(1);
    wire.say(welcome({ q: 2 }));
    await scene.dial(2);
    same(wire.all(T.HELLO).length, 1, 'HELLOs on the connection');
  }),
  play(
    'verdict 2: the application is told, then another session on the same connection',
    LOST,
    async (scene) => {
      const id = await cutWithEvent(scene);
      const { wire, hello } = await scene.dial(2);
      const waits = scene.send('waits');
      wire.say(welcome({ q: 2, k: undefined, e: undefined, x: undefined }));
      const anew = await beginsAnew(scene, id, hello);
      check(anew === wire, 'the same connection', scene.wires.length);
      await sleep(A_WHILE_MS);
      same(numbered(wire), [], 'nothing written before the next WELCOME');
      wire.say(welcome({ s: 'another' }));
      await wire.hearsType(T.EVT, 'what waited');
      same(
        [numbered(wire)[0]?.seq, payloads(wire)],
        [1, ['waits']],
        'numbers from 1, and nothing again by itself',
      );
      wire.say([1, 0]);
      await scene.settled(waits, 'acknowledged');
    },
  ),
  play('verdict 2 with p and lost: handled, refused and unknown are told apart', LOST, async (scene) => {
    const wire = await scene.session();
    const [handled, refused, unknown, asked] = [scene.send(1), scene.send(2), scene.send(3), scene.ask(4)];
    await wire.waits(() => numbered(wire).length === 4, '4 messages');
    wire.cut();
    const { wire: next } = await scene.dial(2);
    next.say(welcome({ q: 2, p: [1, [4]], lost: [[T.ERR, 2, 'ERR_REJECTED', 'no']] }));
    await scene.settled(handled, 'acknowledged');
    await scene.settled(refused, 'refused');
    await scene.settled(unknown, 'unknown');
    await scene.settled(asked, 'unknown');
  }),
  play('also told: what was acknowledged and is not known to be handled', LOST, async (scene) => {
    const wire = await scene.session();
    const ids = [1, 2].map((value) => scene.send(value));
    await wire.waits(() => numbered(wire).length === 2, '2 events');
    wire.say([2, 0, [T.DONE, 1, []]]);
    for (const id of ids) await scene.settled(id, 'acknowledged');
    wire.cut();
    (await scene.dial(2)).wire.say(welcome({ q: 2 }));
    const lost = await scene.was(({ was }) => was === 'lost', '{"was":"lost"}');
    same(lost.unknown, [2], 'unknown');
  }),
  ...[
    ['x below what was acknowledged', 0],
    ['x of what was never written', 7],
  ].map(([what, x]) =>
    play(`verdict 1 with ${what}: treated as lost`, '4 After WELCOME 1', async (scene) => {
      const wire = await scene.session();
      const first = scene.send(1);
      await wire.hearsType(T.EVT, 'an event');
      wire.say([1, 0]);
      await scene.settled(first, 'acknowledged');
      const second = scene.send(2);
      await wire.waits(() => numbered(wire).length === 2, '2 events');
      wire.cut();
      const { hello } = await scene.resumed(2, { x });
      await beginsAnew(scene, second, hello);
    }),
  ),
  play('a refused token: it stops', '7 The end', async (scene) => {
    const { wire } = await scene.dial(1);
    wire.say([0, 0, [T.BYE, 'ERR_AUTH_REFUSED', 'expired']]);
    wire.close(3003);
    await scene.was(({ was }) => was === 'stopped', '{"was":"stopped"}');
    await sleep(5 * A_WHILE_MS);
    same(scene.wires.length, 1, 'dials');
  }),
  play('4410: it stops', '7 The end', async (scene) => {
    const wire = await scene.session();
    wire.close(4410);
    await scene.was(({ was }) => was === 'stopped', '{"was":"stopped"}');
    await sleep(5 * A_WHILE_MS);
    same(scene.wires.length, 1, 'dials');
  }),
  play(
    'after any other close it comes back to the same session',
    '7 The end',
    async (scene) => {
      let wire = await scene.session();
      for (const [index, code] of [1000, 1001, 1009, 1011, 1012, 3008, 4400, 4408, 4409, 4999].entries()) {
        wire.close(code);
        const back = await scene.resumed(index + 2);
        same(back.hello.s, 'session', `s after close ${code}`);
        await back.wire.hearsType(T.SYNC, 'SYNC');
        wire = back.wire;
      }
    },
    { isSlow: true },
  ),
  play('BYE of a server for another reason, then a close: it comes back', '7 The end', async (scene) => {
    const wire = await scene.session();
    wire.say([0, 0, [T.BYE, 'ERR_OF_TOMORROW', '']]);
    wire.close(1012);
    same((await scene.dial(2)).hello.s, 'session', 's');
  }),
  play(
    'where every dial fails, there is backoff',
    '7 The end',
    async (scene) => {
      let cut = 0;
      const dials = (): number => {
        while (cut < scene.wires.length) scene.wires[cut++]?.cut();
        return cut;
      };
      const told = (): string => `${cut} dials`;
      await until(() => dials() >= 1, 'a dial', told);
      for (const end = Date.now() + 3_000; Date.now() < end; await sleep(2)) dials();
      await until(() => dials() >= 2, 'another dial', told);
      check(cut < 50, 'fewer than 50 dials in 3 s', told());
    },
    { isSlow: true },
  ),
  play('close: BYE after all that was said, and no dial again', '7 The end', async (scene) => {
    const wire = await scene.session();
    scene.send('last');
    await wire.hearsType(T.EVT, 'the event');
    scene.does({ do: 'close' });
    await wire.hearsType(T.BYE, 'BYE');
    await wire.closes(1000);
    const order = wire.heard.map(({ item }) => item[0]).filter((type) => type === T.EVT || type === T.BYE);
    same(order, [T.EVT, T.BYE], 'the event, then BYE');
    await sleep(3 * A_WHILE_MS);
    same(scene.wires.length, 1, 'dials');
  }),
  play('a second HELLO on the connection has no place, but after verdict 2', HANDSHAKE, async (scene) => {
    const wire = await scene.session();
    scene.send(1);
    await wire.hearsType(T.EVT, 'the event');
    await wire.settled();
    await helloOn(wire);
    same(wire.all(T.HELLO).length, 1, 'HELLOs');
  }),
];
