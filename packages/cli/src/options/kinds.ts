/** What the values of an option may be, in words and as the functions that read them. */
export interface Kind<V> {
  /** Stands behind the flag in the help; empty: the flag takes no value. */
  readonly hint: string;
  /** After "must be". */
  readonly allowed: string;
  /** May be given several times. */
  readonly isList: boolean;
  /** What stands between the values in a variable, if it is a list. */
  readonly separator?: string;
  /** From the command line or a variable; undefined: not allowed. */
  fromTexts(texts: readonly string[]): V | undefined;
  /** From a file; undefined: not allowed. */
  fromFile?(value: unknown): V | undefined;
}

const one = (texts: readonly string[]): string => texts.at(-1) ?? '';

/** A switch. */
export const flag: Kind<boolean> = {
  hint: '',
  allowed: 'given without a value',
  isList: false,
  fromTexts: () => true,
};

export function wholeNumber(min: number, max: number): Kind<number> {
  const isAllowed = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  return {
    hint: '<number>',
    allowed: `a whole number from ${min} to ${max}`,
    isList: false,
    fromTexts(texts) {
      const text = one(texts);
      return /^\d+$/.test(text) && isAllowed(Number(text)) ? Number(text) : undefined;
    },
    fromFile: (value) => (isAllowed(value) ? value : undefined),
  };
}

/** A time that a timer of Node can be set to. */
export const milliseconds = (min: number): Kind<number> => wholeNumber(min, 2_147_483_647);

/** A text that fits; `undefined` where none is given and that is fine. */
export function text(hint: string, allowed: string, fits: (value: string) => boolean): Kind<string> {
  const read = (value: unknown): string | undefined =>
    typeof value === 'string' && value !== '' && fits(value) ? value : undefined;
  return { hint, allowed, isList: false, fromTexts: (texts) => read(one(texts)), fromFile: read };
}

export function texts(
  hint: string,
  allowed: string,
  fits: (value: string) => boolean,
): Kind<readonly string[]> {
  const read = (values: unknown): readonly string[] | undefined =>
    Array.isArray(values) && values.every((value) => typeof value === 'string' && fits(value))
      ? values
      : undefined;
  return { hint, allowed, isList: true, separator: ',', fromTexts: read, fromFile: read };
}

/** As it stands in a request. */
export const isPath = (value: string): boolean => /^\/[!-~]*$/.test(value) && !/[?#]/.test(value);

export const isOrigin = (value: string): boolean => URL.canParse(value) && new URL(value).origin === value;

export const isUrl = (value: string): boolean => /^(wss?|https?):\/\//.test(value) && URL.canParse(value);
