import { connect } from 'node:net';
import { createTcpProxy, type TcpProxy } from '@holdfast/testing/tcp-proxy';
import { onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../../test/redis-server.js';

/** So long a replica may take until it has what there was; generous: it only passes when something hangs. */
const SYNC_MS = 15_000;

const OPTIONS = {
  node: ['--maxmemory-policy', 'noeviction', '--repl-diskless-sync-delay', '0'],
  disk: [...['--maxmemory-policy', 'noeviction', '--appendonly', 'yes'], ...['--appendfsync', 'always']],
};

/**
 * An address at which servers find a Redis that gets into trouble: a proxy, so that it can be slow, and another Redis one
 * day. Everything is gone when the test is over.
 */
export class RedisPlace {
  readonly durability: 'node' | 'disk';
  readonly url: string;
  readonly #folder: string;
  readonly #port: number;
  #proxy: TcpProxy;
  #server: RedisServer;
  #replica: RedisServer | undefined;
  /** On which the replica hears of what is written. */
  #link: TcpProxy | undefined;

  private constructor(
    durability: 'node' | 'disk',
    around: { folder: string; server: RedisServer; proxy: TcpProxy },
  ) {
    this.durability = durability;
    this.#folder = around.folder;
    this.#server = around.server;
    this.#proxy = around.proxy;
    this.#port = around.proxy.port;
    this.url = `redis://127.0.0.1:${this.#port}`;
    onTestFinished(async () => {
      await Promise.all([this.#proxy.close(), this.#link?.close()]);
      await Promise.all([this.#server.stop(), this.#replica?.stop()]);
    });
  }

  static async start(durability: 'node' | 'disk', folder: string): Promise<RedisPlace> {
    const server = await startRedis('--dir', folder, ...OPTIONS[durability]);
    const proxy = await createTcpProxy({ target: { port: server.port } });
    return new RedisPlace(durability, { folder, server, proxy });
  }

  /** SIGTERM: it writes what it has to write. SIGKILL: nothing. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { process } = this.#server;
    process.kill(signal);
    if (process.exitCode === null && process.signalCode === null) {
      await new Promise((resolve) => process.once('exit', resolve));
    }
  }

  /** After `stop`, where it was. */
  async startAgain(): Promise<void> {
    const { port } = this.#server;
    const again = ['--port', `${port}`, '--dir', this.#folder, ...OPTIONS[this.durability]];
    this.#server = { ...(await startRedis(...again)), port };
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#server.process.kill(signal);
  }

  /** Each answer takes so much longer. */
  slow(ms: number): void {
    this.#proxy.delay(ms, 'down');
  }

  async flush(): Promise<void> {
    await ask(this.#server, 'FLUSHALL');
  }

  /** Another one has all that this one has, until they are parted. */
  async startReplica(): Promise<void> {
    const { port } = this.#server;
    this.#link = await createTcpProxy({ target: { port } });
    this.#replica = await startRedis(
      ...['--dir', this.#folder, '--dbfilename', 'replica.rdb', ...OPTIONS.node],
      ...['--replicaof', `127.0.0.1 ${this.#link.port}`],
    );
    for (const end = Date.now() + SYNC_MS; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const said = await ask(this.#replica, 'INFO replication');
      if (said.includes('master_link_status:up')) return;
      if (Date.now() > end) throw new Error(`the replica does not come up:\n${said}`);
    }
  }

  /** From now on the replica misses what is written, and nobody knows. */
  async part(): Promise<void> {
    await this.#link?.cut({ how: 'silent' });
  }

  /** The replica takes over, without what it has missed; the old one is no more. */
  async failOver(): Promise<void> {
    const replica = this.#replica;
    if (!replica) throw new Error('there is no replica');
    await this.stop('SIGKILL');
    await Promise.all([this.#proxy.close(), this.#link?.close()]);
    await ask(replica, 'REPLICAOF NO ONE');
    this.#server = replica;
    this.#replica = undefined;
    this.#proxy = await createTcpProxy({ target: { port: replica.port }, port: this.#port });
  }
}

/** What Redis answers to a command that needs no library. */
function ask({ port }: RedisServer, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    socket.once('error', reject).once('close', () => resolve(said));
    socket.on('data', (text: string) => {
      said += text;
    });
    socket.write(`${command}\r\nQUIT\r\n`);
  });
}
