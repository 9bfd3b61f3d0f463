import { createServer, type Server as HttpServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createHoldfastServer, type HoldfastServer, RejectError } from '@holdfast/server';
import sirv from 'sirv';
import { type Chat, chat } from './contract.js';
import { isRoomName, ROOM_NAME_RULE } from './limits.js';
import { authenticate, LIMPET } from './names.js';
import type { ClusterSettings } from './settings.js';

/** Everybody may read here, only the bot writes: a place to see a message rejected. */
const NOTICE_BOARD = 'notice-board';

export interface App {
  readonly http: HttpServer;
  readonly realtime: HoldfastServer<Chat>;
}

/** The reference app: the page, `/health`, and the chat on `/realtime`, all on one http server. */
export async function createApp(cluster: ClusterSettings | undefined): Promise<App> {
  const pages = sirv(fileURLToPath(new URL('public', import.meta.url)), {
    etag: true,
    setHeaders(response) {
      // After an update the page and its script must fit together: ask each time, the ETag makes it cheap.
      response.setHeader('Cache-Control', 'no-cache');
      response.setHeader(
        'Content-Security-Policy',
        "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      response.setHeader('X-Content-Type-Options', 'nosniff');
    },
  });
  const http = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (path !== '/health') {
      return pages(request, response, () => {
        response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Not found\n');
      });
    }
    const { draining, connections } = realtime.stats();
    // Balancers send newcomers elsewhere on it.
    response.writeHead(draining ? 503 : 200, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
    });
    const status = draining ? 'draining' : 'ok';
    response.end(JSON.stringify({ status, connections, node: cluster?.node }));
  });

  const realtime = createHoldfastServer<Chat>({
    contract: chat,
    auth: authenticate,
    ...(cluster && (await shared(cluster))),
  }).attach(http);
  realtime.rooms('*', {
    join: (_session, room) => {
      if (isRoomName(room)) return true;
      throw new RejectError(ROOM_NAME_RULE);
    },
    publish: true,
    presence: true,
  });
  realtime.rooms(NOTICE_BOARD, {
    join: true,
    publish: ({ user }) => {
      if (user.id === LIMPET) return true;
      throw new RejectError('this room is for reading only');
    },
    presence: true,
  });
  if (cluster) tellWhoServes(realtime, cluster.node);
  answerForRooms(realtime);
  return { http, realtime };
}

/** Loaded where it is needed: one server by itself does without Redis, and without its library. */
async function shared({ redisUrl, durability, trustProxy }: ClusterSettings) {
  const { redis } = await import('@holdfast/redis');
  return { cluster: redis({ url: redisUrl, durability }), trustProxy };
}

function tellWhoServes(realtime: HoldfastServer<Chat>, node: string): void {
  realtime.onAttach((session) => {
    // To whom moves on before it has heard it the next server tells its own name in place of this one.
    void session.send('served-by', { node }, { delivery: 'latest', key: 'served-by' });
  });
}

function answerForRooms(realtime: HoldfastServer<Chat>): void {
  realtime.handle('rooms', async () => {
    const counts = new Map<string, number>();
    for (const { rooms } of await realtime.toAll().sessions()) {
      for (const room of rooms) counts.set(room, (counts.get(room) ?? 0) + 1);
    }
    const open = [...counts].map(([name, count]) => ({ name, sessions: count }));
    return open.sort((a, b) => b.sessions - a.sessions || a.name.localeCompare(b.name)).slice(0, 50);
  });
}
