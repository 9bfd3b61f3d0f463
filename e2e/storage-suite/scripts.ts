import { fileURLToPath } from 'node:url';
import { bundle } from '../support/bundle.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const stores = { browser: 'browser/indexed-db-outbox', node: 'node/file-outbox' } as const;

/** A program whose life it is: it speaks with whoever runs the cases by `port`, an expression. */
export async function lifeScript(platform: keyof typeof stores, port: string): Promise<string> {
  const store = here(`../../packages/client/src/platform/${stores[platform]}.ts`);
  const scripts = await Promise.all([
    bundle(store, 'stores', platform),
    bundle(here('./life.ts'), 'life', platform),
  ]);
  const [kind] = platform === 'node' ? ['FileOutbox'] : ['IndexedDbOutbox'];
  return `${scripts.join('\n')}\nlife.serve((place) => new stores.${kind}(place), ${port});`;
}

/** The cases for pages, as `suite`. */
export const casesScript = (): Promise<string> => bundle(here('./pages.ts'), 'suite');
