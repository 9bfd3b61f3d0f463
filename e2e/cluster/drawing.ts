export interface Part {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

export interface Drawn {
  readonly url: string;
  readonly balance: string;
  readonly nginx: Part;
  readonly nodes: readonly Part[];
  readonly redis: Part;
}

const COLUMN = 20;

const centred = (text: string, width: number): string =>
  `${' '.repeat(Math.max(0, Math.floor((width - text.length) / 2)))}${text}`.padEnd(width);

const label = ({ name, port }: Part): string => `${name} :${port}`;

/** What runs, from the browser down, with the ports and process ids that one needs to break it. */
export function draw({ url, balance, nginx, nodes, redis }: Drawn): string {
  const width = nodes.length * COLUMN;
  const row = (text: (node: Part) => string): string =>
    nodes.map((node) => centred(text(node), COLUMN)).join('');
  const lines = [
    centred(url, width),
    centred('│', width),
    centred(`${label(nginx)} (pid ${nginx.pid}), ${balance}`, width),
    beam(nodes.length, '┌', '┐', '┬'),
    row(label),
    row(({ pid }) => `pid ${pid}`),
    beam(nodes.length, '└', '┘', '┴'),
    centred(`${label(redis)} (pid ${redis.pid})`, width),
  ];
  return lines.map((line) => `  ${line}`.trimEnd()).join('\n');
}

/** From the middle of the first column to that of the last, with a joint at each and one in the middle. */
function beam(columns: number, left: string, right: string, joint: string): string {
  if (columns === 1) return centred('│', COLUMN);
  const at = (column: number): number => column * COLUMN + Math.floor((COLUMN - 1) / 2);
  const middle = Math.floor((columns * COLUMN - 1) / 2);
  const middles = Array.from({ length: columns }, (_, column) => at(column));
  const [first = 0, last = 0] = [middles[0], middles.at(-1)];
  const cell = (x: number): string => {
    if (x < first || x > last) return ' ';
    if (x === first) return left;
    if (x === last) return right;
    if (middles.includes(x)) return x === middle ? '┼' : joint;
    return x === middle ? (joint === '┬' ? '┴' : '┬') : '─';
  };
  return Array.from({ length: columns * COLUMN }, (_, x) => cell(x)).join('');
}
