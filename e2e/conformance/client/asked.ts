import { A_WHILE_MS, type Case, check, same, sleep } from '../case.js';
import { T, type Wire } from '../wire.js';
import { type ClientProgram, helloOn, numbered, type Play, play, welcome } from './play.js';

// What the server asks the client; 'hang' is a request whose handler ends only when it is told that nobody waits.

const DEFAULT = 100;

async function most(scene: Play): Promise<{ wire: Wire; most: number }> {
  await scene.can('hang');
  const { wire, hello } = await scene.dial(1);
  wire.say(welcome());
  return { wire, most: hello.q ?? DEFAULT };
}

/** So many requests from this number on, in frames that hold them. */
function asks(wire: Wire, from: number, count: number): void {
  for (let done = 0; done < count; done += 200) {
    const part = Math.min(200, count - done);
    const items = Array.from({ length: part }, (_, index) => [T.REQ, 'hang', from + done + index]);
    wire.say([0, from + done, ...items]);
  }
}

export const asked: readonly Case<ClientProgram>[] = [
  play('HELLO says how many requests it takes at once, or nothing of it', '4 HELLO', async (scene) => {
    const { hello } = await scene.dial(1);
    const { q } = hello;
    check(q === undefined || (Number.isSafeInteger(q) && q >= 0), 'q a whole number, or absent', q);
  }),
  play('CANCEL ends the waiting of a handler; it need not answer', '3 Cancelled', async (scene) => {
    const { wire } = await most(scene);
    wire.say([0, 1, [T.REQ, 'hang', 'a'], [T.REQ, 'hang', 'b']]);
    await wire.acked(2);
    await sleep(A_WHILE_MS);
    same(scene.values('cancelled'), [], 'told before');
    wire.say([0, 3, [T.CANCEL, 2]]);
    await scene.was(({ was, data }) => was === 'cancelled' && data === 'b', '"cancelled" of b');
    await sleep(A_WHILE_MS);
    same(scene.values('cancelled'), ['b'], 'told');
    wire.say([0, 4, [T.REQ, 'echo', 'after']]);
    await wire.hears((item) => [T.RES, T.ERR].some((type) => type === item[0]) && item[1] === 4, 'an answer');
  }),
  play('more requests than q: 4400, and it comes back', '3 Window', async (scene) => {
    const { wire, most: count } = await most(scene);
    asks(wire, 1, count);
    await wire.acked(count);
    asks(wire, count + 1, 1);
    await wire.closes(4400);
    await scene.dial(2);
  }),
  play('requests that were cancelled have no place any more', '3 Cancelled', async (scene) => {
    const { wire, most: count } = await most(scene);
    asks(wire, 1, count);
    for (let n = 1; n <= count; n++) wire.say([0, count + n, [T.CANCEL, n]]);
    asks(wire, 2 * count + 1, count);
    await wire.acked(3 * count);
    await wire.settled();
    same(wire.code, undefined, 'no close');
    await scene.was(() => scene.values('cancelled').length === count, `"cancelled" of ${count} requests`);
  }),
  play('with its session a request is over', '4 After WELCOME 2', async (scene) => {
    const { wire } = await most(scene);
    wire.say([0, 1, [T.REQ, 'hang', 'a']]);
    await wire.acked(1);
    wire.cut();
    const { wire: next } = await scene.dial(2);
    next.say(welcome({ q: 2, k: undefined, e: undefined, x: undefined }));
    await scene.was(({ was, data }) => was === 'cancelled' && data === 'a', '"cancelled" of a');
    await helloOn(next, 1);
    next.say(welcome({ s: 'another' }));
    await next.settled();
    await sleep(A_WHILE_MS);
    const answers = numbered(next).filter(({ item }) => item[0] === T.RES || item[0] === T.ERR);
    same(answers, [], 'no answer in the next session');
  }),
];
