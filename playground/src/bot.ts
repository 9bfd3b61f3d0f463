import { setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import { type BotCommand, readOptions, USAGE } from './bot-options.js';
import { ChatSession } from './bot-session.js';
import { Terminal } from './terminal.js';

function commandOrExit(): BotCommand {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const command = commandOrExit();
if (command.do === 'help') {
  console.log(USAGE);
} else {
  // `localhost` may mean ::1 first; ask for the other one before anybody gets impatient.
  setDefaultAutoSelectFamilyAttemptTimeout(250);
  const terminal = new Terminal({
    line: (text) => session.line(text),
    end: () => void session.end(),
  });
  const session = new ChatSession(command, terminal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void session.end());
  session.start();
}
