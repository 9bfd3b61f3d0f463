/** Throws a `TypeError` that names the option and what is allowed. */
export function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new TypeError(`--${name} must be a whole number from ${least} to ${most}, not '${text}'`);
}

/** What `read` makes of the command line; ends with the usage where that is asked for (undefined) or cannot be read. */
export function optionsOrExit<O>(read: () => O | undefined, usage: string): O {
  // The children see it and end, too.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  try {
    const options = read();
    if (options) return options;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
