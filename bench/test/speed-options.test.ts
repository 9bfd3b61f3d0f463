import { expect, test } from 'vitest';
import { readOptions } from '../src/speed/options.js';

const chosen = (...args: string[]) => {
  const { systems = [], workloads = [], connections, cuts } = readOptions(args) ?? {};
  return {
    systems: systems.map(({ key }) => key),
    workloads: workloads.map(({ key }) => key),
    connections,
    cuts,
  };
};

test('systems may be named several times, each is measured once, and the one to compare with always', () => {
  expect(chosen('--system', 'mqtt', '--system', 'ws', '--system', 'mqtt').systems).toEqual(['ws', 'mqtt']);
  expect(chosen('--all').systems.length).toBeGreaterThan(chosen().systems.length);
});

test('a workload that is asked for leaves out everything else', () => {
  expect(chosen('--workload', 'up', '--system', 'ws')).toEqual({
    systems: ['ws'],
    workloads: ['up'],
    connections: 0,
    cuts: 0,
  });
  expect(chosen('--workload', 'recovery', '--cuts', '3')).toMatchObject({
    workloads: [],
    connections: 0,
    cuts: 3,
  });
});

test('a profile is one of one system and one workload', () => {
  expect(readOptions(['--profile', '--system', 'mqtt', '--workload', 'up'])).toMatchObject({
    mode: 'profile',
  });
  expect(chosen('--profile', '--system', 'mqtt', '--workload', 'up').systems).toEqual(['mqtt']);
  for (const args of [[], ['--system', 'mqtt'], ['--system', 'mqtt', '--workload', 'recovery']])
    expect(() => readOptions(['--profile', ...args])).toThrow(
      '--profile needs one --system and one --workload',
    );
});

test('charts are written of a run with everything usual, or where they are asked for', () => {
  const chartsOf = (...args: string[]) => readOptions(args)?.charts;
  expect([chartsOf(), chartsOf('--quick'), chartsOf('--workload', 'up')]).toEqual([
    'docs/charts',
    undefined,
    undefined,
  ]);
  expect(chartsOf('--quick', '--charts', 'there')).toBe('there');
});

test('what is not known is said with what there is', () => {
  expect(() => readOptions(['--workload', 'sideways'])).toThrow(
    /--workload must be one of .*up.*not 'sideways'/,
  );
  expect(() => readOptions(['--system', 'pigeon'])).toThrow(/no system 'pigeon'; there are ws,/);
  expect(() => readOptions(['--rounds', '0'])).toThrow(
    "--rounds must be a whole number from 1 to 50, not '0'",
  );
  expect(readOptions(['--help'])).toBeUndefined();
});
