// The server of the story and the network before it, from the packed packages: each story has a TCP proxy of its own, which
// it cuts by HTTP. `PAGES` is a folder of pages to serve, under a policy without `unsafe-eval`.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { createHoldfastServer, json } from '@holdfast/server';
import { msgpack } from '@holdfast/server/msgpack';
import { createTcpProxy } from '@holdfast/testing/tcp-proxy';

/** What is known of each story, by its id. */
const stories = new Map();
const pages = process.env.PAGES;
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' };
const policy = "default-src 'none'; script-src 'self'; connect-src *";

const answers = {
  async begin() {
    const id = String(stories.size + 1);
    const proxy = await createTcpProxy({ target: { port: http.address().port } });
    stories.set(id, { proxy, notes: [], sessions: 0, resumes: 0 });
    return { id, url: `ws://127.0.0.1:${proxy.port}/realtime` };
  },
  // Within the next bytes, so that it comes in the middle of something.
  async cut({ id, how }) {
    const { proxy } = stories.get(id);
    return { cut: await proxy.cut({ how, within: 200 }) };
  },
  async told({ id }) {
    const { notes, sessions, resumes } = stories.get(id);
    return { notes, sessions, resumes };
  },
};

const http = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const answer = answers[pathname.slice(1)];
  if (!answer) return page(pathname, response);
  // Pages of another origin may ask, too.
  response.setHeader('Access-Control-Allow-Origin', '*');
  const finished = answer(Object.fromEntries(searchParams));
  finished.then(
    (value) => response.end(JSON.stringify(value)),
    (error) => response.writeHead(500).end(String(error)),
  );
});

function page(pathname, response) {
  const file = pages && join(pages, normalize(pathname));
  if (!file || !(extname(file) in types)) return response.writeHead(404).end();
  response.setHeader('Content-Type', types[extname(file)]);
  response.setHeader('Content-Security-Policy', policy);
  response.end(readFileSync(file));
}

await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${http.address().port}`;
// The token is the id of a story. Pages come from here, and go through a proxy, which is another origin.
const server = createHoldfastServer({
  auth: (id) => ({ user: { id } }),
  codecs: [json(), msgpack()],
  origins: [origin],
});
const storyOf = ({ user }) => stories.get(user.id);
server.handle('add', ({ a, b }) => a + b);
server.onSession((session) => {
  storyOf(session).sessions++;
});
server.onAttach((session, { recovered }) => {
  if (recovered) storyOf(session).resumes++;
});
// One back for each, so that both ways are full when a cut comes.
server.on('note', (n, { session }) => {
  const { notes } = storyOf(session);
  notes.push(n);
  session.send('tick', notes.length);
});
server.attach(http);
console.log(origin);

process.once('SIGTERM', async () => {
  for (const { proxy } of stories.values()) await proxy.close();
  await server.close();
  http.close();
  http.closeAllConnections();
});
