import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkKeys, checkThat, checkType } from '@holdfast/protocol';

/** As text or as bytes; several may stand in one. */
export type Pem = string | Uint8Array;

/** How Redis and its servers trust each other, named as Node's `tls.connect` has it. */
export interface RedisTlsOptions {
  /**
   * Certificates of who vouches for that of Redis, as PEM, not as a path; Redis' own if it vouches for itself. Default: those that
   * Node knows, and those of `NODE_EXTRA_CA_CERTS`; given, only these count.
   */
  ca?: Pem | readonly Pem[] | undefined;
  /** Who we are, if Redis asks (`tls-auth-clients`, which is on by default): a certificate as PEM, with those that vouch for it. */
  cert?: Pem | undefined;
  /** The private key of `cert`, as PEM. */
  key?: Pem | undefined;
  /** Of `key`, if it is encrypted. */
  passphrase?: string | undefined;
  /** What the certificate of Redis says it is for; default: the host that it is reached at. Of a cluster, that of each node. */
  servername?: string | undefined;
  /** `false`: whoever answers is taken for Redis, so that somebody in between may read and change everything. Default true. */
  rejectUnauthorized?: boolean | undefined;
}

const OPTIONS = [
  'ca',
  'cert',
  'key',
  'passphrase',
  'servername',
  'rejectUnauthorized',
] as const satisfies readonly (keyof RedisTlsOptions)[];

/** What was given, or a `TypeError`: nobody would hear of it later, but that Redis is away. A key is not shown. */
export function checkTls(
  tls: RedisTlsOptions | undefined,
  urls: readonly string[],
): RedisTlsOptions | undefined {
  if (tls === undefined) return undefined;
  checkKeys(tls, OPTIONS, 'tls');
  if (!urls.every((url) => new URL(url).protocol === 'rediss:'))
    throw new TypeError('tls is for rediss://…, and redis://… was given');
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = tls;
  for (const one of Array.isArray(ca) ? ca : [ca]) checkCertificate(one, 'tls.ca');
  checkCertificate(cert, 'tls.cert');
  if ((cert === undefined) !== (key === undefined))
    throw new TypeError('tls.cert and tls.key must be given together');
  checkType(rejectUnauthorized, 'boolean', 'tls.rejectUnauthorized');
  checkType(servername, 'string', 'tls.servername');
  checkThat(!isIP(servername ?? ''), 'tls.servername', 'a name, which no address is', servername);
  checkKey({ cert, key, passphrase });
  return Object.freeze({ ...tls });
}

function checkCertificate(given: unknown, name: string): void {
  if (given === undefined) return;
  try {
    new X509Certificate(given as string);
  } catch {
    throw new TypeError(`${name} must be a certificate as PEM, not a path to one`);
  }
}

function checkKey({ cert, key, passphrase }: Pick<RedisTlsOptions, 'cert' | 'key' | 'passphrase'>): void {
  if (key === undefined || cert === undefined) return;
  let fits = false;
  try {
    const opened = createPrivateKey({
      key: Buffer.from(key),
      ...(passphrase !== undefined && { passphrase }),
    });
    fits = new X509Certificate(cert).checkPrivateKey(opened);
  } catch {
    // What is said of it would show what stands in it.
  }
  if (!fits)
    throw new TypeError(
      'tls.key must be the private key of tls.cert as PEM, and tls.passphrase what opens it',
    );
}
