import {
  type ContractVersions,
  FrameError,
  type Hello,
  MAX_OPEN_REQUESTS,
  PROTOCOL_VERSION,
  type Random,
  type Welcome,
} from '@holdfast/protocol';

/** How much the server may have unacknowledged on the way to us. */
const WINDOW = [1_000, 1_048_576] as const;

interface Standing {
  readonly id: string;
  readonly key: string;
  readonly epoch: string;
  readonly userId: string;
  /** The token by which that was. */
  readonly auth: string | undefined;
}

/** Which session this client has, and how its next HELLO proves it. */
export class ClientSession {
  readonly #random: Random;
  /** Of the contract. */
  readonly versions: ContractVersions | undefined;
  #standing: Standing | undefined;
  /** Names the session to be made; another one for each. */
  #nonce: string | undefined;
  /** Who was here last, by which token. */
  #before: Pick<Standing, 'userId' | 'auth'> | undefined;

  constructor(random: Random, versions: ContractVersions | undefined) {
    this.#random = random;
    this.versions = versions;
  }

  /** Of the session that stands or can be come back to. */
  get id(): string | undefined {
    return this.#standing?.id;
  }

  hello(
    dial: number,
    auth: string | undefined,
    { received, acked }: { readonly received: number; readonly acked: number },
  ): Hello {
    this.#nonce ??= this.#random.id();
    const ours = { v: PROTOCOL_VERSION, w: WINDOW, q: MAX_OPEN_REQUESTS, cv: this.versions };
    const hello = { ...ours, c: this.#nonce, n: dial, a: auth };
    if (!this.#standing) return hello;
    const { id: s, key: k, epoch: e } = this.#standing;
    return { ...hello, s, k, e, x: received, y: acked };
  }

  /** The server has let us in. Returns whose messages must not be sent by who we are now, if anybody's. */
  stands({ s: id, k: key, e: epoch, u: userId }: Welcome, auth: string | undefined): string | undefined {
    if (key === undefined || epoch === undefined) throw new FrameError('a WELCOME without a key or an epoch');
    const { userId: before } = this.#before ?? {};
    // A guest has another id in each session; but who logs in as somebody else must not speak for who was here before.
    const replaced = this.#before && this.#before.auth !== auth && before !== userId ? before : undefined;
    this.#standing = { id, key, epoch, userId, auth };
    this.#before = this.#standing;
    this.#nonce = undefined;
    return replaced;
  }

  lost(): void {
    this.#standing = undefined;
    this.#nonce = undefined;
  }
}
