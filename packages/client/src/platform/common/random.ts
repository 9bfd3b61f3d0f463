import type { Random } from '@holdfast/protocol';

/** Web Crypto, which browsers, workers and Node have alike. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  id() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const base64 = btoa(String.fromCharCode(...bytes));
    return base64.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_');
  },
};
