// React's own loader wants the text of every module, which Node gives for ES modules alone, and stumbles over source maps.
import { load as loadForServer, resolve as resolveForServer } from 'react-server-dom-webpack/node-loader';

// What it writes into a module imports React's runtime, which is found from here, not from there.
export const resolve = (name, context, next) =>
  name.startsWith('react-server-dom-webpack/')
    ? next(name, { ...context, parentURL: import.meta.url })
    : resolveForServer(name, context, next);

export const load = (url, context, next) =>
  context.format === 'module'
    ? loadForServer(url, context, async (...at) => {
        const loaded = await next(...at);
        return { ...loaded, source: String(loaded.source).replace(/^\/\/# sourceMappingURL=.*$/m, '') };
      })
    : next(url, context);
