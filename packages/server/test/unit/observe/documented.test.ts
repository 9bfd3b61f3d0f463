import { readFileSync } from 'node:fs';
import { prometheus } from '@holdfast/server/metrics';
import { expect, test } from 'vitest';

const paper = readFileSync(new URL('../../../../../docs/observability.md', import.meta.url), 'utf8');

/** Rows of the table: name, kind, labels. */
const documented = [...paper.matchAll(/^\| `(holdfast_\w+)` \| (\w+) \| ([^|]*)\|/gm)].map(
  ([, name, kind, labels = '']) => `${name} ${kind} ${labels.replaceAll(/[`, ]+/g, ' ').trim()}`.trim(),
);

test('docs/observability.md lists every metric with its kind and its labels, and no other', () => {
  const there = prometheus()
    .registry.getMetricsAsArray()
    .map((metric) => {
      // Not in the published types of prom-client.
      const { name, type, labelNames } = metric as unknown as {
        name: string;
        type: string;
        labelNames: string[];
      };
      return `${name} ${type} ${labelNames.join(' ')}`.trim();
    });
  expect(there.length).toBeGreaterThan(10);
  expect(documented.toSorted()).toEqual(there.toSorted());
});
