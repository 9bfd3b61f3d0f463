import { fileURLToPath } from 'node:url';
import { bundle } from '../support/bundle.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * The client's own sockets and the suite, as `sockets` and `suite`. `browser`: on the `WebSocket` of the platform;
 * `node`: on the package `ws`.
 */
export async function suiteScript(platform: 'browser' | 'node'): Promise<string> {
  const scripts = await Promise.all([
    bundle(here('../../packages/client/src/platform/common/websocket.ts'), 'sockets', platform),
    bundle(here('./sockets.ts'), 'suite', platform),
  ]);
  return scripts.join('\n');
}
