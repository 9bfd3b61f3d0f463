import type { WireData } from '@holdfast/protocol';

/** What a tab says to whoever has the socket; `id`: one of its connections, as it counts them. */
export type TabWord =
  | readonly ['open', id: number, url: string, protocols: readonly string[]]
  | readonly ['say', id: number, data: WireData]
  /** So many more messages have been heard. */
  | readonly ['taken', id: number, messages: number]
  | readonly ['close', id: number, code: number, reason: string];

/** What it hears from there. */
export type HubWord =
  /** I am here, and have heard you. */
  | readonly ['here']
  | readonly ['opened', id: number, protocol: string]
  | readonly ['told', id: number, data: WireData]
  /** So many more characters or bytes are on their way. */
  | readonly ['passed', id: number, size: number]
  | readonly ['closed', id: number, code: number, reason: string]
  /** This server shares no sockets: have one of your own. */
  | readonly ['alone', id: number];

/** Who speaks: with another version of these words, tabs are strangers to each other. */
export const PLACE = 'holdfast-tabs:1';

/** As long as a tab is there, it holds a lock of this name. */
export const lockOf = (member: string): string => `${PLACE}:tab:${member}`;
