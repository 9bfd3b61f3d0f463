import { expect, test } from 'vitest';
import type { Cpu } from '../src/speed/contest.js';
import { Notes } from '../src/speed/notes.js';
import { ratios } from '../src/speed/ratios.js';
import type { System } from '../src/speed/system.js';
import { cpuTable, recoveryTable, speedTable } from '../src/speed/tables.js';
import type { Workload } from '../src/speed/workloads.js';

const never = (): never => {
  throw new Error('is not measured here');
};
const systems: readonly System[] = ['base', 'quick', 'unable'].map((key) => ({
  key,
  packages: [],
  how: '',
  serve: never,
  dial: never,
}));
const workload: Workload = {
  key: 'up',
  title: 'one way up',
  chart: 'Messages one way up',
  reach: 3.5,
  better: 'more',
  figure: 'rate',
  question: never,
};

test('a round is compared with the same round of the first: what slows a whole round down changes no ratio', () => {
  expect(ratios([20, 2, 30], [10, 1, 10])).toEqual({ median: 2, least: 2, most: 3 });
});

test('the first system stands with its figure, the others with their ratios, what cannot be with a dash', () => {
  const figures = new Notes<number>();
  for (const figure of [1_000, 3_000, 2_000]) figures.add('up', 'base', figure);
  for (const figure of [2_000, 3_000, 8_000]) figures.add('up', 'quick', figure);
  expect(speedTable(figures, systems, [workload])).toBe(
    [
      '|  | base | quick | unable | reach |',
      '| --- | ---: | ---: | ---: | ---: |',
      '| one way up | 2,000 | 2.00 (1.00–4.00) | – | ≥ 3.5 |',
    ].join('\n'),
  );
});

test('a row that nobody was measured for is no row', () => {
  expect(speedTable(new Notes(), systems, [workload]).split('\n')).toHaveLength(2);
});

test('of the processor, each side has its own median', () => {
  const cpu = new Notes<Cpu>();
  const rounds = [
    { server: 1, client: 30 },
    { server: 200.4, client: 10 },
    { server: 3, client: 20 },
  ];
  for (const one of rounds) cpu.add('up', 'base', one);
  expect(cpuTable(cpu, systems, [workload]).split('\n')[2]).toBe('| one way up | 3.00 + 20.0 | – | – |');
});

test('a system that did not recover has a row of dashes', () => {
  const recovery = { cuts: 3, sent: 1_500, lost: 2, doubled: 1, recoveriesMs: [30, 10, 20] };
  expect(
    recoveryTable(new Map([['quick', recovery]]), systems)
      .split('\n')
      .slice(2),
  ).toEqual(['| base | – | – | – | – |', '| quick | 1,500 | 2 | 1 | 20.0 |', '| unable | – | – | – | – |']);
});
