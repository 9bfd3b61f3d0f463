/** Where to listen and with whom to share, as the environment says. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  /** Undefined: one server by itself. */
  readonly cluster: ClusterSettings | undefined;
}

/** One server of several. */
export interface ClusterSettings {
  /** What pages show of it. */
  readonly node: string;
  readonly redisUrl: string;
  readonly durability: 'node' | 'disk';
  /** Proxies in front, each of which appends to `X-Forwarded-For`. */
  readonly trustProxy: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `PORT` (default 3000; 0: any free one) and `HOST` (default 127.0.0.1: a demo without passwords is nobody else's
 * business, until one says so). With `REDIS_URL` it is one of several servers: `NODE_NAME` is its name, `DURABILITY` is `node`
 * (default) or `disk`, as that Redis is set up, `TRUST_PROXY` the number of proxies in front. Throws an `Error` that names
 * the variable.
 */
export function readSettings(env: Environment): Settings {
  const { PORT = '', HOST = '' } = env;
  const port = PORT.trim() === '' ? 3000 : Number(PORT);
  if (!/^\s*\d*\s*$/.test(PORT) || port > 65_535) {
    throw new Error(
      `PORT must be a whole number from 0 to 65535, not '${PORT}'. For example: PORT=3001 npm start`,
    );
  }
  return { port, host: HOST.trim() || '127.0.0.1', cluster: readCluster(env) };
}

function readCluster(env: Environment): ClusterSettings | undefined {
  const { REDIS_URL = '', NODE_NAME = '', DURABILITY = '', TRUST_PROXY = '' } = env;
  if (REDIS_URL.trim() === '') return undefined;
  const durability = DURABILITY.trim() || 'node';
  if (durability !== 'node' && durability !== 'disk') {
    throw new Error(`DURABILITY must be 'node' or 'disk', not '${DURABILITY}'`);
  }
  if (!/^\s*\d?\s*$/.test(TRUST_PROXY)) {
    throw new Error(`TRUST_PROXY must be the number of proxies in front, not '${TRUST_PROXY}'`);
  }
  const trustProxy = TRUST_PROXY.trim() === '' ? undefined : Number(TRUST_PROXY);
  return {
    node: NODE_NAME.trim() || `node ${process.pid}`,
    redisUrl: REDIS_URL.trim(),
    durability,
    trustProxy,
  };
}

/** How to get at what listens on `host` from this machine. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '127.0.0.1') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
