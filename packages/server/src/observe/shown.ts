/** As close reasons (RFC 6455 section 5.5.1): longer ones are nobody's honest names. */
const MAX_BYTES = 123;
/** Line breaks, escape sequences of terminals, marks that turn the order of text around, halves of characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** A text from outside as it may stand in a log: what could pass for another line or another text is escaped, `\u{a}`. */
export function shown(text: string): string {
  let safe = '';
  let bytes = 0;
  for (const character of text) {
    const written = INVISIBLE.test(character) ? `\\u{${character.codePointAt(0)?.toString(16)}}` : character;
    bytes += Buffer.byteLength(written);
    if (bytes > MAX_BYTES) break;
    safe += written;
  }
  return safe;
}
