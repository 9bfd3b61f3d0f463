import { type ContractType, defineContract } from '@holdfast/server';
import { z } from 'zod';
import { MAX_TEXT_CHARS } from './limits.js';

/** What the chat may say. The server checks it; page and bot take the types alone (`import type`). */
export const chat = defineContract({
  events: {
    message: z.object({ text: z.string().min(1).max(MAX_TEXT_CHARS) }),
    typing: z.object({ isTyping: z.boolean() }),
    /** From the server, with each connection: which of several serves it. One by itself says nothing. */
    'served-by': z.object({ node: z.string() }),
  },
  requests: {
    /** The rooms that somebody is in, the fullest first. */
    rooms: {
      input: z.object({}),
      output: z.array(z.object({ name: z.string(), sessions: z.number() })),
    },
  },
});

export interface Chat extends ContractType<typeof chat> {}
