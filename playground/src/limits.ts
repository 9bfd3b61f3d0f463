/** Bounds that the page, the bot and the server share. Apart from the contract, so that no schema ships to the page. */
export const MAX_TEXT_CHARS = 2000;
export const MAX_NAME_CHARS = 24;
const MAX_ROOM_CHARS = 32;

/** Letters and digits of any script, then also `. _ : -`; no spaces, so that a room fits a link and a command. */
const ROOM_NAME = /^[\p{L}\p{N}][\p{L}\p{N}._:-]*$/u;
export const ROOM_NAME_RULE = `a room's name has 1 to ${MAX_ROOM_CHARS} letters, digits or . _ : -`;

export function isRoomName(name: string): boolean {
  return name.length <= MAX_ROOM_CHARS && ROOM_NAME.test(name);
}
