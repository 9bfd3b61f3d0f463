import type { Authenticate, User } from '@holdfast/server';
import { jwt } from '@holdfast/server/jwt';
import { readConfigFile, type SetTimer } from '../options/config-file.js';
import { flag, isOrigin, isPath, milliseconds, text, texts, wholeNumber } from '../options/kinds.js';
import {
  describeOptions,
  type Options,
  parseCommandLine,
  resolveOptions,
  type Values,
} from '../options/options.js';
import { UsageError } from '../options/usage-error.js';
import { type RoomRules, roomRules } from './room-rules.js';

const serveOptions = {
  port: {
    kind: wholeNumber(0, 65_535),
    fallback: 3000,
    help: 'where to listen; 0: any free port',
    variable: 'HOLDFAST_PORT',
    key: 'port',
  },
  host: {
    kind: text('<address>', 'an address or a name of this machine', (value) => !/\s/.test(value)),
    fallback: '127.0.0.1',
    help: 'address to listen on; 0.0.0.0: all, for whoever can reach this machine',
    variable: 'HOLDFAST_HOST',
    key: 'host',
  },
  path: {
    kind: text('<path>', "a path as it stands in a request, such as '/realtime'", isPath),
    fallback: '/realtime',
    help: 'of the WebSockets',
    variable: 'HOLDFAST_PATH',
    key: 'path',
  },
  origin: {
    kind: texts('<origin>', 'an exact origin, such as https://example.com', isOrigin),
    fallback: undefined,
    help: 'whose pages may connect; default: those of the same host',
    variable: 'HOLDFAST_ORIGINS',
    key: 'origins',
  },
  room: {
    kind: roomRules,
    fallback: undefined as RoomRules | undefined,
    help: "opens rooms: 'chat:*=join,publish,presence'; default: none is open",
    variable: 'HOLDFAST_ROOMS',
    key: 'rooms',
  },
  'jwt-audience': {
    kind: text('<name>', 'the aud of the tokens', () => true),
    fallback: undefined,
    help: 'lets in who brings a token for it, signed with HOLDFAST_JWT_SECRET',
    variable: 'HOLDFAST_JWT_AUDIENCE',
    key: 'jwtAudience',
  },
  'session-ttl-ms': {
    kind: milliseconds(0),
    fallback: 120_000,
    help: 'how long a session waits for its client to come back',
    variable: 'HOLDFAST_SESSION_TTL_MS',
    key: 'sessionTtlMs',
  },
  'drain-ms': {
    kind: milliseconds(0),
    fallback: 5_000,
    help: 'how long clients have to move away after SIGINT or SIGTERM',
    variable: 'HOLDFAST_DRAIN_MS',
    key: 'drainMs',
  },
  config: {
    kind: text('<file>', 'the name of a .json or .mjs file', (value) => /\.(json|mjs)$/.test(value)),
    fallback: undefined,
    help: 'a file of settings, by the names in quotes',
    variable: 'HOLDFAST_CONFIG',
  },
  json: { kind: flag, fallback: false, help: 'prints lines of JSON' },
  help: { kind: flag, fallback: false, help: 'this text' },
} satisfies Options;

export interface ServeSettings extends Values<typeof serveOptions> {
  /** Who is let in; undefined: everybody, as a guest. */
  readonly auth: Authenticate<User> | undefined;
}

export const SERVE_HELP = `Usage: holdfast serve [options]

Runs a server in this process. It answers the request 'echo' with its input, and the event 'echo' with the same
event, so that 'holdfast connect' and 'holdfast bench' have something to talk to; GET /health says that it lives,
GET /ready whether it takes anybody in. Everybody is let in, as a guest, unless HOLDFAST_JWT_SECRET is set: then whoever
brings a token (HS256) that is signed with it, for --jwt-audience.

${describeOptions(serveOptions)}

A flag counts before its variable, a variable before the file. In variables, commas stand between origins, and
semicolons between rooms. SIGINT and SIGTERM ask the clients to go elsewhere, and end with 0.

Exit codes: 0 ended by a signal, 1 cannot listen, 2 wrong usage.`;

/** Throws a `UsageError` that names flag, variable or file key, and what is allowed. */
export async function readServeSettings(
  args: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
  setTimer?: SetTimer,
): Promise<ServeSettings> {
  if (args.some((arg) => /^--jwt-secret(=|$)/.test(arg))) {
    throw new UsageError(
      'a secret does not belong on the command line, where everybody on this machine reads it',
    );
  }
  const line = parseCommandLine(serveOptions, args);
  if (line.positionals.length > 0) throw new UsageError(`serve takes no argument '${line.positionals[0]}'`);
  const { config } = resolveOptions({ config: serveOptions.config }, { line, variables });
  const file =
    config === undefined ? undefined : { path: config, content: await readConfigFile(config, setTimer) };
  const settings = resolveOptions(serveOptions, { line, variables, file });
  return {
    ...settings,
    auth: settings.help ? undefined : authOf(settings, variables['HOLDFAST_JWT_SECRET']),
  };
}

/** Whoever gives one of the two relies on it: a server that lets in everybody all the same would be worse than none. */
function authOf({ 'jwt-audience': audience }: Values<typeof serveOptions>, secret: string | undefined) {
  if (!secret && audience === undefined) return undefined;
  if (!secret)
    throw new UsageError('--jwt-audience needs HOLDFAST_JWT_SECRET, which the tokens are signed with');
  if (audience === undefined)
    throw new UsageError('HOLDFAST_JWT_SECRET needs --jwt-audience, the aud of its tokens');
  try {
    return jwt({ secret, audience });
  } catch (error) {
    throw new UsageError(`HOLDFAST_JWT_SECRET: ${(error as Error).message}`);
  }
}
