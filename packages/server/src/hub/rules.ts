import type { RoomRule } from '../types.js';

const RULE_KEYS = ['join', 'publish', 'presence'];
const NO_RULE: RoomRule = Object.freeze({});

/** What clients may do in rooms, by the rooms' names. */
export class Rules {
  readonly #rules = new Map<string, RoomRule>();

  /** Throws a `TypeError` for a bad pattern or rule. */
  add(pattern: string, rule: RoomRule): void {
    if (typeof pattern !== 'string' || !/^(?!\$)[^*]*\*?$/.test(pattern) || pattern === '') {
      throw new TypeError(`rooms(pattern): '${pattern}' must be a name, or a prefix and one '*' at its end`);
    }
    for (const key of Object.keys(rule)) {
      if (!RULE_KEYS.includes(key)) {
        throw new TypeError(`rooms('${pattern}'): unknown rule '${key}'; allowed: ${RULE_KEYS.join(', ')}`);
      }
    }
    this.#rules.set(pattern, rule);
  }

  /** The rule of the longest pattern that fits; without one nothing is allowed. */
  for(room: string): RoomRule {
    const exact = this.#rules.get(room);
    if (exact) return exact;
    let longest = '';
    for (const pattern of this.#rules.keys()) {
      const fits = pattern.endsWith('*') && room.startsWith(pattern.slice(0, -1));
      if (fits && pattern.length > longest.length) longest = pattern;
    }
    return this.#rules.get(longest) ?? NO_RULE;
  }
}
