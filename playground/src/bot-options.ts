import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run bot -- [options]

A chat client in the terminal: type a line and press Enter.

  --room <name>   room to join             (default: lobby)
  --name <name>   who you are              (default: Terminal and a number)
  --url <url>     where the server is      (default: ws://localhost:3000/realtime)
  --help          this text

While it runs: /members  /resend  /help  /quit`;

export type BotCommand =
  | { readonly do: 'help' }
  | { readonly do: 'chat'; readonly room: string; readonly name: string; readonly url: string };

/** Throws an `Error` that says what is wrong with the options. */
export function readOptions(args: readonly string[]): BotCommand {
  const { values } = parseArgs({
    args: [...args],
    options: {
      room: { type: 'string', default: 'lobby' },
      name: { type: 'string', default: `Terminal ${100 + Math.floor(Math.random() * 900)}` },
      url: { type: 'string', default: 'ws://localhost:3000/realtime' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { do: 'help' };
  const { room, name, url } = values;
  if (room === '') throw new Error('--room needs a name');
  if (name === '') throw new Error('--name needs a name');
  if (!/^(wss?|https?):\/\//.test(url) || !URL.canParse(url)) {
    throw new Error(`--url must look like ws://localhost:3000/realtime, not '${url}'`);
  }
  return { do: 'chat', room, name, url };
}
