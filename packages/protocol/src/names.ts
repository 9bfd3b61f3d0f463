/**
 * Names of events, requests and rooms. What is in a namespace begins with the name of that and a `#`: `/admin#kick`; the
 * namespace itself is a room, `/admin#`, whose members are those who have joined it.
 */

/** Longest name of an event, request or room, with its namespace, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 128;
/** Longest name of a namespace. */
export const MAX_NAMESPACE_LENGTH = 64;

/** The namespace of a name, with its `#`, and at the same time the name of its room; empty for what is in none. */
export function prefixOf(name: string): string {
  return name.startsWith('/') ? name.slice(0, name.indexOf('#') + 1) : '';
}

/** Throws a `TypeError` unless `name` may name an event, a request or a room in the namespace of `prefix`, or in none. */
export function checkName(name: unknown, what: string, prefix = ''): asserts name is string {
  const most = MAX_NAME_LENGTH - prefix.length;
  if (typeof name !== 'string' || name === '' || name.length > most) {
    const given = typeof name === 'string' ? `one of ${name.length}` : typeof name;
    throw new TypeError(`${what}: a name must be a string of 1 to ${most} characters, not ${given}`);
  }
  if (name.startsWith('$'))
    throw new TypeError(`${what}: '${name}' begins with '$', which the protocol keeps for itself`);
  const namespace = prefixOf(name).slice(0, -1);
  if (namespace) throw new TypeError(`${what}: '${name}' is in the namespace '${namespace}': say it there`);
}

/** Throws a `TypeError` unless `name` may name a namespace. */
export function checkNamespace(name: unknown): asserts name is string {
  if (typeof name === 'string' && name.length <= MAX_NAMESPACE_LENGTH && /^\/[^#]+$/.test(name)) return;
  const rule = `begin with '/', have 2 to ${MAX_NAMESPACE_LENGTH} characters, and no '#'`;
  throw new TypeError(`namespace(name) must ${rule}, not ${JSON.stringify(name)}`);
}
