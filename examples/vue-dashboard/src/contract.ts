import { type ContractType, defineContract } from '@holdfast/client';
import * as v from 'valibot';

/** What may be said; checked by the server, known to both. */
export const contract = defineContract({
  serverEvents: {
    load: v.object({ at: v.date(), percent: v.number() }),
    alert: v.object({ machine: v.string(), percent: v.number() }),
  },
  requests: { machines: { input: v.undefined(), output: v.array(v.string()) } },
});

/** The page takes only the types: no valibot in its bundle. */
export interface Machines extends ContractType<typeof contract> {}
