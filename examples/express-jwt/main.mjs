// Express with a login: node main.mjs, then open the page. Who says a name gets in; check a password here.

import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHoldfastServer } from '@holdfast/server';
import { jwt } from '@holdfast/server/jwt';
import express from 'express';
import { SignJWT } from 'jose';

const secret = process.env.SECRET ?? randomBytes(32).toString('base64url');
const lifetime = Number(process.env.TOKEN_SECONDS ?? 60);
/** Whoever has logged in, by the cookie's value. */
const logins = new Map();

const app = express();
const http = createServer(app);
const realtime = createHoldfastServer({ auth: jwt({ secret, audience: 'chat' }) }).attach(http);
realtime.handle('whoAmI', (_input, { session }) => session.user.id);

const loginOf = ({ headers }) => /(?:^|; )login=([\w-]+)/.exec(headers.cookie ?? '')?.[1];

app.post('/login', express.json(), (request, response) => {
  const name = String(request.body?.name ?? '').trim();
  if (!/^[\w-]{1,32}$/.test(name)) return response.status(400).send('a name has 1 to 32 letters');
  const login = randomUUID();
  logins.set(login, name);
  // Not for scripts, and not for other sites: the page itself never sees it.
  response.cookie('login', login, { httpOnly: true, sameSite: 'strict' }).sendStatus(204);
});

// A token is short, so a stolen one is soon worth nothing. The client asks for the next one by itself.
app.get('/token', async (request, response) => {
  const name = logins.get(loginOf(request));
  if (!name) return response.sendStatus(401);
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(name)
    .setAudience('chat')
    .setIssuedAt()
    .setExpirationTime(`${lifetime} s`)
    .sign(new TextEncoder().encode(secret));
  response.set('Cache-Control', 'no-store').type('text').send(token);
});

app.post('/logout', async (request, response) => {
  const login = loginOf(request);
  const name = logins.get(login);
  logins.delete(login);
  // On all devices, at once: no token has to expire first.
  if (name) await realtime.toUser(name).end('logged out');
  response.clearCookie('login').sendStatus(204);
});

const client = dirname(createRequire(import.meta.url).resolve('@holdfast/client'));
app.get('/holdfast.global.js', (_request, response) => response.sendFile(`${client}/holdfast.global.js`));
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))));

http.listen(Number(process.env.PORT ?? 3000), () => console.log(`http://localhost:${http.address().port}/`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    http.close();
    await realtime.close();
    http.closeAllConnections();
  });
}
