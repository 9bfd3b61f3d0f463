import type { ServerSession } from '@holdfast/server';
import { expect, test } from 'vitest';
import { openBed } from './people.js';

test.each([31, 32, 33, 64])(
  'while %i messages wait for the window, answers share frames',
  async (waiting) => {
    const sessions: ServerSession[] = [];
    const bed = openBed({
      setup(server) {
        server.onSession((session) => sessions.push(session));
        server.on('stuck', () => new Promise(() => undefined));
      },
    });
    const client = bed.createClient();
    client.handle('ask', (input) => input);
    await bed.until(client.connect());
    // The handlers are all busy: sixteen run, a thousand wait at the server, and then the window closes.
    for (let n = 0; n < 1_016 + waiting; n++) client.send('stuck', n).catch(() => undefined);
    await bed.advance(1_000);
    expect(client.getOutbox().messages).toBe(waiting);
    let tasks = 0;
    client.onOutbox(() => tasks++);
    const asked = Array.from({ length: 100 }, (_, n) => sessions[0]?.request('ask', n));
    expect(await bed.until(Promise.all(asked))).toEqual(asked.map((_, n) => n));
    expect(tasks).toBeLessThan(10);
  },
);
