import { createClient, isHoldfastError } from '@holdfast/client';
import { stream } from '@holdfast/client/stream';
import { chat } from './chat-contract.js';

await using bot = createClient({
  url: 'wss://example.com/realtime',
  contract: chat,
  auth: process.env['TOKEN'] ?? '',
  outbox: { overflow: 'wait' },
});
bot.handle('confirm', async ({ question }, { signal }) => ({ yes: question.length > 3 && !signal.aborted }));
const lobby = bot.room('chat:lobby');
lobby.on('message', async ({ text }, { from, redelivered }) => {
  if (redelivered || !text.startsWith('!time')) return;
  try {
    await lobby.send('message', { text: `@${from} ${new Date().toISOString()}` });
  } catch (e) {
    if (!isHoldfastError(e)) throw e;
    switch (e.code) {
      case 'ERR_RATE_LIMITED':
        console.warn('wait', e.retryAfterMs);
        break;
      case 'ERR_REJECTED':
        console.warn(e.reason, e.data);
        break;
      case 'ERR_INVALID_PAYLOAD':
        console.warn(e.issues[0]?.message);
        break;
      case 'ERR_SESSION_LOST': {
        const d: 'unknown' = e.delivery;
        console.warn(d);
        break;
      }
      default:
        throw e;
    }
  }
});
await bot.connect();
await lobby.join();
for await (const { line } of stream(bot, 'export', { room: 'chat:lobby' })) {
  console.log(line);
  break;
}
process.once('SIGTERM', () => bot.close({ flushMs: 5_000 }));
