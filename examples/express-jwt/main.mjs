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
/** Whoever has logged in, by the cookie's value. Yours end after some time, and outlive the server. */
const logins = new Map();

const app = express();
const http = createServer(app);
const realtime = createHoldfastServer({ auth: jwt({ secret, audience: 'chat' }) }).attach(http);
realtime.handle('whoAmI', (_input, { session }) => session.user.id);

// Not for scripts, not for other sites, and in production not without TLS: the page itself never sees it.
const cookie = { httpOnly: true, sameSite: 'strict', secure: process.env.NODE_ENV === 'production' };
const loginOf = ({ headers }) => /(?:^|; )login=([\w-]+)/.exec(headers.cookie ?? '')?.[1];

app.post('/login', express.json(), (request, response) => {
  const name = String(request.body?.name ?? '').trim();
  if (!/^[\w-]{1,32}$/.test(name)) return response.status(400).send('a name has 1 to 32 letters');
  const login = randomUUID();
  logins.delete(loginOf(request));
  logins.set(login, name);
  response.cookie('login', login, cookie).sendStatus(204);
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
  const name = logins.get(loginOf(request));
  // On all devices, at once: no token of before counts any more, and nobody gets another one.
  if (name) {
    for (const [login, of] of logins) if (of === name) logins.delete(login);
    await realtime.toUser(name).end('logged out');
    realtime.revoke({ userId: name, expiresAt: Date.now() + lifetime * 1_000 });
  }
  response.clearCookie('login', cookie).sendStatus(204);
});

const client = dirname(createRequire(import.meta.url).resolve('@holdfast/client'));
app.get('/holdfast.global.js', (_request, response) =>
  response.sendFile('holdfast.global.js', { root: client }),
);
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))));

http.listen(Number(process.env.PORT ?? 3000), () => console.log(`http://localhost:${http.address().port}/`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    http.close();
    await realtime.close();
    http.closeAllConnections();
  });
}
