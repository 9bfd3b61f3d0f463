import { parseArgs } from 'node:util';

export const USAGE = `npm run conformance                                    our own server and clients
npm run conformance -- --server ws://host:port/path    a server with the application of docs/conformance.md
    --codec json|msgpack                               how it is spoken to; default json
npm run conformance -- --client 'command'              a client, as a program with the lines of docs/conformance.md
    --only TEXT                                        only cases whose name holds this
    --list                                             all cases, in Markdown`;

export interface Options {
  readonly server: string | undefined;
  readonly client: string | undefined;
  readonly codec: 'json' | 'msgpack';
  readonly only: string;
  readonly list: boolean;
  readonly help: boolean;
}

function parsed(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { server: text, client: text, codec: text, only: text, list: flag, help: flag };
  const {
    server,
    client,
    codec = 'json',
    only = '',
    list,
    help,
  } = parseArgs({ args: [...args], options }).values;
  if (codec !== 'json' && codec !== 'msgpack')
    throw new TypeError(`--codec is json or msgpack, not ${codec}`);
  return { server, client, codec, only, list, help };
}

/** Ends the program with a word on how it is used if it cannot read them. */
export function optionsOf(args: readonly string[]): Options {
  try {
    return parsed(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(1);
  }
}
