/** Throws a `TypeError` for a name that the server would hang up on. */
export function checkName(name: string): string {
  if (typeof name === 'string' && /^[^$][\s\S]{0,127}$/.test(name)) return name;
  throw new TypeError(
    `a name must be a string of 1 to 128 characters that does not begin with '$', not ${name}`,
  );
}

/** Throws a `TypeError` for what is no number, or too small a one. */
export function atLeast(least: number, value: number, what: string): number {
  if (typeof value === 'number' && value >= least) return value;
  throw new TypeError(`${what} must be a number from ${least}, not ${value}`);
}
