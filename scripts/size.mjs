// What a page pays: the client as one script for a <script> tag, everything in it, compressed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './lib/process.mjs';

const budget = 8 * 1024;
const script = 'packages/client/dist/holdfast.global.js';
const size = gzipSync(readFileSync(join(root, script)), { level: 9 }).length;

console.log(`${script}: ${size} bytes gzip, of ${budget} (${Math.round((size / budget) * 100)} %)`);
if (size >= budget) console.error(`over the budget by ${size - budget + 1} bytes`);
process.exit(size < budget ? 0 : 1);
