import { checkKeys, checkType } from '@holdfast/protocol';
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
    checkKeys(rule, RULE_KEYS, `rooms('${pattern}')`);
    for (const key of ['join', 'publish'] as const) {
      const value = rule[key];
      if (value !== undefined && typeof value !== 'boolean' && typeof value !== 'function') {
        throw new TypeError(
          `rooms('${pattern}'): ${key} must be a boolean or a function, not ${typeof value}`,
        );
      }
    }
    checkType(rule.presence, 'boolean', `rooms('${pattern}'): presence`);
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
