import { describe, expect, test } from 'vitest';
import { flag, isOrigin, isPath, text, texts, wholeNumber } from '../../src/options/kinds.js';
import { describeOptions, parseCommandLine, resolveOptions } from '../../src/options/options.js';
import { UsageError } from '../../src/options/usage-error.js';

const options = {
  port: { kind: wholeNumber(0, 65_535), fallback: 3000, help: 'where', variable: 'PORT', key: 'port' },
  path: {
    kind: text('<path>', 'a path', isPath),
    fallback: '/',
    help: 'which',
    variable: 'WAY',
    key: 'path',
  },
  origin: {
    kind: texts('<o>', 'an origin', isOrigin),
    fallback: undefined,
    help: 'who',
    variable: 'O',
    key: 'origins',
  },
  json: { kind: flag, fallback: false, help: 'how' },
};
type Given = { args?: string[]; variables?: Record<string, string>; content?: Record<string, unknown> };

const read = ({ args = [], variables = {}, content }: Given) =>
  resolveOptions(options, {
    line: parseCommandLine(options, args),
    variables,
    file: content && { path: 'conf.json', content },
  });
const refusal = (given: Given): string => {
  try {
    read(given);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
};

test('a flag counts before its variable, a variable before the file, a file before the default', () => {
  const args = ['--port', '1'];
  const variables = { PORT: '2' };
  const content = { port: 3 };
  expect(read({ args, variables, content }).port).toBe(1);
  expect(read({ variables, content }).port).toBe(2);
  expect(read({ content }).port).toBe(3);
  expect(read({})).toEqual({ port: 3000, path: '/', origin: undefined, json: false });
});

test('a variable that is empty is not set', () => {
  expect(read({ variables: { PORT: ' ' }, content: { port: 3 } }).port).toBe(3);
});

test('lists: a flag several times, commas in a variable, an array in a file', () => {
  const both = ['https://a.example', 'http://b.example:81'];
  expect(read({ args: both.flatMap((origin) => ['--origin', origin]) }).origin).toEqual(both);
  expect(read({ variables: { O: both.join(' , ') } }).origin).toEqual(both);
  expect(read({ content: { origins: both } }).origin).toEqual(both);
  expect(read({ args: ['--origin', 'https://c.example'], variables: { O: both.join() } }).origin).toEqual([
    'https://c.example',
  ]);
});

describe('what is wrong is named by where it stands, what is allowed, and the value', () => {
  test.each<[Given, string]>([
    [{ args: ['--port', 'abc'] }, "--port must be a whole number from 0 to 65535, not 'abc'"],
    [{ args: ['--port', '65536'] }, "--port must be a whole number from 0 to 65535, not '65536'"],
    [{ args: ['--port=-1'] }, "--port must be a whole number from 0 to 65535, not '-1'"],
    [{ args: ['--port', '0x10'] }, "--port must be a whole number from 0 to 65535, not '0x10'"],
    [{ args: ['--port', '1e3'] }, "--port must be a whole number from 0 to 65535, not '1e3'"],
    [{ args: ['--port='] }, "--port must be a whole number from 0 to 65535, not ''"],
    [{ variables: { PORT: '3000.5' } }, "PORT must be a whole number from 0 to 65535, not '3000.5'"],
    [{ content: { port: '3000' } }, "'port' in conf.json must be a whole number from 0 to 65535, not '3000'"],
    [{ content: { port: null } }, "'port' in conf.json must be a whole number from 0 to 65535, not null"],
    [{ content: { port: 1.5 } }, "'port' in conf.json must be a whole number from 0 to 65535, not 1.5"],
    [{ args: ['--path', 'x'] }, "--path must be a path, not 'x'"],
    [{ args: ['--path', '/a b'] }, "--path must be a path, not '/a b'"],
    [{ variables: { WAY: '/a?b' } }, "WAY must be a path, not '/a?b'"],
    [{ content: { path: 5 } }, "'path' in conf.json must be a path, not 5"],
    [{ args: ['--origin', 'https://a.example/'] }, "--origin must be an origin, not 'https://a.example/'"],
    [{ args: ['--origin', 'null'] }, "--origin must be an origin, not 'null'"],
    [{ args: ['--origin', '*'] }, "--origin must be an origin, not '*'"],
    [{ variables: { O: 'https://a.example,b' } }, "O must be an origin, not 'https://a.example,b'"],
    [
      { content: { origins: 'https://a.example' } },
      "'origins' in conf.json must be an origin, not 'https://a.example'",
    ],
    [{ content: { origins: [1] } }, "'origins' in conf.json must be an origin, not [1]"],
    [{ content: { prot: 1 } }, "'prot' in conf.json is no setting; there are: port, path, origins"],
    [{ content: { json: true } }, "'json' in conf.json is no setting; there are: port, path, origins"],
    [{ args: ['--prot', '1'] }, "Unknown option '--prot'"],
    [{ args: ['--json=yes'] }, "Option '--json' does not take an argument"],
    [{ args: ['--port'] }, "Option '--port <value>' argument missing"],
  ])('%j', (given, message) => {
    expect(refusal(given)).toBe(message);
  });
});

test('the help names each option with its default, its variable and its key', () => {
  expect(describeOptions(options).split('\n')).toEqual([
    "  --port <number>  where (default: 3000; PORT, 'port')",
    "  --path <path>    which (default: /; WAY, 'path')",
    "  --origin <o>     who (repeatable; O, 'origins')",
    '  --json           how',
  ]);
});
