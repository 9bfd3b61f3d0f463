import { type Case, check, same, until } from '../case.js';
import { T } from '../wire.js';
import { type ClientProgram, play } from './play.js';

export const liveness: readonly Case<ClientProgram>[] = [
  play('a PING is answered at once', '6 Liveness', async (scene) => {
    const wire = await scene.session();
    const since = Date.now();
    await wire.settled();
    check(Date.now() - since < 5_000, 'a PONG at once', `one after ${Date.now() - since} ms`);
  }),
  play(
    'silence of 1.25 h is asked about; no answer for 5 s: another dial',
    '6 Liveness',
    async (scene) => {
      const wire = await scene.session({ h: 1 });
      // It may ask at once, to measure the round trip.
      await wire.settled();
      const since = Date.now();
      await wire.settled();
      wire.answersPings = false;
      const before = wire.all(T.PING).length;
      await wire.waits(() => wire.all(T.PING).length > before, 'a PING');
      check(Date.now() - since > 1_100, 'no PING before 1.25 s', `one after ${Date.now() - since} ms`);
      const { hello } = await scene.dial(2, 20_000);
      check(Date.now() - since > 5_500, 'to wait 5 s for an answer', `a dial after ${Date.now() - since} ms`);
      same(hello.s, 'session', 's');
    },
    { isSlow: true },
  ),
  play(
    'an ack that is owed for more than 2 s is asked about, and only a PONG helps',
    '6 Liveness',
    async (scene) => {
      const wire = await scene.session();
      wire.answersPings = false;
      scene.send('unacknowledged');
      await wire.hearsType(T.EVT, 'the event');
      const chatter = setInterval(() => wire.code ?? wire.say([0, 0, [T.PONG + 24]]), 200);
      try {
        await wire.hearsType(T.PING, 'a PING');
        await until(
          () => scene.wires.length === 2,
          'another dial although frames come',
          () => wire.story,
          20_000,
        );
      } finally {
        clearInterval(chatter);
      }
    },
    { isSlow: true },
  ),
];
