import { readFileSync } from 'node:fs';
import { bench } from './bench/bench.js';
import { BENCH_HELP, readBenchSettings } from './bench/bench-options.js';
import { connect } from './connect/connect.js';
import { CONNECT_HELP, readConnectSettings } from './connect/connect-options.js';
import { UsageError } from './options/usage-error.js';
import { Output } from './output.js';
import { serve } from './serve/serve.js';
import { readServeSettings, SERVE_HELP } from './serve/serve-options.js';

const HELP = `Usage: holdfast <command> [options]

  serve          runs a server
  connect <url>  a client in the terminal: join, send, request, watch the connection
  bench <url>    puts a load on a server, and counts what is lost or doubled

holdfast <command> --help tells more; holdfast --version prints the version.`;

/** A command that knows its settings, and does its work when told to. */
interface Command {
  readonly help: string;
  prepare(args: readonly string[]): Promise<{
    readonly settings: { readonly json: boolean };
    run(output: Output): Promise<number>;
  }>;
}

const commands: Readonly<Record<string, Command>> = {
  serve: {
    help: SERVE_HELP,
    async prepare(args) {
      const settings = await readServeSettings(args, process.env);
      return { settings, run: (output) => serve(settings, output) };
    },
  },
  connect: {
    help: CONNECT_HELP,
    async prepare(args) {
      const settings = readConnectSettings(args, process.env);
      return { settings, run: (output) => connect(settings, output) };
    },
  },
  bench: {
    help: BENCH_HELP,
    async prepare(args) {
      const settings = readBenchSettings(args, process.env);
      return { settings, run: (output) => bench(settings, output) };
    },
  },
};

/** Runs what is asked for; the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function main([name, ...args]: readonly string[]): Promise<number> {
  const streams = { out: process.stdout, err: process.stderr };
  const say = (text: string): 0 => {
    streams.out.write(`${text}\n`);
    return 0;
  };
  if (name === '--help' || name === '-h' || name === 'help') return say(HELP);
  if (name === '--version') return say(version());
  // Whoever pipes us into `head` has seen enough.
  process.stdout.on('error', () => process.exit(1));
  try {
    const command = Object.hasOwn(commands, name ?? '') ? commands[name ?? ''] : undefined;
    if (!command) throw new UsageError(name === undefined ? 'a command is needed' : `no command '${name}'`);
    // Also where the rest of the line is wrong: who asks for help has noticed.
    if (args.includes('--help') || args.includes('-h')) return say(command.help);
    const { settings, run } = await command.prepare(args);
    return await run(new Output(streams, settings.json ? 'json' : 'text'));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const more = Object.hasOwn(commands, name ?? '') ? `holdfast ${name} --help` : 'holdfast --help';
    streams.err.write(`holdfast: ${error.message}\n${more} tells what there is.\n`);
    return 2;
  }
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
