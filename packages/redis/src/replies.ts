/** What a script answers: what Lua's tables become on the wire. */
export type Reply = Buffer | number | null | readonly Reply[];

// A reply is not checked field by field: script and reader come from one package. But what is not there is named.

export function listOf(reply: Reply | undefined): readonly Reply[] {
  if (Array.isArray(reply)) return reply as readonly Reply[];
  throw new TypeError(`Redis answered ${String(reply)} where a list was expected`);
}

export function bytesOf(reply: Reply | undefined): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw new TypeError(`Redis answered ${String(reply)} where text was expected`);
}

export const textOf = (reply: Reply | undefined): string => bytesOf(reply).toString();

/** Numbers of a record come as text. */
export const numberOf = (reply: Reply | undefined): number =>
  typeof reply === 'number' ? reply : Number(textOf(reply));

export const textsOf = (reply: Reply | undefined): string[] => listOf(reply).map(textOf);

/** In groups of so many. */
export function groupsOf(replies: readonly Reply[], size: number): (readonly Reply[])[] {
  const groups: (readonly Reply[])[] = [];
  for (let from = 0; from < replies.length; from += size) groups.push(replies.slice(from, from + size));
  return groups;
}
