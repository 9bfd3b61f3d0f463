import { type AnyContract, type ClientOptions, defineContract, type HoldfastError } from '@holdfast/client';
import { createTestbed } from '@holdfast/testing';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { silent } from './people.js';

// Each library says the same: a text of up to 5, a time that is given as a text or a number, a level with a default.
const libraries = {
  zod: defineContract({
    events: { note: z.object({ text: z.string().max(5), tags: z.array(z.string()).optional() }) },
    serverEvents: {
      news: z.object({ at: z.coerce.date(), level: z.enum(['info', 'alert']).default('info') }),
    },
    requests: {
      double: { input: z.object({ n: z.number().default(21) }), output: z.object({ n: z.number() }) },
    },
  }),
  valibot: defineContract({
    events: {
      note: v.object({ text: v.pipe(v.string(), v.maxLength(5)), tags: v.optional(v.array(v.string())) }),
    },
    serverEvents: {
      news: v.object({
        at: v.pipe(
          v.union([v.number(), v.date()]),
          v.transform((value) => new Date(value)),
        ),
        level: v.optional(v.picklist(['info', 'alert']), 'info'),
      }),
    },
    requests: {
      double: { input: v.object({ n: v.optional(v.number(), 21) }), output: v.object({ n: v.number() }) },
    },
  }),
  arktype: defineContract({
    events: { note: type({ text: 'string <= 5', 'tags?': 'string[]' }) },
    serverEvents: {
      news: type({
        at: type('number | Date').pipe((value) => new Date(value)),
        level: "'info' | 'alert' = 'info'",
      }),
    },
    requests: { double: { input: type({ n: 'number = 21' }), output: type({ n: 'number' }) } },
  }),
};

/** The same names and types, whichever library has made them. */
function bedOf<C extends AnyContract>(contract: C, clientContract?: AnyContract) {
  const bed = createTestbed<C>({ contract, logger: silent });
  onTestFinished(() => bed[Symbol.asyncDispose]());
  const client = bed.createClient({ logger: silent, contract: clientContract } as Partial<ClientOptions<C>>);
  return { bed, client };
}

describe.each(['zod', 'valibot', 'arktype'] as const)('a contract of %s', (library) => {
  // One type for all three: what is tested is the same.
  const contract = libraries[library] as typeof libraries.zod;

  async function talking(clientContract?: AnyContract) {
    const { bed, client } = bedOf(contract, clientContract);
    const heard: unknown[] = [];
    bed.server.on('note', (payload) => heard.push(payload));
    bed.server.handle('double', ({ n }) => ({ n: 2 * n }));
    await bed.until(client.connect());
    return { bed, client, heard };
  }

  test('gives each end what the schema makes of it', async () => {
    const { bed, client, heard } = await talking();
    await bed.until(client.send('note', { text: 'hello' }));
    expect(heard).toEqual([{ text: 'hello' }]);
    expect(await bed.until(client.request('double', {}))).toEqual({ n: 42 });
  });

  test('makes of an event of the server what its client is to get, where the client has it, too', async () => {
    const { bed, client } = bedOf(contract, contract);
    const news: unknown[] = [];
    client.on('news', ({ at, level }) => news.push([at.getTime(), level]));
    bed.server.onSession((session) => void session.send('news', { at: 5 }));
    await bed.until(client.connect());
    await bed.advance(100);
    expect(news).toEqual([[5, 'info']]);
  });

  test.each([false, true])(
    'refuses what does not fit and says where; checked by the client: %j',
    async (checked) => {
      const { bed, client, heard } = await talking(checked ? contract : undefined);
      const undelivered: unknown[] = [];
      client.onUndelivered(({ event }) => undelivered.push(event));
      for (const [wrong, path] of [
        [{ text: 'too long' }, ['text']],
        [{ text: 5 }, ['text']],
        [{ text: 'ok', tags: ['a', 5] }, ['tags', 1]],
      ] as const) {
        const error = await bed.until(
          client.send('note', wrong as never).then(
            () => undefined,
            (e: HoldfastError) => e,
          ),
        );
        expect(error).toMatchObject({
          code: 'ERR_INVALID_PAYLOAD',
          delivery: checked ? 'unsent' : 'rejected',
        });
        if (error?.code !== 'ERR_INVALID_PAYLOAD') throw error;
        const [issue] = error.issues;
        // Of arktype it is more than an array.
        const keys = [...(issue?.path ?? [])].map((part) =>
          String(typeof part === 'object' ? part.key : part),
        );
        expect(keys).toEqual(path.map(String));
        expect(issue?.message).not.toBe('');
      }
      await expect(bed.until(client.request('double', { n: 'x' } as never))).rejects.toMatchObject({
        code: 'ERR_INVALID_PAYLOAD',
        delivery: checked ? 'unsent' : 'rejected',
      });
      expect(undelivered).toEqual(['note', 'note', 'note', 'double']);
      // None of it has reached a handler, and the connection goes on.
      expect(heard).toEqual([]);
      expect(await bed.until(client.request('double', { n: 1 }))).toEqual({ n: 2 });
      expect(bed.dials(client)).toBe(1);
    },
  );

  test('a reply that does not fit fails, and an event of the server that does not is not sent', async () => {
    const { bed, client } = bedOf(contract);
    bed.server.handle('double', () => ({ n: 'many' }) as never);
    await bed.until(client.connect());
    await expect(bed.until(client.request('double', {}))).rejects.toMatchObject({
      code: 'ERR_HANDLER_FAILED',
    });
    await expect(
      bed.until(bed.server.to('x').send('news', { level: 'loud' } as never)),
    ).rejects.toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
      delivery: 'unsent',
    });
  });
});

test('what does not fit in thousands of places is refused with the first of them', async () => {
  const texts = z.array(z.string());
  const contract = defineContract({
    events: { note: texts },
    requests: { ask: { input: texts, output: texts } },
  });
  const { bed, client } = bedOf(contract);
  bed.server.on('note', () => undefined);
  bed.server.handle('ask', (input) => input);
  await bed.until(client.connect());
  const bad = Array.from({ length: 5_000 }, () => 1 as never);
  for (const said of [client.send('note', bad), client.request('ask', bad)]) {
    await expect(bed.until<unknown>(said)).rejects.toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
      delivery: 'rejected',
      issues: { length: 100 },
    });
  }
  expect(bed.dials(client)).toBe(1);
});

describe('an asynchronous schema', () => {
  const slow = z.string().refine(async (text) => text !== '');
  const contract = defineContract({
    events: { note: slow },
    requests: { ask: { input: slow, output: slow } },
  });

  test('is refused where a client uses it', async () => {
    const { bed, client } = bedOf(contract, contract);
    await bed.until(client.connect());
    const why = 'asynchronous schemas are not supported: messages would overtake each other';
    for (const said of [client.send('note', 'x'), client.request('ask', 'x')]) {
      await expect(bed.until<unknown>(said)).rejects.toMatchObject({
        code: 'ERR_INVALID_PAYLOAD',
        delivery: 'unsent',
        issues: [{ message: why }],
      });
    }
  });

  test('fails the message where the server uses it, and the server is told', async () => {
    const { bed, client } = bedOf(contract);
    const told: unknown[] = [];
    bed.server.onError((error) => told.push(error));
    bed.server.on('note', () => undefined);
    await bed.until(client.connect());
    await expect(bed.until(client.send('note', 'x'))).rejects.toMatchObject({ code: 'ERR_HANDLER_FAILED' });
    expect(told).toEqual([
      expect.objectContaining({ message: expect.stringContaining('asynchronous schemas') }),
    ]);
    expect(bed.dials(client)).toBe(1);
  });
});
