// No source past 400 lines: a longer file asks for a better cut, not for an exemption.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder } from '../lib/hash.mjs';
import { root } from '../lib/process.mjs';

const limit = 400;
const files = filesUnder(
  'packages',
  'playground',
  'bench',
  'e2e',
  'examples',
  'test',
  'scripts',
  'rollup.config.mjs',
).filter((file) => /\.(ts|tsx|mjs|js|css|html)$/.test(file));
const lengths = files.map((file) => ({
  file,
  lines: readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length,
}));
const tooLong = lengths.filter(({ lines }) => lines > limit);

for (const { file, lines } of tooLong) console.error(`${file}: ${lines} lines, the limit is ${limit}`);
if (files.length === 0) console.error('no source was found to look at');
const longest = lengths.reduce((a, b) => (b.lines > a.lines ? b : a), { file: '-', lines: 0 });
console.log(`${files.length} files, longest ${longest.file} with ${longest.lines}`);
process.exit(tooLong.length > 0 || files.length === 0 ? 1 : 0);
