import { type Case, check, sleep, until } from '../case.js';
import { T } from '../wire.js';
import { type ClientProgram, event, play } from './play.js';

const END = '7 The end';
/** Longer than a client that waits for nothing needs on a loaded machine: who comes late is not to pass for who waits. */
const RA_MS = 5_000;

const waitsFor = (code: number): Case<ClientProgram> =>
  play(
    `${code} with ra=${RA_MS}: not before, and to the same session`,
    END,
    async (scene) => {
      const wire = await scene.session();
      wire.close(code, `ra=${RA_MS}`);
      const since = Date.now();
      const { hello } = await scene.dial(2);
      const waited = Date.now() - since;
      check(waited > 0.9 * RA_MS, `a dial not before ${0.95 * RA_MS} ms`, `one after ${waited} ms`);
      check(hello.s === 'session', 's of the session', hello);
    },
    { isSlow: true },
  );

/** What is said of tokens, and by servers that are about to go. */
export const moving: readonly Case<ClientProgram>[] = [
  play(
    'GOAWAY with time left, an AUTH that was not asked for: the connection goes on',
    '7 Draining',
    async (scene) => {
      const wire = await scene.session();
      wire.say([0, 0, [T.GOAWAY, 'drain', 60_000], [T.GOAWAY, 'drain', 60_000, 'wss://elsewhere.invalid']]);
      wire.say([0, 0, [T.AUTH, 60_000], [T.AUTH]]);
      wire.say([0, 1, event(1)]);
      await scene.hearsEvents(1);
      await wire.settled();
      check(scene.wires.length === 1, 'one dial', scene.wires.length);
    },
  ),
  waitsFor(1012),
  waitsFor(1013),
  waitsFor(4429),
  play('3000 where there is no other token: it stops', END, async (scene) => {
    const wire = await scene.session();
    wire.say([0, 0, [T.BYE, 'ERR_AUTH_EXPIRED', '']]);
    wire.close(3000);
    await scene.was(({ was }) => was === 'stopped', '{"was":"stopped"}');
    await sleep(1_000);
    check(scene.wires.length === 1, 'one dial', scene.wires.length);
  }),
  play('4401: the application is told, and another session is begun', END, async (scene) => {
    const wire = await scene.session();
    const first = await scene.dial(1);
    scene.send('on the wire');
    await wire.hearsType(T.EVT, 'the event');
    wire.say([0, 0, [T.BYE, 'ERR_SESSION_LOST', '']]);
    wire.close(4401);
    const { hello } = await scene.dial(2);
    check(hello.s === undefined && hello.c !== first.hello.c, 'a HELLO without s, with a new nonce', hello);
    await until(
      () => scene.lines.some(({ was, unknown }) => was === 'lost' && unknown?.includes('on the wire')),
      'the event told as unknown',
      () => scene.told,
    );
  }),
];
