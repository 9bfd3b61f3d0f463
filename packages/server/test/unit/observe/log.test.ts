import type { Logger } from '@holdfast/server';
import { RejectError } from '@holdfast/server';
import { createTestbed, type TestbedOptions } from '@holdfast/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { logLines } from '../../../src/observe/log.js';
import { shown } from '../../../src/observe/shown.js';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A bed whose server writes its lines down: level, name, and fields without those that chance decides. */
function noted(options: TestbedOptions) {
  const lines: string[] = [];
  const raw: unknown[] = [];
  const at =
    (level: string) =>
    (name: string, fields: object = {}): void => {
      raw.push(name, fields);
      const { sessionId: _id, ms: _ms, ...rest } = fields as Record<string, unknown>;
      lines.push(`${level} ${name} ${Object.values(rest).join(' ')}`.trim());
    };
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const bed = createTestbed({ ...options, logger });
  onTestFinished(() => bed[Symbol.asyncDispose]());
  const client = (token?: string) => bed.createClient({ logger: silent, ...(token && { auth: token }) });
  return { bed, lines, raw, client };
}

describe('a logger that the application has given', () => {
  test('is told of sessions, refusals, failures and the end, in lines with fields', async () => {
    const { bed, lines, client } = noted({
      setup: (server) => {
        server.handle('broken', () => {
          throw new Error('a defect');
        });
      },
    });
    const ada = client();
    await bed.until(ada.connect());
    await bed.until(ada.send('nobody', 1).catch(() => undefined));
    await bed.until(ada.request('broken').catch(() => undefined));
    bed.cut(ada);
    await bed.until(ada.connect());
    await bed.until(ada.close());
    await bed.advance(100);
    await bed.until(bed.server.drain());
    expect(lines).toEqual([
      'info session-attached new',
      'debug message-rejected nobody ERR_NO_HANDLER',
      'error failed broken Error: a defect',
      'debug message-rejected broken ERR_HANDLER_FAILED',
      'info session-detached 1006',
      'info session-attached resumed',
      'info session-detached 1000',
      'info session-ended closed 0',
      'info draining 30000 0',
      'info closed',
    ]);
  });

  test('sees neither a token nor a payload nor a user', async () => {
    const { bed, raw, client } = noted({
      auth: (token) => {
        if (token !== 'open-sesame') throw new RejectError('banned');
        return { user: { id: 'ada-lovelace' } };
      },
      setup: (server) => {
        server.rooms('*', { join: true, publish: false });
        server.handle('no', () => Promise.reject(new RejectError('no', { data: 'the-payload' })));
      },
    });
    const [good, bad] = [client('open-sesame'), client('guessed-token')];
    await bed.until(bad.connect().catch(() => undefined));
    await bed.until(good.connect());
    await bed.until(good.request('no', 'the-payload').catch(() => undefined));
    await bed.until(good.room('lobby').join());
    await bed.until(
      good
        .room('lobby')
        .send('x', 'the-payload')
        .catch(() => undefined),
    );
    await bed.until(good.close());
    const all = JSON.stringify(raw);
    expect(all).toContain('ERR_AUTH_REFUSED');
    expect(all).toContain('ERR_REJECTED');
    expect(all).not.toMatch(/open-sesame|guessed-token|the-payload|ada-lovelace/);
  });

  test('gets what clients make up escaped, on one line, and cut', async () => {
    const { bed, lines, client } = noted({});
    const ada = client();
    await bed.until(ada.connect());
    await bed.until(ada.send('a\r\ninfo session-ended \u001b[2J\u202e', 1).catch(() => undefined));
    expect(lines.at(-1)).toBe(
      'debug message-rejected a\\u{d}\\u{a}info session-ended \\u{1b}[2J\\u{202e} ERR_NO_HANDLER',
    );
  });
});

test('without one, the console gets failures in words, and nothing else', async () => {
  const [info, error] = [vi.spyOn(console, 'info'), vi.spyOn(console, 'error').mockReturnValue()];
  const bed = createTestbed({
    setup: (server) => {
      server.handle('broken', () => {
        throw new Error('a defect');
      });
    },
  });
  const client = bed.createClient();
  await bed.until(client.connect());
  await bed.until(client.request('broken').catch(() => undefined));
  await bed[Symbol.asyncDispose]();
  expect(error.mock.calls).toEqual([["Holdfast: 'broken' failed", new Error('a defect')]]);
  expect(info).not.toHaveBeenCalled();
});

test('trouble with the store is a line when it begins, and one when it is over', () => {
  const lines: unknown[] = [];
  const at = (level: string) => (name: string, fields: object) => lines.push([level, name, fields]);
  const told = logLines({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') });
  told.storeAsked?.({ operation: 'accept', ms: 5_000, outcome: 'failed' });
  told.storeChanged?.({ state: 'degraded', reason: 'failing', operation: 'accept' });
  told.storeChanged?.({ state: 'well', ms: 4_000.2 });
  expect(lines).toEqual([
    ['warn', 'store-degraded', { reason: 'failing', operation: 'accept' }],
    ['info', 'store-well', { ms: 4_000 }],
  ]);
});

describe('shown', () => {
  test.each([
    ['plain text, Ädä and 🐚', 'plain text, Ädä and 🐚'],
    ['\t\u007f\u009b', '\\u{9}\\u{7f}\\u{9b}'],
    ['\u2028\u2029\u200f\u2066', '\\u{2028}\\u{2029}\\u{200f}\\u{2066}'],
    ['\ud800', '\\u{d800}'],
  ])('%j', (text, safe) => expect(shown(text)).toBe(safe));

  test.each(['x', 'ä', '🐚', '\n'])('cuts at 123 bytes, between characters: %j', (character) => {
    const cut = shown(character.repeat(200));
    const bytes = Buffer.byteLength(shown(character));
    expect(Buffer.byteLength(cut)).toBe(Math.floor(123 / bytes) * bytes);
  });
});
