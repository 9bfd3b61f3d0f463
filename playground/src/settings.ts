/** Where to listen, as the environment says. */
export interface Settings {
  readonly port: number;
  readonly host: string;
}

/**
 * `PORT` (default 3000; 0: any free one) and `HOST` (default 127.0.0.1: a demo without passwords is nobody else's
 * business, until one says so). Throws an `Error` that names the variable.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const { PORT = '', HOST = '' } = env;
  const port = PORT.trim() === '' ? 3000 : Number(PORT);
  if (!/^\s*\d*\s*$/.test(PORT) || port > 65_535) {
    throw new Error(
      `PORT must be a whole number from 0 to 65535, not '${PORT}'. For example: PORT=3001 npm start`,
    );
  }
  return { port, host: HOST.trim() || '127.0.0.1' };
}

/** How to get at what listens on `host` from this machine. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '127.0.0.1') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
