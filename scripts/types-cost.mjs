// What a contract costs the compiler, in instantiations of types: never in seconds, which tell of the machine. A program
// with 200 events, 50 requests and 950 uses of them, at both ends; the same program without any is taken off.
// `--time` says in seconds what that is on this machine, and asserts nothing: docs/performance.md.

import { join } from 'node:path';
import ts from 'typescript';
import { root } from './lib/process.mjs';

/** How schemas are made, each of a type of its own, and what they must not cost; lowered when it gets less. */
const ways = {
  bare: {
    budget: 38_000,
    opening: `import type { Schema } from '@holdfast/client'; declare function of<In, Out = In>(): Schema<In, Out>;`,
    schema: (n) => `of<{ text: string; n${n}?: number }, { text: string; n${n}: number }>()`,
  },
  zod: {
    budget: 154_000,
    opening: `import { z } from 'zod';`,
    schema: (n) => `z.object({ text: z.string(), n${n}: z.number().default(1) })`,
  },
};
const EVENTS = 200;
const REQUESTS = 50;
const list = (count, make) => Array.from({ length: count }, (_, n) => make(n)).join('\n');

const openingOf = ({
  opening,
  schema,
}) => `import { createClient, defineContract, type ContractType } from '@holdfast/client';
  import { createHoldfastServer } from '@holdfast/server';
  ${opening}
  export const nothing = ${schema(0)};`;

const usesOf = ({ schema }) => `
  const def = defineContract({
    events: { ${list(EVENTS, (n) => `event${n}: ${schema(n)},`)} },
    requests: { ${list(REQUESTS, (n) => `request${n}: { input: ${schema(n)}, output: ${schema(n)} },`)} },
  });
  interface Big extends ContractType<typeof def> {}
  const big: Big = def;
  const client = createClient({ url: '/x', contract: big });
  const server = createHoldfastServer({ contract: big });
  ${list(EVENTS, (n) => `client.send('event${n}', { text: 'x' });`)}
  ${list(EVENTS, (n) => `client.on('event${n}', ({ text }) => text.length);`)}
  ${list(EVENTS, (n) => `server.to('r').send('event${n}', { text: 'x' });`)}
  ${list(EVENTS, (n) => `server.on('event${n}', ({ text }) => text.length);`)}
  ${list(REQUESTS, (n) => `client.request('request${n}', { text: 'x' }).then(({ text }) => text.length);`)}
  ${list(REQUESTS, (n) => `server.handle('request${n}', ({ text }) => ({ text }));`)}
  ${list(REQUESTS, (n) => `client.room('r').send('event${n}', { text: 'x' });`)}`;

const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile);
// The program without any uses imports what it does not use.
const ours = { noEmit: true, noUnusedLocals: false, noUnusedParameters: false };
const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, ...ours }, root);
const file = join(root, 'packages/testing/test/unit/types-cost.ts');

/** Those of the libraries are the same for each program: read once. */
const read = new Map();

/** How many types were instantiated to check this program, and how long that took. */
function costOf(source) {
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.readFile = (path) => (path === file ? source : readFile(path));
  host.getSourceFile = (path, ...rest) => {
    if (path === file) return ts.createSourceFile(path, source, rest[0]);
    if (!read.has(path)) read.set(path, getSourceFile(path, ...rest));
    return read.get(path);
  };
  const program = ts.createProgram([file], options, host);
  const start = performance.now();
  const faults = ts.getPreEmitDiagnostics(program, program.getSourceFile(file));
  const ms = performance.now() - start;
  for (const { messageText } of faults) console.error(ts.flattenDiagnosticMessageText(messageText, '\n'));
  if (faults.length > 0) process.exit(1);
  return { count: program.getInstantiationCount(), ms };
}

/** The best of five: what else the machine does only adds to it. */
const secondsOf = (source) =>
  (Math.min(...Array.from({ length: 5 }, () => costOf(source).ms)) / 1_000).toFixed(2);

for (const [name, way] of Object.entries(ways)) {
  const [without, whole] = [openingOf(way), openingOf(way) + usesOf(way)];
  if (process.argv.includes('--time')) {
    const what = `${EVENTS} events and ${REQUESTS} requests: ${secondsOf(whole)} s to check`;
    console.log(`${name}, ${what}; without them ${secondsOf(without)} s (TypeScript ${ts.version})`);
    continue;
  }
  const count = costOf(whole).count - costOf(without).count;
  console.log(`${name}: ${count} instantiations of types; budget ${way.budget}`);
  if (count <= way.budget) continue;
  console.error(`over the budget by ${count - way.budget}`);
  process.exitCode = 1;
}
