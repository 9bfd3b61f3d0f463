import { type Random, randomIds } from '@holdfast/protocol';

/** Web Crypto, which browsers, workers and Node have alike. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  // Declarations say no more than Uint8Array, which is not generic before TypeScript 5.7.
  id: randomIds((bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)),
};
