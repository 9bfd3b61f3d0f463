import { parseArgs } from 'node:util';
import type { Kind } from './kinds.js';
import { UsageError } from './usage-error.js';

interface Option<V = unknown> {
  readonly kind: Kind<V>;
  readonly help: string;
  readonly fallback: V | undefined;
  /** The variable that says the same. */
  readonly variable?: string;
  /** The key of the file that says the same. */
  readonly key?: string;
}
/** By the name of the flag. */
export type Options = Readonly<Record<string, Option>>;
export type Values<T extends Options> = {
  readonly [K in keyof T]: T[K] extends { kind: Kind<infer V>; fallback: infer F } ? V | F : never;
};

/** What the command line says, unread. */
export interface CommandLine {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
}

/** Throws a `UsageError` for a flag that is unknown, or whose value is missing. */
export function parseCommandLine(options: Options, args: readonly string[]): CommandLine {
  const table = Object.entries(options).map(([name, { kind }]) => [
    name,
    { type: kind.hint === '' ? ('boolean' as const) : ('string' as const), multiple: true },
  ]);
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: Object.fromEntries(table),
      allowPositionals: true,
    });
    const flags = Object.entries(values).map(([name, given]) => [name, (given as unknown[]).map(String)]);
    return { flags: new Map(flags as [string, string[]][]), positionals };
  } catch (error) {
    // The rest of Node's sentence is about positional arguments that begin with a dash.
    throw new UsageError((error as Error).message.split('. ')[0]);
  }
}

export interface Sources {
  readonly line: CommandLine;
  readonly variables?: Readonly<Record<string, string | undefined>>;
  readonly file?: { readonly path: string; readonly content: Readonly<Record<string, unknown>> } | undefined;
}

/**
 * Each option from the first that names it: flag, variable, file, default. Throws a `UsageError` that names which of them
 * it was, what is allowed, and the value.
 */
export function resolveOptions<T extends Options>(options: T, sources: Sources): Values<T> {
  checkFile(options, sources.file);
  const values = Object.entries(options).map(([name, option]) => [name, resolve(name, option, sources)]);
  return Object.fromEntries(values) as Values<T>;
}

function resolve(name: string, option: Option, { line, variables = {}, file }: Sources): unknown {
  const { kind, variable, key, fallback } = option;
  const given = line.flags.get(name);
  if (given !== undefined) return checked(kind, `--${name}`, kind.fromTexts(given), given.join(' '));
  const set = variable === undefined ? undefined : variables[variable];
  if (variable !== undefined && set !== undefined && set.trim() !== '') {
    const parts = kind.separator === undefined ? [set] : set.split(kind.separator);
    return checked(kind, variable, kind.fromTexts(parts.map((part) => part.trim())), set);
  }
  if (key !== undefined && file && Object.hasOwn(file.content, key)) {
    const value = file.content[key];
    return checked(kind, `'${key}' in ${file.path}`, kind.fromFile?.(value), value);
  }
  return fallback;
}

function checked(kind: Kind<unknown>, origin: string, value: unknown, given: unknown): unknown {
  if (value !== undefined) return value;
  const shown = typeof given === 'string' ? `'${given}'` : (JSON.stringify(given) ?? String(given));
  throw new UsageError(`${origin} must be ${kind.allowed}, not ${shown}`);
}

function checkFile(options: Options, file: Sources['file']): void {
  const keys = Object.values(options).flatMap(({ key }) => key ?? []);
  for (const key of Object.keys(file?.content ?? {})) {
    if (keys.includes(key)) continue;
    throw new UsageError(`'${key}' in ${file?.path} is no setting; there are: ${keys.join(', ')}`);
  }
}

/** The options as lines of a help text. */
export function describeOptions(options: Options): string {
  const rows = Object.entries(options).map(([name, option]) => {
    const left = `--${name} ${option.kind.hint}`.trimEnd();
    return { left, right: `${option.help}${notes(option)}` };
  });
  const width = Math.max(...rows.map(({ left }) => left.length));
  return rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}

function notes({ kind, variable, key, fallback }: Option): string {
  const { isList } = kind;
  const isShown = fallback !== undefined && fallback !== false && !isList;
  const said = [isList ? 'repeatable' : '', isShown ? `default: ${fallback}` : ''];
  const elsewhere = [variable, key === undefined ? undefined : `'${key}'`].filter(Boolean).join(', ');
  const all = [...said, elsewhere].filter((note) => note !== '');
  return all.length > 0 ? ` (${all.join('; ')})` : '';
}
