import { type ContractType, defineContract } from '@holdfast/client';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';

// One contract, in three libraries: whatever is a Standard Schema will do.
const definition = defineContract({
  version: 2,
  minVersion: 1,
  events: {
    message: z.object({ text: z.string().max(2000) }),
    typing: v.object({ isTyping: v.boolean() }),
  },
  clientEvents: { markRead: type({ upTo: 'string' }), leave: z.void() },
  serverEvents: {
    notification: z.object({ title: z.string(), at: z.coerce.date() }),
    announcement: z.object({ text: z.string(), level: z.enum(['info', 'alert']).default('info') }),
    user_joined: z.object({ userId: z.string() }),
    user_left: z.object({ userId: z.string() }),
  },
  requests: {
    history: {
      input: z.object({ room: z.string(), before: z.string().optional(), limit: z.number().default(50) }),
      output: z.array(z.object({ id: z.string(), text: z.string(), from: z.string() })),
    },
    me: { input: z.void(), output: z.object({ id: z.string(), role: z.enum(['user', 'admin']) }) },
  },
  serverRequests: {
    confirm: { input: z.object({ question: z.string() }), output: z.object({ yes: z.boolean() }) },
  },
  streams: { export: { input: z.object({ room: z.string() }), output: z.object({ line: z.string() }) } },
  presence: z.object({ status: z.enum(['online', 'away']) }),
});
/** A name for the editor's hovers. */
export interface Chat extends ContractType<typeof definition> {}
export const chat: Chat = definition;

export const admin = defineContract({
  clientEvents: { broadcast: z.object({ text: z.string() }) },
  requests: {
    kick: { input: z.object({ userId: z.string() }), output: z.object({ sessions: z.number() }) },
  },
});
