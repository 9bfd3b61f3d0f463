import { type Peer, readPeer, TOKEN } from '../dial.js';
import { flag, type Kind, milliseconds, text, texts } from '../options/kinds.js';
import {
  describeOptions,
  type Options,
  parseCommandLine,
  resolveOptions,
  type Values,
} from '../options/options.js';
import { UsageError } from '../options/usage-error.js';
import { LINES_HELP, parseNamed } from './commands.js';

type Named = ReturnType<typeof parseNamed>;

const named: Kind<readonly Named[]> = {
  hint: "'<name> [json]'",
  allowed: `a name and then JSON, such as 'message {"text":"hello"}'`,
  isList: true,
  fromTexts(given) {
    try {
      return given.map(parseNamed);
    } catch {
      return undefined;
    }
  },
};
const isName = (value: string): boolean => value !== '' && value.length <= 128;

const connectOptions = {
  room: {
    kind: text('<name>', 'the name of a room, of at most 128 characters', isName),
    fallback: undefined,
    help: 'joins a room; what is sent is for it',
  },
  send: { kind: named, fallback: [], help: 'sends an event, and waits until the server has it' },
  request: { kind: named, fallback: [], help: 'asks the server, behind what is sent; prints the answer' },
  listen: {
    kind: texts('<event>', 'the name of an event, of at most 128 characters', isName),
    fallback: [],
    help: "prints events of this name; default: 'echo' and 'message'",
  },
  once: { kind: flag, fallback: false, help: 'ends after the first event of --listen' },
  'timeout-ms': {
    kind: milliseconds(1),
    fallback: 10_000,
    help: 'how long to wait for a connection, an answer, or the event of --once',
  },
  json: { kind: flag, fallback: false, help: 'prints lines of JSON' },
  help: { kind: flag, fallback: false, help: 'this text' },
} satisfies Options;

export const CONNECT_HELP = `Usage: holdfast connect <url> [options]

A client in the terminal: type a line and press Enter. In a pipe each line of the input is such a line, and the end of
the input ends it. With --send, --request or --listen it does just that and ends; --listen without --once goes on until
Ctrl-C.

${describeOptions(connectOptions)}

${LINES_HELP}

${TOKEN} holds the token, if the server asks for one. Events and answers go to standard output, all else to standard
error.

Exit codes: 0 done, 1 something failed (the code of the error is printed), 2 wrong usage.

  holdfast connect ws://localhost:3000/realtime --request 'echo {"n":1}'`;

export type ConnectSettings = Values<typeof connectOptions> & Peer;

/** Throws a `UsageError`. */
export function readConnectSettings(
  args: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): ConnectSettings {
  const line = parseCommandLine(connectOptions, args);
  const values = resolveOptions(connectOptions, { line });
  if (values.once && values.listen.length === 0) throw new UsageError('--once needs --listen <event>');
  return { ...values, ...readPeer('connect', line, variables) };
}
