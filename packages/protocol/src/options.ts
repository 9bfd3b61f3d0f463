/** Checks of options, so that a bad one is named where it is given and not where it bites. */

/** Throws a `TypeError` unless `value` is an object with no other keys than `allowed`. */
export function checkKeys(value: unknown, allowed: readonly string[], what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
    throw new TypeError(`${what} must be an object, not ${kind}`);
  }
  for (const key of Object.keys(value)) {
    if (!allowed.includes(key))
      throw new TypeError(`${what}: unknown option '${key}'; allowed: ${allowed.join(', ')}`);
  }
}

/** The number given, or `fallback`. Throws a `TypeError` that names the option, the rule and the value. */
export function numberOption(
  value: unknown,
  what: string,
  fallback: number,
  { min = 0, max = Infinity, whole = false }: { min?: number; max?: number; whole?: boolean } = {},
): number {
  if (value === undefined) return fallback;
  const fits = typeof value === 'number' && value >= min && value <= max;
  if (!fits || (whole && value !== Infinity && !Number.isInteger(value))) {
    const range = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new TypeError(`${what} must be a ${whole ? 'whole ' : ''}number ${range}, not ${show(value)}`);
  }
  return value;
}

/** Throws a `TypeError` unless `value` is absent or of the wanted type. */
export function checkType(
  value: unknown,
  type: 'string' | 'boolean' | 'function' | 'object',
  what: string,
): void {
  if (value !== undefined && (typeof value !== type || value === null)) {
    throw new TypeError(`${what} must be ${type === 'object' ? 'an' : 'a'} ${type}, not ${show(value)}`);
  }
}

/** Throws a `TypeError` unless `value` is absent or an `AbortSignal`. */
export function checkSignal(value: unknown, what: string): void {
  if (value !== undefined && typeof (value as AbortSignal | null)?.addEventListener !== 'function') {
    throw new TypeError(`${what} must be an AbortSignal, not ${show(value)}`);
  }
}

/** Throws a `TypeError` unless `value` is an object with these functions. */
export function checkFunctions(value: unknown, names: readonly string[], what: string): void {
  for (const name of names) {
    if (typeof (value as { readonly [name: string]: unknown } | null)?.[name] !== 'function') {
      throw new TypeError(`${what} must be an object with ${names.join(', ')}`);
    }
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** What a number in a group of options may be: its default, its least value, and whether it must be whole. */
export type NumberRule = readonly [fallback: number, min: number, whole?: 'whole'];

/**
 * A group of numbers, each checked or its default. Throws a `TypeError` that names the option, the rule and the
 * value; for an unknown option, too.
 */
export function numberOptions<Name extends string>(
  given: { readonly [name in Name]?: number | undefined } | undefined,
  group: string,
  rules: { readonly [name in Name]: NumberRule },
): { readonly [name in Name]: number } {
  const names = Object.keys(rules) as Name[];
  if (given !== undefined) checkKeys(given, names, group);
  const entries = names.map((name) => {
    const [fallback, min, whole] = rules[name];
    return [
      name,
      numberOption(given?.[name], `${group}.${name}`, fallback, { min, whole: whole === 'whole' }),
    ];
  });
  return Object.fromEntries(entries) as { readonly [name in Name]: number };
}
