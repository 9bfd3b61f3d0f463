/** Checks of options, so that a bad one is named where it is given and not where it bites. */

/** Throws a `TypeError` that names the option, the rule and the value, unless `fits`. */
export function checkThat(fits: boolean, what: string, rule: string, value: unknown): void {
  if (!fits) throw new TypeError(`${what} must be ${rule}, not ${show(value)}`);
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** Throws a `TypeError` unless `value` is an object with no other keys than `allowed`. */
export function checkKeys(value: unknown, allowed: readonly string[], what: string): void {
  checkThat(typeof value === 'object' && value !== null && !Array.isArray(value), what, 'an object', value);
  for (const key of Object.keys(value as object)) {
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
  const number = typeof value === 'number' ? value : Number.NaN;
  const isWhole = !whole || number === Infinity || Number.isInteger(number);
  const range = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
  checkThat(
    number >= min && number <= max && isWhole,
    what,
    `a ${whole ? 'whole ' : ''}number ${range}`,
    value,
  );
  return number;
}

/** Throws a `TypeError` unless `value` is absent or of the wanted type. */
export function checkType<Value>(
  value: Value,
  type: 'string' | 'boolean' | 'function' | 'object',
  what: string,
): Value {
  const fits = value === undefined || (typeof value === type && value !== null);
  checkThat(fits, what, `${type === 'object' ? 'an' : 'a'} ${type}`, value);
  return value;
}

/** Throws a `TypeError` unless `value` is one of these. */
export function checkOneOf<Value>(value: Value, allowed: readonly unknown[], what: string): Value {
  checkThat(allowed.includes(value), what, `one of ${allowed.map(show).join(', ')}`, value);
  return value;
}

/** Throws a `TypeError` unless `value` is absent or an `AbortSignal`. */
export function checkSignal<Value>(value: Value, what: string): Value {
  const fits = value === undefined || typeof (value as AbortSignal | null)?.addEventListener === 'function';
  checkThat(fits, what, 'an AbortSignal', value);
  return value;
}

/** Throws a `TypeError` unless `value` is an object with these functions. */
export function checkFunctions<Value>(value: Value, names: readonly string[], what: string): Value {
  const given = value as { readonly [name: string]: unknown } | null | undefined;
  const fits = names.every((name) => typeof given?.[name] === 'function');
  checkThat(fits, what, `an object with ${names.join(', ')}`, value);
  return value;
}

/** What a number in a group of options may be: its default, its least value, and whether it must be whole. */
export type NumberRule = readonly [fallback: number, min: number, whole?: 'whole'];
/** Gives the option as it counts, or throws a `TypeError`. */
export type OptionRule = (value: never, what: string) => unknown;

type Checked<Rules> = {
  readonly [name in keyof Rules]: Rules[name] extends (...args: never[]) => infer Value ? Value : number;
};

/**
 * A group of options, each checked or its default. Throws a `TypeError` that names the option, the rule and the value;
 * for an unknown option, too. `prefix`: what stands before the name of each.
 */
export function checkOptions<const Rules extends { readonly [name: string]: NumberRule | OptionRule }>(
  given: { readonly [name in keyof Rules]?: unknown } | undefined,
  group: string,
  rules: Rules,
  prefix = `${group}.`,
): Checked<Rules> {
  const values: { readonly [name: string]: unknown } = given === undefined ? {} : given;
  checkKeys(values, Object.keys(rules), group);
  const entries = Object.entries(rules).map(([name, rule]) => {
    const [value, what] = [values[name] as never, prefix + name];
    if (typeof rule === 'function') return [name, rule(value, what)];
    const [fallback, min, whole] = rule;
    return [name, numberOption(value, what, fallback, { min, whole: whole === 'whole' })];
  });
  return Object.fromEntries(entries) as Checked<Rules>;
}
