import type { WireData } from '@holdfast/client/ports';
import type { PeerKind } from './ground.js';

/** The other end of a connection, whatever it runs on. */
interface PeerEnd {
  send(data: WireData): void;
  close(code: number, reason: string): void;
  /** It is gone without a word. */
  cut(): void;
}

/** Texts and bytes, also none at all, as `says` says them the moment it is there. */
export const SAID: readonly WireData[] = [
  'one',
  new Uint8Array([2]),
  '',
  new Uint8Array(),
  'naïve café ☕ 🦀',
  new Uint8Array([0, 255]),
];

type Peer = (end: PeerEnd) => (data: WireData) => void;

/** What a peer of each kind does when the connection stands; what it gives is told each message. */
const peers: { readonly [kind in PeerKind]: Peer } = {
  quiet: () => () => undefined,
  deaf: () => () => undefined,
  echo: (end) => (data) => end.send(data),
  says: (end) => {
    for (const data of SAID) end.send(data);
    return () => undefined;
  },
  many: (end) => {
    for (let n = 1; n <= 100; n++) end.send(String(n));
    return () => undefined;
  },
  ends: (end) => {
    end.send('one');
    end.send('two');
    end.close(4321, 'that is all ☕');
    return () => undefined;
  },
  cuts: (end) => () => end.cut(),
};

export const peerOf = (kind: string): Peer | undefined =>
  Object.hasOwn(peers, kind) ? peers[kind as PeerKind] : undefined;
