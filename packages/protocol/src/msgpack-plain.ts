import {
  bytesOf,
  checkKey,
  digitsOf,
  MAX_DEPTH,
  MAX_ELEMENTS,
  MAX_KEY_BYTES,
  TOO_DEEP,
  TOO_MANY,
  timeOf,
} from './bounds.js';

/** How the encoder is given what it has no word for. */
export interface Words {
  date(value: Date): unknown;
  bigint(digits: string): unknown;
}

interface Budget {
  readonly words: Words;
  elements: number;
}

/**
 * What the encoder is to write: the value itself if it is plain, else a copy with the words for `Date` and `bigint` in their
 * place, and with what JSON would put in the place of whatever else has a `toJSON`. Throws a `TypeError` that says what cannot be encoded or which bound is broken.
 */
export function plain(value: unknown, words: Words): unknown {
  // Most parts of an item are texts and numbers.
  return typeof value === 'string' || typeof value === 'number'
    ? value
    : visit(value, 1, { words, elements: MAX_ELEMENTS });
}

function visit(value: unknown, depth: number, budget: Budget): unknown {
  switch (typeof value) {
    case 'object':
      return value === null ? null : visitObject(value, depth, budget);
    case 'bigint':
      return budget.words.bigint(digitsOf(value));
    case 'function':
    case 'symbol':
      throw new TypeError(`MessagePack has no word for a ${typeof value}`);
    default:
      return value;
  }
}

function visitObject(value: object, depth: number, budget: Budget): unknown {
  const { toJSON } = value as { toJSON?: unknown };
  // A `Buffer` and a `Date` have one, too.
  if (typeof toJSON !== 'function' || isOne(value)) return visitContainer(value, depth, budget);
  // As with JSON, what it returns is not asked again.
  const replaced: unknown = toJSON.call(value, '');
  return typeof replaced === 'object' && replaced !== null
    ? visitContainer(replaced, depth, budget)
    : visit(replaced, depth, budget);
}

/** What is no container, although it is an object. */
const isOne = (value: object): boolean =>
  ArrayBuffer.isView(value) || value instanceof Date || value instanceof ArrayBuffer;

function visitOne(value: object, words: Words): unknown {
  if (!(value instanceof Date)) return bytesOf(value, 'MessagePack');
  timeOf(value);
  return words.date(value);
}

function visitContainer(value: object, depth: number, budget: Budget): unknown {
  if (isOne(value)) return visitOne(value, budget.words);
  if (depth > MAX_DEPTH) throw new TypeError(TOO_DEEP);
  if (Array.isArray(value)) return visitArray(value, depth, budget);
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    if (value instanceof String || value instanceof Number || value instanceof Boolean) {
      return value.valueOf();
    }
  }
  return visitRecord(value as Record<string, unknown>, depth, budget);
}

function visitArray(value: readonly unknown[], depth: number, budget: Budget): unknown {
  spend(budget, value.length);
  let copy: unknown[] | undefined;
  for (let index = 0; index < value.length; index++) {
    const entry = value[index];
    const next = visit(entry, depth + 1, budget);
    if (next === entry) continue;
    copy ??= [...value];
    copy[index] = next;
  }
  return copy ?? value;
}

function visitRecord(value: { readonly [key: string]: unknown }, depth: number, budget: Budget): unknown {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const field = value[key];
    if (field === undefined) continue;
    // Half of a surrogate pair goes out in the three bytes of U+FFFD, which JSON writes as an escape.
    checkKey(key.length > MAX_KEY_BYTES / 3 ? key.replace(/\p{Cs}/gu, '\ufffd') : key);
    spend(budget, 1);
    const next = visit(field, depth + 1, budget);
    if (next === field) continue;
    copy ??= { ...value };
    copy[key] = next;
  }
  return copy ?? value;
}

function spend(budget: Budget, elements: number): void {
  budget.elements -= elements;
  if (budget.elements < 0) throw new TypeError(TOO_MANY);
}
