import type { Transport, TransportEvents, WireData } from '@holdfast/client/ports';

/** What the suite can meet at the other end; see peer.ts, and `refused`, `nobody`, `silent` in the grounds. */
export type PeerKind = 'quiet' | 'deaf' | 'echo' | 'says' | 'many' | 'ends' | 'cuts';

/**
 * `refused`: says no. `nobody`: there is no one. `silent`: takes the call and says nothing, not even yes. `no-address`:
 * what is dialled is none.
 */
export type Kind = PeerKind | 'refused' | 'nobody' | 'silent' | 'no-address';

/** One kind of transport, and the peers that can be reached with it. */
export interface Ground {
  /** `id`: by which `told` knows the connection. */
  dial(kind: Kind, id: string, protocols: readonly string[], events: TransportEvents): Transport;
  /**
   * What the peer of this connection has heard, in order: `open`, `text …`, `bytes …`, `close …`. A `deaf` one listens
   * from now on.
   */
  told(id: string): Promise<readonly string[]>;
}

/** A message in one line; a long one is told by its length and what is all through it. */
export function shown(data: WireData): string {
  const isText = typeof data === 'string';
  if (!isText && !(data instanceof Uint8Array)) return `neither text nor bytes: ${String(data)}`;
  const what = isText ? 'text' : 'bytes';
  if (data.length <= 80) return `${what} ${isText ? data : data.join()}`.trimEnd();
  return `${what}, ${data.length} times ${[...new Set<unknown>(data)].join(' and ')}`;
}
