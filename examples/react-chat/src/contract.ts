import { type ContractType, defineContract } from '@holdfast/client';
import { z } from 'zod';

/** What may be said; checked by the server, known to both. */
export const contract = defineContract({
  events: { message: z.object({ text: z.string().trim().min(1).max(500) }), typing: z.object({}) },
  serverEvents: { roomsChanged: z.object({}) },
  requests: {
    rooms: { input: z.void(), output: z.array(z.object({ name: z.string(), said: z.number() })) },
  },
  presence: z.object({ status: z.enum(['here', 'away']) }),
});

/** The page takes only the types: no zod in its bundle. */
export interface Chat extends ContractType<typeof contract> {}
