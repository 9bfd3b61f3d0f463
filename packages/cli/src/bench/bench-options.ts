import { type Peer, readPeer, TOKEN } from '../dial.js';
import { flag, milliseconds, wholeNumber } from '../options/kinds.js';
import {
  describeOptions,
  type Options,
  parseCommandLine,
  resolveOptions,
  type Values,
} from '../options/options.js';

const benchOptions = {
  clients: { kind: wholeNumber(1, 20_000), fallback: 10, help: 'how many connections' },
  rate: { kind: wholeNumber(1, 1_000), fallback: 10, help: 'messages of each client in a second' },
  'duration-ms': { kind: milliseconds(1), fallback: 10_000, help: 'how long to send' },
  size: { kind: wholeNumber(0, 1_000_000), fallback: 100, help: 'bytes of text in each message' },
  'timeout-ms': {
    kind: milliseconds(1),
    fallback: 10_000,
    help: 'how long to wait for all connections, and in the end for what is still under way',
  },
  json: { kind: flag, fallback: false, help: 'prints the figures as a line of JSON' },
  help: { kind: flag, fallback: false, help: 'this text' },
} satisfies Options;

export const BENCH_HELP = `Usage: holdfast bench <url> [options]

Puts a load on a server: each client sends the event 'echo', and the server must answer each with the same event, as
'holdfast serve' does. Progress goes to standard error, the figures to standard output; Ctrl-C ends early, with the
figures so far.

${describeOptions(benchOptions)}

${TOKEN} holds the token, if the server asks for one.

  sent           calls of send()
  acknowledged   accepted by the server
  failed         ended with an error, which an application is told
  lost           acknowledged, or of unknown fate, and never came back
  doubled        came back more than once
  latency        from send() to the echo

Exit codes: 0 nothing failed, was lost or doubled; 1 something was, or not all could connect; 2 wrong usage.`;

export type BenchSettings = Values<typeof benchOptions> & Peer;

/** Throws a `UsageError`. */
export function readBenchSettings(
  args: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): BenchSettings {
  const line = parseCommandLine(benchOptions, args);
  const values = resolveOptions(benchOptions, { line });
  return { ...values, ...readPeer('bench', line, variables) };
}
