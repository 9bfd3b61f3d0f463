import { createTestbed } from '@holdfast/testing';
import { expect, test } from 'vitest';

test('smoke', async () => {
  const bed = createTestbed({
    setup(server) {
      server.rooms('*', { join: true, publish: true, presence: true });
      server.handle('echo', (x) => x);
      server.on('hello', () => {});
    },
  });
  const a = bed.createClient();
  const b = bed.createClient();
  a.onState((s) =>
    console.log(
      'a',
      bed.clock.now() % 100000,
      JSON.stringify(s),
      'lastError' in s ? s.lastError.message : '',
    ),
  );
  a.onGap((g) => console.log(g));
  b.onGap((g) => console.log(g));
  await bed.until(a.connect());
  await bed.until(b.connect());
  expect(await bed.until(a.request('echo', { x: 1 }))).toEqual({ x: 1 });
  expect(await bed.until(a.send('hello', 1))).toMatchObject({ outcome: 'acknowledged' });
  const got: unknown[] = [];
  const ra = a.room('lobby');
  const rb = b.room('lobby');
  rb.on('message', (p, m) => got.push([p, m]));
  await bed.until(Promise.all([ra.join(), rb.join()]));
  await bed.until(ra.send('message', 'one'));
  await bed.settle();
  console.log(JSON.stringify(got), JSON.stringify(ra.members), JSON.stringify(rb.members));
  bed.restart();
  const s = ra.send('message', 'two');
  console.log(await bed.until(s));
  await bed.advance(3000);
  console.log(JSON.stringify(got), JSON.stringify(ra.members), JSON.stringify(rb.members), b.getState());
  await bed[Symbol.asyncDispose]();
  console.log(bed.clock.timers);
});
