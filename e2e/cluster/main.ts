// `npm run cluster`: three servers of the playground behind nginx and over one Redis, all of them processes of this
// machine, to look at and to break. What docker-compose.yml starts in containers is started here without.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { startRedis } from '../../test/redis-server.js';
import { Child, type Ending } from './child.js';
import { draw, type Part } from './drawing.js';
import { startNginx } from './nginx.js';

/** A node that has ended is started again after so long: time to see that the others go on. */
const AGAIN_MS = 3_000;
/** Ctrl-C reaches everybody at once: who ends with the others is no news. */
const SAME_KEY_MS = 300;
const USAGE = `Usage: npm run cluster -- [--nodes <1 to 9>] [--ip-hash]

  --nodes    how many servers; default 3
  --ip-hash  nginx gives each address always the same one; default round robin

PORT (default 8080) and HOST (default 127.0.0.1) say where nginx listens.`;

interface Options {
  readonly nodes: number;
  readonly balance: 'ip_hash' | 'round robin';
  readonly port: number;
  readonly host: string;
}

function fail(message: string, code = 1): never {
  console.error(message);
  process.exit(code);
}

function readOptions(): Options {
  const { PORT, HOST } = process.env;
  try {
    const { values } = parseArgs({
      options: {
        nodes: { type: 'string', default: '3' },
        'ip-hash': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const [nodes, port] = [Number(values.nodes), Number(PORT?.trim() || 8080)];
    if (!/^[1-9]$/.test(values.nodes)) throw new Error(`--nodes must be 1 to 9, not '${values.nodes}'`);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Error(`PORT must be a whole number from 1 to 65535, not '${PORT}'`);
    const balance = values['ip-hash'] ? 'ip_hash' : 'round robin';
    return { nodes, balance, port, host: HOST?.trim() || '127.0.0.1' };
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${USAGE}`, 2);
  }
}

/** nginx would go on trying for a while; and another program there would look like it. */
function checkFree({ port, host }: Options): Promise<void> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ message }) => {
      const next = port < 65_535 ? port + 1 : 8080;
      fail(`Nothing can listen on ${host}:${port} (${message}). Another port: PORT=${next} npm run cluster`);
    });
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

/** One server: its process may end and come back, its port stays. */
class Node {
  readonly name: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: Child | undefined;
  #starting: Promise<void> | undefined;
  #port = 0;

  constructor(name: string, env: Readonly<Record<string, string>>) {
    this.name = name;
    this.#env = env;
  }

  get part(): Part {
    return { name: this.name, port: this.#port, pid: this.#child?.pid ?? -1 };
  }

  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const ready = /listens on http:\/\/[^:]+:(\d+)/;
    const env = { ...this.#env, NODE_NAME: this.name, HOST: '127.0.0.1', PORT: String(this.#port) };
    this.#child = await Child.start(process.execPath, { args: ['playground/dist/serve.js'], env, ready });
    this.#port = Number(ready.exec(this.#child.output)?.[1]);
  }

  get ended(): Promise<Ending> {
    return this.#child?.ended ?? Promise.resolve(-1);
  }

  get lastWords(): string {
    return this.#child?.output.trimEnd().split('\n').slice(-8).join('\n') ?? '';
  }

  async stop(): Promise<void> {
    // What is just being started must not outlive us.
    await this.#starting?.catch(() => undefined);
    await this.#child?.stop('SIGINT');
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const options = readOptions();
await checkFree(options);

let stage: 'running' | 'stopping' = 'running';
const isStopping = (): boolean => stage === 'stopping';
/** What ends with us, the last that was started first. */
const stops: (() => Promise<unknown>)[] = [];
async function stopAll(code: number): Promise<void> {
  if (isStopping()) return;
  stage = 'stopping';
  console.log('\nEnding all.');
  for (const stop of stops.reverse()) await stop();
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stopAll(0));

const redis = await startRedis('--maxmemory-policy', 'noeviction');
stops.push(() => redis.stop());
const LIMPET_TOKEN = randomUUID();
const env = { REDIS_URL: redis.url, TRUST_PROXY: '1', LIMPET_TOKEN };
const nodes = Array.from({ length: options.nodes }, (_, index) => new Node(`node-${index + 1}`, env));
stops.push(() => Promise.all(nodes.map((node) => node.stop())));

/** Without these nothing goes on. */
function needs(name: string, ended: Promise<unknown>): void {
  void ended.then(async () => {
    await pause(SAME_KEY_MS);
    if (isStopping()) return;
    console.log(`${name} has ended, and without it nothing goes on.`);
    await stopAll(1);
  });
}

async function keep(node: Node): Promise<void> {
  for (;;) {
    const { pid } = node.part;
    const ending = await node.ended;
    await pause(SAME_KEY_MS);
    if (isStopping()) return;
    const how = typeof ending === 'string' ? `died of ${ending}` : `ended with exit code ${ending}`;
    console.log(`${node.name} (pid ${pid}) has ${how}; it is started again in ${AGAIN_MS / 1000} s.`);
    if (ending !== 0 && typeof ending === 'number') console.log(node.lastWords);
    await pause(AGAIN_MS);
    if (isStopping()) return;
    await node.start();
    console.log(`${node.name} is back: kill -9 ${node.part.pid}`);
  }
}

try {
  await Promise.all(nodes.map((node) => node.start()));
  const ports = nodes.map(({ part }) => part.port);
  const nginx = await startNginx({ ...options, file: 'deploy/nginx.conf', nodes: ports });
  stops.push(() => nginx.stop());
  const url = `ws://127.0.0.1:${options.port}/realtime`;
  const limpet = await Child.start(process.execPath, {
    args: ['playground/dist/limpet-alone.js', url],
    env: { LIMPET_TOKEN },
    ready: /in the lobby/,
  });
  stops.push(() => limpet.stop('SIGTERM'));
  const [example] = nodes;
  const page = `http://${options.host === '127.0.0.1' ? 'localhost' : options.host}:${options.port}`;
  const drawing = draw({
    url: page,
    balance: options.balance,
    nginx: { name: 'nginx', port: nginx.port, pid: nginx.pid },
    nodes: nodes.map(({ part }) => part),
    redis: { name: 'Redis', port: redis.port, pid: redis.process.pid ?? -1 },
  });
  console.log(`
${drawing}

  Open ${page}: the page shows which server it has. Then, in another terminal, for example
    kill -9 ${example?.part.pid}       ${example?.name} dies; its clients go on at the others
    kill ${example?.part.pid}          it asks its clients to move, and ends when they have gone
    kill -STOP ${example?.part.pid}    it hangs; kill -CONT wakes it up
  Whatever has ended is started again after ${AGAIN_MS / 1000} s. Ctrl-C ends all.
`);
  needs('Redis', new Promise((resolve) => redis.process.once('exit', resolve)));
  needs('nginx', nginx.ended);
  for (const node of nodes) {
    keep(node).catch(async (error: Error) => {
      console.error(error.message);
      await stopAll(1);
    });
  }
} catch (error) {
  console.error((error as Error).message);
  await stopAll(1);
}
