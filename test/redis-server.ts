import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';

/** Undefined: it is missing, and what needs it is skipped. Set by `npm test`; by hand it is where Debian puts it. */
export const redisProgram = [process.env['HOLDFAST_REDIS'], '/usr/bin/redis-server'].find(
  (path) => path && existsSync(path),
);

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Ends it, by its own id. */
  stop(): Promise<void>;
}

/**
 * A Redis of the test's own, on a free port, that keeps nothing; more options as on its command line. With a
 * `--tls-cert-file` that port is for TLS, and there is no other.
 */
export async function startRedis(...options: readonly string[]): Promise<RedisServer> {
  // Between looking and listening somebody else may take the port.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return await startOn(port, options);
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

async function startOn(port: number, options: readonly string[] = []): Promise<RedisServer> {
  if (!redisProgram) throw new Error('redis-server is missing');
  const isTls = options.includes('--tls-cert-file');
  const fixed = [
    ...(isTls ? ['--port', '0', '--tls-port'] : ['--port']),
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn(redisProgram, [...fixed, '--loglevel', 'notice', ...options], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await listening(child);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await gone;
  };
  return { url: `redis${isTls ? 's' : ''}://127.0.0.1:${port}`, port, process: child, stop };
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server has ended:\n${said}`)));
    child.stdout?.on('data', (more: Buffer) => {
      said += more.toString();
      if (said.includes('Ready to accept connections')) resolve();
    });
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
