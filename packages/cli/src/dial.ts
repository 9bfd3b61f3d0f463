import { createClient, type HoldfastClient } from '@holdfast/client';
import { isUrl } from './options/kinds.js';
import type { CommandLine } from './options/options.js';
import { UsageError } from './options/usage-error.js';

/** The variable that holds the token: on the command line, everybody on the machine could read it. */
export const TOKEN = 'HOLDFAST_TOKEN';

/** Which server a command talks to, and as whom. */
export interface Peer {
  readonly url: string;
  readonly token: string | undefined;
}

/** Throws a `UsageError` unless the one argument of the command is an address, without a token in it. */
export function readPeer(
  command: string,
  line: CommandLine,
  variables: Readonly<Record<string, string | undefined>>,
): Peer {
  return { url: readUrl(command, line), token: variables[TOKEN] || undefined };
}

function readUrl(command: string, { positionals }: CommandLine): string {
  const [url, more] = positionals;
  if (url === undefined) throw new UsageError(`${command} needs the url of a server`);
  if (more !== undefined) throw new UsageError(`${command} takes one url, and no argument '${more}'`);
  if (!isUrl(url)) throw new UsageError(`the url must look like ws://localhost:3000/realtime, not '${url}'`);
  if (/[?&](access_)?token=/.test(url)) {
    throw new UsageError(`a token does not belong in the url, which is logged; set ${TOKEN}`);
  }
  return url;
}

export interface Dial extends Peer {
  /** What the client would log. */
  warn(text: string): void;
}

export function makeClient({ url, token, warn }: Dial): HoldfastClient {
  const quiet = (): void => undefined;
  return createClient({
    url,
    ...(token !== undefined && { auth: token }),
    logger: { debug: quiet, info: quiet, warn, error: warn },
  });
}

/** Rejects with `ERR_TIMEOUT` when time is up. */
export async function within<V>(timeoutMs: number, promise: Promise<V>): Promise<V> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error(`nothing came within ${timeoutMs} ms`), { code: 'ERR_TIMEOUT' });
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
