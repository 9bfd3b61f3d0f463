import {
  type Contract,
  contractSchemas,
  defineContract,
  describeIssues,
  type Schema,
  validate,
  versionsFit,
} from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';

/** A schema by hand, as any library makes them. */
const schema = <T>(accepts: (value: unknown) => value is T): Schema<T> => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      accepts(value) ? { value } : { issues: [{ message: 'not this', path: ['a', { key: 'b' }, 0] }] },
  },
});
const text = schema((value): value is string => typeof value === 'string');

describe('defineContract', () => {
  test('sorts events by who may send them', () => {
    const contract = defineContract({
      events: { both: text },
      clientEvents: { up: text },
      serverEvents: { down: text },
      requests: { ask: { input: text, output: text } },
    });
    const { clientEvents, serverEvents, requests } = contractSchemas(contract);
    expect([...clientEvents.keys()]).toEqual(['both', 'up']);
    expect([...serverEvents.keys()]).toEqual(['both', 'down']);
    expect([...requests.keys()]).toEqual(['ask']);
  });

  const wrong: readonly (readonly [string, object, string])[] = [
    ['a name of the protocol', { events: { $join: text } }, "'$join' begins with '$'"],
    ['a name that stands twice', { events: { a: text }, serverEvents: { a: text } }, "'a' stands twice"],
    [
      'an event and a request of one name',
      { events: { a: text }, requests: { a: { input: text, output: text } } },
      "'a' stands twice",
    ],
    [
      'a name that is too long',
      { events: { ['x'.repeat(129)]: text } },
      '1 to 128 characters, not one of 129',
    ],
    ['what is no schema', { events: { a: { type: 'string' } } }, 'events.a is not a Standard Schema'],
    [
      'a request without an output',
      { requests: { a: { input: text } } },
      'requests.a.output is not a Standard Schema',
    ],
    [
      'a group that does not exist',
      { event: {} },
      "unknown group 'event'; allowed: version, minVersion, events, clientEvents",
    ],
    ['version 0', { version: 0 }, 'contract: version must be a whole number of at least 1, not 0'],
    ['half a version', { version: 1.5 }, 'contract: version must be a whole number'],
    [
      'a version that is a text',
      { version: '2' },
      "contract: version must be a whole number of at least 1, not '2'",
    ],
    [
      'a minVersion above the version',
      { version: 2, minVersion: 3 },
      'contract: minVersion must be a whole number from 1 to 2, not 3',
    ],
  ];
  test.each(wrong)('refuses %s', (_what, definition, message) => {
    const define = () => defineContract(definition as Parameters<typeof defineContract>[0]);
    expect(define).toThrow(TypeError);
    expect(define).toThrow(message);
  });

  test('has a version, and serves only that one if nothing else is said', () => {
    const versionsOf = (definition: Parameters<typeof defineContract>[0]) =>
      contractSchemas(defineContract(definition)).versions;
    expect(versionsOf({})).toEqual([1, 1]);
    expect(versionsOf({ version: 3 })).toEqual([3, 3]);
    expect(versionsOf({ version: 3, minVersion: 2 })).toEqual([3, 2]);
    expect(defineContract({ version: 3 }).version).toBe(3);
  });

  test.each([
    [undefined, undefined, true],
    [[5, 5], undefined, true],
    [[1, 1], [1, 1], true],
    [[2, 1], [1, 1], true],
    [[2, 2], [1, 1], false],
    [[2, 1], [4, 2], true],
    [[2, 1], [4, 3], false],
  ] as const)('%j and %j fit: %j', (one, other, expected) => {
    expect(versionsFit(one, other)).toBe(expected);
    expect(versionsFit(other, one)).toBe(expected);
  });

  test('only its own contracts are taken', () => {
    expect(() => contractSchemas({} as Contract)).toThrow('contract: must be made by defineContract()');
    expect(() => contractSchemas(null as unknown as Contract)).toThrow(TypeError);
  });
});

describe('validate', () => {
  test('gives the value or says where it is wrong', () => {
    expect(validate(text, 'x')).toEqual({ value: 'x' });
    const { issues = [] } = validate(text, 1);
    expect(describeIssues(issues)).toBe('a.b.0: not this');
  });

  test('refuses an asynchronous schema', () => {
    const slow: Schema = {
      '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value }) },
    };
    expect(() => validate(slow, 1)).toThrow('asynchronous schemas are not supported');
  });

  test('also one that answers with a promise of another kind', () => {
    // biome-ignore lint/suspicious/noThenProperty: a promise is what this is.
    const later = { then: () => undefined } as never;
    const slow: Schema = { '~standard': { version: 1, vendor: 'test', validate: () => later } };
    expect(() => validate(slow, 1)).toThrow('asynchronous schemas are not supported');
  });
});
