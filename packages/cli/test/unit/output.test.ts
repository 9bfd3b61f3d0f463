import { expect, test } from 'vitest';
import { asJson, Output } from '../../src/output.js';

function printed(format: 'text' | 'json') {
  const said = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({ write: (text: string) => (said[name] += text) });
  return { output: new Output({ out: stream('out'), err: stream('err') }, format), said };
}

test('results go to standard output, all else to standard error', () => {
  const { output, said } = printed('text');
  output.result('a result', { type: 'x' });
  output.note('a note', { type: 'y' });
  output.error(Object.assign(new Error('no'), { code: 'ERR_TIMEOUT' }), 'connect');
  output.error('a text');
  expect(said).toEqual({ out: 'a result\n', err: 'a note\nconnect: no [ERR_TIMEOUT]\na text\n' });
});

test('as JSON: one object a line', () => {
  const { output, said } = printed('json');
  output.result('a result', { type: 'x', payload: { n: 1 } });
  output.error(Object.assign(new Error('no'), { code: 'ERR_TIMEOUT' }), 'connect');
  expect(said.out).toBe('{"type":"x","payload":{"n":1}}\n');
  expect(JSON.parse(said.err)).toEqual({
    type: 'error',
    about: 'connect',
    code: 'ERR_TIMEOUT',
    message: 'no',
  });
});

test('what others say cannot steer the terminal', () => {
  const { output, said } = printed('text');
  output.result('\u001b[31mred\u0007\r\nMallory: \u202edesrever\u009b2J', {});
  expect(said.out).toBe('[31mred Mallory: desrever2J\n');
});

test('payloads that are no JSON are shown all the same', () => {
  expect(asJson({ big: 5n, bytes: new Uint8Array([1, 2]), error: new Error('no') })).toBe(
    '{"big":"5n","bytes":{"$bytes":"AQI="},"error":{"message":"no"}}',
  );
  expect(asJson(undefined)).toBe('null');
});

test('what is printed stands above the line that somebody types', () => {
  const { output, said } = printed('text');
  output.setPrompt({ hide: () => (said.out += '<hide>'), show: () => (said.out += '<show>') });
  output.result('heard', {});
  output.setPrompt(undefined);
  output.result('after', {});
  expect(said.out).toBe('<hide>heard\n<show>after\n');
});
