const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** 132 bits, more than a UUID has. */
const LENGTH = 22;
/** A platform takes about as long for the bytes of many ids as for those of one. */
const IDS_AT_ONCE = 128;

/** Makes ids of 22 characters that nobody can guess. `fill`: the platform's source of random bytes. */
export function randomIds(fill: (bytes: Uint8Array<ArrayBuffer>) => unknown): () => string {
  const bytes = new Uint8Array(LENGTH * IDS_AT_ONCE);
  let used = bytes.length;
  return () => {
    if (used === bytes.length) {
      fill(bytes);
      used = 0;
    }
    let id = '';
    for (const end = used + LENGTH; used < end; used++) id += ALPHABET[(bytes[used] ?? 0) & 63];
    return id;
  };
}
