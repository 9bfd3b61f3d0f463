import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { freePort } from './redis-server.js';

/** Undefined: it is missing, and what needs it is skipped. Set by `npm test`; by hand it is where Debian puts it. */
export const natsProgram = [process.env['HOLDFAST_NATS'], '/usr/sbin/nats-server'].find(
  (path) => path && existsSync(path),
);

/** A NATS of the test's own, on a port that stays the same whenever it is started again. */
export class NatsServer {
  readonly port: number;
  readonly #options: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.#options = options;
  }

  /** More options as on its command line. */
  static async start(...options: readonly string[]): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** After `stop`. */
  async start(): Promise<void> {
    if (!natsProgram) throw new Error('nats-server is missing');
    const args = ['-a', '127.0.0.1', '-p', `${this.port}`, ...this.#options];
    const child = spawn(natsProgram, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`nats-server has ended:\n${said}`)));
      child.stderr?.on('data', (more: Buffer) => {
        said += more.toString();
        if (said.includes('Server is ready')) resolve();
      });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** At once: it says goodbye to nobody. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}
