import type { Group, Row } from './measure.js';

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const shown = (micros: number): string => micros.toFixed(micros < 10 ? 2 : micros < 100 ? 1 : 0);

/** Microseconds at each size, and how many times that of the smallest the largest is. */
export function tableOf({ title, sizes }: Group, rows: readonly Row[]): string {
  const head = [title, ...sizes.map((size) => size.toLocaleString('en')), 'largest / smallest'];
  const body = rows.map(({ title: operation, micros }) => {
    const [first = Number.NaN] = micros;
    const last = micros.at(-1) ?? Number.NaN;
    return [operation, ...micros.map(shown), (last / first).toFixed(2)];
  });
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...body.map(line)].join(
    '\n',
  );
}
