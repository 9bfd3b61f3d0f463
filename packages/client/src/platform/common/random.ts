import { type Random, randomIds } from '@holdfast/protocol';

/** Web Crypto, which browsers, workers and Node have alike. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  id: randomIds((bytes) => crypto.getRandomValues(bytes)),
};
