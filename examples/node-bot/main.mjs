// A server and a bot in it: npm start. A bot for a server that stands already: node bot.mjs ws://localhost:3000/realtime

import { createHoldfastServer } from '@holdfast/server';
import { startBot } from './bot.mjs';

const server = createHoldfastServer({ auth: (token) => ({ user: { id: token ?? 'guest' } }) });
server.rooms('chat:*', { join: true, publish: true, presence: true });
const { port } = await server.listen(Number(process.env.PORT ?? 3000));

const url = `ws://localhost:${port}/realtime`;
const stopBot = await startBot(url);
console.log(url);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await stopBot();
    await server.close();
  });
}
