import { connect, type NodeConnectionOptions } from '@nats-io/transport-node';

/** Of a server that says nothing, the connection is given up after three of these; ms. */
const PING_MS = 5_000;
const CONNECT_MS = 5_000;

export type Access = Pick<NodeConnectionOptions, 'authenticator' | 'tls'>;

/** What the bus needs of a connection. */
export interface Dialled {
  publish(message: Uint8Array): void;
  /** All that was published before has come to NATS. */
  flush(): Promise<void>;
  /** Why it is over. */
  readonly ended: Promise<unknown>;
  close(): Promise<void>;
}

/** A connection on which `heard` is told of what others publish from now on; where NATS is, the first that answers. */
export async function dial(
  servers: readonly URL[],
  access: Access,
  subject: string,
  heard: (message: Uint8Array) => void,
): Promise<Dialled> {
  const connection = await connect({
    ...{ ...identityOf(servers[0]), ...access, servers: servers.map(({ host }) => host) },
    // Whoever asked dials again, so that there is one way to a connection; no message waits for it.
    ...{ reconnect: false, noEcho: true, timeout: CONNECT_MS, pingInterval: PING_MS },
  });
  let reason: unknown;
  // What NATS does not allow does not end a connection by itself.
  const refused = (error: unknown): void => {
    reason ??= error;
    void connection.close();
  };
  connection.subscribe(subject, {
    callback: (error, message) => (error ? refused(error) : heard(message.data)),
  });
  const watch = async (): Promise<void> => {
    for await (const status of connection.status()) if (status.type === 'error') refused(status.error);
  };
  void watch();
  try {
    await connection.flush();
  } catch (error) {
    await connection.close();
    throw reason ?? error;
  }
  return {
    publish: (message) => connection.publish(subject, message),
    flush: () => connection.flush(),
    ended: connection
      .closed()
      .then((error) => reason ?? error ?? new Error('NATS has closed the connection')),
    close: () => connection.close(),
  };
}

/** Who we are to each of them; a name alone is a token. */
function identityOf(server: URL | undefined): NodeConnectionOptions {
  const [user, pass] = [server?.username, server?.password].map((part) => decodeURIComponent(part ?? ''));
  const tls = server?.protocol === 'tls:' ? { tls: {} } : {};
  if (!user) return tls;
  return pass ? { ...tls, user, pass } : { ...tls, token: user };
}
