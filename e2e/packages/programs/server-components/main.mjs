// A page of server components, rendered as frameworks do it: node --conditions react-server main.mjs

import { register } from 'node:module';
import { text } from 'node:stream/consumers';

register('./loader.mjs', import.meta.url);
const { createElement } = await import('react');
const { renderToPipeableStream } = await import('react-server-dom-webpack/server.node');
const { PassThrough } = await import('node:stream');
const { Chat } = await import('./chat.mjs');
const { hooks } = await import('./hooks-at-the-server.mjs');

// What a bundler writes: which script a browser loads for a module.
const chat = new URL('chat.mjs', import.meta.url).href;
const manifest = { [chat]: { id: 'chat', chunks: [], name: '*' } };
const page = createElement('main', null, 'rendered at the server', createElement(Chat));
const { pipe } = renderToPipeableStream(page, manifest, { onError: (error) => console.log('failed', error) });
console.log(await text(pipe(new PassThrough())));
try {
  hooks();
} catch (error) {
  console.log(error.message);
}
