import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/redis-server.js';

/** Undefined: it is missing. Set by `npm test` and `npm run cluster`; by hand it is where Debian puts it. */
export const nginxProgram = [process.env['HOLDFAST_NGINX'], '/usr/sbin/nginx'].find(
  (path) => path && existsSync(path),
);

export interface NginxOptions {
  /** The file of users, in which only addresses are replaced. */
  readonly file: string;
  /** Where the servers listen, on this machine. */
  readonly nodes: readonly number[];
  /** Default: any free one. */
  readonly port?: number;
  readonly host?: string;
  /** `ip_hash`: as the file says how; default round robin. */
  readonly balance?: 'ip_hash' | 'round robin';
}

export interface Nginx {
  readonly port: number;
  readonly pid: number;
  /** Resolves when it ends, however that comes. */
  readonly ended: Promise<void>;
  /** One for each connection that has ended: the address of the servers that were asked, in turn. */
  upstreams(): string[];
  stop(): Promise<void>;
}

/** nginx as users have it, as a process of its own; rejects with what it says if it does not come up. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  // Between looking and listening somebody else may take the port.
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(options.port ?? (await freePort()), options);
    } catch (error) {
      if (options.port !== undefined || attempt === 3) throw error;
    }
  }
}

/** The file with other addresses. Throws if it does not say what is to be replaced. */
export function adapt(text: string, { nodes, balance, ...place }: Adaptation): string {
  const servers = /^( *)server node-\d+:3000( [^;]*)?;\n/gm;
  const [first = ''] = text.match(servers) ?? [];
  const all = nodes.map((port) => first.replace(/node-\d+:3000/, `127.0.0.1:${port}`)).join('');
  let adapted = replaceOnce(text, text.match(servers)?.join('') ?? 'server node-1:3000', all);
  adapted = replaceOnce(adapted, 'listen 8080;', `listen ${place.host}:${place.port};`);
  adapted = replaceOnce(adapted, '/dev/stdout', place.log);
  // Debian's would be in folders of the system.
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = paths.map((name) => `  ${name}_temp_path ${place.folder}/${name};\n`).join('');
  adapted = replaceOnce(adapted, 'http {\n', `http {\n${temporary}`);
  return balance === 'ip_hash' ? replaceOnce(adapted, '# ip_hash;', 'ip_hash;') : adapted;
}

interface Adaptation extends Pick<NginxOptions, 'nodes' | 'balance'> {
  readonly port: number;
  readonly host: string;
  readonly log: string;
  readonly folder: string;
}

function replaceOnce(text: string, from: string, to: string): string {
  const [before, after, ...more] = text.split(from);
  if (after === undefined || more.length > 0) throw new Error(`nginx.conf must say "${from}" once`);
  return `${before}${to}${after}`;
}

async function startOn(port: number, options: NginxOptions): Promise<Nginx> {
  if (!nginxProgram) throw new Error('nginx is missing');
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-nginx-'));
  const [file, log] = [join(folder, 'nginx.conf'), join(folder, 'access.log')];
  const { host = '127.0.0.1', nodes, balance = 'round robin' } = options;
  writeFileSync(file, adapt(readFileSync(options.file, 'utf8'), { nodes, balance, port, host, log, folder }));
  const own = `daemon off; pid ${folder}/nginx.pid; error_log stderr warn;`;
  const child = spawn(nginxProgram, ['-p', folder, '-c', file, '-g', own], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => {
    for (const event of ['exit', 'error']) child.once(event, () => resolve());
  });
  const stop = async (): Promise<void> => {
    // Killed outright, its workers would outlive it.
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await listening(child, port);
  } catch (error) {
    await stop();
    throw error;
  }
  const upstreams = (): string[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(line.lastIndexOf('s ') + 2));
  return { port, pid: child.pid ?? -1, ended, upstreams, stop };
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  let said = '';
  child.stderr?.on('data', (more: Buffer) => {
    said = `${said}${more.toString()}`.slice(-4_000);
  });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  for (const end = Date.now() + 10_000; Date.now() < end && isRunning(); ) {
    // Somebody else may be who answers: nginx says so, and goes on trying for 2.5 s.
    if (!said.includes('bind()') && (await answers(port))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nginx does not come up:\n${said}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
