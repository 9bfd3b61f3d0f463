import { pathToFileURL } from 'node:url';
import { createClient, isHoldfastError } from '@holdfast/client';

/** Connects, joins and answers until the function that it resolves with is called. */
export async function startBot(url) {
  const bot = createClient({
    url,
    auth: process.env.TOKEN ?? 'bot',
    // A bot that is faster than the line waits in `send` for a place, where a page would be told that there is none.
    outbox: { overflow: 'wait' },
  });
  const lobby = bot.room('chat:lobby');
  const stopping = new AbortController();
  let reminders = Promise.resolve();

  lobby.on('message', async ({ text }, { from, redelivered }) => {
    // Heard before by a process that died over it: what it did then is not known, so it is not done again.
    if (redelivered) return;
    const [command, ...words] = String(text).split(' ');
    if (command === '!time') await say(`${from}: ${new Date().toISOString()}`);
    if (command === '!count') reminders = reminders.then(() => count(Number(words[0]) || 3));
  });
  // The server may ask, too.
  bot.handle('confirm', ({ question }) => ({ yes: question.endsWith('?') }));

  async function count(to) {
    for (let n = 1; n <= Math.min(to, 1_000) && !stopping.signal.aborted; n++) await say(`${n}`);
  }
  async function say(text) {
    try {
      await lobby.send('message', { text });
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      console.error(`not said (${error.delivery}): ${text}: ${error.message}`);
    }
  }

  await bot.connect();
  await lobby.join();
  return () => {
    // What has been said still goes out, and no more is begun.
    stopping.abort();
    return bot.close({ flushMs: 5_000 });
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const stop = await startBot(process.argv[2] ?? 'ws://localhost:3000/realtime');
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
}
