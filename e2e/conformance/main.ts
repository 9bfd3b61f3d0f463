import { clientCases } from './client/cases.js';
import { casesInMarkdown } from './listing.js';
import { msgpack } from './msgpack.js';
import { optionsOf, USAGE } from './options.js';
import { type Counts, countsOf, lineOf, runCases, sumOf } from './run.js';
import { conformanceServer } from './server/application.js';
import { serverCases } from './server/cases.js';
import { Server } from './server/subject.js';
import { type Codec, json } from './wire.js';

// Run by `npm run conformance`; docs/conformance.md tells how.

const options = optionsOf(process.argv.slice(2));
const codecs = { json, msgpack };

async function run<S>(title: string, cases: Parameters<typeof runCases<S>>[0], subject: S): Promise<Counts> {
  console.log(`\n── ${title} ──`);
  const chosen = cases.filter(({ name }) => name.includes(options.only));
  return countsOf(await runCases(chosen, subject, (result) => console.log(lineOf(result))));
}

async function server(url: string, codec: Codec): Promise<Counts> {
  const subject = new Server(url, codec);
  const counts = await run(`server ${url}, ${codec.protocol}`, serverCases, subject);
  subject.hangUp();
  return counts;
}

const client = (command: string): Promise<Counts> => run(`client ${command}`, clientCases, { command });

/** Without a word of whom to ask: ours. */
async function ours(): Promise<Counts[]> {
  const own = conformanceServer();
  const { port } = await own.listen(0, '127.0.0.1');
  const url = `ws://127.0.0.1:${port}/realtime`;
  const counts = [await server(url, json), await server(url, msgpack)];
  await own.close();
  for (const name of ['holdfast', 'plain'])
    counts.push(await client(`node e2e/conformance/under-test/${name}-client.mjs`));
  return counts;
}

async function main(): Promise<void> {
  if (options.help) return console.log(USAGE);
  if (options.list) return console.log(casesInMarkdown());
  const counts: Counts[] = [];
  if (options.server) counts.push(await server(options.server, codecs[options.codec]));
  if (options.client) counts.push(await client(options.client));
  if (counts.length === 0) counts.push(...(await ours()));
  const sum = (key: keyof Counts): number => counts.reduce((total, one) => total + one[key], 0);
  const total = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  console.log(`\n${sumOf(total)}`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

await main();
