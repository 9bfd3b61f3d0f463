import type { ServerSession } from '@holdfast/server';
import { expect, test } from 'vitest';
import { openBed, person } from './people.js';

declare module '@holdfast/server' {
  interface SessionData {
    readonly theme: 'light' | 'dark';
  }
}

/** Handlers that keep what they get, and that say what is kept. */
function bedWithData() {
  const sessions: ServerSession[] = [];
  const bed = openBed({
    setup(server) {
      server.onAttach((session) => sessions.push(session));
      server.handle('keep', async (changes, { session }) => {
        await session.setData(changes as object);
        return session.data;
      });
      server.handle('kept', (_input, { session }) => session.data);
    },
  });
  return { bed, sessions };
}

test('kept with the session: merged field by field, over cuts and over a restart of the server, but not beyond', async () => {
  const { bed } = bedWithData();
  const { client } = person(bed);
  await bed.until(client.connect());
  expect(await bed.until(client.request('kept'))).toEqual({});
  expect(await bed.until(client.request('keep', { theme: 'dark', n: 1 }))).toEqual({ theme: 'dark', n: 1 });
  bed.cut(client);
  await bed.until(client.connect());
  expect(await bed.until(client.request('keep', { n: 2 }))).toEqual({ theme: 'dark', n: 2 });
  await bed.restart();
  await bed.advance(10_000);
  expect(await bed.until(client.request('kept'))).toEqual({ theme: 'dark', n: 2 });
  const [info] = await bed.until(bed.server.toAll().sessions());
  expect(info?.data).toEqual({ theme: 'dark', n: 2 });
  await bed.restart({ keepStore: false });
  await bed.advance(30_000);
  expect(await bed.until(client.request('kept'))).toEqual({});
});

test('there at once, as it will come back; a field is taken away; nobody changes it by mistake', async () => {
  const { bed, sessions } = bedWithData();
  const { client } = person(bed);
  await bed.until(client.connect());
  const [session] = sessions;
  const since = new Date(0);
  void session?.setData({ since, theme: 'light', gone: 1 });
  await bed.until(session?.setData({ gone: undefined }) as Promise<void>);
  expect(session?.data).toEqual({ since: '1970-01-01T00:00:00.000Z', theme: 'light' });
  expect(() => Object.assign(session?.data ?? {}, { theme: 'dark' })).toThrow(TypeError);
});

test('too much of it, and what JSON has no word for, is refused; what was kept stays', async () => {
  const { bed, sessions } = bedWithData();
  const { client } = person(bed);
  await bed.until(client.connect());
  const [session] = sessions;
  await bed.until(session?.setData({ theme: 'dark' }) as Promise<void>);
  expect(() => session?.setData({ much: 'x'.repeat(8_192) })).toThrow('may keep 8192 bytes of JSON, not 82');
  expect(() => session?.setData({ n: 1n })).toThrow(TypeError);
  expect(() => session?.setData([] as never)).toThrow('setData(changes): an object is needed');
  expect(session?.data).toEqual({ theme: 'dark' });
});
