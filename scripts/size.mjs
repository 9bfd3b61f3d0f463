// What a page pays, minified and compressed: the client in an application's own bundle, what each entry adds to it, and the
// scripts for a <script> tag. Fails over a budget, and if the README says something else.
//
//   node scripts/size.mjs            prints the table and compares
//   node scripts/size.mjs --write    puts it into the README; every build does

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './lib/process.mjs';

const client = `import { createClient } from '@holdfast/client'; keep(createClient);`;
const all = (name) => `import * as all from '${name}'; keep(...Object.values(all));`;

/**
 * `budget`: bytes that must not be passed; lowered whenever it gets smaller. `beside`: that much is counted which comes on top of
 * this code. `goal`: where it is to come down to.
 */
const parts = [
  { what: 'the client, in your bundle', code: client, budget: 28_930, goal: 8_000 },
  ...[
    ['@holdfast/client/msgpack', 'MessagePack', 7_600],
    ['@holdfast/client/storage', 'messages that outlive the page, in IndexedDB', 4_810],
    ['@holdfast/client/stream', 'streams', 850],
    ['@holdfast/client/tabs', 'one socket for all tabs', 4_980],
    ['@holdfast/client/payload-codec', 'payloads in an encoding of your own', 360],
    ['@holdfast/client/explain', 'the state in words', 1_190],
    ['@holdfast/client/react-native', 'what an app of React Native hands over', 400],
    ['@holdfast/client/users', 'who uses what, for other UI libraries', 180],
  ].map(([name, what, budget]) => ({
    what: `+ \`${name}\`: ${what}`,
    ...{ code: client + all(name), beside: client, budget },
  })),
  {
    what: '`@holdfast/client/lite`, by itself: the small client',
    code: `import { createClient } from '@holdfast/client/lite'; keep(createClient);`,
    ...{ budget: 13_590, goal: 8_000 },
  },
  { what: '`@holdfast/client/plain`, by itself', code: all('@holdfast/client/plain'), budget: 10_010 },
  { what: '+ `@holdfast/react`', code: client + all('@holdfast/react'), beside: client, budget: 1024 },
  { what: '+ `@holdfast/vue`', code: client + all('@holdfast/vue'), beside: client, budget: 1024 },
  { what: '`holdfast.global.js`: the client as a script', file: 'holdfast.global.js', budget: 28_650 },
  {
    what: '`holdfast.msgpack.global.js`: the same with MessagePack',
    file: 'holdfast.msgpack.global.js',
    budget: 35_930,
  },
];

async function sizeOf({ code, file, beside }) {
  if (file) return gzipSync(readFileSync(join(root, 'packages/client/dist', file)), { level: 9 }).length;
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: join(root, 'e2e') },
    ...{ bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022' },
    ...{ external: ['react', 'vue'], tsconfigRaw: {}, write: false, legalComments: 'none' },
  });
  const size = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  return beside ? size - (await sizeOf({ code: beside })) : size;
}

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const rows = [];
for (const part of parts) {
  const size = await sizeOf(part);
  const goal = part.goal ? `; the goal is ${kB(part.goal)}` : '';
  rows.push(`| ${part.what} | ${kB(size)}${goal} |`);
  console.log(`${part.what}: ${size} bytes gzip; budget ${part.budget}`);
  if (size <= part.budget) continue;
  console.error(`over the budget by ${size - part.budget} bytes`);
  process.exitCode = 1;
}

const readme = join(root, 'README.md');
const said = readFileSync(readme, 'utf8');
const place = /(?<=<!-- sizes -->\n)(?:\|.*\n)*/;
if (!place.test(said)) throw new Error('the README has no <!-- sizes -->');
const table = ['| minified, gzip | |', '|---|---|', ...rows, ''].join('\n');
const right = said.replace(place, table);
if (right !== said && process.argv.includes('--write')) writeFileSync(readme, right);
else if (right !== said) {
  console.error('the README says other sizes: build, and commit it');
  process.exitCode = 1;
}
