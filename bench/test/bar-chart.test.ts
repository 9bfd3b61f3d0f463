import { expect, test } from 'vitest';
import { type BarChart, svgOf } from '../src/speed/charts/bar-chart.js';
import { speedCharts } from '../src/speed/charts/speed-charts.js';
import { Notes } from '../src/speed/notes.js';
import { systemOf } from '../src/speed/systems/index.js';
import { WORKLOADS } from '../src/speed/workloads.js';

const chart: BarChart = {
  title: 'Messages one way up',
  bars: [
    { label: 'ws', ratio: 1, isHighlighted: false },
    { label: 'a <b> & "c"', ratio: 4, isHighlighted: false },
    { label: 'holdfast', ratio: 2, isHighlighted: true },
  ],
  reach: 3,
  better: 'more',
};

/** Class and width of each bar. */
const barsOf = (svg: string) =>
  [...svg.matchAll(/<rect class="(\w+)".*? width="(\d+)"/g)].map(([, name, width]) => [name, Number(width)]);
const placeOf = (svg: string, name: string) =>
  Number(new RegExp(`class="${name}" x1="(\\d+)"`).exec(svg)?.[1]);

test('bars are as long as their ratios, and ours are another colour', () => {
  expect(barsOf(svgOf(chart))).toEqual([
    ['bar', 115],
    ['bar', 460],
    ['ours', 230],
  ]);
});

test('the first one and the reach are marked where a bar of that ratio ends', () => {
  const svg = svgOf(chart);
  expect([placeOf(svg, 'one'), placeOf(svg, 'reach')]).toEqual([190 + 115, 190 + 345]);
  expect(svg).toContain('>reach 3.00×<');
});

test('without a reach there is no mark of it; with one beyond all bars it is still inside', () => {
  expect(svgOf({ ...chart, reach: undefined })).not.toMatch(/class="reach/);
  const far = svgOf({ ...chart, reach: 10 });
  expect([placeOf(far, 'reach'), barsOf(far)[1]]).toEqual([650, ['bar', 184]]);
});

test('who sees no picture is told all of it', () => {
  const svg = svgOf(chart);
  expect(svg).toMatch(/role="img" aria-labelledby="title desc"/);
  expect(svg).toContain('<title id="title">Messages one way up</title>');
  expect(svg).toContain(
    'Ratios to ws, more is better: ws 1.00×; a &#60;b&#62; &#38; &#34;c&#34; 4.00×; holdfast 2.00×. Holdfast is to come to 3.00×.',
  );
  expect(svg).not.toContain('<b>');
  expect(svg).toContain('prefers-color-scheme: dark');
});

test('a chart for each row that was measured, with whoever was measured for it', () => {
  const figures = new Notes<number>();
  for (const figure of [100, 200]) figures.add('up', 'ws', figure);
  for (const figure of [50, 100]) figures.add('up', 'holdfast', figure);
  const systems = ['ws', 'mqtt', 'holdfast'].map(systemOf);
  const charts = speedCharts(figures, systems, WORKLOADS);
  expect([...charts.keys()]).toEqual(['up.svg']);
  expect(barsOf(charts.get('up.svg') ?? '').map(([name]) => name)).toEqual(['bar', 'ours']);
  expect(charts.get('up.svg')).toContain('ws 1.00×; holdfast 0.50×');
});
